"""Laws that are judged while the story runs: at each commit, each lease and each sweep.

Whatever they need they work out themselves, from what is committed. Those judged at the end stand in
`tests.simulation.verdicts`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from tests.simulation.owed import Chapter
from tests.simulation.watching import Committed
from triage.changes import (
    AddEntry,
    Change,
    EditEntry,
    KeepEvent,
    KeepPing,
    KeepPosition,
    KeptChange,
    Meet,
    OpenTicket,
    TicketChange,
)
from triage.desk import Desk
from triage.model import EntryKind, Message
from triage.ports import DueClock, Loaded, Parcel
from triage.stages import OVERDUE, rings
from triage.sweeping import Swept
from triage.timeline import Do
from triage.turn import LATEST

if TYPE_CHECKING:
    from tests.simulation.world import World

TOKEN = re.compile(r"\b[a-z]\d{3}x\b")
"""What makes each thing said recognisable wherever it turns up."""


@dataclass(slots=True)
class Words:
    """Where something said was kept: by ticket, and whether that was restricted by then."""

    kinds: set[EntryKind] = field(default_factory=set)
    tickets: set[str] = field(default_factory=set)
    requesters: set[str] = field(default_factory=set)
    authors: set[str] = field(default_factory=set)
    open: bool = False
    """Kept on a ticket that was not restricted then."""


class Laws:
    def __init__(self, world: World) -> None:
        self._world = world
        self.opened = 0
        self.chapters: list[Chapter] = []
        """All that was committed, in order."""
        self.decisions: dict[str, Committed] = {}
        self.words: defaultdict[str, Words] = defaultdict(Words)
        self.entries: Counter[tuple[str, str, str]] = Counter()
        self.conversations: dict[str, set[str]] = {}
        """Who has a ticket in each."""
        self.unheard: list[Committed] = []
        self.teams: defaultdict[str, list[str]] = defaultdict(list)
        """Who had each ticket since it is restricted."""
        self.restricted: dict[str, tuple[int, str]] = {}
        """After how many decisions each restricted ticket became so, and whose it is."""
        self.names: dict[str, str] = {}
        """Whom the desk's ids of people stand for."""
        self._versions: dict[str, int] = {}
        self._owners: dict[str, str | None] = {}
        self._left: set[tuple[str, datetime]] = set()
        self._acked: dict[str, datetime] = {}
        self._entry_kinds: dict[tuple[str, str], EntryKind] = {}

    # --- commits ---
    def committed(self, records: Sequence[Committed], work: Any) -> None:
        for record in records:
            if record.message is not None:
                self._turn(record, record.message)
            touched = dict.fromkeys(_tickets(record))
            known = {id: work.whole(id) for id in touched}
            tickets = {id: loaded.ticket for id, loaded in known.items() if loaded.ticket}
            self.chapters.append(Chapter(record, tickets))
            self._said(record, known)
            self._claims(record)
            self._calls(record, known)
            if record.message is not None:
                self._instants(record, record.message, known)
        changed = (c for record in records for c in record.decision.changes)
        for id in dict.fromkeys(_versioned(change) for change in changed):
            if id is not None:
                self._stands(work.whole(id))

    def kind_of(self, edit: EditEntry) -> EntryKind:
        """Of the words that were edited."""
        return self._entry_kinds.get((edit.ticket, edit.message), EntryKind.MESSAGE)

    def leased(self, parcels: Sequence[Parcel]) -> None:
        lanes = Counter(parcel.outgoing.to.lane for parcel in parcels)
        for lane, count in lanes.items():
            if count > 1:
                self._wrong("lanes in order", f"{count} rows of {lane} are under way at once")

    def _turn(self, record: Committed, message: Message) -> None:
        if message.key in self.decisions:
            self._wrong("handled once", f"{message.key} was handled twice")
        self.decisions[message.key] = record
        for change in record.decision.changes:
            if isinstance(change, Meet) and change.person.account:
                self.names[change.person.id] = change.person.account.user.removeprefix("U-")
            if isinstance(change, OpenTicket):
                self.opened += 1
                if change.ticket.conversation:
                    self.conversations.setdefault(change.ticket.conversation, set()).add(change.ticket.requester)
        asking = {self.names.get(id, id) for id in self.conversations.get(message.here.key, ())}
        if message.sender.account.user.removeprefix("U-") in asking and not _any(record):
            self.unheard.append(record)
        self._world.tell(f"turn {message.key}: {_summary(record)}")

    def _said(self, record: Committed, known: dict[str, Loaded]) -> None:
        for change in record.decision.changes:
            if isinstance(change, AddEntry):
                entry = change.entry
                self._entry_kinds[change.ticket, entry.message or ""] = entry.kind
                if entry.message and entry.kind is not EntryKind.EVENT:
                    self.entries[change.ticket, entry.message, entry.kind] += 1
                self._keep(entry.text, entry.kind, known[change.ticket], entry.author)
            elif isinstance(change, EditEntry):
                self._keep(change.text, self.kind_of(change), known[change.ticket], None)

    def _keep(self, text: str, kind: EntryKind, known: Loaded, author: str | None) -> None:
        ticket = known.ticket
        if ticket is None or kind is EntryKind.EVENT:
            return
        for token in TOKEN.findall(text):
            words = self.words[token]
            words.kinds.add(kind)
            words.tickets.add(ticket.id)
            words.requesters.add(ticket.requester)
            words.authors |= {author} if author else set()
            words.open |= not ticket.restricted

    def _claims(self, record: Committed) -> None:
        for change in record.decision.changes:
            if isinstance(change, AddEntry) and change.entry.text.startswith('["event.claimed"'):
                owner = self._owners.get(change.ticket)
                if owner is not None:
                    self._wrong("one owner", f"{change.entry.author} claims {change.ticket}, which is {owner}'s")

    def _calls(self, record: Committed, known: dict[str, Loaded]) -> None:
        """Whoever said "I'm on it" is believed for as long as the chain says."""
        changes = record.decision.changes
        if record.message is None:
            keys = [change.ping.key for change in changes if isinstance(change, KeepPing)]
            for key in (*keys, *(item.key for item in record.decision.outgoing)):
                id = key.split(":")[1] if key.startswith("step:") else ""
                if record.at < self._acked.get(id, record.at):
                    self._wrong("acknowledged", f"{key} calls though somebody is on it")
            return
        for change in changes:
            if isinstance(change, KeepPosition):
                self._acked.pop(change.ticket, None)
        for change in changes:
            if isinstance(change, AddEntry) and change.entry.text.startswith('["event.acknowledged"'):
                terms = known[change.ticket].terms
                if terms:
                    self._acked[change.ticket] = record.at + timedelta(seconds=terms.chain.ack)

    def _instants(self, record: Committed, message: Message, known: dict[str, Loaded]) -> None:
        """The requester's words count from when they were written."""
        said = message.sent_at or record.at
        said = said if record.at - LATEST <= said <= record.at else record.at
        for change in record.decision.changes:
            if isinstance(change, KeepEvent) and change.event.do is Do.MESSAGE:
                events = known[change.ticket].events
                before = events[events.index(change.event) - 1].at
                if change.event.at != max(said, before):
                    self._wrong("instants", f"{message.key} was written at {said}, counted from {change.event.at}")

    def _stands(self, known: Loaded) -> None:
        ticket = known.ticket
        if ticket is None:
            return
        if ticket.version <= self._versions.get(ticket.id, 0):
            self._wrong("versions", f"#{ticket.number} changed, its version is {ticket.version} still")
        self._versions[ticket.id] = ticket.version
        self._owners[ticket.id] = ticket.owner
        if ticket.restricted:
            self.restricted.setdefault(ticket.id, (len(self.chapters), ticket.requester))
        if ticket.restricted and self.teams[ticket.id][-1:] != [ticket.team]:
            self.teams[ticket.id].append(ticket.team)

    # --- sweeps ---
    def sweep(self, desk: Desk, meanwhile: Callable[[bool], AbstractContextManager[None]]) -> Swept:
        """A sweep, and what must be so after it; told whether something is due, `meanwhile` is what may happen."""
        world = self._world
        before = {each for each in world.inside.upcoming() if each[1] <= world.now()}
        expected = list(self._expected(world.now())) if before else []
        with meanwhile(bool(before)):
            swept = desk.sweep()
        for failure in swept.failed:
            self._wrong("sweep", f"set aside: {failure}")
        for key in expected:
            if not world.inside.has_key(key):
                self._wrong("stages", f"{key} was due and nobody is told")
        left = before.intersection(world.inside.upcoming()) if before else set()
        for what, _ in left & self._left:
            self._wrong("stages", f"{what} is left undone by two sweeps")
        self._left = left
        if swept.any:
            world.tell(f"sweep: {swept.rung} rung, {swept.steps} steps, {swept.told} told")
        return swept

    def _expected(self, now: datetime) -> Iterator[str]:
        """Keys of the highest stages that have come; of tickets with several at once only that there are some."""
        with self._world.inside.opened().writing() as work:
            due: Sequence[DueClock] = work.due(now, 1_000)
        counts = Counter(each.ticket.id for each in due)
        for each in due:
            key = _highest(each, now)
            if counts[each.ticket.id] == 1 and key:
                yield key

    def _wrong(self, law: str, what: str) -> None:
        self._world.wrong(law, what)


