"""Defects to plant: each a context manager that breaks one promise in one place.

`tests.simulation.hunting` plants them one at a time and looks for a seed whose story breaks a law.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot import delivery, turns
from storage import folding, memory, memory_clocking, memory_outbox, outbox, unit_of_work
from tests.simulation.planting import defect, patched
from triage import casework, changes, decide, desk, escalation, outgoing, pings, sla, sweeping, talking, turn, working
from triage.changes import Decision, SayPings
from triage.commands import Verb
from triage.outgoing import Outgoing, Say
from triage.ports import Receipt, Sent


# --- what comes in -----------------------------------------------------------------------------
@defect("acknowledge before commit")
def early_acknowledgement() -> Iterator[None]:
    real = turns.Turns.__call__
    kept: set[asyncio.Task[Any]] = set()

    async def acknowledged(self: Any, message: Any) -> Receipt:
        life = self._run._life
        kept.add(life.spawn(_later(real(self, message))))
        return Receipt()

    with patched(turns.Turns, "__call__", acknowledged):
        yield


async def _later(work: Any) -> Any:
    await asyncio.sleep(0.2)
    return await work


@defect("inbox key not checked")
def no_inbox_key() -> Iterator[None]:
    def claim(self: Any, key: str, at: Any) -> bool:
        self._t.put(self._t.inbox, key, at)
        return True

    def arriving(self: Any, claims: Any) -> Any:
        return {key: (False, self.person(account)) for key, account in claims.items()}

    with (
        patched(memory.MemoryWork, "claim", claim),
        patched(memory.MemoryReading, "arriving", arriving),
    ):
        yield


@defect("the inbox key outlives a turn that was rolled back")
def lasting_key() -> Iterator[None]:
    """When the platform brings the message again, it is taken for a repeat."""
    real = memory.MemoryWork.claim

    def claim(self: Any, key: str, at: Any) -> bool:
        won = real(self, key, at)
        self._t._journal.clear()
        return won

    with patched(memory.MemoryWork, "claim", claim):
        yield


@defect("claim without compare-and-set")
def anybody_claims() -> Iterator[None]:
    real = working.claim

    def claim(turn_: Any, ticket: Any, command: Any) -> Decision:
        return real(turn_, replace(ticket, owner=None), command)

    with patched(decide, "AGENT_ACTS", {**decide.AGENT_ACTS, Verb.CLAIM: claim}):
        yield


@defect("the version of a ticket is not raised")
def same_version() -> Iterator[None]:
    def write(self: Any, changes: Any) -> None:
        folded = folding.fold(changes, self._kept)
        for kept in (*folded.changed.values(), *folded.opened.values()):
            self._t.put(self._t.numbers, kept.ticket.number, kept.ticket.id)
            self._write_ticket(kept)

    with patched(memory.MemoryWork, "_write_tickets", write):
        yield


# --- what goes out -----------------------------------------------------------------------------
@defect("lane order dropped")
def no_lanes() -> Iterator[None]:
    def heads(self: Any) -> Iterator[Any]:
        yield from [self._tables.outbox[key] for key in self._tables.waiting]

    with patched(memory_outbox.MemoryOutbox, "_heads", heads):
        yield


@defect("lease without expiry")
def endless_lease() -> Iterator[None]:
    with patched(memory_outbox, "LEASE_SECONDS", 1e9), patched(outbox, "LEASE_SECONDS", 1e9):
        yield


@defect("the re-check before sending left out")
def no_check() -> Iterator[None]:
    def standing(self: Any, parcel: Any) -> Any:
        return parcel

    with (
        patched(memory_outbox.MemoryOutbox, "standing", standing),
        patched(outbox.SqlOutbox, "standing", standing),
    ):
        yield


@defect("a retry does not look first")
def no_look() -> Iterator[None]:
    real = delivery.Delivery._post

    async def post(self: Any, parcel: Any, *rest: Any) -> Any:
        return await real(self, replace(parcel, tries=0, doubtful=False), *rest)

    with patched(delivery.Delivery, "_post", post):
        yield


@defect("what may have arrived does not say so")
def no_mark() -> Iterator[None]:
    with patched(delivery, "_marked", lambda document: document):
        yield


@defect("marked sent without sending")
def sent_unsent() -> Iterator[None]:
    async def later(self: Any, parcel: Any, error: Any) -> None:
        await self._run(lambda: self._outbox.sent([Sent(parcel=parcel)]))

    with patched(delivery.Delivery, "_later", later):
        yield


def _alone(update: Outgoing) -> Any:
    to: Any = update.to
    return replace(to, lane=update.key)


@defect("updates of a card overtake each other")
def old_updates() -> Iterator[None]:
    real = casework.Casework.card_update

    def update(self: Any, ticket: Any, clocks: Any = None) -> tuple[Outgoing, ...]:
        found = real(self, ticket, clocks)
        return tuple(replace(each, to=_alone(each)) for each in found)

    with patched(casework.Casework, "card_update", update):
        yield


@defect("promise update to the wrong slot")
def wrong_promise() -> Iterator[None]:
    first: list[str] = []
    real = outgoing.promise_slot

    def slot(ticket: str) -> str:
        first.append(ticket)
        return real(first[0] if first[0].startswith("id") else ticket)

    with patched(casework, "promise_slot", slot):
        yield


# --- time --------------------------------------------------------------------------------------
@defect("the sweep marks nothing rung")
def never_rung() -> Iterator[None]:
    real = sla.ring

    def ring(clock: Any, terms: Any, now: Any) -> Any:
        found = real(clock, terms, now)
        return replace(found, clock=clock) if found else None

    with patched(sla, "ring", ring):
        yield


@defect("the sweep marks rung and tells nobody")
def silent_ring() -> Iterator[None]:
    real = pings.pinged

    def pinged(due: Any, tick: Any) -> Any:
        found = real(due, tick)
        kept = tuple(change for change in found.decision.changes if type(change).__name__ != "KeepPing")
        return replace(found, decision=replace(found.decision, changes=kept))

    with patched(sweeping, "pinged", pinged):
        yield


@defect("a clock resumes when the message arrives")
def wrong_resume() -> Iterator[None]:
    with patched(turn.Turn, "said_at", property(lambda self: self.now)):
        yield


@defect("a pause is not kept among the events")
def lost_event() -> Iterator[None]:
    real = memory_clocking.clocked

    def clocked(tables: Any, change: Any, at: Any) -> None:
        if type(change).__name__ != "KeepEvent" or change.event.do != "pending":
            real(tables, change, at)

    with patched(memory, "clocked", clocked):
        yield


@defect("a pause is not kept on the clock")
def lost_pause() -> Iterator[None]:
    real = casework.kept

    def kept(ticket: str, before: Any, after: Any) -> Any:
        found: Any = real(ticket, before, after)
        return tuple(change for change in found if not change.clock.paused)

    with patched(casework, "kept", kept):
        yield


@defect("a bundle says a ping twice")
def said_twice() -> Iterator[None]:
    real = pings.bundled

    def bundled(waiting: Any, *rest: Any, **named: Any) -> Decision:
        found = real(waiting, *rest, **named)
        if found.outgoing and isinstance(found.changes[0], SayPings) and len(found.changes[0].keys) > 1:
            only = replace(found.changes[0], keys=found.changes[0].keys[:1])
            return replace(found, changes=(only,))
        return found

    with patched(sweeping, "bundled", bundled):
        yield


@defect("escalation ignores an acknowledgement")
def ignored_ack() -> Iterator[None]:
    def acknowledged(chain: Any, position: Any, **_: Any) -> Any:
        return position

    with patched(escalation, "acknowledged", acknowledged):
        yield


# --- who may see what --------------------------------------------------------------------------
@defect("a note is mirrored to the requester")
def told_note() -> Iterator[None]:
    def note(turn_: Any, ticket: Any, command: Any) -> Decision:
        told = Say(phrase="thread.note", values={"author": turn_.me.name}, quote=command.rest)
        mirrored = Decision(outgoing=(turn_.to_requester(ticket, "note", told),))
        return talking.note(turn_, ticket, command.rest) + mirrored

    with patched(decide, "AGENT_ACTS", {**decide.AGENT_ACTS, Verb.NOTE: note}):
        yield


@defect("a restricted transfer keeps its home")
def kept_home() -> Iterator[None]:
    real = changes.apply

    def apply(ticket: Any, change: Any) -> Any:
        return replace(real(ticket, change), home=ticket.home)

    with patched(folding, "apply", apply), patched(working, "apply", apply):
        yield


@defect("everybody reads every article")
def no_audience() -> Iterator[None]:
    everything = frozenset({"public", "company", "team:hr", "team:it", "team:finance"})
    with patched(desk, "audience", lambda *_, **__: everything):
        yield


# --- SQL ---------------------------------------------------------------------------------------
@defect("agreements remembered before commit")
def early_agreements() -> Iterator[None]:
    real = unit_of_work.SqlWork.record

    def record(self: Any, decision: Decision, at: Any, *, message: Any = None) -> None:
        real(self, decision, at, message=message)
        self._agreements.remember(self._clocking.new)

    with patched(unit_of_work.SqlWork, "record", record):
        yield


NEEDS_SQLITE = frozenset({"agreements remembered before commit"})


@defect("words in an ordinary channel are always talk")
def only_talk() -> Iterator[None]:
    with patched(memory.MemoryReading, "knows", lambda self, thread: False):
        yield


@defect("words that overtake their question are taken")
def overtaken() -> Iterator[None]:
    with patched(desk, "_too_early", lambda message, policy, reading: False):
        yield
