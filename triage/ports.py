"""What the core needs from the world, as small protocols.

`storage` implements `Storage`; each of `adapters.slack / teams / web` implements `ChatPort` and is
given an `Intake` to hand its messages to; `bot.compose` joins them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from triage.auditing import Why
from triage.changes import Decision
from triage.clocks import Clock
from triage.document import Document
from triage.escalation import Position
from triage.knowledge import Article
from triage.learning import Case, Figures, Proposal
from triage.model import Account, Channel, Conversation, Entry, Message, MessageRef, Person, Platform, Thread, Ticket
from triage.outgoing import Outgoing, Ping
from triage.policy import Terms
from triage.rota import Override
from triage.timeline import Event

Now = Callable[[], datetime]
"""The clock: an aware instant in UTC. Virtual in tests, faster in the demo."""

NewId = Callable[[], str]
"""A fresh surrogate id."""


# --- inbound -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a message: `ack` is to be shown at once where the platform waits for it."""

    repeat: bool = False
    ack: Document | None = None
    failure: str | None = None
    """The id of the failed turn that was stored instead."""
    talk: bool = False
    """People among themselves: nothing of it was stored."""


class Intake(Protocol):
    """Takes one message to the core, off the event loop, and returns once it is committed.

    Raises `TurnError` when nothing was stored: the adapter must then not acknowledge.
    """

    async def __call__(self, message: Message) -> Receipt: ...


# --- outbound ----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A thread and the opaque `reference` its adapter left with an inbound message, if any."""

    thread: Thread
    reference: str | None = None


class ChatPort(Protocol):
    """One platform's outbound side. Every method raises `TryLater` or `GiveUp`, nothing else."""

    platform: Platform
    finds: bool
    """Whether `find` can tell if a post went out; where not, what is in doubt is sent again and says so."""

    async def post(self, to: Address, document: Document, *, key: str) -> MessageRef:
        """Post; `key` is the outbox key, to be carried in the message where the platform allows it."""
        ...

    async def update(self, ref: MessageRef, document: Document, *, reference: str | None) -> None: ...

    async def whisper(self, to: Address, account: Account, document: Document, *, reply_url: str | None) -> None:
        """Show to one person alone, in place; raises CannotWhisper where that cannot be done."""
        ...

    async def direct(self, account: Account, *, reference: str | None) -> Address:
        """The direct chat with this person, opened if need be; `reference` is the place's."""
        ...

    async def find(self, to: Address, *, key: str) -> MessageRef | None:
        """Look once for a post that may have been sent before a crash; None where that is impossible."""
        ...

    def invitation(self, place: str) -> str | None:
        """A link that opens a direct chat with the bot."""
        ...


# --- storage -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What a turn wants loaded. `number` names a ticket; otherwise the thread's own is meant."""

    sender: str
    here: Thread
    root: str | None
    flat: bool
    number: int | None = None
    fresh: bool = False
    """Whether the thread hangs on the message itself, so that its root is none of the bot's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What storage found, under lock. `team_side` is true in a ticket card's thread."""

    conversation: Conversation | None = None
    ticket: Ticket | None = None
    team_side: bool = False
    clocks: tuple[Clock, ...] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    """Requester and owner of the ticket, and whoever wrote its entries."""
    opening: str = ""
    """The ticket's first message."""
    terms: Terms | None = None
    """What the ticket's clocks run under, as kept when it was opened."""
    events: tuple[Event, ...] = ()
    """What the ticket's clocks are computed from, in order."""
    position: Position = field(default_factory=Position)
    """Where its escalation chain stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueClock:
    ticket: Ticket
    clock: Clock
    terms: Terms
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One person's pings that may be said, oldest first. `said` are the instants of what they were told in
    the last hour, `held` is how many of these pings the cap kept back."""

    person: str
    pings: tuple[Ping, ...]
    said: tuple[datetime, ...] = ()
    held: int = 0


