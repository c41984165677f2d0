"""The storage as one life of the process sees it: every step is watched, and may be the last.

The real storage does all the work; here a dead process stops reaching it, the database can be away, and
what was committed or handed to delivery is written down for the laws to be judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.delivery import Delivered, Delivery
from tests.simulation.workplace import PARCEL
from triage.changes import Decision
from triage.clocks import Clock
from triage.model import Message
from triage.outgoing import Guard, Outgoing, Pings, StepGuard
from triage.ports import Parcel, Sent


class Crashed(BaseException):
    """The process is gone; nothing may catch this."""


@dataclass(frozen=True, slots=True)
class Committed:
    """One decision that was stored; `message` is None for those of the sweep and of delivery."""

    at: datetime
    decision: Decision
    message: Message | None


class Witness(Protocol):
    """Who writes down what happens."""

    def reach(self) -> None:
        """Raises Crashed when this life is over, Unavailable when the database is away."""
        ...

    def point(self, name: str) -> None: ...

    def beside(self) -> None:
        """Called before a transaction: another process may do something here."""
        ...

    def stall(self) -> None:
        """A turn may take too long here."""
        ...

    def committed(self, records: Sequence[Committed], work: Any) -> None: ...

    def leased(self, parcels: Sequence[Parcel]) -> None: ...

    def wrong(self, law: str, what: str) -> None: ...

    def marked(self, how: str, parcel: Parcel, reason: str) -> None: ...


class WatchedStorage:
    def __init__(self, real: Any, witness: Witness) -> None:
        self._real = real
        self._witness = witness
        self.outbox = WatchedOutbox(real.outbox, self, witness)
        self.library = real.library

    @contextmanager
    def reading(self) -> Iterator[Any]:
        self._witness.reach()
        with self._real.reading() as reading:
            yield reading

    @contextmanager
    def writing(self) -> Iterator[Any]:
        self._witness.reach()
        self._witness.beside()
        self._witness.point("transaction")
        self._witness.reach()
        with self._real.writing() as work:
            yield WatchedWork(work, self._witness)

    def whole(self, ticket: str) -> Any:
        with self._real.writing() as work:
            return work.whole(ticket)


class WatchedWork:
    """One transaction; what it records counts once it is committed."""

    def __init__(self, real: Any, witness: Witness) -> None:
        self._real = real
        self._witness = witness
        self._records: list[Committed] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def record(self, decision: Decision, at: datetime, *, message: Message | None = None) -> None:
        self._real.record(decision, at, message=message)
        if message is not None:
            self._witness.stall()
        self._records.append(Committed(at, decision, message))

    def commit(self) -> None:
        self._witness.point("commit")
        self._witness.reach()
        self._witness.committed(self._records, self._real)
        self._real.commit()
        self._witness.point("committed")
        self._witness.reach()


class WatchedDelivery(Delivery):
    """Known to the platforms is which row is being sent to them."""

    async def _send(self, parcel: Parcel) -> Delivered:
        PARCEL.set(parcel)
        return await super()._send(parcel)


class WatchedOutbox:
    def __init__(self, real: Any, storage: WatchedStorage, witness: Witness) -> None:
        self._real = real
        self._storage = storage
        self._witness = witness

    def lease(self, limit: int, *, skip: frozenset[str] = frozenset()) -> Sequence[Parcel]:
        self._witness.reach()
        parcels: Sequence[Parcel] = self._real.lease(limit, skip=skip)
        self._witness.leased(parcels)
        if parcels:
            self._witness.point("leased")
        return parcels

    def standing(self, parcel: Parcel) -> Parcel | None:
        self._witness.reach()
        left: Parcel | None = self._real.standing(parcel)
        if left is not None:
            self._check(left)
        return left

    def _check(self, parcel: Parcel) -> None:
        """Judged apart from the product: what is about to be said must be so."""
        notice = parcel.outgoing.notice
        guards = [parcel.outgoing.guard] if parcel.outgoing.guard else []
        guards += [each.guard for each in notice.reminders] if isinstance(notice, Pings) else []
        for guard in guards:
            if not self._holds(guard):
                self._witness.wrong("stale ping", f"{parcel.outgoing.key} is sent though {guard} holds no more")

    def _holds(self, guard: Guard | StepGuard) -> bool:
        known = self._storage.whole(guard.ticket)
        if known.ticket is None:
            return False
        if isinstance(guard, StepGuard):
            position = known.position
            return not known.ticket.ended and position.run == guard.run and position.acked_by is None
        clocks: list[Clock] = [c for c in known.clocks if (c.metric, c.instance) == (guard.metric, guard.instance)]
        return any(c.live and not c.paused and c.revision == guard.revision for c in clocks)

    def sent(self, together: Sequence[Sent]) -> Sequence[bool]:
        self._witness.point("answered")
        self._witness.reach()
        marked: Sequence[bool] = self._real.sent(together)
        for sent, done in zip(together, marked, strict=True):
            self._witness.marked("sent" if done else "sent, but the lease was lost", sent.parcel, sent.missed or "")
        return marked

    def later(self, parcel: Parcel, seconds: float, reason: str) -> None:
        self._witness.reach()
        self._real.later(parcel, seconds, reason)
        self._witness.marked(f"put off for {seconds:.0f} s", parcel, reason)

    def dropped(self, parcel: Parcel, reason: str) -> None:
        self._witness.reach()
        self._real.dropped(parcel, reason)
        self._witness.marked("dropped", parcel, reason)
        self._witness.point("ended")

    def failed(self, parcel: Parcel, reason: str, at: datetime, told: Sequence[Outgoing] = ()) -> None:
        self._witness.reach()
        self._real.failed(parcel, reason, at, told)
        self._witness.marked("failed", parcel, reason)
        self._witness.point("ended")

    def pending(self) -> int:
        return int(self._real.pending())
