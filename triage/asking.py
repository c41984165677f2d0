"""Questions: answered from the knowledge base, narrowed down, or turned into a ticket with a promise.

Called by `triage.decide` for free text that is not about a ticket, and for the buttons below an answer.
"""

from __future__ import annotations

from dataclasses import replace

from triage import several, sla
from triage.calling import off_hours
from triage.casework import kept
from triage.changes import (
    AddEntry,
    Change,
    Converse,
    Decision,
    Detach,
    KeepEvent,
    KeepTerms,
    OpenTicket,
)
from triage.commands import Command
from triage.escalation import Position
from triage.knowledge import Article
from triage.matching import Match, Verdict
from triage.model import ChannelKind, Conversation, Entry, EntryKind, Language, Status, Ticket
from triage.outgoing import Answer, Choice, Suggestions, promise_slot
from triage.phrases import noted
from triage.policy import Facts, Rule, Team
from triage.ports import Loaded
from triage.proposing import confirmed, contradicted, counted
from triage.text import is_small_talk, is_thanks
from triage.timeline import Timeline
from triage.turn import Turn, subject_of


def ask(turn: Turn, text: str) -> Decision:
    """The decision for one question, with its reasons."""
    if not text.strip():
        return turn.say("ask.empty")
    if is_small_talk(text):
        return _small_talk(turn, text)
    decision = _decided(turn, text)
    return decision + counted(turn, decision, _team_of(turn, decision))


def _team_of(turn: Turn, decision: Decision) -> Team:
    """The team whose day this question belongs to: the ticket's, else the nearest articles'."""
    opened = next((change.ticket.team for change in decision.changes if isinstance(change, OpenTicket)), None)
    return turn.policy.teams.get(opened or _subject_team(turn, turn.match)) or route(turn)[0]


def _decided(turn: Turn, text: str) -> Decision:
    match = turn.match
    if match is not None and match.parts:
        return _several(turn, text, match)
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
    return _answer(turn, question, article, (noted("cause.picked", _language(turn)),))


def solved(turn: Turn, command: Command) -> Decision:
    return turn.say("answer.solved") + confirmed(turn, command.rest)


def get_a_person(turn: Turn, command: Command) -> Decision:
    """The answer did not help, or none of the suggestions fits: open a ticket with what was asked."""
    conversation = turn.conversation
    question = (conversation.question if conversation else "") or command.rest
    decision = _asked_for(turn, question, causes=(noted("cause.person", _language(turn)),))
    return decision + contradicted(turn, decision) if decision.verdict is Verdict.TICKET else decision


def something_new(turn: Turn, command: Command) -> Decision:
    """What was added to an open ticket is a request of its own."""
    return _asked_for(turn, command.rest or (turn.conversation.question if turn.conversation else ""))


def join(turn: Turn, command: Command) -> Decision:
    """A bystander needs help with the same thing: a ticket of their own, answered privately."""
    return _asked_for(turn, turn.conversation.question if turn.conversation else "")


def _asked_for(turn: Turn, question: str, *, causes: tuple[str, ...] = ()) -> Decision:
    """A ticket somebody pressed a button for; pressing it again, or elsewhere, makes no second one."""
    if not question:
        return turn.say("ask.empty")
    found = [*turn.situation.tickets, *([turn.ticket] if turn.ticket else [])]
    for ticket in found:
        if ticket.requester == turn.sender.id and not ticket.ended and ticket.subject == subject_of(question):
            return turn.say("ticket.exists", number=ticket.number, team=turn.team_of(ticket).name)
    return open_ticket(turn, question, causes=causes)


def open_ticket(turn: Turn, text: str, *, causes: tuple[str, ...]) -> Decision:
    """A new ticket with its promise to the requester and its card for the team."""
    return opened(turn, text, causes=causes)[1]


