"""One message in, one decision out: `decide` is the whole of what the desk thinks.

Called by `triage.desk` inside the write transaction with everything already loaded; pure, so it can
be decided again when somebody else was first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from triage import asking, calling, linking, oncall, reading, searching, talking, working
from triage.casework import shortened
from triage.changes import Decision
from triage.commands import USAGE, BadArguments, Command, Intent, Slip, Unknown, Verb, intent_of
from triage.matching import Match, Verdict
from triage.model import Kind, Message, Status, Ticket
from triage.outgoing import Choice
from triage.policy import Policy
from triage.proposing import settle
from triage.talking import MAX_COMMAND, call_for_help, escalate, note, offer_to_join
from triage.text import is_thanks
from triage.turn import Situation, Turn

IGNORE = Decision(verdict=Verdict.IGNORE)

MAX_LABEL = 60
"""Characters of a button's label; Slack shows 75."""

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
    Verb.HOLD: working.hold,
    Verb.KB: linking.kb,
    Verb.ACK: lambda turn, ticket, command: calling.acknowledge(turn, ticket),
}
"""Verbs for agents of the ticket's team only."""

SHARED_ACTS: dict[Verb, Act] = {
    Verb.RESOLVE: working.resolve,
    Verb.REOPEN: working.reopen,
    Verb.ESCALATE: call_for_help,
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
    Verb.SETTLE: settle,
    Verb.ONCALL: oncall.oncall,
}
"""Verbs that name no ticket."""

WORKS_ON_CLOSED = frozenset({Verb.SHOW, Verb.WHY, Verb.NOTE, Verb.RATE, Verb.ESCALATE, Verb.KB})
WORKS_ON_ENDED = WORKS_ON_CLOSED | {Verb.REOPEN, Verb.RESOLVE}


def decide(message: Message, situation: Situation, match: Match | None, policy: Policy, now: datetime) -> Decision:
    """What to store and what to say about one message; `match` is None where nothing was asked."""
    turn = Turn(message=message, situation=situation, match=match, policy=policy, now=now)
    if message.kind in (Kind.EDIT, Kind.DELETE):
        return talking.edited(turn, turn.ticket) if turn.ticket else talking.question_edited(turn)
    intent = _meant(turn, intent_of(message))
    decision = _free_text(turn) if intent is None else _ordered(turn, intent)
    return decision.distinct()


def may_be_talk(message: Message, policy: Policy) -> bool:
    """Whether people talk among themselves here unless something was asked in this very thread: words that are
    not for the bot, in a channel where nobody asks and nobody works. At the top of a channel it surely is talk.

    Not where the message brings what its adapter needs to write there later.
    """
    return (
        message.kind is Kind.POST
        and not message.addressed
        and not message.flat
        and message.reference is None
        and policy.team_helping_in(message.channel) is None
        and policy.team_triaging_in(message.channel) is None
    )


def _meant(turn: Turn, intent: Intent) -> Intent:
    """Who writes where decides too: only an agent's `note` needs no mention, an unknown order is one by
    slash command or from an agent, and a mention by whoever asked here is a call for help unless it
    reads as a command they can give."""
    ticket = turn.ticket
    if not turn.message.addressed:
        return intent if ticket is not None and turn.serves(ticket) else None
    if isinstance(intent, Unknown) and turn.message.kind is not Kind.COMMAND and not turn.helps:
        return None
    if not turn.calls or not _asked_here(turn):
        return intent
    match intent:
        case BadArguments():
            return None
        case Slip(verb=verb) if verb in AGENT_ACTS:
            return None
        case _:
            return intent


def _asked_here(turn: Turn) -> bool:
    if turn.situation.loaded.team_side:
        return False
    asked = turn.ticket or turn.conversation
    return asked is not None and asked.requester == turn.sender.id


# --- commands ----------------------------------------------------------------------------------
def _ordered(turn: Turn, intent: Intent) -> Decision:
    match intent:
        case Command(verb=verb) if verb in TALKS:
            return TALKS[verb](turn, intent)
        case Command(verb=Verb.KB, number=None):
            return searching.search(turn, intent)
        case Command():
            return _on_ticket(turn, intent)
        case BadArguments(verb=verb):
            return turn.say("error.usage", choices=_a_question(turn), verb=str(verb), usage=USAGE.get(verb, str(verb)))
        case Slip(command=command):
            label = shortened(command, MAX_LABEL)
            yes = Choice(label="error.did_you_mean_yes", command=command[:MAX_COMMAND], values={"command": label})
            return turn.say("error.did_you_mean", choices=(yes, *_a_question(turn)), command=label)
        case Unknown(word=word):
            return turn.say("error.unknown", choices=_a_question(turn), word=word)
        case _:
            return IGNORE


