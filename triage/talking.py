"""What people write in a conversation that has a ticket: passed on to the other side, or a call for help.

Called by `triage.decide` for free text in a ticket's threads, for edits and deletions, and for
`escalate`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from triage import sla
from triage.asking import ask, opened
from triage.changes import AddEntry, Change, Decision, EditEntry, SetStatus, Step
from triage.matching import Verdict
from triage.model import Entry, EntryKind, Kind, Message, Status, Ticket
from triage.outgoing import Choice, Notice, Outgoing, Say, Value
from triage.policy import Team
from triage.sla import Clock
from triage.text import is_thanks
from triage.turn import Turn, awaited, kept

STEP_EVERY = timedelta(minutes=5)
"""At most one step of the escalation chain in this time (DESIGN.md, section 7)."""


# --- the team's side ---------------------------------------------------------------------------
def team_says(turn: Turn, ticket: Ticket) -> Decision:
    """Free text under a ticket's card: an agent's goes to the requester, unless it calls a colleague."""
    if not turn.serves(ticket):
        return note(turn, ticket, turn.message.text, quiet=True)
    if turn.message.mentions:
        return note(turn, ticket, turn.message.text, quiet=True)
    return answer_requester(turn, ticket, turn.message.text, confirm="thread.sent")


def answer_requester(turn: Turn, ticket: Ticket, text: str, *, confirm: str) -> Decision:
    """An agent's message to the requester; it meets the first response and changes no status."""
    met = sla.replied(turn.clocks, turn.terms(ticket), turn.now)
    notice = Say(phrase="ticket.reply", values={"agent": turn.me.name, "number": ticket.number}, quote=text)
    mirror = () if turn.situation.loaded.team_side else _mirror(turn, ticket, "thread.reply", text)
    confirmation = turn.say(confirm, number=ticket.number, requester=turn.who(ticket.requester).name)
    return confirmation + Decision(
        changes=(AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.REPLY, text)), *kept(met)),
        outgoing=(turn.to_requester(ticket, "reply", notice), *mirror, *(turn.card_update(ticket, met) if met else ())),
    )


def note(turn: Turn, ticket: Ticket, text: str, *, quiet: bool = False) -> Decision:
    """Internal: kept on the ticket, never shown to the requester."""
    mirror = () if turn.situation.loaded.team_side else _mirror(turn, ticket, "thread.note", text)
    kept_note = Decision(
        changes=(AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.NOTE, text)),), outgoing=mirror
    )
    if quiet and not turn.message.addressed and not turn.serves(ticket):
        return kept_note
    phrase = "thread.kept" if turn.situation.loaded.team_side else "done.note"
    return turn.say(phrase, number=ticket.number, requester=turn.who(ticket.requester).name) + kept_note


# --- the requester's side ----------------------------------------------------------------------
def conversation_says(turn: Turn, ticket: Ticket) -> Decision:
    """Free text in the requester's own thread, by whoever wrote it."""
    if turn.sender.id == ticket.requester:
        return requester_says(turn, ticket)
    if turn.serves(ticket):
        return _agent_in_their_thread(turn, ticket)
    return _bystander(turn, ticket)


def requester_says(turn: Turn, ticket: Ticket) -> Decision:
    if turn.calls:
        return escalate(turn, ticket, turn.message.text)
    if ticket.ended and is_thanks(turn.message.text):
        return turn.say("answer.solved") if turn.message.addressed else Decision(verdict=Verdict.IGNORE)
    if _is_another_question(turn, ticket):
        return ask(turn, turn.message.text)
    added = add_message(turn, ticket, turn.message.text)
    if not turn.message.flat:
        return added
    new = Choice(label="ticket.new", command=f"new {turn.message.text}"[:1500])
    return added + turn.say("ticket.added", choices=(new,), number=ticket.number, team=turn.team_of(ticket).name)


def add_message(turn: Turn, ticket: Ticket, text: str) -> Decision:
    """The requester's words: onto the ticket and to the team; they also end waiting (SLA.md, `message`)."""
    woken, changed, after = _woken(turn, ticket)
    return Decision(
        changes=(*woken, AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.MESSAGE, text)), *kept(changed)),
        outgoing=(
            *_mirror(turn, ticket, "thread.message", text),
            *(turn.card_update(after, changed) if woken else ()),
        ),
    )


def _is_another_question(turn: Turn, ticket: Ticket) -> bool:
    """In a chat without threads a question the knowledge base answers is not about the open ticket,
    unless the team has just asked for something."""
    if not turn.message.flat or ticket.status is Status.PENDING:
        return False
    if ticket.ended:
        return turn.match is not None and not is_thanks(turn.message.text)
    return turn.match is not None and turn.match.verdict is Verdict.ANSWER


def _woken(turn: Turn, ticket: Ticket) -> tuple[tuple[Change, ...], tuple[Clock, ...], Ticket]:
    """Pending resumes and resolved reopens at the instant of the requester's message."""
    if ticket.status not in (Status.PENDING, Status.RESOLVED):
        return (), (), ticket
    status = awaited(ticket.status, ticket.owner)
    clocks = sla.status_changed(turn.clocks, turn.terms(ticket), ticket.priority, ticket.status, status, turn.now)
    change = SetStatus(ticket=ticket.id, status=status, at=turn.now)
    return (change,), clocks, replace(ticket, status=status)


def _agent_in_their_thread(turn: Turn, ticket: Ticket) -> Decision:
    """An agent answers right where the requester wrote: already seen there, so only recorded."""
    met = sla.replied(turn.clocks, turn.terms(ticket), turn.now)
    text = turn.message.text
    return Decision(
        changes=(AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.REPLY, text)), *kept(met)),
        outgoing=(
            *_mirror(turn, ticket, "thread.reply", text),
            *(turn.card_update(ticket, met) if met else ()),
        ),
    )


