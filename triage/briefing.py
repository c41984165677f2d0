"""What a decision is to see besides the message: read inside the turn, so that it is one consistent view.

Called by `triage.desk`, which says what for; what a turn reads is decided here alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from triage.commands import Command, Intent, Verb
from triage.linking import concerned
from triage.matching import Match
from triage.model import Kind, Message, Person, Ticket
from triage.policy import Policy
from triage.ports import Lessons, Reading
from triage.proposing import article_of
from triage.reading import ALL, HISTORY, ROWS, teams_asked
from triage.turn import Situation, Taught

A_DAY = timedelta(hours=24)
"""In which somebody gets so many proposals and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message with what is known before the transaction: who, what they may read, what matched."""

    message: Message
    sender: Person
    stranger: bool
    audience: frozenset[str]
    intent: Intent
    match: Match | None
    known: Person | None
    """The sender as they were kept before; None for somebody new."""


def with_reading(situation: Situation, arrival: Arrival, policy: Policy, reading: Reading) -> Situation:
    """What a decision needs to see besides: looked up inside the turn, so that it is one consistent view."""
    loaded, intent = situation.loaded, arrival.intent
    if loaded.ticket is not None or loaded.conversation is not None:
        situation = replace(situation, people=reading.people(sorted(_staff(policy))))
    if arrival.message.kind in (Kind.EDIT, Kind.DELETE):
        return _with_history(situation, reading, ALL)
    match intent:
        case Command(verb=Verb.SHOW):
            return _with_history(situation, reading, HISTORY)
        case Command(verb=Verb.WHY | Verb.KB | Verb.RESOLVE):
            return _with_history(situation, reading, ALL)
        case Command(verb=Verb.MINE):
            return _with_tickets(situation, reading, *reading.mine(arrival.sender.id, ROWS))
        case Command(verb=Verb.TICKET | Verb.NEW | Verb.JOIN):
            return _with_tickets(situation, reading, *reading.mine(arrival.sender.id, ALL))
        case Command(verb=Verb.QUEUE) if teams := teams_asked(arrival.sender.id, arrival.stranger, intent, policy):
            return _with_tickets(situation, reading, *reading.queue(teams, ROWS))
        case _:
            return situation


def _staff(policy: Policy) -> frozenset[str]:
    """Whoever works for a team or looks after articles."""
    return frozenset(policy.people).union(*(team.staff for team in policy.teams.values()))


def answered(intent: Intent, sender: Person, policy: Policy, reading: Reading) -> str:
    """The question of the ticket whose article an agent is to name: matched before the turn like any other."""
    if not isinstance(intent, Command) or intent.verb not in (Verb.RESOLVE, Verb.KB) or intent.number is None:
        return ""
    ticket = reading.numbered(intent.number) if policy.teams_of(sender.id) else None
    if ticket is None or not policy.serves(sender.id, ticket.team):
        return ""
    return reading.opening(ticket.id)


def with_lessons(
    situation: Situation, arrival: Arrival, lessons: Lessons, reading: Reading, now: datetime
) -> Situation:
    """What was learned before about the article that this turn may add to."""
    ticket, taught = situation.loaded.ticket, Taught()
    match arrival.intent:
        case Command(verb=Verb.SETTLE, rest=rest):
            proposal = lessons.proposal(rest.partition(" ")[0])
            about = reading.ticket(proposal.ticket) if proposal and proposal.ticket else None
            return replace(situation, taught=Taught(proposal=proposal, restricted=bool(about and about.restricted)))
        case Command(verb=Verb.SOLVED, rest=rest):
            taught = Taught(proposals=lessons.proposals(rest))
        case Command(verb=Verb.KB | Verb.RESOLVE) as command if ticket is not None:
            ids = {article_of(ticket)} | ({concerned(command)} if command.verb is Verb.KB else set())
            proposals = [each for id in sorted(ids) for each in lessons.proposals(id)]
            taught = Taught(proposals=proposals, cases=lessons.cases_of(ticket.id))
        case _:
            return situation
    return replace(situation, taught=replace(taught, offered=lessons.offered(now - A_DAY)))


def _with_history(situation: Situation, reading: Reading, limit: int) -> Situation:
    ticket = situation.loaded.ticket
    if ticket is None:
        return situation
    history = reading.history(ticket.id, limit)
    authors = reading.people([entry.author for entry in history if entry.author])
    return replace(situation, history=history, people={**situation.people, **authors})


def _with_tickets(situation: Situation, reading: Reading, tickets: Sequence[Ticket], total: int) -> Situation:
    people = reading.people([id for ticket in tickets for id in (ticket.requester, ticket.owner) if id])
    dues = reading.due_of([ticket.id for ticket in tickets])
    return replace(situation, tickets=tickets, total=total, dues=dues, people={**situation.people, **people})
