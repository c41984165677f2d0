"""Which ticket a message is about: one rule over a few look-ups, shared by both storages.

Called at the start of a turn, under the thread's lock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from triage.errors import Unsettled
from triage.model import Conversation, Ticket
from triage.ports import Lookup

CARD = "card:"
"""What the slots of ticket cards begin with (`triage.outgoing.card_slot`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a message of the bot belongs to."""

    slot: str | None = None
    ticket: str | None = None
    conversation: str | None = None

    @property
    def is_card(self) -> bool:
        return self.slot is not None and self.slot.startswith(CARD)


class Shelf(Protocol):
    """The look-ups; each is one indexed read."""

    def post(self, channel: str, message: str) -> Post | None: ...

    def conversation(self, key: str) -> Conversation | None: ...

    def ticket(self, id: str) -> Ticket | None: ...

    def numbered(self, number: int) -> Ticket | None: ...

    def in_doubt(self, channel: str) -> bool:
        """Whether a card may stand in this channel of which it is not known yet that it arrived."""
        ...

    def private(self, requester: str) -> Ticket | None:
        """This person's newest open ticket that is answered by direct message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    conversation: Conversation | None
    ticket: Ticket | None
    team_side: bool


def find(lookup: Lookup, shelf: Shelf) -> Found:
    """The conversation and ticket meant: by number, else by the thread's root, else by the thread.

    In a chat without threads a person without an open ticket there speaks about their newest
    private one. Raises Unsettled for a thread that may hang on a card just posted: its words would
    be nobody's.
    """
    channel, root = lookup.here.channel.key, None if lookup.fresh else lookup.root or lookup.here.root
    known = shelf.post(channel, root) if root is not None else None
    post = known or Post()
    conversation = shelf.conversation(post.conversation) if post.conversation else None
    conversation = conversation or shelf.conversation(lookup.here.key)
    nobodys = known is None and conversation is None and lookup.number is None
    if lookup.root is not None and nobodys and shelf.in_doubt(channel):
        raise Unsettled("the thread may be that of a card whose delivery is in doubt")
    ticket = _ticket(lookup, shelf, post, conversation)
    under_its_card = post.is_card and ticket is not None and post.ticket == ticket.id
    return Found(conversation=conversation, ticket=ticket, team_side=under_its_card)


def _ticket(lookup: Lookup, shelf: Shelf, post: Post, conversation: Conversation | None) -> Ticket | None:
    if lookup.number is not None:
        return shelf.numbered(lookup.number)
    id = post.ticket or (conversation.ticket if conversation else None)
    ticket = shelf.ticket(id) if id is not None else None
    if not lookup.flat or post.ticket or (ticket and not ticket.ended):
        return ticket
    return shelf.private(lookup.sender) or ticket
