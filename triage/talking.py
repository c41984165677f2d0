"""What people write in a conversation that has a ticket: passed on to the other side, or a call for help.

Called by `triage.decide` for free text in a ticket's threads, for edits and deletions, and for
`escalate`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import ceil

from triage import sla
from triage.asking import ask, opened
from triage.calling import step, taken_care_of
from triage.casework import Progress, awaited
from triage.changes import AddEntry, Change, Converse, Decision, EditEntry, SetStatus
from triage.commands import MAX_TOKENS_OF_A_SLIP, Command, Verb, words_of
from triage.matching import Verdict
from triage.model import Entry, EntryKind, Kind, Message, Status, Ticket
from triage.outgoing import Choice, Notice, Outgoing, Say
from triage.phrases import noted
from triage.reading import help_
from triage.text import is_thanks
from triage.timeline import Do
from triage.turn import Turn

STEP_EVERY = timedelta(minutes=5)
"""At most one step of the escalation chain in this time (DESIGN.md, section 7)."""

MAX_COMMAND = 1_500
"""Characters of a button's command; platforms carry about 2,000."""


# --- the team's side ---------------------------------------------------------------------------
def team_says(turn: Turn, ticket: Ticket) -> Decision:
    """Free text under a ticket's card: an agent's goes to the requester, unless it calls a colleague.

    A mention of the bot is an order or nothing: it never reaches the requester by mistake.
    """
    if turn.message.mentions_bot:
        return no_order(turn)
    if not turn.serves(ticket):
        return note(turn, ticket, turn.message.text, quiet=True)
    if turn.message.mentions:
        return note(turn, ticket, turn.message.text, quiet=True)
    return answer_requester(turn, ticket, turn.message.text, confirm="thread.sent")


def no_order(turn: Turn) -> Decision:
    """An agent spoke to the bot, and it was no command."""
    word = " ".join(turn.message.text.split()[:MAX_TOKENS_OF_A_SLIP])
    return turn.say("error.unknown", word=word) if word else help_(turn, Command(verb=Verb.HELP))


def answer_requester(turn: Turn, ticket: Ticket, text: str, *, confirm: str) -> Decision:
    """An agent's message to the requester; it meets the first response and changes no status."""
    after = turn.happened(ticket, turn.event(Do.REPLY))
    notice = Say(phrase="ticket.reply", values={"agent": turn.me.name, "number": ticket.number}, quote=text)
    mirror = () if turn.situation.loaded.team_side else _mirror(turn, ticket, "thread.reply", text)
    confirmation = turn.say(confirm, number=ticket.number, requester=turn.who(ticket.requester).name)
    return confirmation + Decision(
        changes=_replied(turn, ticket, text, after),
        outgoing=(turn.to_requester(ticket, "reply", notice), *mirror, *_on_card(turn, ticket, after)),
    )


def _replied(turn: Turn, ticket: Ticket, text: str, after: Progress) -> tuple[Change, ...]:
    said = AddEntry(ticket=ticket.id, entry=entry(turn, EntryKind.REPLY, text))
    return (said, *after.changes, *taken_care_of(turn, ticket, over=not sla.broken(after.clocks)))


def _on_card(turn: Turn, ticket: Ticket, after: Progress, *, woken: bool = False) -> tuple[Outgoing, ...]:
    return turn.card_update(ticket, after.clocks) if after.moved or woken else ()


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
        return no_order(turn) if turn.message.mentions_bot else _agent_in_their_thread(turn, ticket)
    return bystander_says(turn, ticket)


def requester_says(turn: Turn, ticket: Ticket) -> Decision:
    thanks = is_thanks(turn.message.text)
    if ticket.ended and thanks:
        return turn.say("answer.solved") if turn.message.addressed else Decision(verdict=Verdict.IGNORE)
    if turn.calls and not thanks:
        return escalate(turn, ticket, turn.message.text)
    if _is_another_question(turn, ticket):
        return ask(turn, turn.message.text)
    added = add_message(turn, ticket, turn.message.text)
    if ticket.ended:
        return added + reopened(turn, ticket)
    if not (turn.message.flat or turn.message.addressed):
        return added
    new = Choice(label="ticket.new", command=f"new {turn.message.text}"[:MAX_COMMAND])
    return added + turn.say("ticket.added", choices=(new,), number=ticket.number, team=turn.team_of(ticket).name)


