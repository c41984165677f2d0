"""A desk over the storage in memory, for tests of whole turns and sweeps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count

from storage.memory import MemoryStorage
from tests.builders import NOW, POLICY, Known, mark_sent, message
from triage.desk import Desk
from triage.model import Kind, Message, MessageRef, Thread, Ticket
from triage.outgoing import InThread, Outgoing, Say, UnderSlot
from triage.policy import Policy
from triage.ports import Loaded, Parcel, Receipt
from triage.sweeping import Swept


@dataclass
class Office:
    """A desk over the storage in memory, with a clock and a postman that the test moves on."""

    knowing: Known = field(default_factory=Known)
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    policy: Policy = POLICY
    now: datetime = NOW
    posted: Iterator[int] = field(default_factory=lambda: count(1))
    swept: Swept = field(default_factory=Swept)

    def __post_init__(self) -> None:
        ids = count(1)
        self.desk = Desk(
            self.storage, self.knowing, lambda: self.policy, now=lambda: self.now, new_id=lambda: f"id{next(ids)}"
        )

    def take(self, said: Message, *, minutes: float = 0) -> list[Outgoing]:
        """One turn and its delivery."""
        self.now += timedelta(minutes=minutes)
        assert replace(self.desk.take(said), talk=False) == Receipt() or said.kind is Kind.BUTTON
        return self.deliver()

    def deliver(self) -> list[Outgoing]:
        """Everything waiting that still need be said, in the order it goes out."""
        out: list[Outgoing] = []
        while parcels := self.storage.outbox.lease(100):
            for leased in parcels:
                parcel = self.storage.outbox.standing(leased)
                if parcel is None:
                    self.storage.outbox.dropped(leased, "no longer so")
                else:
                    out.append(parcel.outgoing)
                    mark_sent(self.storage.outbox, parcel, self._ref(parcel))
        return out

    def sweep(self, *, hours: float = 0, minutes: float = 0) -> list[Outgoing]:
        """Time passes, a sweep, and the delivery of what it says."""
        self.now += timedelta(hours=hours, minutes=minutes)
        self.swept = self.desk.sweep()
        return self.deliver()

    def known(self, id: str) -> Loaded:
        """All that is kept of one ticket."""
        with self.storage.writing() as work:
            return work.whole(id)

    def _ref(self, parcel: Parcel) -> MessageRef | None:
        id = f"p{next(self.posted)}"
        match parcel.outgoing.to:
            case InThread(thread=thread):
                return MessageRef(thread=thread, id=id)
            case UnderSlot(channel=channel):
                return MessageRef(thread=Thread(channel=channel, root=parcel.ref.id if parcel.ref else None), id=id)
            case _:
                return None

    def tickets(self) -> list[Ticket]:
        with self.storage.reading() as reading:
            found = [reading.mine(person, 100)[0] for person in self.people()]
        return sorted({ticket.id: ticket for each in found for ticket in each}.values(), key=lambda t: t.number)

    def people(self) -> set[str]:
        with self.storage.reading() as reading:
            known = (reading.person(message(by=by).sender.account) for by in ("ann", "bob", "kim", "lee"))
            return {person.id for person in known if person}


def phrases(out: list[Outgoing]) -> list[str]:
    return [item.notice.phrase for item in out if isinstance(item.notice, Say)]
