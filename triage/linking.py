"""The verb `kb` on a ticket: agents say which article answers its question, which does not, or send one.

Called by `triage.decide`; `which` also by `triage.working` when a ticket is resolved. A link becomes a
labelled case (`triage.proposing`) and may be sent to the requester as an answer. That an article answers a
ticket and that none does exclude each other: whichever was said first is kept until an agent says "instead".
"""

from __future__ import annotations

from dataclasses import replace

from triage.casework import shortened
from triage.changes import AddEntry, Decision
from triage.commands import Command
from triage.knowledge import Article
from triage.learning import Case, CaseKind, ProposalKind, said_by_agents
from triage.matching import Verdict
from triage.model import Entry, EntryKind, Ticket
from triage.outgoing import Answer, Choice, Direct, Outgoing
from triage.phrases import noted, say
from triage.policy import audience
from triage.proposing import add_article, add_phrasing, judged, may_learn_from, taken_back
from triage.timeline import Do
from triage.turn import Turn

NOT, SEND, NONE, INSTEAD = "not", "send", "none", "instead"
"""`kb 42 not vpn-drops`, `kb 42 vpn-drops send`, `kb 42 none`; `… instead` of what was said before."""

MAX_TITLE = 60
"""Characters of a title on a button; Slack shows 75."""


# --- a ticket's article ------------------------------------------------------------------------
def kb(turn: Turn, ticket: Ticket, command: Command) -> Decision:
    """`kb 42 …` by an agent of the ticket's team."""
    words = command.rest.split()
    if not words:
        return _choose(turn, ticket)
    instead = len(words) > 1 and words[-1] == INSTEAD
    if instead:
        words.pop()
    if words == [NONE]:
        return _none(turn, ticket, instead=instead)
    against, send = words[0] == NOT, words[-1] == SEND
    id = " ".join(words[1:] if against else words[:-1] if send else words)
    article = turn.situation.kb.article(id, turn.sender.language)
    if article is None:
        return turn.say("kb.no_article", word=id)
    if against:
        return _correct(turn, ticket, article)
    if not instead and _has_none(turn, ticket):
        return _keep_none(turn, ticket, article, " ".join(words))
    return _send(turn, ticket, article) if send else _link(turn, ticket, article)


def concerned(command: Command) -> str:
    """The id of the article that such a command is about."""
    words = [word for word in command.rest.split() if word not in (NOT, SEND, INSTEAD)]
    return " ".join(words)


def _choose(turn: Turn, ticket: Ticket) -> Decision:
    choices = _articles(turn, ticket)
    if not choices:
        return turn.say("kb.nothing_near", choices=(_no_article(ticket),), number=ticket.number)
    return turn.say("kb.which", choices=(*choices, _no_article(ticket)), number=ticket.number)


def which(turn: Turn, ticket: Ticket, body: str) -> tuple[tuple[Choice, ...], Decision]:
    """Buttons to ask an agent what answered a ticket that is being resolved; where no article is near,
    the proposal of a new one from `body`, the agent's answer, instead."""
    if _said(turn, ticket) or not may_learn_from(turn, ticket):
        return (), Decision()
    match = turn.match
    if match is None:
        find = Choice(label="kb.find", command=f"kb {ticket.number}")
        return ((find, _no_article(ticket)) if body else ()), Decision()
    if match.verdict is Verdict.TICKET or not match.top:
        return (), add_article(turn, ticket, body)
    return (*_articles(turn, ticket), _no_article(ticket)), Decision()


def _articles(turn: Turn, ticket: Ticket) -> tuple[Choice, ...]:
    top = turn.match.top if turn.match else ()
    found = [turn.situation.kb.article(each.article.id, turn.sender.language) for each in top]
    return tuple(titled(article, f"kb {ticket.number} {article.id}") for article in found if article)


def titled(article: Article, command: str) -> Choice:
    """A button that bears the article's title."""
    return Choice(label="kb.article", command=command, values={"title": shortened(article.title, MAX_TITLE)})


def _no_article(ticket: Ticket) -> Choice:
    return Choice(label="kb.none", command=f"kb {ticket.number} {NONE}")


def _none(turn: Turn, ticket: Ticket, *, instead: bool) -> Decision:
    """No article answers it: the agent's answer may become one."""
    linked = [each for each in _said(turn, ticket) if each.kind is CaseKind.LINKED]
    if linked and not instead and not _has_none(turn, ticket):
        return _keep_link(turn, ticket, linked[-1])
    proposed = add_article(turn, ticket, answer_given(turn, ticket))
    phrase = "kb.noted_proposed" if proposed.changes else "kb.noted"
    told = turn.say(phrase, number=ticket.number)
    for each in linked:
        told += _unlinked(turn, ticket, each)
    return told + judged(turn, ticket, None, CaseKind.NONE_OF_THESE) + proposed


# --- what was said before ----------------------------------------------------------------------
def _said(turn: Turn, ticket: Ticket) -> list[Case]:
    return said_by_agents(turn.situation.taught.cases, ticket.requester)


def _has_none(turn: Turn, ticket: Ticket) -> bool:
    """Whether an agent said last that no article answers it."""
    said = _said(turn, ticket)
    return bool(said) and said[-1].kind is CaseKind.NONE_OF_THESE


def _keep_link(turn: Turn, ticket: Ticket, linked: Case) -> Decision:
    command = f"kb {ticket.number} {NONE} {INSTEAD}"
    change = Choice(label="kb.none_instead", command=command)
    article = turn.situation.kb.article(linked.article or "", turn.sender.language)
    if article is None:
        return turn.say("kb.keeps_other", choices=(change,), number=ticket.number, command=command)
    return turn.say("kb.keeps_link", choices=(change,), number=ticket.number, title=article.title, command=command)


