"""Laws that are judged when the story is over, from what the platforms show and from what is stored."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.builders import shown
from tests.simulation.company import GUESTS, LOBBY, SERVING, STAFF, readers
from tests.simulation.inside import Snapshot
from tests.simulation.laws import TOKEN, Words
from tests.simulation.owed import OUT_OF_REACH, UNDELIVERED, judge_what_is_owed, read_by
from tests.simulation.post import Taken
from tests.simulation.workplace import Effect
from triage.changes import AddEntry, Converse
from triage.clocks import Clock, judged
from triage.model import EntryKind, Kind, Message, Status, Ticket
from triage.outgoing import Direct, OnSlot, Pings
from triage.sla import recomputed

if TYPE_CHECKING:
    from tests.simulation.world import World

A_MOMENT = timedelta(seconds=5)
"""Two that are handled at once are settled in either order."""
NUMBER = re.compile(r"#(\d+)")
REFUSED = ("not_in_channel", "tried for 15 minutes", "cannot be reached", "never delivered", "where others read it")
"""Why a row may be given up."""


def judge(world: World) -> None:
    try:
        snapshot = world.inside.snapshot()
    except Exception as error:  # noqa: BLE001 - whatever it is, the desk has stored what nobody can read
        world.wrong("readable", f"what is stored cannot be read: {type(error).__name__}: {error}")
        return
    found = (effect for workplace in world.workplaces.values() for effect in workplace.effects)
    effects = sorted(found, key=lambda effect: effect.number)
    _acknowledged(world, snapshot)
    _kept(world, snapshot)
    _delivered(world, snapshot, effects)
    _doubled(world, effects)
    _in_order(world, snapshot, effects)
    _last_words(world, snapshot)
    _promises(world)
    _pings(world, snapshot)
    _secrets(world, effects)
    _restricted(world, effects)
    _articles(world, effects)
    _clocks(world, snapshot)
    _positions(world, snapshot)
    judge_what_is_owed(world, snapshot)


# --- what came in ------------------------------------------------------------------------------
def _acknowledged(world: World, snapshot: Snapshot) -> None:
    """Every acknowledged message was handled, and whoever spoke to the bot heard of it."""
    rows = {row.outgoing.key for row in snapshot.rows}
    for key, taken in world.post.acked.items():
        record = world.laws.decisions.get(key)
        if record is None and _is_talk(world, taken):
            continue
        if record is None or key not in snapshot.inbox:
            world.wrong("nothing lost", f"{key} was acknowledged and is gone")
            continue
        if taken.receipt.failure is not None:
            world.wrong("exception", f"{key} failed")
        said = [item.key for item in record.decision.outgoing]
        if any(each not in rows for each in said):
            world.wrong("nothing lost", f"what {key} had said is not in the outbox")
        message = taken.message
        author = message.sender.account.user.removeprefix("U-")
        heard = record.decision.ack or any(author in read_by(world, item) for item in record.decision.outgoing)
        owed = message.addressed and message.kind not in (Kind.EDIT, Kind.DELETE)
        added = any(isinstance(change, AddEntry) for change in record.decision.changes)
        if not heard and (owed or (_asks(message) and not added)):
            world.wrong("never silent", f"{key} ('{message.text}') got no answer")
    for record in world.laws.unheard:
        if record.message and _adds(record.message):
            world.wrong("nothing lost", f"{record.message.key} ('{record.message.text}') was not passed on")
    if snapshot.failed_turns:
        world.wrong("exception", f"{snapshot.failed_turns} turns failed")


def _is_talk(world: World, taken: Taken) -> bool:
    """In a channel where nobody asks, not to the bot, and not below what somebody had asked it there before."""
    message = taken.message
    if message.addressed or message.channel != LOBBY or message.kind is not Kind.POST:
        return False
    asked = (
        record.at
        for record in world.laws.decisions.values()
        for change in record.decision.changes
        if isinstance(change, Converse) and change.conversation.key == message.here.key
    )
    return message.thread is None or all(at > taken.at - A_MOMENT for at in asked)


def _asks(message: Message) -> bool:
    """A new question, in a help channel or a direct chat."""
    return message.kind is Kind.POST and any(token.startswith("q") for token in TOKEN.findall(message.text))


def _adds(message: Message) -> bool:
    """Words of the requester below their own question."""
    return message.kind is Kind.POST and any(token.startswith("m") for token in TOKEN.findall(message.text))


def _kept(world: World, snapshot: Snapshot) -> None:
    """What was said stands in its ticket once; a conversation has one open ticket."""
    stands: Counter[tuple[str, str, str]] = Counter()
    for id, lines in snapshot.entries.items():
        stands.update((id, e.message, e.kind) for e in lines if e.message and e.kind is not EntryKind.EVENT)
    for which in stands.keys() | world.laws.entries.keys():
        if stands[which] != world.laws.entries[which]:
            world.wrong("kept once", f"{which} stands {stands[which]} times, not {world.laws.entries[which]}")
    feeding = Counter(k.ticket.conversation for k in snapshot.tickets if k.ticket and not k.ticket.ended)
    for conversation, count in feeding.items():
        if conversation is not None and count > 1:
            world.wrong("one ticket", f"{conversation} has {count} open tickets")


# --- what went out -----------------------------------------------------------------------------
def _delivered(world: World, snapshot: Snapshot, effects: list[Effect]) -> None:
    arrived = {effect.key for effect in effects}
    for row in snapshot.rows:
        key = row.outgoing.key
        if row.state == "pending":
            world.wrong("all delivered", f"{key} still waits")
        elif row.state == "sent" and key not in arrived:
            world.wrong("sent means shown", f"{key} is marked sent and was never shown")
        elif row.state == "failed" and not any(reason in row.reason for reason in REFUSED):
            world.wrong("a reason", f"{key} failed: {row.reason or 'no reason'}")
        elif row.state == "dropped" and not row.reason:
            world.wrong("a reason", f"{key} was dropped without a reason")


def _doubled(world: World, effects: list[Effect]) -> None:
    """Nothing is shown twice, but what cannot be looked up, and that says so."""
    shown_before: set[str] = set()
    for effect in (each for each in effects if each.what != "update"):
        if effect.key in shown_before:
            finds = world.workplaces[effect.platform].finds and effect.what == "post"
            if finds or not effect.again:
                world.wrong("nothing doubled", f"{effect.key} was shown twice on {effect.platform} ({effect.what})")
        shown_before.add(effect.key)


def _in_order(world: World, snapshot: Snapshot, effects: list[Effect]) -> None:
    numbers = {row.outgoing.key: row.number for row in snapshot.rows}
    last: dict[str, int] = {}
    first: set[str] = set()
    for effect in effects:
        if effect.key in first or effect.parcel is None or effect.key not in numbers:
            continue
        first.add(effect.key)
        lane = effect.parcel.outgoing.to.lane
        if numbers[effect.key] < last.get(lane, 0):
            world.wrong("lanes in order", f"{effect.key} came after a later one of {lane}")
        last[lane] = max(last.get(lane, 0), numbers[effect.key])


def _last_words(world: World, snapshot: Snapshot) -> None:
    """A message that is kept up to date shows what was said of it last."""
    newest = {
        row.outgoing.to.slot: row
        for row in snapshot.rows
        if isinstance(row.outgoing.to, OnSlot) and row.state == "sent"
    }
    failed = {
        row.outgoing.to.slot for row in snapshot.rows if isinstance(row.outgoing.to, OnSlot) and row.state == "failed"
    }
    slots = {row.outgoing.slot: row for row in snapshot.rows if row.outgoing.slot and row.state == "sent"}
    posts = {post.key: post for workplace in world.workplaces.values() for post in workplace.posts if post.key}
    for slot, row in newest.items():
        root = slots.get(slot)
        post = posts.get(root.outgoing.key) if root and root.number < row.number else None
        if post is not None and slot not in failed and post.text != shown(row.outgoing):
            world.wrong("last word", f"{slot} does not show {row.outgoing.key}")


def _promises(world: World) -> None:
    """A promise stays the promise of its own ticket, however often it is edited."""
    for workplace in world.workplaces.values():
        for post in workplace.posts:
            before, after = NUMBER.search(post.first or post.text), NUMBER.search(post.text)
            if post.key and post.key.endswith("/requester:promise") and before and after and before[1] != after[1]:
                world.wrong("promises", f"the promise of #{before[1]} now speaks of #{after[1]}")


def _pings(world: World, snapshot: Snapshot) -> None:
    """What is marked said was said, once."""
    kept = Counter((ping.person, repr(ping.reminder)) for ping, told in snapshot.pings if told)
    said: Counter[tuple[str, str]] = Counter()
    for row in snapshot.rows:
        notice, to = row.outgoing.notice, row.outgoing.to
        if isinstance(notice, Pings) and isinstance(to, Direct) and row.outgoing.key.endswith("/said"):
            said.update((to.person, repr(reminder)) for reminder in notice.reminders)
    for which in kept.keys() | said.keys():
        if kept[which] != said[which]:
            world.wrong("pings", f"{which[0]} was told {said[which]} times, not {kept[which]}: {which[1][:120]}")


# --- who may see what --------------------------------------------------------------------------
def _secrets(world: World, effects: list[Effect]) -> None:
    for effect in effects:
        people = frozenset({effect.only_for}) if effect.only_for else readers(effect.channel)
        for token in set(TOKEN.findall(effect.text)):
            words = world.laws.words.get(token)
            if words is None:
                continue
            allowed = _may_see(world, words)
            if allowed is not None and not people <= allowed:
                outsiders = ", ".join(sorted(str(person) for person in people - allowed))
                world.wrong("private", f"{token} is shown to {outsiders} in {effect.channel.id} [{effect.key}]")


def _restricted(world: World, effects: list[Effect]) -> None:
    """Of a restricted ticket only its requester and its team hear; the old card says where it went."""
    said = {item.key: n for n, each in enumerate(world.laws.chapters, 1) for item in each.record.decision.outgoing}
    for effect in effects:
        parcel = effect.parcel
        since = world.laws.restricted.get(parcel.outgoing.ticket or "") if parcel else None
        if parcel is None or since is None or effect.key.endswith("/card:gone"):
            continue
        if said.get(effect.key.removesuffix(UNDELIVERED).removesuffix(OUT_OF_REACH), 0) <= since[0]:
            continue
        people = frozenset({effect.only_for}) if effect.only_for else readers(effect.channel)
        staff = [STAFF[team] for team in world.laws.teams[parcel.outgoing.ticket or ""]]
        allowed = frozenset().union(*staff) | {world.laws.names.get(since[1], since[1])}
        named = parcel.outgoing.to.person if isinstance(parcel.outgoing.to, Direct) else None
        if not people <= allowed | ({named} if named else frozenset()):
            world.wrong("private", f"a restricted ticket is spoken of in {effect.channel.id} [{effect.key}]")


def _may_see(world: World, words: Words) -> frozenset[str] | None:
    """None: everyone."""
    names = world.laws.names
    authors = {names.get(author, author) for author in words.authors}
    if words.kinds == {EntryKind.NOTE} and authors <= SERVING and words.open:
        return SERVING
    if words.open:
        return None
    requesters = {names.get(id, id) for id in words.requesters}
    staff = [STAFF[team] for id in words.tickets for team in world.laws.teams[id]]
    allowed = frozenset().union(*staff) | authors
    return allowed if words.kinds == {EntryKind.NOTE} and authors <= SERVING else allowed | requesters


def _articles(world: World, effects: list[Effect]) -> None:
    for effect in effects:
        people = frozenset({effect.only_for}) if effect.only_for else readers(effect.channel)
        if "hr-only" in effect.text and not people <= STAFF["hr"]:
            world.wrong("audience", f"an article for HR is shown in {effect.channel.id} [{effect.key}]")
        if "company-only" in effect.text and people & GUESTS:
            world.wrong("audience", f"an article of the company is shown to a guest [{effect.key}]")


# --- time --------------------------------------------------------------------------------------
def _clocks(world: World, snapshot: Snapshot) -> None:
    """The clocks that are stored are those that the ticket's events give."""
    for known in snapshot.tickets:
        stored = {(c.metric, c.instance): _as_seen(c, world) for c in known.clocks}
        timeline = recomputed(known.events)
        computed = {(c.metric, c.instance): _as_seen(c, world) for c in timeline.clocks}
        if stored != computed:
            which = sorted(str(k) for k in stored.keys() | computed.keys() if stored.get(k) != computed.get(k))
            number = known.ticket.number if known.ticket else "?"
            world.wrong("clocks", f"#{number}: {', '.join(which)} differ from their recomputation")
        if known.ticket and timeline.status is not _status(known.ticket):
            world.wrong("clocks", f"#{known.ticket.number} is {known.ticket.status}, by its events {timeline.status}")


def _status(ticket: Ticket) -> Status:
    """As the clocks see it: to them it is the same who works on it."""
    return Status.OPEN if ticket.status is Status.NEW else ticket.status


def _as_seen(clock: Clock, world: World) -> object:
    seen = judged(clock, world.now())
    return seen.log, seen.known_at


def _positions(world: World, snapshot: Snapshot) -> None:
    for known in snapshot.tickets:
        position, ticket, terms = known.position, known.ticket, known.terms
        if ticket is None or terms is None:
            world.wrong("positions", "a ticket without terms")
            continue
        idle = position.run is None and (position.next_at or position.acked_by)
        if idle or not 0 <= position.step <= len(terms.chain.steps) or position.round > 10:
            world.wrong("positions", f"#{ticket.number} stands at {position}")