def _highest(due: DueClock, now: datetime) -> str | None:
    clock = due.clock
    told = set(clock.rung)
    after = max((int(id.partition(":")[2]) for id in told if id.startswith(OVERDUE)), default=0)
    come = takewhile(lambda ring: ring.at <= now, rings(clock, due.terms.warn, due.terms.overdue, after=after))
    silent = [ring for ring in come if ring.id not in told]
    if not silent or clock.paused or not clock.live:
        return None
    last = silent[-1]
    which = f"sla:{due.ticket.id}:{clock.metric}:{clock.instance}:{clock.revision}:{last.stage}"
    return f"{which}:{last.n}" if last.n else which


def _tickets(record: Committed) -> Iterator[str]:
    for change in record.decision.changes:
        if isinstance(change, OpenTicket):
            yield change.ticket.id
        elif isinstance(change, TicketChange | KeepPosition | AddEntry | EditEntry | KeepEvent):
            yield change.ticket


def _versioned(change: Change) -> str | None:
    """The ticket whose version the change raises."""
    if isinstance(change, OpenTicket):
        return change.ticket.id
    return change.ticket if isinstance(change, TicketChange | KeptChange) else None


def _any(record: Committed) -> bool:
    """Whether anything came of it."""
    decision = record.decision
    return len(decision.changes) > 1 or bool(decision.outgoing) or decision.ack is not None


def _summary(record: Committed) -> str:
    changes = [type(change).__name__ for change in record.decision.changes[1:]]
    said = [item.key.rpartition("/")[2] for item in record.decision.outgoing]
    return f"{', '.join(changes) or 'nothing kept'}; says {', '.join(said) or 'nothing'}"
