"""Other terms for tickets that are open, or that were: `sla reapply` and `sla replay` (SLA.md, rule 2).

Called by `bot.replaying`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from triage import sla
from triage.casework import Progress, Tick
from triage.changes import Decision, KeepTerms
from triage.clocks import Clock
from triage.model import Ticket
from triage.policy import Facts, Policy, Terms
from triage.timeline import Do, Event, Timeline
from triage.working import moved_terms


def facts_of(ticket: Ticket, opening: str, events: Sequence[Event], *, guest: bool) -> Facts:
    """What a policy's conditions look at, as it was when the ticket was opened."""
    channel = next((event.channel for event in events if event.do is Do.OPEN), None)
    return Facts(requester=ticket.requester, guest=guest, language=ticket.language, channel=channel, text=opening)


def reapplied(tick: Tick, ticket: Ticket, terms: Terms) -> tuple[Progress, Decision]:
    """The ticket under these terms from now on; an empty decision where they hold already."""
    before = tick.progress(ticket)
    if before.timeline.terms == terms:
        return before, Decision()
    after = tick.happened(ticket, tick.event(Do.REAPPLY, terms=terms))
    decision = Decision(
        changes=(KeepTerms(ticket=ticket.id, terms=terms), *after.changes),
        outgoing=(
            *tick.card_update(ticket, after.clocks),
            *tick.promise_update(ticket, ticket, after.clocks),
        ),
    )
    return after, decision


def replayed(events: Sequence[Event], facts: Facts, policy: Policy) -> Timeline:
    """The ticket's clocks, had this policy held from its opening on. Teams that it lacks keep their terms."""
    return sla.recomputed(tuple(_under(events, facts, policy)))


def _under(events: Sequence[Event], facts: Facts, policy: Policy) -> Iterator[Event]:
    terms: Terms | None = None
    for event in events:
        team = policy.teams.get(event.team or "")
        if event.do is Do.REAPPLY:
            continue
        if event.do is Do.OPEN:
            terms = team.rule_for(facts).terms if team else event.terms
            yield replace(event, terms=terms)
        elif event.do is Do.TRANSFER and terms is not None:
            terms = moved_terms(terms, team) if team else event.terms or terms
            yield replace(event, terms=terms)
        else:
            yield event


def pairs(before: Sequence[Clock], after: Sequence[Clock]) -> Iterator[tuple[Clock | None, Clock | None]]:
    """The same promise in both, None where one of them lacks it."""
    names = dict.fromkeys((clock.metric, clock.instance) for clock in (*before, *after))
    first = {(clock.metric, clock.instance): clock for clock in before}
    second = {(clock.metric, clock.instance): clock for clock in after}
    return ((first.get(name), second.get(name)) for name in names)
