"""Questions: answered from the knowledge base, narrowed down, or turned into a ticket with a promise.

Called by `triage.decide` for free text that is not about a ticket, and for the buttons below an answer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from triage import sla
from triage.changes import (
    AddEntry,
    Change,
    Converse,
    Decision,
    Detach,
    Feedback,
    KeepTerms,
    OpenTicket,
)
from triage.commands import Command
from triage.knowledge import Article
from triage.matching import Match, Verdict
from triage.model import ChannelKind, Conversation, Entry, EntryKind, Language, Priority, Status, Ticket
from triage.outgoing import Answer, Choice, Outgoing, Say, Suggestions, Value, promise_slot
from triage.phrases import say
from triage.policy import Team
from triage.text import is_small_talk, is_thanks
from triage.turn import Turn, kept, promise_of, subject_of


def ask(turn: Turn, text: str) -> Decision:
    """The decision for one question, with its reasons."""
    if not text.strip():
        return turn.say("ask.empty")
    if is_small_talk(text):
        return _small_talk(turn, text)
    match = turn.match
    if match is None or match.verdict in (Verdict.TICKET, Verdict.IGNORE):
        return open_ticket(turn, text, causes=match.reasons if match else ())
    if match.verdict is Verdict.SUGGEST:
        return _suggest(turn, text, match)
    best = match.best
    article = turn.situation.kb.article(best.article.id, _language(turn)) if best else None
    if article is None:
        return open_ticket(turn, text, causes=match.reasons)
    return _answer(turn, text, article, match.reasons)


def read(turn: Turn, command: Command) -> Decision:
    """Somebody picked one of the suggested articles."""
    article = turn.situation.kb.article(command.rest, _language(turn))
    if article is None:
        return turn.say("answer.gone", choices=(Choice(label="answer.no", command="ticket"),))
    question = turn.conversation.question if turn.conversation else article.title
    decision = _answer(turn, question, article, (say("cause.picked", _language(turn)),))
    return decision + _feedback(turn, question, article.id, "picked")


def solved(turn: Turn, command: Command) -> Decision:
    question = turn.conversation.question if turn.conversation else ""
    return turn.say("answer.solved") + _feedback(turn, question, command.rest or None, "solved")


def get_a_person(turn: Turn, command: Command) -> Decision:
    """The answer did not help, or none of the suggestions fits: open a ticket with what was asked."""
    conversation = turn.conversation
    if turn.ticket and not turn.ticket.ended and turn.ticket.requester == turn.sender.id:
        return turn.say("ticket.added", number=turn.ticket.number, team=turn.team_of(turn.ticket).name)
    question = (conversation.question if conversation else "") or command.rest
    if not question:
        return turn.say("ask.empty")
    causes = (say("cause.person", _language(turn)),)
    verdict = "unsolved" if conversation and conversation.article else "none"
    article = conversation.article if conversation else None
    return open_ticket(turn, question, causes=causes) + _feedback(turn, question, article, verdict)


def something_new(turn: Turn, command: Command) -> Decision:
    """What was added to an open ticket is a request of its own."""
    text = command.rest or (turn.conversation.question if turn.conversation else "")
    return open_ticket(turn, text, causes=()) if text else turn.say("ask.empty")


def join(turn: Turn, command: Command) -> Decision:
    """A bystander needs help with the same thing: a ticket of their own, answered privately."""
    if turn.ticket is None or turn.conversation is None:
        return turn.say("ask.empty")
    return open_ticket(turn, turn.conversation.question, causes=(), alone=True)


def open_ticket(turn: Turn, text: str, *, causes: tuple[str, ...], alone: bool = False) -> Decision:
    """A new ticket with its promise to the requester and its card for the team.

    `alone` keeps it apart from the conversation it grew out of.
    """
    return opened(turn, text, causes=causes, alone=alone)[1]


def opened(turn: Turn, text: str, *, causes: tuple[str, ...], alone: bool = False) -> tuple[Ticket | None, Decision]:
    """As `open_ticket`, with the ticket itself; None for a stranger, who is told why not."""
    team, cause = route(turn)
    if turn.situation.stranger and not team.allow_guests:
        return None, turn.say("stranger.cannot") + Decision(verdict=Verdict.IGNORE)
    ticket = _new_ticket(turn, text, team, alone=alone)
    clocks = sla.started(ticket.id, ticket.priority, team.terms, turn.now)
    reasons = (*causes, cause, *((_cause("cause.restricted", turn, team),) if team.restricted else ()))
    return ticket, Decision(
        verdict=Verdict.TICKET,
        changes=(
            *_detached(turn, ticket),
            OpenTicket(ticket=ticket),
            KeepTerms(ticket=ticket.id, terms=team.terms),
            AddEntry(ticket=ticket.id, entry=_opening(turn, text)),
            AddEntry(ticket=ticket.id, entry=_because(turn, reasons)),
            *kept(clocks),
            *(() if alone else (_conversing(turn, text, ticket, reasons),)),
        ),
        outgoing=(_promise(turn, ticket, team, promise_of(clocks)), *turn.new_card(ticket, clocks, text)),
        reasons=reasons,
    )


def _opening(turn: Turn, text: str) -> Entry:
    return Entry(at=turn.now, kind=EntryKind.MESSAGE, author=turn.sender.id, text=text, message=turn.message.key)


def _because(turn: Turn, reasons: tuple[str, ...]) -> Entry:
    """The bot's own reasons, for `why`."""
    return Entry(at=turn.now, kind=EntryKind.EVENT, author=None, text=" ".join(reasons))