class Work(Protocol):
    """One write transaction. Leaving it without `commit` rolls everything back."""

    def claim(self, key: str, at: datetime) -> bool:
        """Put the key into the inbox; False when it was there already."""
        ...

    def claim_all(self, claims: Mapping[str, Thread], at: datetime, *, patient: bool = True) -> Collection[str]:
        """First statement of turns: put these keys into the inbox; those that were new. Other turns of the threads
        wait until this one ends. Who is not `patient` waits for others an instant at most: raises Unavailable."""

    def load(self, lookup: Lookup) -> Loaded:
        """What is known of this place; turns of one thread see it one after the other."""
        ...

    def look(self) -> Reading:
        """Reads inside this transaction."""
        ...

    def next_number(self) -> int:
        """The number of the next ticket."""
        ...

    def record(self, decision: Decision, at: datetime, *, message: Message | None = None, why: Why = Why.TIME) -> None:
        """Write changes, their audit and outbox; keep the message's `reference` for its channel and place.

        `why` is for what no message asked for. Raises Conflict when a ticket changed since it was loaded."""
        ...

    def due(self, at: datetime, limit: int) -> Sequence[DueClock]:
        """Clocks whose `next_at` has passed, oldest first, locked for this transaction with their tickets."""
        ...

    def due_steps(self, at: datetime, limit: int) -> Sequence[str]:
        """Tickets whose escalation goes on now, oldest first, locked for this transaction."""
        ...

    def whole(self, ticket: str) -> Loaded:
        """All that is known of one ticket; `Loaded()` when it is gone."""
        ...

    def waiting(self, at: datetime, limit: int) -> Sequence[Waiting]:
        """People with pings that may be said, locked for this transaction."""
        ...

    def beat(self, at: datetime) -> None:
        """The sweep is alive; a gap since the last beat is kept as downtime."""
        ...

    def fail(self, id: str, key: str, at: datetime, error: str) -> None:
        """Keep a turn that could not be decided, for `doctor`."""
        ...

    def flush(self) -> None:
        """What was recorded goes to the database now: after it only the commit is left."""
        ...

    def commit(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """An outbox row under lease. `token` proves the lease; `doubtful` was leased before and never marked."""

    outgoing: Outgoing
    fallback: str
    token: str
    tries: int
    created_at: datetime
    doubtful: bool = False
    ref: MessageRef | None = None
    """For `OnSlot` and `UnderSlot`: the message meant."""
    account: Account | None = None
    """For `Direct` and `Privately`: where the person is."""
    reference: str | None = None
    """The adapter's opaque reference for the channel (or direct chat), else the place's."""
    direct: Channel | None = None
    """The direct chat with `account`, if one is known."""
    mentions: Mapping[str, Mapping[Platform, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A parcel that arrived: `ref` is the new message, `direct` the direct chat opened on the way, both to be
    kept. `missed` says why it did not reach its person directly, for `doctor`."""

    parcel: Parcel
    ref: MessageRef | None = None
    direct: Address | None = None
    missed: str | None = None


class Outbox(Protocol):
    """Delivery's side of the storage; each call is its own short transaction."""

    def lease(self, limit: int, *, skip: frozenset[str] = frozenset()) -> Sequence[Parcel]:
        """At most one row a lane, none of the buckets in `skip`; 60 s of lease."""
        ...

    def standing(self, parcel: Parcel) -> Parcel | None:
        """What of it still need be said: None when its guard holds no more, or that of each reminder in it."""
        ...

    def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        """Mark sent and keep the references, in one transaction; False for each whose lease was lost."""
        ...

    def later(self, parcel: Parcel, seconds: float, reason: str) -> None:
        """Give the lease back; not before `seconds` from now."""
        ...

    def dropped(self, parcel: Parcel, reason: str) -> None:
        """The guard failed: it need not be said any more."""
        ...

    def failed(self, parcel: Parcel, reason: str, at: datetime, told: Sequence[Outgoing] = ()) -> None:
        """Give the row up; the lane moves on. What is to be `told` of that is put there with it, or not at all."""
        ...

    def pending(self) -> int: ...


class Lessons(Protocol):
    """Reads of what was learned: cases, proposals and figures (`triage.learning`)."""

    def cases(self, limit: int) -> Sequence[Case]:
        """The newest cases, oldest first; none of tickets that are restricted by now."""
        ...

    def cases_of(self, ticket: str) -> Sequence[Case]: ...

    def proposal(self, id: str) -> Proposal | None:
        """The proposal; in a write transaction nobody else settles it meanwhile."""
        ...

    def proposals(self, article: str) -> Sequence[Proposal]:
        """All that were ever made about this article."""
        ...

    def offered(self, since: datetime) -> Mapping[str, int]:
        """How many proposals each person got since then."""
        ...

    def held(self, team: str) -> Sequence[Proposal]:
        """Waiting proposals from this team's conversations that were not offered yet, oldest first."""
        ...

    def figures(self, team: str, since: datetime, until: datetime) -> Figures:
        """What happened from `since` up to `until`, and the proposals that wait now."""
        ...


class Reading(Protocol):
    """Reads outside any transaction that matters."""

    @property
    def lessons(self) -> Lessons: ...

    def seen(self, key: str) -> bool: ...

    def person(self, account: Account) -> Person | None: ...

    def arriving(self, claims: Mapping[str, Account]) -> Mapping[str, tuple[bool, Person | None]]:
        """`seen` and `person` at once, by key."""
        ...

    def knows(self, thread: Thread) -> bool:
        """Whether anything was asked in this thread, or the bot wrote its root; after turns of it under way."""
        ...

    def people(self, ids: Sequence[str]) -> Mapping[str, Person]: ...

    def ticket(self, id: str) -> Ticket | None: ...

    def numbered(self, number: int) -> Ticket | None: ...

    def opening(self, ticket: str) -> str:
        """The ticket's first message; empty when there is none."""
        ...

    def queue(self, teams: Sequence[str], limit: int) -> tuple[Sequence[Ticket], int]:
        """Open tickets of these teams, most pressing first, and how many there are."""
        ...

    def mine(self, person: str, limit: int) -> tuple[Sequence[Ticket], int]:
        """Tickets not ended that this person owns or asked for, most pressing first, and how many."""
        ...

    def swaps(self, since: datetime) -> Mapping[str, tuple[Override, ...]]:
        """What was agreed in chat about being on call and is not over by then, by team, oldest first."""
        ...

    def due_of(self, tickets: Sequence[str]) -> Mapping[str, datetime]:
        """The next due time of each ticket that has one."""
        ...

    def history(self, ticket: str, limit: int) -> Sequence[Entry]:
        """The newest entries, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What a sync changed: ids of articles, sorted; one that came back counts as added."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.retired)


class Library(Protocol):
    """The articles of the company, shared by all processes. Each call is its own transaction."""

    def revision(self) -> int:
        """Rises with every change of what `articles` gives."""
        ...

    def articles(self) -> tuple[int, tuple[Article, ...]]:
        """All articles in force, with what was learned laid over them, by id and language; and their revision."""
        ...

    def replace(
        self,
        source: str,
        articles: Sequence[Article],
        at: datetime,
        *,
        keep: Collection[str] = (),
        retire: bool = True,
    ) -> Replaced:
        """Make these the articles of `source`; what it gives no more is retired, unless its id is in `keep`.

        Doing it twice changes nothing. A changed article's version rises, at least to the one given.
        Raises AlreadyHeld, and then changes nothing, when another source has one of them in force.
        """
        ...


class Storage(Protocol):
    def reading(self) -> AbstractContextManager[Reading]: ...

    def writing(self) -> AbstractContextManager[Work]: ...

    @property
    def outbox(self) -> Outbox: ...

    @property
    def library(self) -> Library: ...
