"""The ping for a clock whose stage has come: whom it goes to and what it says.

Called by `triage.desk` at the sweep, for each clock that storage found due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from triage import sla
from triage.changes import Decision, KeepClock
from triage.model import Language, Person, Ticket
from triage.outgoing import At, Direct, Guard, Outgoing, Say, Target, Who
from triage.policy import Policy, Team
from triage.ports import DueClock
from triage.turn import under_card

UNDELIVERED = "/undelivered"
"""Ends the outbox key of word about a message that was given up."""

OUT_OF_REACH = "/out-of-reach"
"""Ends the outbox key of word about somebody who was mentioned in the thread instead."""


def pinged(due: DueClock, policy: Policy, now: datetime, *, people: Mapping[str, Person]) -> Decision:
    """The clock after ringing, and its ping: to the owner, or to the team when there is none.

    `people` are the owners as they were last seen.
    """
    rung = sla.ring(due.clock, due.terms, now)
    if rung is None:
        return Decision(changes=(KeepClock(clock=sla.scheduled(due.clock, due.terms)),))
    ticket, kept = due.ticket, KeepClock(clock=rung.clock)
    team = policy.teams.get(ticket.team) or Team(id=ticket.team, name=ticket.team)
    to = _whom(ticket, team)
    if to is None:
        return Decision(changes=(kept,))
    clock = rung.clock
    ping = Outgoing(
        key=f"sla:{ticket.id}:{clock.metric}:{clock.instance}:{clock.revision}:{rung.stage}",
        to=to,
        notice=_ping(due, rung.stage, team),
        language=_language(to.person if isinstance(to, Direct) else None, policy, team, people),
        ticket=ticket.id,
        guard=Guard(ticket=ticket.id, metric=clock.metric, instance=clock.instance, revision=clock.revision),
    )
    return Decision(changes=(kept,), outgoing=(ping,))


def undelivered(outgoing: Outgoing, ticket: Ticket, policy: Policy, *, people: Mapping[str, Person]) -> Outgoing | None:
    """Word to the team's lead that a message was given up; None when there is no lead to tell."""
    team = policy.teams.get(ticket.team)
    if team is None or team.lead is None:
        return None
    return Outgoing(
        key=f"{outgoing.key}{UNDELIVERED}",
        to=Direct(person=team.lead, otherwise=under_card(ticket, team)),
        notice=Say(phrase="page.undelivered", values={"number": ticket.number}),
        language=_language(team.lead, policy, team, people),
        ticket=ticket.id,
    )


def out_of_reach(
    outgoing: Outgoing, ticket: Ticket, policy: Policy, *, people: Mapping[str, Person]
) -> Outgoing | None:
    """Word to the team's lead that what was for one person stands in the ticket's thread.

    None when there is no lead to tell, or when it is the lead who cannot be reached.
    """
    team = policy.teams.get(ticket.team)
    person = outgoing.to.person if isinstance(outgoing.to, Direct) else None
    if team is None or team.lead is None or person is None or person == team.lead:
        return None
    name = policy.people[person].name if person in policy.people else person
    return Outgoing(
        key=f"{outgoing.key}{OUT_OF_REACH}",
        to=Direct(person=team.lead),
        notice=Say(
            phrase="page.out_of_reach",
            values={"who": Who(person=person, name=name), "number": ticket.number, "subject": ticket.subject},
        ),
        language=_language(team.lead, policy, team, people),
        ticket=ticket.id,
    )


def _whom(ticket: Ticket, team: Team) -> Target | None:
    """The owner directly; without one the team, under the card; without a channel the lead."""
    under = under_card(ticket, team)
    if ticket.owner:
        return Direct(person=ticket.owner, otherwise=under)
    if under:
        return under
    return Direct(person=team.lead) if team.lead else None


def _ping(due: DueClock, stage: str, team: Team) -> Say:
    clock, ticket = due.clock, due.ticket
    if clock.due_at is None:
        raise ValueError("a clock that is not due has no ping")
    at = At(at=clock.due_at, zone=team.terms.calendar.timezone)
    return Say(
        phrase=f"ping.{'due' if stage == sla.DUE else 'soon'}.{clock.metric}",
        values={"number": ticket.number, "subject": ticket.subject, "due": at},
    )


def _language(reader: str | None, policy: Policy, team: Team, people: Mapping[str, Person]) -> Language:
    """The reader's own, as their platform says or else desk.yaml; the team's where it reads together."""
    if reader is not None and reader in people:
        return people[reader].language
    member = policy.people.get(reader or "")
    return (member.language if member else None) or team.language