def _detached(turn: Turn, ticket: Ticket) -> tuple[Change, ...]:
    """The conversation has room for one open ticket: an older one keeps its number and its home."""
    old = turn.ticket
    if old is None or old.conversation is None or old.conversation != ticket.conversation:
        return ()
    return (Detach(ticket=old.id),)


def _conversing(turn: Turn, text: str, ticket: Ticket, reasons: tuple[str, ...]) -> Converse:
    conversation = _conversation(turn, text, ticket.team, reasons)
    return Converse(conversation=replace(conversation, ticket=ticket.id))


def route(turn: Turn) -> tuple[Team, str]:
    """The team a new ticket belongs to, and why: the channel decides, then the nearest articles."""
    teams = turn.policy.teams
    helping = turn.policy.team_helping_in(turn.message.channel)
    if helping:
        return helping, _cause("cause.channel", turn, helping)
    near = turn.match.team if turn.match else None
    if near is None and turn.conversation:
        near = turn.conversation.team
    if near is not None and near in teams:
        return teams[near], _cause("cause.nearest", turn, teams[near])
    first = next(iter(teams.values()))
    return first, _cause("cause.default", turn, first)


def _cause(key: str, turn: Turn, team: Team) -> str:
    return say(key, _language(turn), {"team": team.name})


def _new_ticket(turn: Turn, text: str, team: Team, *, alone: bool) -> Ticket:
    direct = turn.message.channel.kind is ChannelKind.DM
    unseen = (alone or team.restricted or turn.private) and not direct
    return Ticket(
        id=turn.situation.new_id(),
        number=turn.situation.new_number(),
        team=team.id,
        requester=turn.sender.id,
        subject=subject_of(text),
        language=_language(turn),
        priority=Priority.NORMAL,
        status=Status.NEW,
        opened_at=turn.now,
        conversation=None if alone else turn.here.key,
        home=None if unseen else turn.message.here,
        restricted=team.restricted,
    )


def _promise(turn: Turn, ticket: Ticket, team: Team, due: datetime | None) -> Outgoing:
    values: dict[str, Value] = {"number": ticket.number, "team": team.name}
    if due is not None:
        values["due"] = turn.at(due, turn.sender, team)
    notice = Say(phrase="ticket.promise" if due else "ticket.open", values=values)
    return turn.to_requester(ticket, "promise", notice, slot=promise_slot(ticket.id))


def _answer(turn: Turn, question: str, article: Article, reasons: tuple[str, ...]) -> Decision:
    team = turn.policy.teams.get(article.team)
    conversation = replace(
        _conversation(turn, question, article.team, reasons), article=article.id, ticket=_kept_ticket(turn)
    )
    notice = Answer(
        article=article.id, title=article.title, body=article.body, team=team.name if team else article.team
    )
    public = article.audience in ("public", "company") and not (team and team.restricted)
    return Decision(
        verdict=Verdict.ANSWER,
        changes=(Converse(conversation=conversation),),
        outgoing=(turn.reply(notice, language=_language(turn), public=public),),
        reasons=reasons,
    )


def _suggest(turn: Turn, text: str, match: Match) -> Decision:
    language = _language(turn)
    shown = [turn.situation.kb.article(candidate.article.id, language) for candidate in match.top]
    articles = [article for article in shown if article is not None]
    conversation = replace(_conversation(turn, text, match.team or "", match.reasons), ticket=_kept_ticket(turn))
    restricted = any(
        a.audience.startswith("team:") or (a.team in turn.policy.teams and turn.policy.teams[a.team].restricted)
        for a in articles
    )
    notice = Suggestions(articles=tuple((article.id, article.title) for article in articles))
    return Decision(
        verdict=Verdict.SUGGEST,
        changes=(Converse(conversation=conversation),),
        outgoing=(turn.reply(notice, language=language, public=not restricted),),
        reasons=match.reasons,
    )


def _small_talk(turn: Turn, text: str) -> Decision:
    if not turn.message.addressed or is_thanks(text):
        reply = turn.say("answer.solved") if turn.message.addressed else Decision()
        return reply + Decision(verdict=Verdict.IGNORE)
    return turn.say("small_talk") + Decision(verdict=Verdict.IGNORE)


def _kept_ticket(turn: Turn) -> str | None:
    """An answer in a chat with an open ticket leaves the chat with that ticket."""
    return turn.conversation.ticket if turn.conversation else None


def _conversation(turn: Turn, question: str, team: str, reasons: tuple[str, ...]) -> Conversation:
    return Conversation(
        key=turn.here.key,
        thread=turn.here,
        requester=turn.sender.id,
        language=_language(turn),
        team=team,
        question=question,
        reasons=reasons,
    )


def _feedback(turn: Turn, question: str, article: str | None, verdict: str) -> Decision:
    fact = Feedback(at=turn.now, person=turn.sender.id, question=question, article=article, verdict=verdict)
    return Decision(changes=(fact,))


def _language(turn: Turn) -> Language:
    """The language of the question itself; for a button that of the conversation."""
    if turn.match is not None:
        return turn.match.language
    return turn.conversation.language if turn.conversation else turn.sender.language
