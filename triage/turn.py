"""One turn seen from the inside: what came in, what is known, and how to answer everyone involved.

`triage.decide` makes a `Turn` and hands it to asking, talking or working, which read it and return
`Decision` values. Nothing here has effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from triage.changes import Change, Decision, KeepClock
from triage.knowledge import KnowledgeBase
from triage.learning import Case, Proposal
from triage.matching import Match
from triage.model import (
    Channel,
    ChannelKind,
    Conversation,
    Entry,
    Kind,
    Language,
    Message,
    Person,
    Status,
    Thread,
    Ticket,
)
from triage.outgoing import (
    At,
    Card,
    Choice,
    Direct,
    InThread,
    Notice,
    OnSlot,
    Outgoing,
    Privately,
    Say,
    Target,
    UnderSlot,
    Value,
    Who,
    card_slot,
)
from triage.policy import Metric, Policy, Team, Terms
from triage.ports import Loaded
from triage.sla import Clock

SUBJECT = 80
"""Characters of a ticket's subject."""

CARD_TEXT = 600
"""Characters of the request shown on its card; the whole stands in the ticket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """What was learned before, as far as this turn needs it.

    `proposal` is the one to be settled, `restricted` says that its ticket became so. `proposals` are all
    ever made about the article meant, `offered` how many each person got in the last 24 hours, `cases`
    what was said of the ticket.
    """

    proposal: Proposal | None = None
    restricted: bool = False
    proposals: Sequence[Proposal] = ()
    offered: Mapping[str, int] = field(default_factory=dict)
    cases: Sequence[Case] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All a decision may know besides the message: what storage loaded and what the sender may read.

    `tickets`, `total` and `dues` are what a reading verb lists, `tickets` also what the sender has open
    when a button asks for a ticket; `history` is filled for `show`, `why`, edits and deletions.
    `people` are those known besides the ticket's own: authors, the desk's staff.
    """

    sender: Person
    stranger: bool
    kb: KnowledgeBase
    new_number: Callable[[], int]
    new_id: Callable[[], str]
    loaded: Loaded = field(default_factory=Loaded)
    tickets: Sequence[Ticket] = ()
    total: int = 0
    dues: Mapping[str, datetime] = field(default_factory=dict)
    history: Sequence[Entry] = ()
    people: Mapping[str, Person] = field(default_factory=dict)
    taught: Taught = field(default_factory=Taught)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    message: Message
    situation: Situation
    match: Match | None
    policy: Policy
    now: datetime

    # --- who and where ---
    @property
    def sender(self) -> Person:
        return self.situation.sender

    @property
    def conversation(self) -> Conversation | None:
        return self.situation.loaded.conversation

    @property
    def ticket(self) -> Ticket | None:
        return self.situation.loaded.ticket

    @property
    def private(self) -> bool:
        """Whether the sender spoke where a public reply would be out of place: by slash command, or by
        a button on a reply to one, which belongs to no thread that others see."""
        message, loaded = self.message, self.situation.loaded
        if message.channel.kind is ChannelKind.DM or message.kind not in (Kind.COMMAND, Kind.BUTTON):
            return False
        if message.kind is Kind.COMMAND or (loaded.conversation is None and loaded.ticket is None):
            return True
        return loaded.conversation is not None and loaded.conversation.thread == own_thread(message, self.sender)

    @property
    def elsewhere(self) -> bool:
        """Whether this thread is about something else than what its sender asks here: somebody else's
        request, or a ticket's card. Then the sender is served apart and the thread stays what it is."""
        ticket, conversation = self.ticket, self.conversation
        if self.situation.loaded.team_side:
            return True
        if self.message.flat and (ticket is None or ticket.ended or ticket.conversation != self.here.key):
            return False
        return conversation is not None and conversation.requester != self.sender.id

    @property
    def here(self) -> Thread:
        """The thread of this conversation; for a slash command a thread of the sender's own."""
        return own_thread(self.message, self.sender) if self.private else self.message.here

    @property
    def calls(self) -> bool:
        """Whether the sender's mention is a call for help: in a group chat it is the only way to
        speak to the bot at all, so there only a bare mention is."""
        grouped = self.message.channel.kind is ChannelKind.GROUP
        return self.message.mentions_bot and not (grouped and self.message.text.strip())

    def team_of(self, ticket: Ticket) -> Team:
        return self.policy.teams.get(ticket.team) or Team(id=ticket.team, name=ticket.team)

    def serves(self, ticket: Ticket) -> bool:
        return not self.situation.stranger and self.policy.serves(self.sender.id, ticket.team)

    @property
    def helps(self) -> bool:
        """Whether the sender works for any team."""
        return not self.situation.stranger and bool(self.policy.teams_of(self.sender.id))

    def person(self, id: str) -> Person:
        """Whoever it is, as they were last seen; somebody never seen reads what desk.yaml says."""
        if id == self.sender.id:
            return self.sender
        found = self.situation.loaded.people.get(id) or self.situation.people.get(id)
        return found or unmet(id, self.policy)

    def who(self, id: str) -> Who:
        return Who(person=id, name=self.policy.name(self.person(id)))

    @property
    def me(self) -> Who:
        return self.who(self.sender.id)

    def at(self, instant: datetime, person: Person, team: Team) -> At:
        """An instant for this reader: in their zone if it is known, else in the team's."""
        return At(at=instant, zone=person.timezone or team.terms.calendar.timezone)

    # --- saying ---
    def key(self, name: str) -> str:
        """The outbox key of one of this turn's messages; a repeat of the turn writes the same keys."""
        return f"{self.message.key}/{name}"

    def reply(self, notice: Notice, *, language: Language | None = None, public: bool = False) -> Outgoing:
        """To the sender: in a direct chat there, elsewhere to them alone unless `public`."""
        to: Target
        if self.message.channel.kind is ChannelKind.DM or (public and not self.private):
            to = InThread(thread=self.message.here)
        else:
            to = Privately(person=self.sender.id, near=self.message.here, reply_url=self.message.reply_url)
        return Outgoing(
            key=self.key("reply"),
            to=to,
            notice=notice,
            language=language or self.sender.language,
            conversation=self.here.key,
        )

    def say(self, phrase: str, *, choices: tuple[Choice, ...] = (), **values: Value) -> Decision:
        """A short reply to the sender alone, and nothing else."""
        notice = Say(phrase=phrase, values=values, choices=choices)
        return Decision(outgoing=(self.reply(notice),))

    def done(self, phrase: str, **values: Value) -> Decision:
        """A confirmation to the sender; a button shows its effect on the card, so it gets no message."""
        notice = Say(phrase=phrase, values=values)
        if self.message.kind is Kind.BUTTON:
            return Decision(ack=notice)
        return Decision(outgoing=(self.reply(notice),))

    def to_requester(self, ticket: Ticket, name: str, notice: Notice, *, slot: str | None = None) -> Outgoing:
        """Where the ticket was opened, or directly when it is private."""
        to: Target = InThread(thread=ticket.home) if ticket.home else Direct(person=ticket.requester)
        return Outgoing(
            key=self.key(f"requester:{name}"),
            to=to,
            notice=notice,
            language=ticket.language,
            slot=slot,
            ticket=ticket.id,
            conversation=ticket.conversation,
        )

    def to_team(self, ticket: Ticket, name: str, notice: Notice) -> tuple[Outgoing, ...]:
        """Under the ticket's card; nothing for a team without a triage channel."""
        under = self.under_card(ticket)
        if under is None:
            return ()
        return (
            Outgoing(
                key=self.key(f"team:{name}"),
                to=under,
                notice=notice,
                language=self.team_of(ticket).language,
                ticket=ticket.id,
            ),
        )

    def under_card(self, ticket: Ticket) -> UnderSlot | None:
        return under_card(ticket, self.team_of(ticket))

    def to_person(self, id: str, ticket: Ticket, name: str, notice: Notice) -> Outgoing:
        """Directly to an agent; in the ticket's thread when they cannot be reached."""
        return Outgoing(
            key=self.key(f"person:{name}:{id}"),
            to=Direct(person=id, otherwise=self.under_card(ticket)),
            notice=notice,
            language=self.person(id).language,
            ticket=ticket.id,
        )

    # --- the card ---
    def card(self, ticket: Ticket, clocks: Sequence[Clock], opening: str) -> Card:
        team = self.team_of(ticket)
        zone = team.terms.calendar.timezone
        dues = tuple((clock.metric, At(at=clock.due_at, zone=zone)) for clock in clocks if clock.live and clock.due_at)
        return Card(
            number=ticket.number,
            subject=ticket.subject,
            text=shortened(opening, CARD_TEXT),
            requester=self.who(ticket.requester),
            team=team.name,
            status=ticket.status,
            priority=ticket.priority,
            owner=self.who(ticket.owner) if ticket.owner else None,
            opened=At(at=ticket.opened_at, zone=zone),
            due=dues,
        )

    def new_card(self, ticket: Ticket, clocks: Sequence[Clock], opening: str) -> tuple[Outgoing, ...]:
        team = self.team_of(ticket)
        channel = team.triage_channel
        if channel is None:
            return ()
        slot = card_slot(ticket.id, team.id)
        card = Outgoing(
            key=self.key(f"card:{ticket.team}"),
            to=InThread(thread=Thread(channel=channel), order=slot),
            notice=self.card(ticket, clocks, opening),
            language=team.language,
            slot=slot,
            ticket=ticket.id,
            rank=1,
        )
        return (card,)

    def card_update(self, ticket: Ticket, changed: Sequence[Clock] = ()) -> tuple[Outgoing, ...]:
        """The card as it stands after this turn, updated in place."""
        team = self.team_of(ticket)
        channel = team.triage_channel
        if channel is None:
            return ()
        slot = card_slot(ticket.id, team.id)
        update = Outgoing(
            key=self.key("card"),
            to=OnSlot(slot=slot, lane=slot, bucket=channel.key),
            notice=self.card(ticket, merged(self.situation.loaded.clocks, changed), self.situation.loaded.opening),
            language=team.language,
            ticket=ticket.id,
            rank=1,
        )
        return (update,)

    # --- clocks ---
    @property
    def clocks(self) -> tuple[Clock, ...]:
        return self.situation.loaded.clocks

    def terms(self, ticket: Ticket) -> Terms:
        """The terms the ticket was opened under."""
        return self.situation.loaded.terms or self.team_of(ticket).terms


