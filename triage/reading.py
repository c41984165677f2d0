"""Verbs that only look: queue, mine, show, why, help. Their data was read before the turn.

Called by `triage.decide`; answers go to the asker alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from triage.changes import Decision
from triage.clockpieces import waits
from triage.clocks import Clock
from triage.clockstory import story
from triage.commands import THIS, Command, Verb
from triage.matching import Verdict
from triage.model import Entry, EntryKind, Ticket
from triage.outgoing import At, Help, HistoryLine, Notice, Reasons, TicketLine, TicketList, TicketView
from triage.phrases import moment, say, spoken
from triage.policy import Policy
from triage.turn import Turn

EVERYONE = (Verb.ASK, Verb.MINE, Verb.SHOW, Verb.WHY, Verb.ESCALATE, Verb.RESOLVE, Verb.REOPEN, Verb.KB, Verb.HELP)
AGENTS = (
    Verb.QUEUE,
    Verb.ONCALL,
    Verb.CLAIM,
    Verb.RELEASE,
    Verb.ASSIGN,
    Verb.TRANSFER,
    Verb.PRIORITY,
    Verb.NOTE,
    Verb.REPLY,
    Verb.PENDING,
    Verb.HOLD,
)
HISTORY = 20
"""Entries shown by `show`."""

ALL = 1_000
"""Entries looked through for what decided, and for what was edited."""

ROWS = 10
"""Tickets shown by `queue` and `mine`."""


def queue(turn: Turn, command: Command) -> Decision:
    teams = teams_asked(turn.sender.id, turn.situation.stranger, command, turn.policy)
    if not teams:
        own = teams_asked(turn.sender.id, turn.situation.stranger, Command(verb=Verb.QUEUE), turn.policy)
        if own:
            return turn.say("error.team", word=command.rest, teams=", ".join(own))
        return turn.say("error.agents_only", verb="queue")
    names = ", ".join(turn.policy.teams[team].name for team in teams)
    return _said(turn, _list(turn, "queue", names))


def teams_asked(person: str, stranger: bool, command: Command, policy: Policy) -> tuple[str, ...]:
    """The teams whose queue may be shown: the one named, or all that the person works for."""
    own = () if stranger else policy.teams_of(person)
    wanted = command.rest.casefold()
    return tuple(team for team in own if not wanted or wanted in (team, policy.teams[team].name.casefold()))


def mine(turn: Turn, command: Command) -> Decision:
    return _said(turn, _list(turn, "mine", ""))


def show(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    entries = [e for e in turn.situation.history if turn.serves(ticket) or e.kind is not EntryKind.NOTE]
    card = turn.card(ticket, turn.clocks, turn.situation.loaded.opening)
    history = tuple(_history(turn, ticket, entry) for entry in entries[-HISTORY:] if entry.text)
    return _said(turn, TicketView(card=card, history=history))


def why(turn: Turn, ticket: Ticket | None, command: Command) -> Decision:
    """What decided: for a ticket its routing and clocks, for an answer the matcher's reasons."""
    conversation = turn.conversation
    said_here = command.number is None and conversation is not None and conversation.ticket is None
    if ticket is None or said_here or command.rest == THIS:
        if conversation is None or not conversation.reasons:
            return turn.say("why.none")
        if conversation.requester != turn.sender.id:
            return turn.say("why.asker")
        return _said(turn, Reasons(phrase="why.answer", values={}, reasons=_spoken(turn, conversation.reasons)))
    own = (entry.text.splitlines() for entry in turn.situation.history if entry.author is None)
    reasons = list(_spoken(turn, chain.from_iterable(own)))
    reasons += [sentence for clock in turn.clocks for sentence in _clock(turn, ticket, clock)]
    if ticket.called and ticket.stepped_at:
        when = moment(ticket.stepped_at, _zone(turn, ticket), turn.sender.language)
        reasons.append(say("cause.step", turn.sender.language, {"called": ticket.called, "when": when}))
    return _said(turn, Reasons(phrase="why.ticket", values={"number": ticket.number}, reasons=tuple(reasons)))


def help_(turn: Turn, command: Command) -> Decision:
    return _said(turn, Help(verbs=tuple(map(str, (*EVERYONE, *(AGENTS if turn.helps else ()))))))


# --- private -----------------------------------------------------------------------------------
def _said(turn: Turn, notice: Notice) -> Decision:
    return Decision(verdict=Verdict.IGNORE, outgoing=(turn.reply(notice),))


def _list(turn: Turn, name: str, teams: str) -> TicketList:
    rows = tuple(_row(turn, ticket) for ticket in turn.situation.tickets)
    return TicketList(
        phrase=f"{name}.title",
        empty=f"{name}.empty",
        values={"teams": teams},
        rows=rows,
        more=max(0, turn.situation.total - len(rows)),
    )


def _row(turn: Turn, ticket: Ticket) -> TicketLine:
    due = turn.situation.dues.get(ticket.id)
    return TicketLine(
        number=ticket.number,
        subject=ticket.subject,
        status=ticket.status,
        priority=ticket.priority,
        requester=turn.who(ticket.requester).name,
        owner=turn.who(ticket.owner).name if ticket.owner else None,
        due=At(at=due, zone=_zone(turn, ticket)) if due else None,
    )


def _history(turn: Turn, ticket: Ticket, entry: Entry) -> HistoryLine:
    """An event says itself who did it; everything else stands with its author."""
    event = entry.kind is EntryKind.EVENT
    return HistoryLine(
        at=At(at=entry.at, zone=_zone(turn, ticket)),
        author=None if event or entry.author is None else turn.who(entry.author).name,
        what=f"entry.{entry.kind}",
        text=" ".join(_spoken(turn, entry.text.splitlines())) if event else entry.text,
    )


def _spoken(turn: Turn, kept: Iterable[str]) -> tuple[str, ...]:
    return tuple(spoken(text, turn.sender.language) for text in kept)


def _clock(turn: Turn, ticket: Ticket, clock: Clock) -> tuple[str, ...]:
    """When the clock ran, when it stood still, and why it is due when it is."""
    waited = waits(turn.loaded.events)
    told = story(clock, turn.now, zone=_zone(turn, ticket), language=turn.sender.language, waited=waited)
    return told.sentences


def _zone(turn: Turn, ticket: Ticket) -> str:
    return turn.sender.timezone or turn.team_of(ticket).terms.calendar.timezone
