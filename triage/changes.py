"""The facts a turn stores. Storage writes them; nothing else may change a ticket.

Ticket changes are applied by `apply`, so every storage gives them the same meaning.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime

from triage import timeline as clocked
from triage.clocks import Clock
from triage.escalation import Position
from triage.knowledge import Article
from triage.learning import Case, Event, Proposal, ProposalState
from triage.matching import Verdict
from triage.model import ChannelKind, Conversation, Entry, Language, Person, Priority, Status, Ticket
from triage.outgoing import Notice, Outgoing, Ping
from triage.policy import Terms
from triage.rota import Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Meet:
    """Keep or refresh a person and their account; nothing to do where they are `known` to be just so."""

    person: Person
    known: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Converse:
    """Keep a conversation as it now stands."""

    conversation: Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach:
    """Free the ticket's conversation for another ticket."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    ticket: str
    owner: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    ticket: str
    status: Status
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority:
    ticket: str
    priority: Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """To another team; its owner is given up. Restriction is never lifted, and once it holds the
    requester is answered privately."""

    ticket: str
    team: str
    restricted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """Somebody was called about it; `called` is their name."""

    ticket: str
    at: datetime
    called: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    ticket: str
    rating: str
    """`good` or `bad`."""


TicketChange = Detach | Assign | SetStatus | SetPriority | Transfer | Called | Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEntry:
    ticket: str
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class EditEntry:
    """The post was edited or deleted (empty text) on its platform."""

    ticket: str
    message: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepClock:
    """Store a clock as it now stands, log included; `due_at` and `next_at` (of its next ping) follow from it."""

    ticket: str
    clock: Clock
    due_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepEvent:
    """Add to the events that a ticket's clocks are computed from."""

    ticket: str
    event: clocked.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTerms:
    """Store the terms a ticket's clocks run under: a copy, taken when it is opened (SLA.md, rule 2)."""

    ticket: str
    terms: Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPosition:
    """Store where the ticket's escalation chain stands."""

    ticket: str
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPing:
    """Keep a ping until it is said; the same one kept before stays as it is."""

    ping: Ping


@dataclass(frozen=True, slots=True, kw_only=True)
class SayPings:
    """These waiting pings, by key, are said now."""

    keys: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPings:
    """A person's waiting pings stay back until then; `capped` when because they had too many."""

    person: str
    until: datetime
    capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapOnCall:
    """Somebody else is on call for a while, as agreed in chat."""

    team: str
    override: Override
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepCase:
    """Keep a labelled case; one that is kept already stays as it is."""

    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Count a question, or what was said of its answer, once for each `id`; nobody's words are in it."""

    id: str
    team: str
    event: Event
    article: str | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPhrasing:
    """Lay a way to ask over an article; `against` says that the article is not meant by it."""

    article: str
    language: Language
    text: str
    against: bool
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddArticle:
    """Put a new article in force; where its id is taken in its language nothing changes."""

    article: Article


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Keep a proposal; the same one made before stays as it is."""

    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A proposal that waited is now put to its person."""

    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """A waiting proposal is accepted or declined; a conflict when it is settled already."""

    proposal: str
    state: ProposalState
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """Somebody was shown this restricted ticket, or (None) a list with such tickets: kept for the audit alone."""

    ticket: str | None


LearningChange = KeepCase | Count | AddPhrasing | AddArticle | Propose | Offer | Settle
ClockChange = KeepClock | KeepEvent | KeepPing | SayPings | HoldPings | SwapOnCall
KeptChange = KeepTerms | KeepPosition
"""What is kept beside a ticket, on its row."""

Change = (
    TicketChange
    | KeptChange
    | ClockChange
    | Meet
    | Converse
    | OpenTicket
    | AddEntry
    | EditEntry
    | LearningChange
    | Consult
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The pure result of a turn. `ack` is only for what cannot wait for the outbox (Teams invokes)."""

    verdict: Verdict | None = None
    changes: tuple[Change, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    ack: Notice | None = None
    reasons: tuple[str, ...] = ()

    def __add__(self, other: Decision) -> Decision:
        return Decision(
            verdict=other.verdict or self.verdict,
            changes=self.changes + other.changes,
            outgoing=self.outgoing + other.outgoing,
            ack=other.ack or self.ack,
            reasons=self.reasons + other.reasons,
        )

    def distinct(self) -> Decision:
        """The same with no two messages under one outbox key, since of those only one would be sent."""
        met: Counter[str] = Counter()
        outgoing = []
        for item in self.outgoing:
            met[item.key] += 1
            again = met[item.key] > 1
            outgoing.append(replace(item, key=f"{item.key}:{met[item.key]}") if again else item)
        return replace(self, outgoing=tuple(outgoing))


def apply(ticket: Ticket, change: TicketChange) -> Ticket:
    """The ticket after one change; the version is raised by storage, once a turn."""
    match change:
        case Detach():
            return replace(ticket, conversation=None)
        case Assign(owner=owner):
            return replace(ticket, owner=owner)
        case SetStatus(status=Status.RESOLVED, at=at):
            return replace(ticket, status=Status.RESOLVED, resolved_at=at)
        case SetStatus(status=status):
            resolved_at = ticket.resolved_at if status is Status.CLOSED else None
            return replace(ticket, status=status, resolved_at=resolved_at)
        case SetPriority(priority=priority):
            return replace(ticket, priority=priority)
        case Transfer(team=team, restricted=restricted):
            public = ticket.home is not None and ticket.home.channel.kind is not ChannelKind.DM
            home = None if restricted and public else ticket.home
            restriction = ticket.restricted or restricted
            return replace(ticket, team=team, owner=None, home=home, restricted=restriction)
        case Called(at=at, called=called):
            return replace(ticket, stepped_at=at, called=called)
        case Rate(rating=rating):
            return replace(ticket, rating=rating)
