"""Laws about what people are owed, judged when the story is over: by all that was decided, in order, and what stands.

The desk may keep every word, deliver every row, and still not have told the one whom it was for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulation.company import readers
from tests.simulation.inside import Sent, Snapshot
from tests.simulation.watching import Committed
from triage.changes import (
    AddEntry,
    Called,
    EditEntry,
    KeepEvent,
    KeepPosition,
    OpenTicket,
    SetStatus,
    Transfer,
)
from triage.model import Entry, EntryKind, Kind, Message, Status, Ticket
from triage.outgoing import Card, Direct, InThread, OnSlot, Outgoing, Pings, Privately, Say, UnderSlot, card_slot
from triage.timeline import Do

if TYPE_CHECKING:
    from tests.simulation.world import World

STEP_EVERY = timedelta(minutes=5)
LONGEST_HELD = timedelta(days=1)
"""No night and no cap is longer."""
THANKS = frozenset({"thanks", "thanks!"})
UNDELIVERED, OUT_OF_REACH = "/undelivered", "/out-of-reach"
SUPERSEDED = "a newer update of the same message took its place"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A decision, and its tickets as it left them."""

    record: Committed
    tickets: Mapping[str, Ticket]


def judge_what_is_owed(world: World, snapshot: Snapshot) -> None:
    rows = {row.outgoing.key: row for row in snapshot.rows}
    before: dict[str, Ticket] = {}
    called: dict[str, datetime] = {}
    steps: set[tuple[str, str]] = set()
    for chapter in world.laws.chapters:
        _stands_as_decided(world, chapter, rows)
        _passed_on(world, chapter)
        _counted(world, chapter)
        _opened(world, chapter)
        _shut(world, chapter, before)
        _handed_on(world, chapter)
        _called(world, chapter, before, called)
        _stepped(world, chapter, steps)
        before.update(chapter.tickets)
    _in_turn(world)
    _cards(world, snapshot)
    _leads(world, snapshot, rows)
    _dropped(world, snapshot)
    _said_once(world, snapshot)
    _held(world)


def read_by(world: World, outgoing: Outgoing) -> frozenset[str]:
    """Who can read a message that is posted."""
    match outgoing.to:
        case InThread(thread=thread):
            return readers(thread.channel)
        case UnderSlot(channel=channel):
            return readers(channel)
        case Privately(person=person) | Direct(person=person):
            return frozenset({world.laws.names.get(person, person)})
        case OnSlot():
            return frozenset()


# --- what was decided, in order ----------------------------------------------------------------
def _stands_as_decided(world: World, chapter: Chapter, rows: Mapping[str, Sent]) -> None:
    """Two decisions that speak under one key would be one message."""
    for item in chapter.record.decision.outgoing:
        row = rows.get(item.key)
        if row is not None and row.outgoing != item:
            world.wrong("nothing lost", f"under {item.key} stands something else than was decided")


def _passed_on(world: World, chapter: Chapter) -> None:
    """Each side hears what the other wrote, and what became of it."""
    message, said = chapter.record.message, chapter.record.decision.outgoing
    if message is None:
        return
    quoted = [item for item in said if isinstance(item.notice, Say) and item.notice.quote]
    for id, kind, text in _words(world, chapter):
        ticket = chapter.tickets[id]
        theirs = message.here == ticket.home or message.here.key == ticket.conversation
        there = theirs and message.kind not in (Kind.COMMAND, Kind.BUTTON)
        heard = [item for item in quoted if isinstance(item.notice, Say) and item.notice.quote == text]
        asker = world.laws.names.get(ticket.requester, ticket.requester)
        if kind is EntryKind.REPLY and not there and not any(asker in read_by(world, item) for item in heard):
            world.wrong("passed on", f"'{text}' of {message.key} does not reach {asker}")
        if kind is EntryKind.MESSAGE and not any(isinstance(item.to, UnderSlot) for item in heard):
            world.wrong("passed on", f"'{text}' of {message.key} does not reach the team")


def _words(world: World, chapter: Chapter) -> Iterator[tuple[str, EntryKind, str]]:
    """What was added to a ticket, or changed; not what it was opened with, which stands on its card."""
    changes = chapter.record.decision.changes
    opened = {change.ticket.id for change in changes if isinstance(change, OpenTicket)}
    for change in changes:
        if isinstance(change, AddEntry) and change.ticket not in opened and not _last_words(chapter, change.entry):
            yield change.ticket, change.entry.kind, change.entry.text
        elif isinstance(change, EditEntry) and change.text:
            yield change.ticket, world.laws.kind_of(change), change.text