def reopened(turn: Turn, ticket: Ticket) -> Decision:
    """Word to the requester that their ticket is open again."""
    told = Say(phrase="ticket.reopened", values={"number": ticket.number, "team": turn.team_of(ticket).name})
    return Decision(outgoing=(turn.to_requester(ticket, "reopened", told),))


def add_message(turn: Turn, ticket: Ticket, text: str) -> Decision:
    """The requester's words: onto the ticket and to the team; they also end waiting (SLA.md, `message`).

    Blank words only end the waiting.
    """
    woken = ticket.status in (Status.PENDING, Status.RESOLVED)
    status = awaited(ticket.status, ticket.owner) if woken else ticket.status
    changes = (SetStatus(ticket=ticket.id, status=status, at=turn.now),) if woken else ()
    after = heard_of(turn, ticket, text)
    said, heard = _said(turn, ticket, EntryKind.MESSAGE, "thread.message", text)
    return Decision(
        changes=(*changes, *said, *after.changes),
        outgoing=(*heard, *_on_card(turn, replace(ticket, status=status), after, woken=woken)),
    )


def heard_of(turn: Turn, ticket: Ticket, text: str) -> Progress:
    """The clocks after the requester's words, from when they were written (SLA.md, rule 6); without words, or
    with mere thanks, nobody owes a reply."""
    event = turn.event(Do.MESSAGE, thanks=not text.strip() or is_thanks(text))
    return turn.happened(ticket, replace(event, at=turn.said_at))


def _is_another_question(turn: Turn, ticket: Ticket) -> bool:
    """In a chat without threads a question the knowledge base answers is not about the open ticket,
    unless the team has just asked for something."""
    if not turn.message.flat or ticket.status is Status.PENDING:
        return False
    if ticket.ended:
        return turn.match is not None and not is_thanks(turn.message.text)
    return turn.match is not None and turn.match.verdict is Verdict.ANSWER


def _agent_in_their_thread(turn: Turn, ticket: Ticket) -> Decision:
    """An agent answers right where the requester wrote: already seen there, so only recorded."""
    after = turn.happened(ticket, turn.event(Do.REPLY))
    text = turn.message.text
    return Decision(
        changes=_replied(turn, ticket, text, after),
        outgoing=(*_mirror(turn, ticket, "thread.reply", text), *_on_card(turn, ticket, after)),
    )


def bystander_says(turn: Turn, ticket: Ticket) -> Decision:
    """In a thread a mention is passed on to the team; in a group chat it is a question like any other."""
    if not turn.message.addressed:
        return Decision(verdict=Verdict.IGNORE)
    if turn.message.flat:
        return ask(turn, turn.message.text)
    said, heard = _said(turn, ticket, EntryKind.NOTE, "event.bystander", turn.message.text)
    return Decision(changes=said, outgoing=heard) + offer_to_join(turn, "join.offer")


def offer_to_join(turn: Turn, phrase: str) -> Decision:
    return turn.say(phrase, choices=(Choice(label="join.yes", command="join", style="primary"),))


