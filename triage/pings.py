"""The ping for a clock whose stage has come: whom it goes to, what it says, and when that person is told.

Called by `triage.sweeping` for each clock that storage found due and each person with pings that wait, and
by `triage.desk` for messages that did not arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage import sla
from triage.calendars import is_open, next_close
from triage.casework import Tick, under_card
from triage.changes import Decision, HoldPings, KeepClock, KeepPing, SayPings
from triage.clocks import Clock, due_at, judged
from triage.model import Language, Person, Priority, Ticket
from triage.outgoing import (
    At,
    Choice,
    Direct,
    Guard,
    Outgoing,
    Ping,
    Pings,
    Reminder,
    Say,
    Term,
    UnderSlot,
    Value,
    Who,
)
from triage.policy import Policy, Team
from triage.ports import DueClock, Waiting
from triage.stages import DUE, OVERDUE

AN_HOUR = timedelta(hours=1)
"""For the cap on what one person is told."""

UNDELIVERED = "/undelivered"
"""Ends the outbox key of word about a message that was given up."""

OUT_OF_REACH = "/out-of-reach"
"""Ends the outbox key of word about somebody who was mentioned in the thread instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinged:
    """What follows from a stage whose time has come, if it `rang`; `told` is who will hear of it."""

    decision: Decision
    rang: bool = True
    broken: bool = False
    told: frozenset[str] = frozenset()


def pinged(due: DueClock, tick: Tick) -> Pinged:
    """The clock after ringing, and its ping: to the owner, or to whoever stands in when there is none."""
    rung = sla.ring(due.clock, due.terms, tick.now)
    if rung is None:
        return Pinged(decision=Decision(changes=(_kept(due, due.clock),)), rang=False)
    clock = judged(rung.clock, tick.now)
    guard = Guard(ticket=due.ticket.id, metric=clock.metric, instance=clock.instance, revision=clock.revision)
    say = _reminder(due.ticket, clock, rung.ring.stage, tick)
    person = _person(due.ticket, tick)
    told: Decision
    if person is not None:
        urgent = due.ticket.priority is Priority.URGENT and rung.ring.stage in (DUE, OVERDUE)
        reminder = Reminder(say=say, guard=guard)
        ping = Ping(
            key=tick.prefix, person=person, ticket=due.ticket.id, at=rung.ring.at, reminder=reminder, urgent=urgent
        )
        told = Decision(changes=(KeepPing(ping=ping),))
    else:
        told = Decision(outgoing=_in_channel(due.ticket, say, guard, tick))
    return Pinged(
        decision=Decision(changes=(_kept(due, clock),)) + told,
        broken=rung.broken,
        told=frozenset({person} if person else ()),
    )


def stage_key(due: DueClock, now: datetime) -> str:
    """Names the stage that has come, once for ever (DESIGN.md, section 3)."""
    rung = sla.ring(due.clock, due.terms, now)
    clock = due.clock
    which = f"sla:{due.ticket.id}:{clock.metric}:{clock.instance}:{clock.revision}"
    return f"{which}:{rung.ring.stage}{f':{rung.ring.n}' if rung.ring.n else ''}" if rung else which


def _kept(due: DueClock, clock: Clock) -> KeepClock:
    next_at = sla.next_at(clock, due.terms)
    return KeepClock(ticket=due.ticket.id, clock=clock, due_at=due_at(clock), next_at=next_at)


def _person(ticket: Ticket, tick: Tick) -> str | None:
    """The owner; for an urgent ticket of nobody while the team is out, whoever is on call; the lead where
    there is no channel. None when the team hears of it together."""
    team = tick.team_of(ticket)
    if ticket.owner:
        return ticket.owner
    out = ticket.priority is Priority.URGENT and not is_open(team.terms.calendar, tick.now)
    if out and (on_call := tick.on_call(team)):
        return on_call
    return None if team.triage_channel else team.lead


def _in_channel(ticket: Ticket, say: Say, guard: Guard, tick: Tick) -> tuple[Outgoing, ...]:
    return tuple(replace(each, key=tick.prefix, guard=guard) for each in tick.to_team(ticket, "ping", say))


