"""What agents do with a ticket: one function a verb, all idempotent for a person, a ticket and a verb.

Called by `triage.decide` once rights are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from triage.calling import handed_over, off_hours, taken_care_of
from triage.casework import awaited, promise_of
from triage.changes import (
    AddEntry,
    Assign,
    Change,
    Decision,
    KeepPosition,
    KeepTerms,
    Rate,
    SetPriority,
    SetStatus,
    Transfer,
    apply,
)
from triage.clocks import Clock
from triage.commands import PRIORITY_OF, Command
from triage.linking import answer_given, which
from triage.model import EntryKind, Status, Ticket
from triage.outgoing import Choice, OnSlot, Outgoing, Say, Term, Value, card_slot, promise_slot
from triage.policy import Team, Terms
from triage.talking import answer_requester, entry, happened, reopened
from triage.timeline import Do, Event
from triage.turn import Turn


def claim(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    if ticket.owner == turn.sender.id:
        return turn.say("done.already_yours", number=ticket.number)
    if ticket.owner is not None:
        return turn.say("error.taken", owner=turn.who(ticket.owner).name, number=ticket.number)
    claimed = _owned(turn, ticket, turn.sender.id, "event.claimed", {})
    return turn.done("done.claimed", number=ticket.number) + claimed


def assign(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    team = turn.team_of(ticket)
    owner = _agent(turn, team, command.rest)
    if owner is None:
        agents = ", ".join(turn.who(id).name for id in team.agents)
        return turn.say("error.who", word=command.rest.lstrip("@"), team=team.name, agents=agents)
    who = turn.who(owner)
    done = turn.done("done.assigned", number=ticket.number, owner=who)
    if ticket.owner == owner:
        return done
    decision = done + _owned(turn, ticket, owner, "event.assigned", {"owner": who})
    if owner == turn.sender.id:
        return decision
    page = Say(
        phrase="page.assigned_you",
        values={"actor": turn.me.name, "number": ticket.number, "subject": ticket.subject},
    )
    return decision + Decision(outgoing=(turn.to_person(owner, ticket, "assigned", page),))


def release(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    if ticket.owner is None:
        return nothing(turn, ticket)
    done = turn.done("done.released", number=ticket.number)
    return done + _owned(turn, ticket, None, "event.released", {})


def transfer(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    team = _team(turn, command.rest)
    if team is None:
        names = ", ".join(turn.policy.teams)
        return turn.say("error.team", word=command.rest, teams=names)
    if team.id == ticket.team:
        return turn.done("done.transferred", number=ticket.number, team=team.name)
    change = Transfer(ticket=ticket.id, team=team.id, restricted=team.restricted)
    moved = replace(apply(ticket, change), status=_unowned(ticket.status))
    terms = moved_terms(turn.terms(ticket), team)
    after = turn.happened(ticket, turn.event(Do.TRANSFER, terms=terms, team=team.id))
    event = Say(phrase="event.transferred", values={"actor": turn.me.name, "team": team.name})
    slot = promise_slot(ticket.id) if moved.home != ticket.home else None
    return turn.done("done.transferred", number=ticket.number, team=team.name) + Decision(
        changes=(
            change,
            SetStatus(ticket=ticket.id, status=moved.status, at=turn.now),
            KeepTerms(ticket=ticket.id, terms=terms),
            KeepPosition(ticket=ticket.id, position=handed_over(turn, ticket, after)),
            AddEntry(ticket=ticket.id, entry=happened(turn, event)),
            *after.changes,
        ),
        outgoing=(
            *_card_gone(turn, ticket, event),
            *turn.new_card(moved, after.clocks, turn.loaded.opening),
            turn.to_requester(moved, "moved", _moved(turn, ticket, team, after.clocks), slot=slot),
            *_promised_elsewhere(turn, ticket, moved, after.clocks),
            *off_hours(turn, moved),
        ),
    )


def moved_terms(terms: Terms, team: Team) -> Terms:
    """What holds after a transfer: the promises stay, counted in the new team's hours (SLA.md, rule 5), and
    its own people are called."""
    return replace(terms, calendar=team.terms.calendar, chain=team.terms.chain)


def prioritise(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    priority = PRIORITY_OF[command.rest.casefold()]
    done = turn.done("done.priority", number=ticket.number, priority=Term(term=f"priority.{priority}"))
    if priority is ticket.priority:
        return done
    after = turn.happened(ticket, turn.event(Do.PRIORITY, priority=priority))
    raised = replace(ticket, priority=priority)
    event = Say(phrase="event.priority", values={"actor": turn.me.name, "priority": Term(term=f"priority.{priority}")})
    return done + Decision(
        changes=(
            SetPriority(ticket=ticket.id, priority=priority),
            AddEntry(ticket=ticket.id, entry=happened(turn, event)),
            *after.changes,
        ),
        outgoing=(
            *turn.card_update(raised, after.clocks),
            *turn.promise_update(ticket, raised, after.clocks),
            *turn.to_team(ticket, "event", event),
            *off_hours(turn, raised),
        ),
    )


def reply(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    return answer_requester(turn, ticket, command.rest, confirm="done.reply")


def pend(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """Wait for the requester; words given are the question put to them."""
    if ticket.status is Status.PENDING and not command.rest:
        return nothing(turn, ticket)
    asked = Say(
        phrase="ticket.pending",
        values={"agent": turn.me.name, "number": ticket.number},
        quote=command.rest or None,
    )
    asking = (turn.event(Do.REPLY),) if command.rest else ()
    words = (AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.REPLY, command.rest)),) if command.rest else ()
    done = turn.done("done.pending", number=ticket.number, requester=turn.who(ticket.requester).name)
    moved = _moved_to(turn, ticket, Status.PENDING, "event.pending", *asking, turn.event(Do.PENDING))
    return done + Decision(changes=words, outgoing=(turn.to_requester(ticket, "pending", asked),)) + moved


def hold(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """Wait for a third party; words given say for whom, and are a note."""
    if ticket.status is Status.ON_HOLD and not command.rest:
        return nothing(turn, ticket)
    words = (AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.NOTE, command.rest)),) if command.rest else ()
    done = turn.done("done.hold", number=ticket.number)
    moved = _moved_to(turn, ticket, Status.ON_HOLD, "event.on_hold", turn.event(Do.ON_HOLD))
    return done + Decision(changes=words) + moved


def resolve(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """By an agent, with last words if any; or by the requester, whose problem is gone."""
    if ticket.ended:
        return nothing(turn, ticket)
    own = turn.sender.id == ticket.requester
    values: dict[str, Value] = {"agent": turn.me.name, "number": ticket.number}
    phrase = "ticket.resolved_self" if own else "ticket.resolved"
    told = Say(phrase=phrase, values=values, quote=command.rest or None, choices=_rating_choices(ticket))
    last_words = (turn.event(Do.REPLY),) if command.rest and not own else ()
    kind = EntryKind.MESSAGE if own else EntryKind.REPLY
    words = (AddEntry(ticket=ticket.id, entry=entry(turn, kind, command.rest)),) if command.rest else ()
    done = Decision() if own else _resolved(turn, ticket, command.rest)
    moved = _moved_to(turn, ticket, Status.RESOLVED, "event.resolved", *last_words, turn.event(Do.RESOLVE))
    return done + Decision(changes=words, outgoing=(turn.to_requester(ticket, "resolved", told),)) + moved


def _resolved(turn: Turn, ticket: Ticket, last_words: str) -> Decision:
    """Said to the agent, with the question which article answered it where that can teach something."""
    choices, proposed = which(turn, ticket, last_words or answer_given(turn, ticket))
    done = turn.done("done.resolved", number=ticket.number)
    if not choices:
        return done + proposed
    told = turn.say("kb.which_solved", choices=choices, number=ticket.number)
    return replace(told, ack=done.ack) + proposed


def reopen(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    if ticket.status is Status.PENDING or (ticket.status is Status.ON_HOLD and turn.serves(ticket)):
        return _resume(turn, ticket)
    if not ticket.ended:
        return nothing(turn, ticket)
    own = turn.sender.id == ticket.requester
    done = Decision() if own else turn.done("done.reopened", number=ticket.number)
    status = awaited(ticket.status, ticket.owner)
    return done + reopened(turn, ticket) + _moved_to(turn, ticket, status, "event.reopened", turn.event(Do.REOPEN))


def _resume(turn: Turn, ticket: Ticket) -> Decision:
    """The waiting is over: it is worked on again."""
    status = awaited(ticket.status, ticket.owner)
    done = turn.done("done.resumed", number=ticket.number)
    return done + _moved_to(turn, ticket, status, "event.resumed", turn.event(Do.RESUME))


def rate(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    thanks = turn.say("ticket.rated")
    if ticket.rating == command.rest:
        return thanks
    rating = Term(term=f"rating.{command.rest}")
    event = Say(phrase="event.rated", values={"actor": turn.me.name, "rating": rating})
    return thanks + Decision(
        changes=(Rate(ticket=ticket.id, rating=command.rest), AddEntry(ticket=ticket.id, entry=happened(turn, event))),
        outgoing=turn.to_team(ticket, "rated", event),
    )


def nothing(turn: Turn, ticket: Ticket) -> Decision:
    """There is nothing to do, and why."""
    return turn.say("done.nothing", number=ticket.number, status=Term(term=f"status.{ticket.status}"))


# --- private -----------------------------------------------------------------------------------
def _owned(turn: Turn, ticket: Ticket, owner: str | None, phrase: str, values: dict[str, Value]) -> Decision:
    """Another owner, or none: status, card, thread and requester follow."""
    status = Status.OPEN if owner and ticket.status is Status.NEW else ticket.status
    if owner is None:
        status = _unowned(ticket.status)
    after = replace(ticket, owner=owner, status=status)
    assigned = turn.happened(ticket, turn.event(Do.ASSIGN))
    event = Say(phrase=phrase, values={"actor": turn.me.name, **values})
    told: tuple[Outgoing, ...] = ()
    if owner is not None:
        news = Say(phrase="ticket.claimed", values={"agent": turn.who(owner).name, "number": ticket.number})
        told = (turn.to_requester(ticket, "claimed", news),)
    moved: tuple[Change, ...] = ()
    if status is not ticket.status:
        moved = (SetStatus(ticket=ticket.id, status=status, at=turn.now),)
    return Decision(
        changes=(
            Assign(ticket=ticket.id, owner=owner),
            *moved,
            *((*assigned.changes, *taken_care_of(turn, ticket)) if owner else ()),
            AddEntry(ticket=ticket.id, entry=happened(turn, event)),
        ),
        outgoing=(*told, *turn.card_update(after), *turn.to_team(ticket, "event", event)),
    )


def _moved_to(turn: Turn, ticket: Ticket, status: Status, phrase: str, *events: Event) -> Decision:
    """Another status, with the effect of these events on the clocks."""
    after = turn.happened(ticket, *events)
    event = Say(phrase=phrase, values={"actor": turn.me.name})
    return Decision(
        changes=(
            SetStatus(ticket=ticket.id, status=status, at=turn.now),
            AddEntry(ticket=ticket.id, entry=happened(turn, event)),
            *after.changes,
            *taken_care_of(turn, ticket),
        ),
        outgoing=(
            *turn.card_update(replace(ticket, status=status), after.clocks),
            *turn.to_team(ticket, "event", event),
        ),
    )


def _unowned(status: Status) -> Status:
    return Status.NEW if status is Status.OPEN else status


def _moved(turn: Turn, ticket: Ticket, team: Team, clocks: Sequence[Clock]) -> Say:
    values: dict[str, Value] = {"number": ticket.number, "team": team.name}
    due = promise_of(clocks)
    if due is None:
        return Say(phrase="ticket.moved", values=values)
    at = turn.at(due, turn.person(ticket.requester), team)
    return Say(phrase="ticket.moved_promise", values={**values, "due": at})


def _promised_elsewhere(turn: Turn, ticket: Ticket, moved: Ticket, clocks: Sequence[Clock]) -> tuple[Outgoing, ...]:
    """The promise edited in place; taken out of its channel the ticket has a new one, which is told privately."""
    return turn.promise_update(ticket, moved, clocks) if moved.home == ticket.home else ()


def _card_gone(turn: Turn, ticket: Ticket, event: Say) -> tuple[Outgoing, ...]:
    """The old team's card now only says where the ticket went; of a restricted ticket nothing else remains."""
    channel = turn.team_of(ticket).triage_channel
    if channel is None:
        return ()
    slot = card_slot(ticket.id, ticket.team)
    gone = Outgoing(
        key=turn.key("card:gone"),
        to=OnSlot(slot=slot, lane=slot, bucket=channel.key),
        notice=event,
        language=turn.team_of(ticket).language,
        ticket=ticket.id,
        rank=1,
    )
    return (gone,)


def _rating_choices(ticket: Ticket) -> tuple[Choice, ...]:
    return (
        Choice(label="ticket.rate_good", command=f"rate {ticket.number} good"),
        Choice(label="ticket.rate_bad", command=f"rate {ticket.number} bad"),
        Choice(label="ticket.reopen", command=f"reopen {ticket.number}"),
    )


def _agent(turn: Turn, team: Team, word: str) -> str | None:
    """The agent meant: a mention, a key of desk.yaml, or `me`. Names are no proof of identity, but
    they may pick one of the team's own agents."""
    for account in turn.message.mentions:
        member = turn.policy.member(account)
        if member and member.id in team.staff:
            return member.id
    wanted = word.lstrip("@").casefold()
    if wanted == "me" and turn.sender.id in team.staff:
        return turn.sender.id
    names = {id: turn.who(id).name.casefold() for id in team.staff}
    found = [id for id, name in names.items() if wanted in (id.casefold(), name)]
    return found[0] if len(found) == 1 else None


def _team(turn: Turn, word: str) -> Team | None:
    wanted = word.casefold()
    teams = turn.policy.teams.values()
    return next((team for team in teams if wanted in (team.id.casefold(), team.name.casefold())), None)
