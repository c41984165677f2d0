"""More defects to plant: what people are owed, two processes at once, and more to do than the desk can.

`tests.simulation.hunting` plants them one at a time, as those of `tests.simulation.defects`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import delivery, turns
from storage import folding, memory
from tests.simulation import company
from tests.simulation.life import AT_WORK
from tests.simulation.planting import defect, patched
from triage import asking, calling, casework, changes, desk, model, pings, sweeping, talking, working
from triage.changes import Decision, HoldPings, SayPings, Transfer
from triage.errors import TooSlow
from triage.knowledge import KnowledgeBase
from triage.model import Status
from triage.outgoing import Direct
from triage.ports import Receipt, Sent
from triage.timeline import Do


def _without(decision: Decision, said: str) -> Decision:
    """The same, but one message is not sent."""
    return replace(decision, outgoing=tuple(item for item in decision.outgoing if not item.key.endswith(said)))


# --- two processes, restarts -------------------------------------------------------------------
@defect("a repeat is known to the process that took it")
def forgotten_repeats() -> Iterator[None]:
    def mine(key: str) -> str:
        life = AT_WORK.get()
        return f"{life.number if life else 0}/{key}"

    def claim(self: Any, key: str, at: Any) -> bool:
        won = mine(key) not in self._t.inbox
        self._t.put(self._t.inbox, key, at)
        self._t.put(self._t.inbox, mine(key), at)
        return won

    def arriving(self: Any, claims: Any) -> Any:
        return {key: (mine(key) in self._t.inbox, self.person(account)) for key, account in claims.items()}

    with patched(memory.MemoryWork, "claim", claim), patched(memory.MemoryReading, "arriving", arriving):
        yield


@defect("marked sent before sending")
def early_mark() -> Iterator[None]:
    real = delivery.Delivery._send

    async def send(self: Any, parcel: Any) -> Any:
        if parcel.outgoing.slot is None:
            await self._run(lambda: self._outbox.sent([Sent(parcel=parcel)]))
        return await real(self, parcel)

    with patched(delivery.Delivery, "_send", send):
        yield


@defect("two sweeps take the same step")
def unclaimed_steps() -> Iterator[None]:
    """What is due is found in one transaction and done in another, under a key of the moment."""

    def batch(self: Any, find: Any, do: Any) -> int:
        with self.storage.writing() as work:
            found = [(item, work.whole(item) if isinstance(item, str) else None) for item in find(work, self.now())]
        if not found:
            return 0
        with self.storage.writing() as work:
            look, at = work.look(), self.now()
            people = look.people(sorted(self.policy.people))
            here = sweeping._Pass(work=work, policy=self.policy, now=at, people=people, swaps=look.swaps(at))
            for item, known in found:
                if known is None:
                    do(item, here)
                elif known.ticket is not None:
                    tick = here.tick(f"step:{item}:{known.position.id}:{work._new_id()}", known)
                    work.record(calling.went_on(tick, known.ticket), at)
            work.commit()
        return len(found)

    with patched(sweeping._Company, "_batch", batch):
        yield


@defect("a machine that slept on the way to a post goes on")
def overslept() -> Iterator[None]:
    with patched(delivery.Delivery, "_keep_to_lease", lambda self, parcel: None):
        yield


# --- more than the desk can --------------------------------------------------------------------
@defect("a full desk refuses also what comes for the last time")
def no_last_chance() -> Iterator[None]:
    with patched(model.Message, "last_chance", property(lambda self: False)):
        yield


@defect("what was not begun is acknowledged")
def unbegun() -> Iterator[None]:
    real = turns.Turns._together

    async def together(self: Any, waiting: Any) -> Any:
        return [Receipt() if isinstance(each, TooSlow) else each for each in await real(self, waiting)]

    with patched(turns.Turns, "_together", together), patched(turns, "WAITS_WITHIN", 0.2):
        yield


@defect("what was taken apart is not taken")
def apart_and_gone() -> Iterator[None]:
    with patched(turns.Turns, "_alone", lambda self, waiting: Receipt()):
        yield


# --- what people are owed ----------------------------------------------------------------------
@defect("a reply is copied to the requester twice")
def copied_twice() -> Iterator[None]:
    real = talking.answer_requester

    def answer(turn: Any, *rest: Any, **named: Any) -> Decision:
        found = real(turn, *rest, **named)
        copies = (replace(i, key=f"{i.key}:copy") for i in found.outgoing if i.key.endswith("requester:reply"))
        return found + Decision(outgoing=tuple(copies))

    with patched(talking, "answer_requester", answer):
        yield


@defect("a reply does not reach the requester")
def kept_reply() -> Iterator[None]:
    real = talking.answer_requester

    def answer(*rest: Any, **named: Any) -> Decision:
        return _without(real(*rest, **named), "requester:reply")

    with patched(talking, "answer_requester", answer):
        yield


@defect("the second reply on a ticket goes under the key of the first")
def one_key() -> Iterator[None]:
    real = casework.Casework.to_requester

    def to_requester(self: Any, ticket: Any, name: str, *rest: Any, **named: Any) -> Any:
        found = real(self, ticket, name, *rest, **named)
        return replace(found, key=f"{ticket.id}/requester:{name}") if name == "reply" else found

    with patched(casework.Casework, "to_requester", to_requester):
        yield


@defect("what was edited is told nobody")
def silent_edit() -> Iterator[None]:
    with patched(talking, "_to_other_side", lambda *_: ()):
        yield


@defect("no promise is told")
def no_promise() -> Iterator[None]:
    real = asking.opened

    def opened(*rest: Any, **named: Any) -> Any:
        known, decision = real(*rest, **named)
        return known, _without(decision, "requester:promise")

    with patched(asking, "opened", opened), patched(talking, "opened", opened):
        yield


@defect("cards are not brought up to date")
def old_cards() -> Iterator[None]:
    with patched(casework.Casework, "card_update", lambda *_, **__: ()):
        yield


@defect("thanks open a ticket again")
def reopened_by_thanks() -> Iterator[None]:
    real = talking.requester_says

    def says(turn: Any, ticket: Any) -> Decision:
        if ticket.ended:
            return talking.add_message(turn, ticket, turn.message.text) + talking.reopened(turn, ticket)
        return real(turn, ticket)

    with patched(talking, "requester_says", says):
        yield


@defect("a note counts as an answer")
def counted_note() -> Iterator[None]:
    real = talking.note

    def note(turn: Any, ticket: Any, text: str, **named: Any) -> Decision:
        return real(turn, ticket, text, **named) + Decision(changes=turn.happened(ticket, turn.event(Do.REPLY)).changes)

    with patched(talking, "note", note):
        yield


@defect("resolving leaves the clocks as they are")
def running_on() -> Iterator[None]:
    real = working._moved_to

    def moved(turn: Any, ticket: Any, status: Status, phrase: str, *events: Any) -> Decision:
        return real(turn, ticket, status, phrase, *(() if status is Status.RESOLVED else events))

    with patched(working, "_moved_to", moved):
        yield


@defect("desk.yaml is edited, and so are promises given before")
def todays_terms() -> Iterator[None]:
    with patched(casework.Casework, "terms", lambda self, ticket: self.team_of(ticket).terms):
        yield


@defect("a transfer leaves the owner")
def kept_owner() -> Iterator[None]:
    real = changes.apply

    def apply(ticket: Any, change: Any) -> Any:
        after = real(ticket, change)
        return replace(after, owner=ticket.owner) if isinstance(change, Transfer) else after

    with patched(folding, "apply", apply), patched(working, "apply", apply):
        yield


@defect("a guest asks any team")
def every_guest() -> Iterator[None]:
    real = asking.opened

    def opened(turn: Any, *rest: Any, **named: Any) -> Any:
        return real(replace(turn, situation=replace(turn.situation, stranger=False)), *rest, **named)

    with patched(asking, "opened", opened):
        yield


@defect("articles as the first reader saw them")
def first_reader() -> Iterator[None]:
    real = company.Knowing.base
    first: dict[int, KnowledgeBase] = {}

    def base(self: Any, audience: Any) -> KnowledgeBase:
        return first.setdefault(id(self._kb), real(self, audience))

    with patched(company.Knowing, "base", base):
        yield


@defect("a queue shows every team's tickets")
def whole_queue() -> Iterator[None]:
    real = memory.MemoryReading.queue

    def queue(self: Any, teams: Any, limit: int) -> Any:
        return real(self, ("it", "hr", "finance"), limit)

    with patched(memory.MemoryReading, "queue", queue):
        yield


# --- being called ------------------------------------------------------------------------------
@defect("a call for help at every mention")
def every_mention() -> Iterator[None]:
    with patched(talking, "STEP_EVERY", timedelta()):
        yield


@defect("people are called while the requester is waited for")
def called_in_vain() -> Iterator[None]:
    real = calling.went_on

    def went_on(tick: Any, ticket: Any) -> Decision:
        return real(tick, replace(ticket, status=Status.OPEN) if ticket.status is Status.PENDING else ticket)

    with patched(calling, "went_on", went_on):
        yield


def _bundling(change: Callable[[Any, Any], Any]) -> Any:
    real = pings.bundled

    def bundled(waiting: Any, *rest: Any, **named: Any) -> Decision:
        found = real(waiting, *rest, **named)
        return replace(found, changes=tuple(change(each, waiting) for each in found.changes))

    return patched(sweeping, "bundled", bundled)


@defect("what a night holds back is never said")
def endless_night() -> Iterator[None]:
    def later(change: Any, _: Any) -> Any:
        return replace(change, until=change.until + timedelta(days=30)) if isinstance(change, HoldPings) else change

    with _bundling(later):
        yield


@defect("what is urgent takes the place of what waits")
def urgent_only() -> Iterator[None]:
    def all_said(change: Any, waiting: Any) -> Any:
        keys = tuple(ping.key for ping in waiting.pings)
        return replace(change, keys=keys) if isinstance(change, SayPings) else change

    with _bundling(all_said):
        yield


@defect("a direct message put off is dropped")
def dropped_direct() -> Iterator[None]:
    real = delivery.Delivery._later

    async def later(self: Any, parcel: Any, error: Any) -> None:
        if isinstance(parcel.outgoing.to, Direct):
            await self._run(lambda: self._outbox.dropped(parcel, str(error)))
        else:
            await real(self, parcel, error)

    with patched(delivery.Delivery, "_later", later):
        yield


@defect("pings that cannot be said together are given up")
def never_apart() -> Iterator[None]:
    with patched(desk, "apart", lambda *_: ()):
        yield


@defect("given up in one transaction, told in the next")
def told_later() -> Iterator[None]:
    async def failed(self: Any, parcel: Any, reason: str) -> None:
        await self._run(lambda: self._outbox.failed(parcel, reason, self._now()))
        told = Decision(outgoing=tuple(self._told(parcel.outgoing)))
        await self._run(lambda: self._run._life.keep(told))

    with patched(delivery.Delivery, "_failed", failed):
        yield


@defect("the lead does not hear of what was given up")
def untold_lead() -> Iterator[None]:
    with patched(desk, "undelivered", lambda *_, **__: None):
        yield


@defect("the lead does not hear who cannot be reached")
def unknown_absence() -> Iterator[None]:
    with patched(desk, "out_of_reach", lambda *_, **__: None):
        yield
