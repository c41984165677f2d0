"""One message in, one decision out: `decide` is the whole of what the desk thinks.

Called by `triage.desk` inside the write transaction with everything already loaded; pure, so it can
be decided again when somebody else was first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from triage import asking, reading, talking, working
from triage.changes import Decision
from triage.commands import USAGE, BadArguments, Command, Intent, Slip, Unknown, Verb, intent_of
from triage.matching import Match, Verdict
from triage.model import Kind, Message, Status, Ticket
from triage.outgoing import Choice
from triage.policy import Policy
from triage.talking import escalate, note
from triage.turn import Situation, Turn

IGNORE = Decision(verdict=Verdict.IGNORE)

Act = Callable[[Turn, Ticket, Command], Decision]
Talk = Callable[[Turn, Command], Decision]

AGENT_ACTS: dict[Verb, Act] = {
    Verb.CLAIM: working.claim,
    Verb.RELEASE: working.release,
    Verb.ASSIGN: working.assign,
    Verb.TRANSFER: working.transfer,
    Verb.PRIORITY: working.prioritise,
    Verb.NOTE: lambda turn, ticket, command: note(turn, ticket, command.rest),
    Verb.REPLY: working.reply,
    Verb.PENDING: working.pend,
}
"""Verbs for agents of the ticket's team only."""

SHARED_ACTS: dict[Verb, Act] = {
    Verb.RESOLVE: working.resolve,
    Verb.REOPEN: working.reopen,
    Verb.ESCALATE: lambda turn, ticket, command: escalate(turn, ticket, ""),
    Verb.SHOW: reading.show,
    Verb.WHY: reading.why,
}
"""Verbs for the requester too."""

TALKS: dict[Verb, Talk] = {
    Verb.ASK: lambda turn, command: asking.ask(turn, command.rest),
    Verb.QUEUE: reading.queue,
    Verb.MINE: reading.mine,
    Verb.HELP: reading.help_,
    Verb.READ: asking.read,
    Verb.SOLVED: asking.solved,
    Verb.TICKET: asking.get_a_person,
    Verb.NEW: asking.something_new,
    Verb.JOIN: asking.join,
}
"""Verbs that name no ticket."""

WORKS_ON_ENDED = frozenset({Verb.SHOW, Verb.WHY, Verb.REOPEN, Verb.NOTE, Verb.RESOLVE, Verb.RATE, Verb.ESCALATE})


def decide(message: Message, situation: Situation, match: Match | None, policy: Policy, now: datetime) -> Decision:
    """What to store and what to say about one message; `match` is None where nothing was asked."""
    turn = Turn(message=message, situation=situation, match=match, policy=policy, now=now)
    if message.kind in (Kind.EDIT, Kind.DELETE):
        return _edit(turn)
    intent = intent_of(message)
    if not message.addressed and not _is_staff_here(turn):
        intent = None
    return _free_text(turn) if intent is None else _ordered(turn, intent)


def _edit(turn: Turn) -> Decision:
    ticket = turn.ticket
    if ticket is None or not (turn.sender.id == ticket.requester or turn.serves(ticket)):
        return IGNORE
    return talking.edited(turn, ticket)


def _is_staff_here(turn: Turn) -> bool:
    return turn.ticket is not None and turn.serves(turn.ticket)


# --- commands ----------------------------------------------------------------------------------
def _ordered(turn: Turn, intent: Intent) -> Decision:
    match intent:
        case Command(verb=verb) if verb in TALKS:
            return TALKS[verb](turn, intent)
        case Command():
            return _on_ticket(turn, intent)
        case BadArguments(verb=verb):
            return turn.say("error.usage", verb=str(verb), usage=USAGE.get(verb, str(verb)))
        case Slip(command=command):
            yes = Choice(label="error.did_you_mean_yes", command=command, values={"command": command})
            no = Choice(label="error.did_you_mean_no", command=f"ask {turn.message.text}")
            return turn.say("error.did_you_mean", choices=(yes, no), command=command)
        case Unknown(word=word):
            return turn.say("error.unknown", word=word)
        case _:
            return IGNORE


def _on_ticket(turn: Turn, command: Command) -> Decision:
    """Rights first: what a person may not see does not exist for them."""
    ticket = turn.ticket
    if ticket is None:
        return _without_ticket(turn, command)
    own = ticket.requester == turn.sender.id
    if not own and not turn.serves(ticket):
        return turn.say("error.no_ticket", number=command.number or ticket.number)
    if ticket.ended and command.verb not in WORKS_ON_ENDED:
        return turn.say("error.ended", number=ticket.number)
    if command.verb is Verb.RATE:
        return working.rate(turn, ticket, command) if own else turn.say("error.no_ticket", number=ticket.number)
    if command.verb in SHARED_ACTS:
        return SHARED_ACTS[command.verb](turn, ticket, command)
    if not turn.serves(ticket):
        return turn.say("error.not_agent", team=turn.team_of(ticket).name, verb=str(command.verb))
    return AGENT_ACTS[command.verb](turn, ticket, command)


def _without_ticket(turn: Turn, command: Command) -> Decision:
    if command.number is not None:
        return turn.say("error.no_ticket", number=command.number)
    if command.verb is Verb.ESCALATE:
        return escalate(turn, None, "")
    if command.verb is Verb.WHY:
        return reading.why(turn, None, command)
    return turn.say("error.which", verb=str(command.verb))


# --- free text ---------------------------------------------------------------------------------
def _free_text(turn: Turn) -> Decision:
    message, ticket = turn.message, turn.ticket
    if turn.situation.loaded.team_side and ticket is not None:
        return _team_thread(turn, ticket)
    if turn.policy.team_triaging_in(message.channel) and not message.addressed:
        return IGNORE
    if ticket is not None and ticket.status is not Status.CLOSED:
        return talking.conversation_says(turn, ticket)
    if turn.conversation is not None:
        return _follow_up(turn)
    if message.addressed or _is_request(turn):
        return asking.ask(turn, message.text)
    return IGNORE


def _team_thread(turn: Turn, ticket: Ticket) -> Decision:
    """An agent's mention of the bot is an order or nothing; it never reaches the requester by mistake."""
    if turn.message.mentions_bot:
        return turn.say("error.unknown", word=" ".join(turn.message.text.split()[:3]))
    return talking.team_says(turn, ticket)


def _is_request(turn: Turn) -> bool:
    """A new post in a help channel, not by the people who help there."""
    team = turn.policy.team_helping_in(turn.message.channel)
    return team is not None and turn.message.thread is None and turn.sender.id not in team.staff


def _follow_up(turn: Turn) -> Decision:
    """More words below an answer that opened no ticket."""
    message, conversation = turn.message, turn.conversation
    if conversation is None or message.flat:
        return _flat_follow_up(turn)
    if conversation.requester != turn.sender.id:
        join = Choice(label="join.yes", command="join", style="primary")
        return turn.say("join.offer", choices=(join,)) if message.addressed else IGNORE
    if turn.calls:
        return escalate(turn, None, message.text)
    if turn.match is not None and turn.match.verdict is Verdict.TICKET:
        return asking.open_ticket(turn, f"{conversation.question}\n{message.text}", causes=turn.match.reasons)
    return asking.ask(turn, message.text)


def _flat_follow_up(turn: Turn) -> Decision:
    """In a direct chat every message may be a new question; a mention calls for help with the last one."""
    if not turn.message.addressed:
        return IGNORE
    if turn.calls and turn.conversation and turn.conversation.requester == turn.sender.id:
        return escalate(turn, None, turn.message.text)
    return asking.ask(turn, turn.message.text)
