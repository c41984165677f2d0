"""Defects to plant in the process itself, to show that the laws bite; `tests.crash.program` plants one.

Each is one of those that the promises of docs/reliability.md are there to exclude.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot import delivery, turns
from storage import outbox, parcels, unit_of_work, views
from triage.ports import Receipt, Sent

Plant = Callable[[], None]
DEFECTS: dict[str, Plant] = {}


def defect(name: str) -> Callable[[Plant], Plant]:
    def keep(plant: Plant) -> Plant:
        DEFECTS[name] = plant
        return plant

    return keep


@defect("acknowledge before commit")
def early_ack() -> None:
    real, errands = turns.Turns.__call__, set[asyncio.Task[Receipt]]()

    async def take(self: Any, message: Any) -> Receipt:
        errand = asyncio.create_task(real(self, message))
        errands.add(errand)
        errand.add_done_callback(errands.discard)
        return Receipt()

    vars(turns)["Turns"].__call__ = take


@defect("a retry does not look first")
def no_look() -> None:
    real = delivery.Delivery._post

    async def post(self: Any, parcel: Any, *rest: Any) -> Any:
        return await real(self, replace(parcel, tries=0, doubtful=False), *rest)

    vars(delivery)["Delivery"]._post = post


@defect("marked sent before sending")
def early_mark() -> None:
    real = delivery.Delivery._send

    async def send(self: Any, parcel: Any) -> Any:
        if parcel.outgoing.slot is None:
            await self._run(lambda: self._outbox.sent([Sent(parcel=parcel)]))
        return await real(self, parcel)

    vars(delivery)["Delivery"]._send = send


@defect("the inbox is not asked")
def no_inbox() -> None:
    real = unit_of_work.SqlWork.claim_all

    def claim_all(self: Any, claims: Any, at: Any, **how: Any) -> Any:
        real(self, claims, at, **how)
        return list(claims)

    def arriving(self: Any, claims: Any) -> Any:
        return {key: (False, self.person(account)) for key, account in claims.items()}

    vars(unit_of_work)["SqlWork"].claim_all = claim_all
    vars(views)["SqlReading"].arriving = arriving


def shorten_leases(seconds: int) -> None:
    """For tests of every day: what a kill leaves behind is taken up sooner; a send is shorter than its lease."""
    vars(parcels)["LEASE_SECONDS"] = vars(outbox)["LEASE_SECONDS"] = seconds
    vars(delivery)["SEND_LIMIT"] = seconds / 3