def _reminder(ticket: Ticket, clock: Clock, stage: str, tick: Tick) -> Say:
    said = _said(ticket, clock, stage, tick)
    return replace(said, choices=(Choice(label="card.why", command=f"why {ticket.number}"),))


def _said(ticket: Ticket, clock: Clock, stage: str, tick: Tick) -> Say:
    team = tick.team_of(ticket)
    due = due_at(clock)
    values: dict[str, Value] = {
        "number": ticket.number,
        "subject": ticket.subject,
        "metric": Term(term=f"ping.metric.{clock.metric}"),
    }
    if clock.breach and clock.breach.cause and stage == DUE:
        at = At(at=clock.breach.at, zone=team.terms.calendar.timezone)
        return Say(phrase=f"ping.{clock.breach.cause}", values={**values, "at": at})
    if due is None:
        return Say(phrase="ping.waits", values=values)
    phrase = {DUE: "ping.due", OVERDUE: "ping.overdue"}.get(stage, "ping.soon")
    return Say(phrase=phrase, values={**values, "due": At(at=due, zone=team.terms.calendar.timezone)})


# --- one person's pings ------------------------------------------------------------------------
def bundled(
    waiting: Waiting, policy: Policy, person: Person, now: datetime, *, otherwise: Callable[[str], UnderSlot | None]
) -> Decision:
    """One message with all that waits, or the instant until which it has to (SLA.md, rule 12).

    `otherwise` gives the thread, by ticket, in which a single ping is said when the person cannot be reached.
    """
    urgent = tuple(ping for ping in waiting.pings if ping.urgent)
    said, capped = waiting.pings, len(waiting.said) >= policy.pings_an_hour
    quiet = _quiet_until(person, policy, now)
    if quiet is not None or capped:
        said = urgent
    if not said:
        until = quiet or min(waiting.said) + AN_HOUR
        return Decision(changes=(HoldPings(person=waiting.person, until=until, capped=quiet is None),))
    held = waiting.held if said == waiting.pings else 0
    notice = Pings(reminders=tuple(ping.reminder for ping in said), held=held)
    alone = len(said) == 1
    message = Outgoing(
        key=f"{said[0].key}/said",
        to=Direct(person=waiting.person, otherwise=otherwise(said[0].ticket) if alone else None),
        notice=notice,
        language=person.language,
        ticket=said[0].ticket if alone else None,
    )
    return Decision(changes=(SayPings(keys=tuple(ping.key for ping in said), at=now),), outgoing=(message,))


def _quiet_until(person: Person, policy: Policy, now: datetime) -> datetime | None:
    """The end of the quiet hours that this person is in."""
    member = policy.people.get(person.id)
    quiet = member.quiet if member else None
    if quiet is None:
        return None
    hours = quiet.hours
    if not quiet.zoned and person.timezone:
        hours = replace(hours, timezone=person.timezone)
    return next_close(hours, now) if is_open(hours, now) else None


def apart(bundle: Outgoing, tickets: Mapping[str, Ticket], policy: Policy) -> tuple[Outgoing, ...]:
    """A bundle that could not be delivered: each reminder in its ticket's thread."""
    if not isinstance(bundle.notice, Pings) or not isinstance(bundle.to, Direct):
        return ()
    found = []
    for n, reminder in enumerate(bundle.notice.reminders, 1):
        ticket = tickets.get(reminder.guard.ticket)
        if ticket is not None:
            team = policy.teams.get(ticket.team) or Team(id=ticket.team, name=ticket.team)
            notice = Pings(reminders=(reminder,))
            to = replace(bundle.to, otherwise=under_card(ticket, team))
            found.append(replace(bundle, key=f"{bundle.key}:{n}", to=to, notice=notice, ticket=ticket.id))
    return tuple(found)


# --- what did not arrive -----------------------------------------------------------------------
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


def _language(reader: str | None, policy: Policy, team: Team, people: Mapping[str, Person]) -> Language:
    """The reader's own, as their platform says or else desk.yaml; the team's where it reads together."""
    if reader is not None and reader in people:
        return people[reader].language
    member = policy.people.get(reader or "")
    return (member.language if member else None) or team.language