def _a_question(turn: Turn) -> tuple[Choice, ...]:
    return (Choice(label="error.did_you_mean_no", command=f"ask {turn.message.text}"[:MAX_COMMAND]),)


def _on_ticket(turn: Turn, command: Command) -> Decision:
    """Rights first: what a person may not see does not exist for them."""
    ticket = turn.ticket
    if ticket is None:
        return _without_ticket(turn, command)
    own = ticket.requester == turn.sender.id
    if not own and not turn.serves(ticket):
        return _somebody_elses(turn, ticket, command)
    if ticket.status is Status.CLOSED and command.verb not in WORKS_ON_CLOSED:
        return working.nothing(turn, ticket)
    if ticket.ended and command.verb not in WORKS_ON_ENDED:
        return turn.say("error.ended", number=ticket.number)
    if command.verb is Verb.RATE:
        return working.rate(turn, ticket, command) if own else turn.say("error.no_ticket", number=ticket.number)
    if command.verb in SHARED_ACTS:
        return SHARED_ACTS[command.verb](turn, ticket, command)
    if not turn.serves(ticket):
        return turn.say("error.not_agent", team=turn.team_of(ticket).name, verb=str(command.verb))
    return AGENT_ACTS[command.verb](turn, ticket, command)


def _somebody_elses(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """In the thread of somebody else's request, where the command names no ticket."""
    if command.verb is Verb.ESCALATE and command.number is None and turn.message.kind is Kind.POST:
        return talking.bystander_says(turn, ticket)
    return _without_ticket(turn, command)


def _without_ticket(turn: Turn, command: Command) -> Decision:
    if command.number is not None:
        return turn.say("error.no_ticket", number=command.number)
    if command.verb is Verb.ESCALATE:
        return offer_to_join(turn, "join.other") if turn.elsewhere else escalate(turn, None, "")
    if command.verb is Verb.WHY:
        return reading.why(turn, None, command)
    return turn.say("error.which", verb=str(command.verb))


# --- free text ---------------------------------------------------------------------------------
def _free_text(turn: Turn) -> Decision:
    message, ticket = turn.message, turn.ticket
    if message.kind is Kind.COMMAND:
        return asking.ask(turn, message.text)
    if turn.situation.loaded.team_side and ticket is not None:
        return talking.team_says(turn, ticket)
    if turn.policy.team_triaging_in(message.channel) and not message.addressed:
        return IGNORE
    if _overtaken(turn):
        return asking.ask(turn, message.text)
    if ticket is not None and ticket.status is not Status.CLOSED:
        return talking.conversation_says(turn, ticket)
    if turn.conversation is not None:
        return _follow_up(turn)
    if message.addressed or _is_request(turn):
        return asking.ask(turn, message.text)
    return IGNORE


def _overtaken(turn: Turn) -> bool:
    """The question that a thread hangs on, when words below it came first and took the thread: its author is
    answered apart."""
    conversation = turn.conversation
    taken = conversation is not None and conversation.requester != turn.sender.id
    return taken and not turn.message.flat and _is_request(turn)


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
        return offer_to_join(turn, "join.other") if message.addressed else IGNORE
    if is_thanks(message.text):
        return asking.ask(turn, message.text)
    if turn.calls:
        return escalate(turn, None, message.text)
    if turn.match is not None and turn.match.verdict is Verdict.TICKET:
        return asking.open_ticket(turn, f"{conversation.question}\n{message.text}", causes=turn.match.reasons)
    return asking.ask(turn, message.text)


def _flat_follow_up(turn: Turn) -> Decision:
    """In a direct chat every message may be a new question; a mention calls for help with the last one."""
    if not turn.message.addressed:
        return IGNORE
    own = turn.conversation is not None and turn.conversation.requester == turn.sender.id
    if turn.calls and own and not is_thanks(turn.message.text):
        return escalate(turn, None, turn.message.text)
    return asking.ask(turn, turn.message.text)