def _last_words(chapter: Chapter, entry: Entry) -> bool:
    """Whoever asked says why it is resolved."""
    changes = chapter.record.decision.changes
    resolved = any(isinstance(change, SetStatus) and change.status is Status.RESOLVED for change in changes)
    return entry.kind is EntryKind.MESSAGE and resolved


def _counted(world: World, chapter: Chapter) -> None:
    """An answer to the requester, and nothing else, is what the clocks take for one."""
    changes = chapter.record.decision.changes
    for id in chapter.tickets:
        kinds = {change.entry.kind for change in changes if isinstance(change, AddEntry) and change.ticket == id}
        does = {change.event.do for change in changes if isinstance(change, KeepEvent) and change.ticket == id}
        if (EntryKind.REPLY in kinds) != (Do.REPLY in does):
            words = ", ".join(sorted(kinds)) or "nothing"
            world.wrong("answers", f"{_key(chapter)} adds {words} to {id}, for the clocks {', '.join(sorted(does))}")


def _opened(world: World, chapter: Chapter) -> None:
    """Whoever asked is promised something, the team has a card; a guest only where guests are welcome."""
    message, decision = chapter.record.message, chapter.record.decision
    for change in decision.changes:
        if not isinstance(change, OpenTicket) or message is None:
            continue
        ticket = change.ticket
        asker = world.laws.names.get(ticket.requester, ticket.requester)
        slot = card_slot(ticket.id, ticket.team)
        if not any(item.slot == slot and isinstance(item.notice, Card) for item in decision.outgoing):
            world.wrong("passed on", f"no card of #{ticket.number} for {ticket.team}")
        if not any(asker in read_by(world, item) for item in decision.outgoing if item.slot != slot):
            world.wrong("never silent", f"{asker} is promised nothing about #{ticket.number}")
        if message.sender.guest and not world.policy.teams[ticket.team].allow_guests:
            world.wrong("audience", f"a guest opened #{ticket.number} with {ticket.team}")


def _shut(world: World, chapter: Chapter, before: Mapping[str, Ticket]) -> None:
    """Mere thanks open nothing again."""
    message = chapter.record.message
    if message is None or message.kind is not Kind.POST or message.text not in THANKS:
        return
    for id, ticket in chapter.tickets.items():
        if id in before and before[id].ended and not ticket.ended:
            world.wrong("thanks", f"{message.key} ('{message.text}') opened #{ticket.number} again")


def _handed_on(world: World, chapter: Chapter) -> None:
    """What another team has is nobody's yet."""
    for change in chapter.record.decision.changes:
        if isinstance(change, Transfer) and chapter.tickets[change.ticket].owner is not None:
            world.wrong("one owner", f"{_key(chapter)} hands {change.ticket} on with its owner")


def _called(world: World, chapter: Chapter, before: Mapping[str, Ticket], called: dict[str, datetime]) -> None:
    """Nobody is called by time while the requester is waited for; people call one step in five minutes."""
    record = chapter.record
    for change in record.decision.changes:
        if not isinstance(change, Called):
            continue
        ticket = before.get(change.ticket)
        if record.message is None and ticket is not None and ticket.status is Status.PENDING and not _broke(chapter):
            world.wrong("acknowledged", f"{change.called} is called while #{ticket.number} waits for its requester")
        if (
            record.message is not None
            and timedelta() <= change.at - called.get(change.ticket, _long_ago(change)) < STEP_EVERY
        ):
            world.wrong("acknowledged", f"{_key(chapter)} calls {change.called} right after somebody was called")
        called[change.ticket] = change.at


def _broke(chapter: Chapter) -> bool:
    """A promise was broken just now: that begins a chain."""
    return not any(item.key.startswith("step:") for item in chapter.record.decision.outgoing)


def _stepped(world: World, chapter: Chapter, steps: set[tuple[str, str]]) -> None:
    """Time takes each step of a chain once."""
    changes = chapter.record.decision.changes
    calls = {change.ticket for change in changes if isinstance(change, Called)}
    for change in changes if chapter.record.message is None else ():
        if isinstance(change, KeepPosition) and change.ticket in calls:
            step = (change.ticket, change.position.id)
            if step in steps:
                world.wrong("stages", f"step {change.position.id} of {change.ticket} is taken twice")
            steps.add(step)


def _long_ago(change: Called) -> datetime:
    return change.at - STEP_EVERY


def _key(chapter: Chapter) -> str:
    message: Message | None = chapter.record.message
    return message.key if message else "the sweep"


