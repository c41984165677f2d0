"""Calling people about a ticket: the escalation chain in words and facts (SLA.md, rule 11).

`triage.escalation` says what to do next; here it is done. Called by `triage.talking` when a person asks for
help, by `triage.working` when somebody takes care of the ticket, and by `triage.sweeping` when a promise was
broken or a step's time has come.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from triage import escalation, sla
from triage.calendars import ALWAYS, Calendar, is_open
from triage.casework import Casework, Progress, Tick
from triage.chain import Chain, Notify
from triage.changes import AddEntry, Assign, Called, Change, Decision, KeepPing, KeepPosition, SetPriority, SetStatus
from triage.escalation import AssignTo, Call, CallChannel, CallTeam, Moment, Nobody, People, Position, RaiseTo, Walked
from triage.model import Entry, EntryKind, Language, Priority, Status, Thread, Ticket
from triage.outgoing import Choice, InThread, Outgoing, Ping, Reminder, Say, StepGuard, Term, Value
from triage.phrases import noted
from triage.timeline import Do
from triage.turn import Turn

RECHECK = timedelta(minutes=30)
"""How often it is looked whether a ticket still waits for its requester."""

TO_SETTLE = timedelta(minutes=10)
"""What a new team has before its own people are called about a promise that was broken before."""


# --- a person asks for help --------------------------------------------------------------------
def step(turn: Turn, ticket: Ticket, *, since: Progress | None = None) -> Decision:
    """The next step of the chain that calls somebody new; the asker is told who was called.

    `since` is what happened to the ticket in this turn already.
    """
    before = since or turn.progress(ticket)
    chain, position = before.timeline.terms.chain, turn.loaded.position
    moment = _moment(turn, ticket, before)
    walked = escalation.called_for(
        chain, position, moment, run=turn.prefix, asking=turn.sender.id, called=_called(chain, position, moment.people)
    )
    person = next((act.person for act in walked.acts if isinstance(act, Call)), None)
    return _told(turn, ticket, person) + _done(turn, ticket, walked, before, _Voice(turn.me.name, asked=True))


def _told(turn: Turn, ticket: Ticket, person: str | None) -> Decision:
    """Word to whoever asked; the requester reads it in their thread."""
    team = turn.team_of(ticket)
    values: dict[str, Value] = {
        "number": ticket.number,
        "called": turn.who(person).name if person else team.name,
        "team": team.name,
    }
    phrase = "escalate.called" if person else "escalate.team"
    if turn.sender.id != ticket.requester:
        return Decision(outgoing=(turn.reply(Say(phrase=phrase, values=values)),))
    return Decision(outgoing=(turn.to_requester(ticket, "escalated", Say(phrase=phrase, values=values)),))


def _called(chain: Chain, position: Position, people: People) -> list[str]:
    """Whom the steps taken so far named."""
    roles = {"owner": people.owner, "lead": people.lead, "on-call": people.on_call}
    steps = [each for each in chain.steps[: position.step] if isinstance(each, Notify)]
    named = [each.person or roles.get(str(each.whom)) for each in steps]
    return [person for person in named if person]


# --- time goes on ------------------------------------------------------------------------------
def broken(tick: Tick, ticket: Ticket, *, told: frozenset[str]) -> Decision:
    """A promise was broken: the chain begins, unless it runs already or somebody is on it. `told` have just
    heard of it."""
    position = tick.loaded.position
    if position.next_at is not None or position.acked_by is not None:
        return Decision()
    before = tick.progress(ticket)
    walked = escalation.begun(before.timeline.terms.chain, tick.prefix, _moment(tick, ticket, before))
    fresh = tuple(act for act in walked.acts if not (isinstance(act, Call) and act.person in told))
    return _done(tick, ticket, replace(walked, acts=fresh), before, _Voice())


def went_on(tick: Tick, ticket: Ticket) -> Decision:
    """The time of the chain's next step has come, or somebody's acknowledgement has run out.

    Nobody is called while the ticket waits for its requester.
    """
    before, position = tick.progress(ticket), tick.loaded.position
    if ticket.ended:
        return Decision(changes=(KeepPosition(ticket=ticket.id, position=Position()),))
    if ticket.status is Status.PENDING:
        rests = replace(position, next_at=tick.now + RECHECK)
        return Decision(changes=(KeepPosition(ticket=ticket.id, position=rests),))
    chain, moment = before.timeline.terms.chain, _moment(tick, ticket, before)
    if position.acked_by is None:
        walked = escalation.due(chain, position, moment)
    else:
        # not under the tick's key, which holds the run before: it would grow with every acknowledgement
        walked = escalation.expired(chain, position, f"again:{tick.now.isoformat()}", moment)
    return _done(tick, ticket, walked, before, _Voice())


# --- somebody takes care of it -----------------------------------------------------------------
def taken_care_of(turn: Turn, ticket: Ticket, *, over: bool = False) -> tuple[Change, ...]:
    """An agent who acts on a ticket acknowledges its escalation; `over` ends it."""
    position = turn.loaded.position
    if position.run is None or not turn.serves(ticket):
        return ()
    rests = escalation.acknowledged(
        turn.terms(ticket).chain,
        position,
        by=turn.sender.id,
        at=turn.now,
        calendar=_hours(turn.progress(ticket)),
    )
    return (KeepPosition(ticket=ticket.id, position=Position() if over else rests),)


def handed_over(turn: Turn, ticket: Ticket, after: Progress) -> Position:
    """The chain of the new team begins anew, by and by if a promise is broken already."""
    if not sla.broken(after.clocks):
        return Position()
    return Position(run=turn.prefix, next_at=turn.now + TO_SETTLE)


def acknowledge(turn: Turn, ticket: Ticket) -> Decision:
    """Somebody who was called says that they are on it."""
    position = turn.loaded.position
    if position.run is None:
        return turn.say("ack.not_called", number=ticket.number)
    if position.acked_by == turn.sender.id:
        return turn.done("ack.taken", number=ticket.number)
    event = Say(phrase="event.acknowledged", values={"actor": turn.me.name})
    return turn.done("ack.taken", number=ticket.number) + Decision(
        changes=(*taken_care_of(turn, ticket), AddEntry(ticket=ticket.id, entry=_entry(turn, event, turn.sender.id))),
        outgoing=turn.to_team(ticket, "acknowledged", event),
    )


def off_hours(case: Casework, ticket: Ticket) -> tuple[Outgoing, ...]:
    """An urgent ticket while nobody of the team is in: whoever is on call hears of it at once."""
    team = case.team_of(ticket)
    person = case.on_call(team)
    if ticket.priority is not Priority.URGENT or person is None or is_open(team.terms.calendar, case.now):
        return ()
    page = Say(
        phrase="page.off_hours",
        values={"number": ticket.number, "subject": ticket.subject, "team": team.name},
        choices=(Choice(label="card.claim", command=f"claim {ticket.number}", style="primary"), _why(ticket)),
    )
    return (case.to_person(person, ticket, "off-hours", page),)


# --- what the acts of a walk mean --------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Voice:
    """Who calls: a person by name, or the desk itself. What a person asked for waits for no quiet hours."""

    actor: str = ""
    asked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """A ticket while the acts of one walk are done, one after the other."""

    ticket: Ticket
    progress: Progress
    decision: Decision = field(default_factory=Decision)
    called: str | None = None


def _done(case: Casework, ticket: Ticket, walked: Walked, before: Progress, voice: _Voice) -> Decision:
    moved = _Moved(ticket=ticket, progress=replace(before, changes=()))
    for act in walked.acts:
        moved = _act(case, moved, act, walked.position, voice)
    changes: list[Change] = [KeepPosition(ticket=ticket.id, position=walked.position), *moved.progress.changes]
    if moved.called:
        changes.append(Called(ticket=ticket.id, at=case.now, called=moved.called))
    changed = moved.ticket != ticket
    card = case.card_update(moved.ticket, moved.progress.clocks) if changed else ()
    promise = case.promise_update(ticket, moved.ticket, moved.progress.clocks) if changed else ()
    return moved.decision + Decision(changes=tuple(changes), outgoing=(*card, *promise))


def _act(case: Casework, moved: _Moved, act: escalation.Act, position: Position, voice: _Voice) -> _Moved:
    ticket = moved.ticket
    match act:
        case Call(person):
            event = _event(voice, "event.escalated", "event.rung", called=case.who(person))
            said = _page(case, ticket, person, position, voice) + _noted(case, ticket, event, f"called:{person}")
            return replace(moved, decision=moved.decision + said, called=case.who(person).name)
        case CallTeam():
            team = case.team_of(ticket)
            lead: Value = case.who(team.lead) if team.lead else team.name
            event = _event(voice, "event.escalated_team", "event.rung_team", lead=lead, team=team.name)
            said = _noted(case, ticket, event, "called:team")
            return replace(moved, decision=moved.decision + said, called=team.name)
        case CallChannel(channel):
            event = _event(voice, "event.escalated", "event.rung", called=f"#{channel.id}")
            news = Outgoing(
                key=case.key(f"called:{channel.key}"),
                to=InThread(thread=Thread(channel=channel)),
                notice=_called_say(case, ticket, voice),
                language=case.team_of(ticket).language,
                ticket=ticket.id,
            )
            told = _noted(case, ticket, event, f"called:{channel.key}") + Decision(outgoing=(news,))
            return replace(moved, decision=moved.decision + told, called=f"#{channel.id}")
        case RaiseTo(priority):
            return _raised(case, moved, priority, voice)
        case AssignTo(person):
            return _assigned(case, moved, person, voice)
        case Nobody(step):
            event = Say(phrase="event.nobody", values={"role": _role(case, ticket, step)})
            entry = AddEntry(ticket=ticket.id, entry=_entry(case, event, None))
            return replace(moved, decision=moved.decision + Decision(changes=(entry,)))


def _raised(case: Casework, moved: _Moved, priority: Priority, voice: _Voice) -> _Moved:
    ticket = replace(moved.ticket, priority=priority)
    event = _event(voice, "event.priority", "event.raised", priority=Term(term=f"priority.{priority}"))
    told = Decision(changes=(SetPriority(ticket=ticket.id, priority=priority),))
    progress = case.happened(moved.ticket, case.event(Do.PRIORITY, priority=priority), since=moved.progress)
    return replace(
        moved,
        ticket=ticket,
        progress=progress,
        decision=moved.decision + told + _noted(case, ticket, event, "raised"),
    )


def _assigned(case: Casework, moved: _Moved, person: str, voice: _Voice) -> _Moved:
    before = moved.ticket
    status = Status.OPEN if before.status is Status.NEW else before.status
    ticket = replace(before, owner=person, status=status)
    event = _event(voice, "event.assigned", "event.handed", owner=case.who(person))
    changes: tuple[Change, ...] = (Assign(ticket=ticket.id, owner=person),)
    if status is not before.status:
        changes += (SetStatus(ticket=ticket.id, status=status, at=case.now),)
    page = Say(
        phrase="page.handed_you",
        values={"number": ticket.number, "subject": ticket.subject},
        choices=(_why(ticket),),
    )
    told = Decision(changes=changes, outgoing=(case.to_person(person, ticket, "handed", page),))
    return replace(
        moved,
        ticket=ticket,
        progress=case.happened(before, case.event(Do.ASSIGN), since=moved.progress),
        decision=moved.decision + told + _noted(case, ticket, event, "handed"),
    )


def _page(case: Casework, ticket: Ticket, person: str, position: Position, voice: _Voice) -> Decision:
    """The call itself: at once when a person asked for it, else with the person's other pings."""
    page = _called_say(case, ticket, voice)
    if voice.asked:
        return Decision(outgoing=(case.to_person(person, ticket, "called", page),))
    ping = Ping(
        key=case.key(f"call:{person}"),
        person=person,
        ticket=ticket.id,
        at=case.now,
        reminder=Reminder(say=page, guard=StepGuard(ticket=ticket.id, run=position.run or "")),
        urgent=ticket.priority is Priority.URGENT,
    )
    return Decision(changes=(KeepPing(ping=ping),))


