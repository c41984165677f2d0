"""The look-ups of `storage.finding`, on SQL. Tickets are read for writing and remembered.

Used by `storage.unit_of_work` inside one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import bindparam, or_, select

from storage.among import Among
from storage.codec import build
from storage.finding import CARD, Post
from storage.folding import Kept
from storage.pen import Pen
from storage.rows import NOT_ENDED, WAITING, conversations, outbox, posts, tickets
from triage.errors import Conflict
from triage.model import Conversation, Ticket
from triage.policy import Terms

# Written once: building a statement costs as much as running it.
POST = select(posts.c.slot, posts.c.ticket, posts.c.conversation).where(
    posts.c.channel == bindparam("channel"), posts.c.message == bindparam("message")
)
CONVERSATIONS = select(conversations).where(Among(conversations.c.key, "keys"))


class SqlShelf:
    """`kept` remembers, by ticket id, what this transaction has read or written; `terms` reads an agreement.

    `held` are the conversations of threads that it has locked.
    """

    def __init__(
        self,
        pen: Pen,
        kept: dict[str, Kept],
        held: Mapping[str, Conversation | None],
        terms: Callable[[str], Terms],
    ) -> None:
        self._db = pen
        self._kept = kept
        self._held = held
        self._terms = terms

    def post(self, channel: str, message: str) -> Post | None:
        row = self._db.beside.execute(POST, {"channel": channel, "message": message}).first()
        return None if row is None else build(Post, row)

    def conversation(self, key: str) -> Conversation | None:
        if key in self._held:
            return self._held[key]
        return conversations_of(self._db, [key])[key]

    def ticket(self, id: str) -> Ticket | None:
        return self._kept[id].ticket if id in self._kept else self._read(tickets.c.id == id)

    def numbered(self, number: int) -> Ticket | None:
        return self._read(tickets.c.number == number)

    def in_doubt(self, channel: str) -> bool:
        begun = or_(outbox.c.token.is_not(None), outbox.c.tries > 0)
        posted = (outbox.c.updates.is_(None), outbox.c.slot.startswith(CARD, autoescape=True))
        cards = select(outbox.c.id).where(WAITING, outbox.c.bucket == channel, begun, *posted)
        return self._db.execute(cards.limit(1)).first() is not None

    def private(self, requester: str) -> Ticket | None:
        return self._read(tickets.c.requester == requester, tickets.c.home.is_(None), NOT_ENDED)

    def kept(self, id: str) -> Kept:
        """The ticket with its terms. Raises Conflict when there is none."""
        if self.ticket(id) is None:
            raise Conflict(f"there is no ticket {id!r} any more")
        return self._kept[id]

    def _read(self, *which: Any) -> Ticket | None:
        found = select(tickets).where(*which).order_by(tickets.c.number.desc()).limit(1)
        row = self._db.execute(found.with_for_update()).first()
        if row is None:
            return None
        terms = self._terms(row.terms) if row.terms else None
        kept = Kept(ticket=build(Ticket, row), terms=terms, position=row.position)
        self._kept[kept.ticket.id] = kept
        return kept.ticket


def conversations_of(pen: Pen, keys: Collection[str]) -> dict[str, Conversation | None]:
    """The conversation of each key, None where there is none."""
    rows = pen.execute(CONVERSATIONS, {"keys": list(keys)})
    return dict.fromkeys(keys) | {row.key: build(Conversation, row) for row in rows}
