"""Tickets under other promises: what would have been (`sla replay`), and open ones from now on (`sla reapply`).

Called by `bot.cli_sla_desk_run`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from storage.histories import History
from storage.sql import SqlStorage
from triage import sla
from triage.auditing import Why
from triage.casework import Tick
from triage.changes import Decision
from triage.clocks import Clock, due_at
from triage.errors import Conflict
from triage.figures import Downtime, Outcome, outcome
from triage.model import Person, Ticket
from triage.policy import Metric, Policy
from triage.ports import Loaded, Work
from triage.reapplying import facts_of, pairs, reapplied, replayed

ATTEMPTS = 3
"""How often a ticket is tried that others are changing."""


# --- what would have been ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one promise stands: its outcome, and when it was or is due."""

    outcome: Outcome
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A promise that would have come out otherwise; None where one of the two does not make it."""

    ticket: Ticket
    metric: Metric
    instance: int
    before: Stand | None
    after: Stand | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """`before` and `after` count outcomes by team, metric and outcome."""

    tickets: int
    before: Mapping[tuple[str, Metric, Outcome], int] = field(default_factory=dict)
    after: Mapping[tuple[str, Metric, Outcome], int] = field(default_factory=dict)
    differences: tuple[Difference, ...] = ()


def replay(storage: SqlStorage, policy: Policy, since: datetime, now: datetime) -> Replay:
    """All tickets opened since then, as they were and as they would have been under this policy."""
    before: Counter[tuple[str, Metric, Outcome]] = Counter()
    after: Counter[tuple[str, Metric, Outcome]] = Counter()
    found: list[Difference] = []
    tickets, downtimes = 0, storage.downtimes(since)
    for history in storage.histories(since):
        tickets += 1
        for each in _compared(history, policy, now, downtimes):
            for counter, stand in ((before, each.before), (after, each.after)):
                if stand is not None:
                    counter[each.ticket.team, each.metric, stand.outcome] += 1
            if _outcome(each.before) is not _outcome(each.after):
                found.append(each)
    return Replay(tickets=tickets, before=before, after=after, differences=tuple(found))


def _compared(history: History, policy: Policy, now: datetime, downtimes: Sequence[Downtime]) -> Iterator[Difference]:
    facts = facts_of(history.ticket, history.opening, history.events, guest=history.guest)
    was, would = sla.recomputed(history.events), replayed(history.events, facts, policy)
    for one, other in pairs(was.clocks, would.clocks):
        clock = one or other
        if clock is not None:
            yield Difference(
                ticket=history.ticket,
                metric=clock.metric,
                instance=clock.instance,
                before=_stand(one, now, downtimes),
                after=_stand(other, now, downtimes),
            )


def _stand(clock: Clock | None, now: datetime, downtimes: Sequence[Downtime]) -> Stand | None:
    return Stand(outcome=outcome(clock, now, downtimes), due_at=due_at(clock)) if clock else None


def _outcome(stand: Stand | None) -> Outcome | None:
    return stand.outcome if stand else None


# --- from now on -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Reapplied:
    """One open ticket whose terms change, and the due times of its running clocks before and after."""

    ticket: Ticket
    policy: str
    dues: tuple[tuple[Metric, datetime | None, datetime | None], ...]


def reapply(storage: SqlStorage, policy: Policy, now: datetime, *, dry: bool) -> Iterator[Reapplied]:
    """Open tickets under the policy as it is now, each in a transaction of its own; `dry` changes nothing."""
    for id in storage.open_tickets():
        for attempt in range(ATTEMPTS):
            try:
                found = _reapply(storage, id, policy, now, dry=dry)
                break
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
        if found is not None:
            yield found


def _reapply(storage: SqlStorage, id: str, policy: Policy, now: datetime, *, dry: bool) -> Reapplied | None:
    with storage.writing() as work:
        known = work.whole(id)
        ticket = known.ticket
        team = policy.teams.get(ticket.team) if ticket else None
        if ticket is None or team is None or ticket.ended:
            return None
        facts = facts_of(ticket, known.opening, known.events, guest=_is_guest(work, policy, ticket))
        rule = team.rule_for(facts)
        tick = Tick(due=f"reapply:{id}:{now.isoformat()}", known=known, policy=policy, now=now)
        progress, decision = reapplied(tick, ticket, rule.terms)
        if decision == Decision():
            return None
        if not dry:
            work.record(decision, now, why=Why.ADMIN)
            work.commit()
    return Reapplied(ticket=ticket, policy=rule.terms.policy, dues=tuple(_dues(known, progress.clocks)))


def _is_guest(work: Work, policy: Policy, ticket: Ticket) -> bool:
    nobody = Person(id=ticket.requester, name="")
    person = work.look().people([ticket.requester]).get(ticket.requester, nobody)
    return policy.is_known_stranger(person)


def _dues(known: Loaded, after: Sequence[Clock]) -> Iterator[tuple[Metric, datetime | None, datetime | None]]:
    for one, other in pairs(known.clocks, after):
        clock = other or one
        if clock is not None and any(each is not None and each.live for each in (one, other)):
            before, then = due_at(one) if one else None, due_at(other) if other and other.live else None
            if before != then:
                yield clock.metric, before, then