def _bystander(turn: Turn, ticket: Ticket) -> Decision:
    if not turn.message.addressed:
        return Decision(verdict=Verdict.IGNORE)
    text = turn.message.text
    recorded = Decision(
        changes=(AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.NOTE, text)),),
        outgoing=_mirror(turn, ticket, "event.bystander", text),
    )
    return recorded + turn.say("join.offer", choices=(Choice(label="join.yes", command="join", style="primary"),))


# --- escalation --------------------------------------------------------------------------------
def escalate(turn: Turn, ticket: Ticket | None, text: str) -> Decision:
    """Record the words, then take one step of the escalation chain, opening the ticket first if need be."""
    if ticket is None or ticket.ended:
        return _open_and_call(turn, ticket, text)
    recorded = add_message(turn, ticket, text) if text.strip() else Decision()
    if ticket.stepped_at and turn.now - ticket.stepped_at < STEP_EVERY:
        return recorded + _called_lately(turn, ticket)
    return recorded + _step(turn, ticket)


def _open_and_call(turn: Turn, old: Ticket | None, text: str) -> Decision:
    """No ticket to escalate: a resolved one is reopened, else one is opened with all that was asked."""
    if old is not None and old.status is Status.RESOLVED:
        return add_message(turn, old, text) + _step(turn, old)
    asked = turn.conversation.question if turn.conversation else ""
    question = "\n".join(part for part in (asked, text.strip()) if part)
    if not question:
        return turn.say("error.no_escalation")
    ticket, decision = opened(turn, question, causes=())
    return decision if ticket is None else decision + _step(turn, ticket)


def _step(turn: Turn, ticket: Ticket) -> Decision:
    team = turn.team_of(ticket)
    step, person = next_in_chain(ticket, team, asking=turn.sender.id)
    called = turn.who(person).name if person else team.name
    values: dict[str, Value] = {"number": ticket.number, "called": called, "team": team.name}
    phrase = "escalate.called" if person else "escalate.team"
    told = turn.to_requester(ticket, "escalated", Say(phrase=phrase, values=values))
    return Decision(
        changes=(
            Step(ticket=ticket.id, step=step, at=turn.now, called=called),
            AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.EVENT, called)),
        ),
        outgoing=(told, *_call(turn, ticket, team, person)),
    )


def _call(turn: Turn, ticket: Ticket, team: Team, person: str | None) -> tuple[Outgoing, ...]:
    lead = turn.who(team.lead) if team.lead else team.name
    if person is None:
        event = Say(phrase="event.escalated_team", values={"actor": turn.me.name, "lead": lead, "team": team.name})
        return turn.to_team(ticket, "escalated", event)
    page = Say(
        phrase="page.called_you",
        values={"requester": turn.me.name, "number": ticket.number, "subject": ticket.subject},
        choices=(Choice(label="card.why", command=f"why {ticket.number}"),),
    )
    event = Say(phrase="event.escalated", values={"actor": turn.me.name, "called": turn.who(person)})
    return (turn.to_person(person, ticket, "called", page), *turn.to_team(ticket, "escalated", event))


def next_in_chain(ticket: Ticket, team: Team, *, asking: str) -> tuple[int, str | None]:
    """The next step that calls somebody new, and whom; None is the whole team.

    Steps that name nobody, or the person who asks, are passed over at once.
    """
    names = {"owner": ticket.owner, "lead": team.lead}
    done = {names.get(step) for step in ticket.chain[: ticket.step]}
    for index in range(ticket.step, len(ticket.chain)):
        step = ticket.chain[index]
        person = names.get(step)
        if step == "team":
            return index + 1, None
        if person and person != asking and person not in done:
            return index + 1, person
    return len(ticket.chain), None


def _called_lately(turn: Turn, ticket: Ticket) -> Decision:
    since = turn.now - ticket.stepped_at if ticket.stepped_at else timedelta()
    minutes = int(since.total_seconds() // 60)
    wait = max(1, int((STEP_EVERY - since).total_seconds() // 60))
    return turn.say("escalate.lately", called=ticket.called or "", minutes=minutes, number=ticket.number, wait=wait)


# --- edits -------------------------------------------------------------------------------------
def edited(turn: Turn, ticket: Ticket) -> Decision:
    """The other side is told of a change to something it was shown."""
    message = turn.message
    deleted = message.kind is Kind.DELETE
    phrase = "thread.deleted" if deleted else "thread.edited"
    notice = Say(phrase=phrase, values={"author": turn.me.name}, quote=None if deleted else message.text)
    change = EditEntry(ticket=ticket.id, message=original_key(message), text="" if deleted else message.text)
    return Decision(changes=(change,), outgoing=_to_other_side(turn, ticket, notice))


def _to_other_side(turn: Turn, ticket: Ticket, notice: Notice) -> tuple[Outgoing, ...]:
    if not turn.situation.loaded.team_side:
        return turn.to_team(ticket, "edited", notice)
    return (turn.to_requester(ticket, "edited", notice),)


def original_key(message: Message) -> str:
    """The inbox key of the post that was edited or deleted."""
    return message.key.partition(f":{message.kind}")[0]


# --- common ------------------------------------------------------------------------------------
def entry(turn: Turn, kind: EntryKind, text: str) -> Entry:
    return Entry(at=turn.now, kind=kind, author=turn.sender.id, text=text, message=turn.message.key)


def _mirror(turn: Turn, ticket: Ticket, phrase: str, text: str) -> tuple[Outgoing, ...]:
    """The words as the team sees them under the card."""
    return turn.to_team(ticket, "mirror", Say(phrase=phrase, values={"author": turn.me.name}, quote=text))