def _in_turn(world: World) -> None:
    """Words right below a question come after it, while their platform would bring them again."""
    messages = [chapter.record.message for chapter in world.laws.chapters if chapter.record.message]
    place = {message.key: n for n, message in enumerate(messages)}
    for n, message in enumerate(messages):
        if message.after is not None and not message.last_try and place.get(message.after, n) > n:
            world.wrong("nothing lost", f"{message.key} ('{message.text}') overtook {message.after}")


# --- what stands at the end --------------------------------------------------------------------
def _cards(world: World, snapshot: Snapshot) -> None:
    """A ticket's card shows whose it is, how it stands and how pressing it is."""
    for known in snapshot.tickets:
        ticket = known.ticket
        slot = card_slot(ticket.id, ticket.team) if ticket else ""
        shown = [row for row in snapshot.rows if slot in (row.outgoing.slot, _updated(row))]
        last = max((row for row in shown if row.state == "sent"), key=lambda row: row.number, default=None)
        if ticket is None or last is None or any(row.state == "failed" for row in shown):
            continue
        card = last.outgoing.notice
        owner = card.owner.person if isinstance(card, Card) and card.owner else None
        if not isinstance(card, Card) or (card.status, card.priority, owner) != (
            ticket.status,
            ticket.priority,
            ticket.owner,
        ):
            world.wrong(
                "cards", f"#{ticket.number} is {ticket.status}, {ticket.priority}, {ticket.owner}'s: not so on its card"
            )


def _updated(row: Sent) -> str | None:
    return row.outgoing.to.slot if isinstance(row.outgoing.to, OnSlot) else None


def _leads(world: World, snapshot: Snapshot, rows: Mapping[str, Sent]) -> None:
    """Of what was given up the lead hears, and pings that could not be said together are said apart."""
    leads = {known.ticket.id: _leads_of(world, known.ticket) for known in snapshot.tickets if known.ticket}
    for row in snapshot.rows:
        item = row.outgoing
        if row.state == "failed" and isinstance(item.notice, Pings) and item.ticket is None:
            apart = [key for n in range(len(item.notice.reminders)) if (key := f"{item.key}:{n + 1}") not in rows]
            if apart:
                world.wrong("given up", f"{item.key} failed, and {', '.join(apart)} is not said apart")
        elif row.state == "failed" and item.ticket and not isinstance(item.to, OnSlot):
            if not item.key.endswith((UNDELIVERED, OUT_OF_REACH)) and f"{item.key}{UNDELIVERED}" not in rows:
                world.wrong("given up", f"{item.key} failed, and the lead is not told")
        elif row.state == "sent" and row.reason and isinstance(item.to, Direct) and item.ticket:
            told = item.key.endswith((UNDELIVERED, OUT_OF_REACH)) or f"{item.key}{OUT_OF_REACH}" in rows
            if not told and item.to.person not in leads[item.ticket]:
                world.wrong("given up", f"{item.key} stands in the thread, and the lead is not told")


def _leads_of(world: World, ticket: Ticket) -> frozenset[str]:
    """Of every team that had it."""
    teams = {each.team for chapter in world.laws.chapters for each in chapter.tickets.values() if each.id == ticket.id}
    return frozenset(lead for team in teams if (lead := world.policy.teams[team].lead))


def _dropped(world: World, snapshot: Snapshot) -> None:
    """Only what need not be said any more is dropped."""
    for row in snapshot.rows:
        if row.state != "dropped":
            continue
        newer = row.reason == SUPERSEDED and isinstance(row.outgoing.to, OnSlot)
        if not newer and not (row.reason == "no longer due" and row.outgoing.guarded):
            world.wrong("a reason", f"{row.outgoing.key} was dropped: {row.reason}")


def _said_once(world: World, snapshot: Snapshot) -> None:
    """Nobody's words are quoted by two messages in one place."""
    quoted: Counter[tuple[str, str]] = Counter()
    for row in snapshot.rows:
        notice = row.outgoing.notice
        if isinstance(notice, Say) and notice.quote and row.state == "sent" and _updated(row) is None:
            quoted[row.outgoing.to.lane, notice.quote] += 1
    for (lane, words), times in quoted.items():
        if times > 1 and any(char.isdigit() for char in words):
            world.wrong("nothing doubled", f"'{words}' is said {times} times in {lane}")


def _held(world: World) -> None:
    """What waits to be said to somebody waits for the end of a night or of an hour."""
    until = world.now() + LONGEST_HELD + timedelta(minutes=1)
    for what, at in world.inside.upcoming():
        if what.startswith("word to") and at > until:
            world.wrong("stages", f"{what} is held back until {at:%Y-%m-%d %H:%M}")