def opened(turn: Turn, text: str, *, causes: tuple[str, ...]) -> tuple[Loaded | None, Decision]:
    """As `open_ticket`, with all that is known of the ticket; None for a stranger, who is told why not."""
    team, cause = route(turn)
    if turn.situation.stranger and not team.allow_guests:
        return None, turn.say("stranger.cannot") + Decision(verdict=Verdict.IGNORE)
    rule = team.rule_for(_facts(turn, text))
    ticket = _new_ticket(turn, text, team, rule)
    timeline = sla.opened(rule.terms, rule.priority, turn.now, team=team.id, channel=turn.message.channel.key)
    clocks = timeline.clocks
    reasons = (*causes, cause, *_policy(turn, team, rule))
    if team.restricted:
        reasons += (_cause("cause.restricted", turn, team),)
    told = reasons if _may_be_told(turn) else reasons[len(causes) :]
    known = replace(
        turn.loaded,
        ticket=ticket,
        clocks=clocks,
        events=timeline.events,
        opening=text,
        terms=rule.terms,
        position=Position(),
    )
    return known, Decision(
        verdict=Verdict.TICKET,
        changes=(
            *_detached(turn, ticket),
            OpenTicket(ticket=ticket),
            KeepTerms(ticket=ticket.id, terms=rule.terms),
            AddEntry(ticket=ticket.id, entry=_opening(turn, text)),
            AddEntry(ticket=ticket.id, entry=_because(turn, told)),
            *(KeepEvent(ticket=ticket.id, event=event) for event in timeline.events),
            *kept(ticket.id, Timeline(), timeline),
            *_conversing(turn, replace(_conversation(turn, text, team.id, reasons), ticket=ticket.id)),
        ),
        outgoing=(
            turn.to_requester(ticket, "promise", turn.promise(ticket, clocks), slot=promise_slot(ticket.id)),
            *turn.new_card(ticket, clocks, text),
            *off_hours(turn, ticket),
        ),
        reasons=reasons,
    )


def _policy(turn: Turn, team: Team, rule: Rule) -> tuple[str, ...]:
    """Which promises hold for it, where that is not the team's only set of them."""
    return (noted("cause.policy", _language(turn), {"policy": rule.terms.policy}),) if team.rules else ()


def _facts(turn: Turn, text: str) -> Facts:
    return Facts(
        requester=turn.sender.id,
        guest=turn.situation.stranger,
        language=_language(turn),
        channel=turn.message.channel.key,
        text=text,
    )


def _may_be_told(turn: Turn) -> bool:
    """Whether any team may read of every article that was weighed for the requester: tickets change teams."""
    top = turn.match.top if turn.match else ()
    return all(candidate.article.audience in ("public", "company") for candidate in top)


def _opening(turn: Turn, text: str) -> Entry:
    return Entry(at=turn.now, kind=EntryKind.MESSAGE, author=turn.sender.id, text=text, message=_asked(turn, text))


def _because(turn: Turn, reasons: tuple[str, ...]) -> Entry:
    """The bot's own reasons, one a line, for `why`."""
    return Entry(at=turn.now, kind=EntryKind.EVENT, author=None, text="\n".join(reasons))


def _detached(turn: Turn, ticket: Ticket) -> tuple[Change, ...]:
    """The conversation has room for one open ticket: older ones keep their number and their home."""
    if ticket.conversation is None:
        return ()
    old, conversation = turn.ticket, turn.conversation
    ids = [old.id] if old and old.conversation == ticket.conversation else []
    if conversation and conversation.ticket and conversation.key == ticket.conversation:
        ids.append(conversation.ticket)
    return tuple(Detach(ticket=id) for id in dict.fromkeys(ids))


def _conversing(turn: Turn, conversation: Conversation) -> tuple[Change, ...]:
    return () if turn.elsewhere else (Converse(conversation=conversation),)


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
    return noted(key, _language(turn), {"team": team.name})


