"""One turn seen from the inside: what came in, what is known, and how to answer everyone involved.

`triage.decide` makes a `Turn` and hands it to asking, talking or working, which read it and return
`Decision` values. Nothing here has effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from triage.casework import Casework, Swaps, shortened, unmet
from triage.changes import Decision
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
    Thread,
    Ticket,
)
from triage.outgoing import (
    Choice,
    InThread,
    Notice,
    Outgoing,
    Privately,
    Say,
    Target,
    Value,
    Who,
)
from triage.policy import Policy
from triage.ports import Loaded

LATEST = timedelta(hours=2)
"""How late a message may come and still count from when it was written."""

SUBJECT = 80
"""Characters of a ticket's subject."""


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
    swaps: Swaps = field(default_factory=dict)
    taught: Taught = field(default_factory=Taught)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Casework):
    message: Message
    situation: Situation
    match: Match | None
    policy: Policy
    now: datetime

    @property
    def prefix(self) -> str:
        return self.message.key

    @property
    def loaded(self) -> Loaded:
        return self.situation.loaded

    @property
    def swaps(self) -> Swaps:
        return self.situation.swaps

    @property
    def said_at(self) -> datetime:
        """When the message was written: platforms deliver again what they could not, for an hour and more.

        What would be older, or of the future, is taken to be of now.
        """
        sent = self.message.sent_at
        return sent if sent is not None and self.now - LATEST <= sent <= self.now else self.now

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

    @property
    def me(self) -> Who:
        return self.who(self.sender.id)

    # --- saying ---
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


def own_thread(message: Message, sender: Person) -> Thread:
    """A conversation that has no place of its own: what one person asked by slash command."""
    channel = message.channel
    return Thread(
        channel=Channel(platform=channel.platform, place=channel.place, id=f"person:{sender.id}", kind=ChannelKind.DM)
    )


def subject_of(text: str) -> str:
    return shortened(" ".join(text.split()), SUBJECT)