def _keep_none(turn: Turn, ticket: Ticket, article: Article, words: str) -> Decision:
    command = f"kb {ticket.number} {words} {INSTEAD}"
    change = Choice(label="kb.link_instead", command=command)
    return turn.say("kb.keeps_none", choices=(change,), number=ticket.number, title=article.title, command=command)


def _unlinked(turn: Turn, ticket: Ticket, linked: Case) -> Decision:
    article = turn.situation.kb.article(linked.article or "", turn.sender.language)
    line = _noted_once(turn, ticket, article, "event.corrected") if article else Decision()
    return line + taken_back(turn, linked)


# --- linking and correcting --------------------------------------------------------------------
def answer_given(turn: Turn, ticket: Ticket) -> str:
    """The last that an agent wrote to the requester."""
    given = (line.text for line in reversed(turn.situation.history) if line.kind is EntryKind.REPLY)
    return next((text for text in given if text.strip()), "")


def _link(turn: Turn, ticket: Ticket, article: Article) -> Decision:
    sent = _sent(turn, _for_requester(turn, ticket, article))
    choices = () if sent else (_send_choice(ticket, article),)
    told = turn.say("kb.linked", choices=choices, number=ticket.number, title=article.title)
    return told + _linked(turn, ticket, article)


def _send_choice(ticket: Ticket, article: Article) -> Choice:
    return Choice(label="kb.send", command=f"kb {ticket.number} {article.id} {SEND}", style="primary")


def _linked(turn: Turn, ticket: Ticket, article: Article) -> Decision:
    question, team = turn.situation.loaded.opening, turn.team_of(ticket)
    known = _noted_once(turn, ticket, article, "event.linked") + judged(turn, ticket, article, CaseKind.LINKED)
    if not may_learn_from(turn, ticket):
        return known
    return known + add_phrasing(turn, article, question, ProposalKind.PHRASING, team, ticket)


def _correct(turn: Turn, ticket: Ticket, article: Article) -> Decision:
    question, team = turn.situation.loaded.opening, turn.team_of(ticket)
    told = turn.say("kb.corrected", number=ticket.number, title=article.title)
    known = _noted_once(turn, ticket, article, "event.corrected") + judged(turn, ticket, article, CaseKind.CORRECTED)
    if not may_learn_from(turn, ticket):
        return told + known
    return told + known + add_phrasing(turn, article, question, ProposalKind.AGAINST, team, ticket)


def _noted_once(turn: Turn, ticket: Ticket, article: Article, phrase: str) -> Decision:
    """An entry of the ticket's history; one that agents alone read where the requester may not know the article."""
    values = {"actor": turn.me.name, "title": article.title}
    if _may_read(turn, ticket, article):
        kind, text = EntryKind.EVENT, noted(phrase, turn.sender.language, values)
    else:
        kind, text = EntryKind.NOTE, say(phrase, turn.team_of(ticket).language, values)
    if any(line.text == text for line in turn.situation.history):
        return Decision()
    line = Entry(at=turn.now, kind=kind, author=turn.sender.id, text=text, message=turn.message.key)
    return Decision(changes=(AddEntry(ticket=ticket.id, entry=line),))


# --- sending it --------------------------------------------------------------------------------
def _send(turn: Turn, ticket: Ticket, article: Article) -> Decision:
    """The article as the agent's answer, in the requester's language, where the requester may read it."""
    spoken = _for_requester(turn, ticket, article)
    requester = turn.who(ticket.requester).name
    if not _may_read(turn, ticket, spoken):
        return turn.say("kb.may_not_read", title=article.title, requester=requester)
    if _sent(turn, spoken):
        return turn.say("kb.sent_before", title=article.title, requester=requester)
    after = turn.happened(ticket, turn.event(Do.REPLY))
    line = Entry(
        at=turn.now, kind=EntryKind.REPLY, author=turn.sender.id, text=_words(spoken), message=turn.message.key
    )
    told = turn.say("kb.sent", number=ticket.number, title=article.title, requester=requester)
    answer = Decision(
        changes=(AddEntry(ticket=ticket.id, entry=line), *after.changes),
        outgoing=(_answer(turn, ticket, spoken), *(turn.card_update(ticket, after.clocks) if after.moved else ())),
    )
    return told + _linked(turn, ticket, article) + answer


def _answer(turn: Turn, ticket: Ticket, article: Article) -> Outgoing:
    team = turn.policy.teams.get(article.team)
    name = team.name if team else article.team
    notice = Answer(article=article.id, title=article.title, body=article.body, team=name, confirm=False)
    item = turn.to_requester(ticket, "article", notice)
    private = article.audience not in ("public", "company") or (team is not None and team.restricted)
    return replace(item, to=Direct(person=ticket.requester)) if private else item


def _for_requester(turn: Turn, ticket: Ticket, article: Article) -> Article:
    return turn.situation.kb.article(article.id, ticket.language) or article


def _words(article: Article) -> str:
    return f"{article.title}\n{article.body}"


def _sent(turn: Turn, article: Article) -> bool:
    return any(line.kind is EntryKind.REPLY and line.text == _words(article) for line in turn.situation.history)


def _may_read(turn: Turn, ticket: Ticket, article: Article) -> bool:
    requester = turn.person(ticket.requester)
    stranger = turn.policy.is_known_stranger(requester)
    return article.audience in audience(turn.policy, requester.id, stranger=stranger)