# --- escalation --------------------------------------------------------------------------------
def call_for_help(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """`escalate` by requester or agent; what the requester wrote to say so belongs to the ticket."""
    own_words = turn.message.kind is Kind.POST and turn.sender.id == ticket.requester and command.number is None
    return escalate(turn, ticket, turn.message.text if own_words else "")


def escalate(turn: Turn, ticket: Ticket | None, text: str) -> Decision:
    """Record the words, then take one step of the escalation chain, opening the ticket first if need be."""
    if ticket is None or ticket.status is Status.CLOSED:
        return _open_and_call(turn, text)
    heard = turn.sender.id == ticket.requester or ticket.ended
    recorded = add_message(turn, ticket, text) if heard else Decision()
    if ticket.stepped_at and turn.now - ticket.stepped_at < STEP_EVERY:
        return recorded + _called_lately(turn, ticket)
    since = heard_of(turn, ticket, text) if heard else None
    awake = replace(ticket, status=since.timeline.status) if since else ticket
    return recorded + step(turn, awake, since=since)


def _open_and_call(turn: Turn, text: str) -> Decision:
    """No ticket to escalate: one is opened with all that was asked."""
    asked = turn.conversation.question if turn.conversation else ""
    question = "\n".join(part for part in (asked, text.strip()) if part)
    if not question:
        return turn.say("error.no_escalation")
    known, decision = opened(turn, question, causes=(noted("cause.person", turn.sender.language),))
    if known is None or known.ticket is None:
        return decision
    return decision + step(replace(turn, situation=replace(turn.situation, loaded=known)), known.ticket)


def _called_lately(turn: Turn, ticket: Ticket) -> Decision:
    since = turn.now - ticket.stepped_at if ticket.stepped_at else timedelta()
    minutes = int(since.total_seconds() // 60)
    wait = max(1, ceil((STEP_EVERY - since).total_seconds() / 60))
    return turn.say("escalate.lately", called=ticket.called or "", minutes=minutes, number=ticket.number, wait=wait)


# --- edits -------------------------------------------------------------------------------------
def edited(turn: Turn, ticket: Ticket) -> Decision:
    """What was kept is changed, and the other side told, if it was shown what stood there before."""
    message = turn.message
    before = next((line for line in turn.situation.history if line.message == original_key(message)), None)
    if before is None or not (before.author == turn.sender.id or turn.serves(ticket)):
        return Decision(verdict=Verdict.IGNORE)
    verb, words = words_of(message)
    deleted = message.kind is Kind.DELETE or (verb is Verb.NOTE and before.kind is not EntryKind.NOTE)
    text = "" if deleted else words
    if text == before.text:
        return Decision(verdict=Verdict.IGNORE)
    phrase = "thread.deleted" if deleted else "thread.edited"
    notice = Say(phrase=phrase, values={"author": turn.me.name}, quote=text or None)
    change = EditEntry(ticket=ticket.id, message=original_key(message), text=text)
    return Decision(changes=(change,), outgoing=_to_other_side(turn, ticket, before, notice))


def question_edited(turn: Turn) -> Decision:
    """A question that opened no ticket yet: should it open one later, it does with the new words."""
    asked = turn.conversation
    if asked is None or asked.asked != original_key(turn.message) or not turn.message.text.strip():
        return Decision(verdict=Verdict.IGNORE)
    return Decision(changes=(Converse(conversation=replace(asked, question=turn.message.text)),))


def _to_other_side(turn: Turn, ticket: Ticket, before: Entry, notice: Notice) -> tuple[Outgoing, ...]:
    """The team sees all that was written outside its own thread, the requester only replies."""
    if not turn.situation.loaded.team_side:
        return turn.to_team(ticket, "edited", notice)
    return (turn.to_requester(ticket, "edited", notice),) if before.kind is EntryKind.REPLY else ()


def original_key(message: Message) -> str:
    """The inbox key of the post that was edited or deleted."""
    return message.key.partition(f":{message.kind}")[0]


# --- common ------------------------------------------------------------------------------------
def entry(turn: Turn, kind: EntryKind, text: str) -> Entry:
    return Entry(at=turn.now, kind=kind, author=turn.sender.id, text=text, message=turn.message.key)


def happened(turn: Turn, event: Say) -> Entry:
    """An event as the history keeps it, to be read in any language."""
    return entry(turn, EntryKind.EVENT, noted(event.phrase, turn.sender.language, event.values))


def _said(
    turn: Turn, ticket: Ticket, kind: EntryKind, phrase: str, text: str
) -> tuple[tuple[Change, ...], tuple[Outgoing, ...]]:
    """Words as the ticket keeps them and as the team sees them; nothing when there are none."""
    if not text.strip():
        return (), ()
    return (AddEntry(ticket=ticket.id, entry=entry(turn, kind, text)),), _mirror(turn, ticket, phrase, text)


def _mirror(turn: Turn, ticket: Ticket, phrase: str, text: str) -> tuple[Outgoing, ...]:
    """The words as the team sees them under the card."""
    return turn.to_team(ticket, "mirror", Say(phrase=phrase, values={"author": turn.me.name}, quote=text))