def _called_say(case: Casework, ticket: Ticket, voice: _Voice) -> Say:
    values: dict[str, Value] = {"number": ticket.number, "subject": ticket.subject}
    on_it = Choice(label="ack.on_it", command=f"ack {ticket.number}", style="primary")
    if voice.asked:
        return Say(phrase="page.called_you", values={"requester": voice.actor, **values}, choices=(on_it, _why(ticket)))
    team = case.team_of(ticket).name
    return Say(phrase="page.rung_you", values={"team": team, **values}, choices=(on_it, _why(ticket)))


def _noted(case: Casework, ticket: Ticket, event: Say, name: str) -> Decision:
    """Kept in the history, and said under the card."""
    entry = AddEntry(ticket=ticket.id, entry=_entry(case, event, case.sender.id if isinstance(case, Turn) else None))
    return Decision(changes=(entry,), outgoing=case.to_team(ticket, name, event))


def _entry(case: Casework, event: Say, author: str | None) -> Entry:
    text = noted(event.phrase, Language.EN, event.values)
    message = case.message.key if isinstance(case, Turn) else None
    return Entry(at=case.now, kind=EntryKind.EVENT, author=author, text=text, message=message)


def _event(voice: _Voice, by_person: str, by_desk: str, **values: Value) -> Say:
    if voice.asked:
        return Say(phrase=by_person, values={"actor": voice.actor, **values})
    return Say(phrase=by_desk, values=values)


def _role(case: Casework, ticket: Ticket, step: int) -> Value:
    each = case.terms(ticket).chain.steps[step]
    whom = getattr(each, "whom", None)
    return Term(term=f"role.{whom}") if whom else ""


def _moment(case: Casework, ticket: Ticket, before: Progress) -> Moment:
    team = case.team_of(ticket)
    people = People(owner=ticket.owner, lead=team.lead, on_call=case.on_call(team))
    return Moment(at=case.now, calendar=_hours(before), people=people, priority=ticket.priority)


def _hours(progress: Progress) -> Calendar:
    """The policy's own hours for the ticket's priority."""
    return progress.timeline.terms.calendar if progress.timeline.targets.hours == "business" else ALWAYS


def _why(ticket: Ticket) -> Choice:
    return Choice(label="card.why", command=f"why {ticket.number}")