def own_thread(message: Message, sender: Person) -> Thread:
    """A conversation that has no place of its own: what one person asked by slash command."""
    channel = message.channel
    return Thread(
        channel=Channel(platform=channel.platform, place=channel.place, id=f"person:{sender.id}", kind=ChannelKind.DM)
    )


def unmet(id: str, policy: Policy) -> Person:
    """Someone named in desk.yaml who was never seen yet."""
    member = policy.people.get(id)
    language = member.language if member and member.language else Language.EN
    return Person(id=id, name=member.name if member else id, language=language)


def under_card(ticket: Ticket, team: Team) -> UnderSlot | None:
    channel = team.triage_channel
    if channel is None:
        return None
    slot = card_slot(ticket.id, team.id)
    return UnderSlot(slot=slot, channel=channel, lane=slot)


def merged(clocks: Sequence[Clock], changed: Sequence[Clock]) -> tuple[Clock, ...]:
    """The clocks with the changed ones in their place."""
    latest = {(clock.metric, clock.instance): clock for clock in (*clocks, *changed)}
    return tuple(latest.values())


def kept(clocks: Sequence[Clock]) -> tuple[Change, ...]:
    return tuple(KeepClock(clock=clock) for clock in clocks)


def promise_of(clocks: Sequence[Clock]) -> datetime | None:
    """When the requester is promised a first answer."""
    return next((c.due_at for c in clocks if c.metric is Metric.FIRST_RESPONSE and c.live), None)


def subject_of(text: str) -> str:
    return shortened(" ".join(text.split()), SUBJECT)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def awaited(status: Status, owner: str | None) -> Status:
    """The status of a ticket somebody has to act on."""
    return Status.OPEN if owner else Status.NEW