def _new_ticket(turn: Turn, text: str, team: Team, rule: Rule) -> Ticket:
    direct = turn.message.channel.kind is ChannelKind.DM
    unseen = (turn.elsewhere or team.restricted or turn.private) and not direct
    return Ticket(
        id=turn.situation.new_id(),
        number=turn.situation.new_number(),
        team=team.id,
        requester=turn.sender.id,
        subject=subject_of(text),
        language=_language(turn),
        priority=rule.priority,
        status=Status.NEW,
        opened_at=turn.now,
        conversation=None if turn.elsewhere else turn.here.key,
        home=None if unseen else turn.message.here,
        restricted=team.restricted,
    )


def _answer(turn: Turn, question: str, article: Article, reasons: tuple[str, ...]) -> Decision:
    team = turn.policy.teams.get(article.team)
    conversation = replace(
        _conversation(turn, question, _about(turn, article.team), reasons),
        article=article.id,
        ticket=_kept_ticket(turn),
    )
    notice = Answer(
        article=article.id, title=article.title, body=article.body, team=team.name if team else article.team
    )
    return Decision(
        verdict=Verdict.ANSWER,
        changes=_conversing(turn, conversation),
        outgoing=(turn.reply(notice, language=_language(turn), public=_for_all(turn, article)),),
        reasons=reasons,
    )


def _several(turn: Turn, text: str, match: Match) -> Decision:
    notice = several.answers(turn, match.parts, _language(turn))
    team = _subject_team(turn, match)
    conversation = replace(_conversation(turn, text, team, match.reasons), ticket=_kept_ticket(turn))
    shown = [candidate.article for part in match.parts for candidate in part.top]
    reasons = several.reasons(match.parts, _language(turn))
    return Decision(
        verdict=several.verdict(match.parts),
        changes=_conversing(turn, replace(conversation, reasons=reasons)),
        outgoing=(turn.reply(notice, language=_language(turn), public=_for_all(turn, *shown)),),
        reasons=reasons,
    )


def _suggest(turn: Turn, text: str, match: Match) -> Decision:
    language = _language(turn)
    shown = [turn.situation.kb.article(candidate.article.id, language) for candidate in match.top]
    articles = [article for article in shown if article is not None]
    team = _about(turn, match.team or (match.best.article.team if match.best else ""))
    conversation = replace(_conversation(turn, text, team, match.reasons), ticket=_kept_ticket(turn))
    notice = Suggestions(articles=tuple((article.id, article.title) for article in articles))
    return Decision(
        verdict=Verdict.SUGGEST,
        changes=_conversing(turn, conversation),
        outgoing=(turn.reply(notice, language=language, public=_for_all(turn, *articles)),),
        reasons=match.reasons,
    )


def _subject_team(turn: Turn, match: Match | None) -> str:
    """The team of the best article, else of the nearest ones."""
    if match is None:
        return ""
    return _about(turn, (match.best.article.team if match.best else None) or match.team or "")


def _about(turn: Turn, team: str) -> str:
    """The team a conversation belongs to: what is asked in a restricted team's channel stays its own."""
    helping = turn.policy.team_helping_in(turn.message.channel)
    return helping.id if helping and helping.restricted else team


def _for_all(turn: Turn, *articles: Article) -> bool:
    """Whether everyone in the channel may see these; restricted teams answer privately."""
    helping = turn.policy.team_helping_in(turn.message.channel)
    teams = [helping, *(turn.policy.teams.get(article.team) for article in articles)]
    readable = all(article.audience in ("public", "company") for article in articles)
    return readable and not any(team.restricted for team in teams if team)


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
        asked=_asked(turn, question),
    )


def _asked(turn: Turn, question: str) -> str | None:
    """The post that holds the question: for a button pressed later the one that stands in the conversation."""
    before = turn.conversation
    return before.asked if before and before.question == question else turn.message.key


def _language(turn: Turn) -> Language:
    """The language of the question itself; for a button that of the sender's conversation."""
    if turn.match is not None:
        return turn.match.language
    conversation = turn.conversation
    own = conversation is not None and conversation.requester == turn.sender.id
    return conversation.language if conversation and own else turn.sender.language
