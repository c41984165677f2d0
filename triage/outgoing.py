"""What the desk wants to say: notices (what), targets (where), and the outbox item that joins them.

A notice is stored as data with its language and becomes a `Document` in `triage.layout` only when
it is delivered, so that a retry after an upgrade still reads well. All fields are plain values that
survive JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from triage.learning import Figures, Point
from triage.model import Channel, Language, Priority, Status, Thread
from triage.policy import Metric


# --- values that stand in a phrase -------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A person to be mentioned; becomes a real mention on the platform where they have an account."""

    person: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """An instant; `zone` is the IANA zone for platforms that cannot show the reader's own."""

    at: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word of the catalogue, such as `status.open`, put into the reader's language."""

    term: str


Value = Who | At | Term | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button: `label` is a key of the catalogue, `command` is command text."""

    label: str
    command: str
    style: Literal["default", "primary", "danger"] = "default"
    values: Mapping[str, Value] = field(default_factory=dict)


# --- what must still be so when a message is about to be sent -----------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """The clock must still be live, not paused, and of this revision."""

    ticket: str
    metric: Metric
    instance: int
    revision: int
    kind: Literal["clock"] = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepGuard:
    """The ticket must be open still and its escalation in this run, not acknowledged."""

    ticket: str
    run: str
    kind: Literal["step"] = "step"


# --- notices -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """One sentence of the catalogue, with what somebody wrote under it and choices below."""

    phrase: str
    values: Mapping[str, Value] = field(default_factory=dict)
    quote: str | None = None
    choices: tuple[Choice, ...] = ()
    kind: Literal["say"] = "say"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An article with its source, and "Did this solve it?" when `confirm`."""

    article: str
    title: str
    body: str
    team: str
    confirm: bool = True
    kind: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestions:
    """Up to three articles that may be meant; `articles` holds (id, title)."""

    articles: tuple[tuple[str, str], ...]
    kind: Literal["suggestions"] = "suggestions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One of several questions; without an answer `near` may hold (id, title) of articles that may be meant."""

    question: str
    answer: Answer | None = None
    near: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """A message that asked several things: each is answered, or named as open."""

    sections: tuple[Section, ...]
    kind: Literal["answers"] = "answers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockNote:
    """A clock in half a line: a phrase of the catalogue with its instants and, in seconds, its spans of time.

    `days` says that the spans were counted around the clock, so that 24 hours make a day.
    """

    phrase: str
    instants: Mapping[str, At]
    seconds: Mapping[str, int]
    days: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A ticket as its team sees it, updated in place."""

    number: int
    subject: str
    text: str
    requester: Who
    team: str
    status: Status
    priority: Priority
    owner: Who | None
    opened: At
    clocks: tuple[tuple[Metric, ClockNote], ...] = ()
    kind: Literal["card"] = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLine:
    """One row of a queue."""

    number: int
    subject: str
    status: Status
    priority: Priority
    requester: str
    owner: str | None
    due: At | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketList:
    """`phrase` is the title; `empty` what to say when there is nothing; `more` tickets are not shown."""

    phrase: str
    empty: str
    values: Mapping[str, Value]
    rows: tuple[TicketLine, ...]
    more: int = 0
    kind: Literal["list"] = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    at: At
    author: str | None
    what: str
    """Key of the catalogue: `entry.message`, `entry.reply`, `entry.note`, `entry.event`."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketView:
    """A ticket and the end of its history, for `show`."""

    card: Card
    history: tuple[HistoryLine, ...]
    kind: Literal["view"] = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why something happened: sentences already in the reader's language."""

    phrase: str
    values: Mapping[str, Value]
    reasons: tuple[str, ...]
    kind: Literal["reasons"] = "reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """The verbs this person can use, by name."""

    verbs: tuple[str, ...]
    kind: Literal["help"] = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A team's day in figures, and what other thresholds would have made of the labelled cases.

    `points` is empty for restricted teams (then `cases` is None) and while there are too few cases.
    `in_force` is the threshold that answers need now.
    """

    team: str
    since: At
    until: At
    figures: Figures
    cases: int | None = None
    points: tuple[Point, ...] = ()
    in_force: float = 1.0
    kind: Literal["report"] = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One line of `Pings`; said only while its guard holds."""

    say: Say
    guard: Guard | StepGuard


@dataclass(frozen=True, slots=True, kw_only=True)
class Pings:
    """All that one person is to be reminded of now; `held` of them had to wait for the hour to pass."""

    reminders: tuple[Reminder, ...]
    held: int = 0
    kind: Literal["pings"] = "pings"


Notice = Say | Answer | Answers | Suggestions | Card | TicketList | TicketView | Reasons | Help | Report | Pings


# --- targets -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class InThread:
    """A post in a thread or, when the thread has no root, at the top of the channel.

    `order` is its lane when that is not the thread's own: a card leads the lane of its own thread.
    """

    thread: Thread
    order: str | None = None
    kind: Literal["in_thread"] = "in_thread"

    @property
    def lane(self) -> str:
        return self.order or self.thread.key

    @property
    def bucket(self) -> str:
        return self.thread.channel.key


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSlot:
    """An update of the message kept under `slot`; `lane` is the lane that message was posted in."""

    slot: str
    lane: str
    bucket: str
    kind: Literal["on_slot"] = "on_slot"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderSlot:
    """A post in the thread that hangs on the message kept under `slot` (a ticket card)."""

    slot: str
    channel: Channel
    lane: str
    kind: Literal["under_slot"] = "under_slot"

    @property
    def bucket(self) -> str:
        return self.channel.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Privately:
    """To one person alone: in place where the platform can (`near`), else by direct message."""

    person: str
    near: Thread | None = None
    reply_url: str | None = None
    kind: Literal["privately"] = "privately"

    @property
    def lane(self) -> str:
        return f"person:{self.person}"

    @property
    def bucket(self) -> str:
        return f"person:{self.person}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """A direct message. When the person cannot be reached it is said under `otherwise` instead,
    with a mention; without `otherwise` the row fails and `doctor` lists the person."""

    person: str
    otherwise: UnderSlot | None = None
    kind: Literal["direct"] = "direct"

    @property
    def lane(self) -> str:
        return f"person:{self.person}"

    @property
    def bucket(self) -> str:
        return f"person:{self.person}"


Target = InThread | OnSlot | UnderSlot | Privately | Direct


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One outbox row. `key` is unique for ever: writing it twice is writing it once.

    `slot` names the message so that later rows can update it or post under it. `ticket` and
    `conversation` say what the message belongs to, so that replies to it find their way.
    """

    key: str
    to: Target
    notice: Notice
    language: Language
    slot: str | None = None
    ticket: str | None = None
    conversation: str | None = None
    guard: Guard | StepGuard | None = None
    rank: int = 0
    """Within one bucket lower goes first: 0 replies to people, 1 cards."""

    @property
    def guarded(self) -> bool:
        """Whether it is looked at once more, before it is sent, that it still need be said."""
        return self.guard is not None or isinstance(self.notice, Pings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """A reminder for one person, kept until they can be told. `key` is unique for ever.

    `urgent` ones wait neither for quiet hours to end nor for the hourly cap.
    """

    key: str
    person: str
    ticket: str
    at: datetime
    reminder: Reminder
    urgent: bool = False


def card_slot(ticket: str, team: str) -> str:
    """The card of a ticket in one team's triage channel; after a transfer there are two."""
    return f"card:{ticket}:{team}"


def promise_slot(ticket: str) -> str:
    return f"promise:{ticket}"
