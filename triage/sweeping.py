"""What time alone sets off: stages of clocks, steps of escalation chains, and pings that were kept for later.

`triage.desk.Desk.sweep` runs it every few seconds. Any number of processes may sweep at once: each claims
the rows it works on, and all that is said has a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from triage import calling
from triage.casework import Swaps, Tick, under_card, unmet
from triage.changes import Decision, HoldPings, KeepClock, KeepPosition
from triage.clocks import due_at
from triage.errors import TurnError
from triage.model import Person
from triage.outgoing import UnderSlot
from triage.pings import bundled, pinged, stage_key
from triage.policy import Policy
from triage.ports import DueClock, Loaded, Now, Storage, Waiting, Work

Item = TypeVar("Item")

BATCH = 25
"""Clocks, chains or people dealt with in one transaction: on SQLite turns wait for it, and a turn has two seconds."""

SET_ASIDE = timedelta(minutes=5)
"""How long something that cannot be worked out is left alone, so that it does not stop the rest."""


@dataclass(slots=True)
class Swept:
    """How much was done; `failed` names what could not be worked out, with the error."""

    rung: int = 0
    steps: int = 0
    told: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def any(self) -> bool:
        return bool(self.rung or self.steps or self.told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """One transaction of a sweep, and what it knows of the company."""

    work: Work
    policy: Policy
    now: datetime
    people: Mapping[str, Person]
    swaps: Swaps
    changed: set[str] = field(default_factory=set)
    """Tickets that this transaction has changed: what was read of them before is stale."""

    def tick(self, key: str, known: Loaded) -> Tick:
        return Tick(due=key, known=known, policy=self.policy, now=self.now, people=self.people, agreed=self.swaps)


def sweep(storage: Storage, policy: Policy, now: Now) -> Swept:
    """Ring what is due, go on with escalations, and tell people. Raises TurnError when that cannot be stored."""
    swept = Swept()
    with storage.writing() as work:
        work.beat(now())
        work.commit()
    company = _Company(storage, policy, now)
    swept.rung = company.each(lambda work, at: work.due(at, BATCH), lambda due, here: _clock(due, here, swept))
    swept.steps = company.each(lambda work, at: work.due_steps(at, BATCH), lambda id, here: _step(id, here, swept))
    swept.told = company.each(lambda work, at: work.waiting(at, BATCH), lambda all, here: _tell(all, here, swept))
    return swept


@dataclass(frozen=True, slots=True)
class _Company:
    storage: Storage
    policy: Policy
    now: Now

    def each(self, find: Callable[[Work, datetime], Sequence[Item]], do: Callable[[Item, _Pass], None]) -> int:
        """Do whatever is found, a transaction for each batch, until nothing is left; how much that was."""
        done = 0
        while (count := self._batch(find, do)) == BATCH:
            done += count
        return done + count

    def _batch(self, find: Callable[[Work, datetime], Sequence[Item]], do: Callable[[Item, _Pass], None]) -> int:
        with self.storage.writing() as work:
            at = self.now()
            found = find(work, at)
            if not found:
                return 0
            look = work.look()
            people, swaps = look.people(sorted(self.policy.people)), look.swaps(at)
            here = _Pass(work=work, policy=self.policy, now=at, people=people, swaps=swaps)
            for item in found:
                do(item, here)
                work.flush()
            work.commit()
        return len(found)


# --- clocks ------------------------------------------------------------------------------------
def _clock(found: DueClock, here: _Pass, swept: Swept) -> None:
    due = _afresh(found, here) if found.ticket.id in here.changed else found
    if due is None:
        return
    here.changed.add(due.ticket.id)
    try:
        decision = _rung(due, here)
    except TurnError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken ticket must not stop the others
        swept.failed.append(f"ticket {due.ticket.number}: {type(error).__name__}: {error}")
        decision = _clock_aside(due, here.now)
    here.work.record(decision, here.now)


def _afresh(due: DueClock, here: _Pass) -> DueClock | None:
    """The clock as another one of the same ticket has left it: its breach may have raised the priority."""
    known = here.work.whole(due.ticket.id)
    name = (due.clock.metric, due.clock.instance)
    clock = next((clock for clock in known.clocks if (clock.metric, clock.instance) == name and clock.live), None)
    if known.ticket is None or clock is None:
        return None
    return DueClock(ticket=known.ticket, clock=clock, terms=known.terms or due.terms, position=known.position)


def _rung(due: DueClock, here: _Pass) -> Decision:
    """The ping, the card as it stands now, and where a promise was broken the escalation."""
    known = Loaded(ticket=due.ticket, terms=due.terms, position=due.position)
    found = pinged(due, here.tick(stage_key(due, here.now), known))
    if not found.rang:
        return found.decision
    here.work.record(found.decision, here.now)
    whole = here.work.whole(due.ticket.id)
    ticket, tick = whole.ticket or due.ticket, here.tick(stage_key(due, here.now), whole)
    started = calling.broken(tick, ticket, told=found.told) if found.broken else Decision()
    if any(item.key == tick.key("card") for item in started.outgoing):
        return started
    return started + Decision(outgoing=tick.card_update(ticket))


def _clock_aside(due: DueClock, now: datetime) -> Decision:
    later = KeepClock(ticket=due.ticket.id, clock=due.clock, due_at=due_at(due.clock), next_at=now + SET_ASIDE)
    return Decision(changes=(later,))


# --- escalation --------------------------------------------------------------------------------
def _step(id: str, here: _Pass, swept: Swept) -> None:
    known = here.work.whole(id)
    if known.ticket is None:
        return
    try:
        decision = calling.went_on(here.tick(f"step:{id}:{known.position.id}", known), known.ticket)
    except TurnError:
        raise
    except Exception as error:  # noqa: BLE001 - one broken ticket must not stop the others
        swept.failed.append(f"ticket {known.ticket.number}: {type(error).__name__}: {error}")
        later = replace(known.position, next_at=here.now + SET_ASIDE)
        decision = Decision(changes=(KeepPosition(ticket=id, position=later),))
    here.work.record(decision, here.now)


# --- people ------------------------------------------------------------------------------------
def _tell(waiting: Waiting, here: _Pass, swept: Swept) -> None:
    try:
        decision = _told(waiting, here)
    except TurnError:
        raise
    except Exception as error:  # noqa: BLE001 - what one person cannot be told must not stop the others
        swept.failed.append(f"{waiting.person}: {type(error).__name__}: {error}")
        later = HoldPings(person=waiting.person, until=here.now + SET_ASIDE, capped=False)
        decision = Decision(changes=(later,))
    here.work.record(decision, here.now)


def _told(waiting: Waiting, here: _Pass) -> Decision:
    person = here.people.get(waiting.person) or unmet(waiting.person, here.policy)
    return bundled(waiting, here.policy, person, here.now, otherwise=lambda ticket: _thread(ticket, here))


def _thread(id: str, here: _Pass) -> UnderSlot | None:
    ticket = here.work.look().ticket(id)
    team = here.policy.teams.get(ticket.team) if ticket else None
    return under_card(ticket, team) if ticket and team else None
