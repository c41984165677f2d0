"""Learning from what people press: cases, figures, and proposals to whoever looks after an article.

Called by `triage.asking` for what requesters say of an answer, by `triage.linking` for what agents say,
by `triage.decide` when a proposal is settled, and by `bot.reporting` for those that waited for a quieter
day. Nothing is learnt from restricted teams, strangers or texts with personal data, and a question is
shown only to somebody who may read the conversations of its team.
"""

from __future__ import annotations

from dataclasses import replace

from triage.changes import (
    AddArticle,
    AddPhrasing,
    Change,
    Count,
    Decision,
    KeepCase,
    OpenTicket,
    Propose,
    Settle,
)
from triage.commands import Command
from triage.knowledge import Article
from triage.learning import (
    ASKED,
    PROPOSALS_A_DAY,
    Case,
    CaseKind,
    Event,
    Proposal,
    ProposalKind,
    ProposalState,
    case,
    digest,
    known_to,
    may_be_case,
    may_be_phrasing,
    nearly_equal,
    proposal_id,
)
from triage.model import Conversation, Person, Ticket
from triage.outgoing import Choice, Direct, OnSlot, Outgoing, Say, Term, Value
from triage.policy import Policy, Team
from triage.questions import questions
from triage.turn import Turn

ADD, AGAINST, DECLINE = "add", "not", "no"
"""The words after the id in the command of a proposal's button."""


# --- figures -----------------------------------------------------------------------------------
def counted(turn: Turn, decision: Decision, team: Team) -> Decision:
    """The question that was just decided, as a figure of this team's day."""
    event = ASKED.get(decision.verdict) if decision.verdict else None
    if event is None:
        return Decision()
    best = turn.match.best if turn.match else None
    fact = Count(
        id=turn.message.key,
        team=team.id,
        event=event,
        article=best.article.id if best and event is not Event.TICKET else None,
        confidence=best.confidence if best else None,
    )
    return Decision(changes=(fact,))


def _said_of(asked: Conversation, event: Event, article: str | None) -> Count:
    """Once for each question and article, however often the button is pressed."""
    id = digest(event, asked.requester, asked.asked or asked.key, article or "")
    return Count(id=id, team=asked.team, event=event, article=article)


# --- what requesters say -----------------------------------------------------------------------
def confirmed(turn: Turn, id: str) -> Decision:
    """The answer solved it: a case, and perhaps a new phrasing. A bystander's press teaches nothing, nor
    does one below an older answer, since what was asked then is not known any more. Without an `id` it is
    about several answers at once, which is only counted: the words are those of several questions."""
    asked = _own_question(turn)
    if asked and not id and len(questions(asked.question)) > 1:
        return Decision(changes=(_said_of(asked, Event.CONFIRMED, asked.article),))
    article = turn.situation.kb.article(id, asked.language) if asked else None
    if asked is None or article is None or asked.article != article.id:
        return Decision()
    decision = Decision(changes=(_said_of(asked, Event.CONFIRMED, article.id),))
    if not _may_learn(turn, asked):
        return decision
    kept = _case(turn, asked.question, article, CaseKind.CONFIRMED, ticket=None)
    team = turn.policy.teams[asked.team]
    return decision + kept + add_phrasing(turn, article, asked.question, ProposalKind.PHRASING, team)


def contradicted(turn: Turn, decision: Decision) -> Decision:
    """The answer did not solve it, or none of the suggestions fits; `decision` opens the ticket instead."""
    asked = _own_question(turn)
    if asked is None:
        return Decision()
    article = turn.situation.kb.article(asked.article, asked.language) if asked.article else None
    counted = Decision(changes=(_said_of(asked, Event.CONTRADICTED, asked.article),))
    opened = next((change.ticket for change in decision.changes if isinstance(change, OpenTicket)), None)
    if not _may_learn(turn, asked) or (opened is not None and opened.restricted):
        return counted
    if (asked.article is not None and article is None) or len(questions(asked.question)) > 1:
        return counted
    kind = CaseKind.CONTRADICTED if article else CaseKind.NONE_OF_THESE
    return counted + _case(turn, asked.question, article, kind, ticket=opened.id if opened else None)


def _own_question(turn: Turn) -> Conversation | None:
    asked = turn.conversation
    return asked if asked and asked.question and asked.requester == turn.sender.id else None


def _may_learn(turn: Turn, asked: Conversation) -> bool:
    channels = (turn.message.channel, asked.thread.channel)
    teams = [turn.policy.teams.get(asked.team), *map(turn.policy.team_helping_in, channels)]
    ticket = turn.ticket if turn.ticket and turn.ticket.id == asked.ticket else None
    private = any(team.restricted for team in teams if team) or (ticket is not None and ticket.restricted)
    return asked.team in turn.policy.teams and not private and not turn.situation.stranger


def _case(turn: Turn, text: str, article: Article | None, kind: CaseKind, *, ticket: str | None) -> Decision:
    if not may_be_case(text):
        return Decision()
    kept = case(
        at=turn.now,
        text=text,
        article=article.id if article else None,
        kind=kind,
        person=turn.sender.id,
        ticket=ticket,
        audience=article.audience if article else "company",
    )
    return Decision(changes=(KeepCase(case=kept),))


# --- what agents say ---------------------------------------------------------------------------
def may_learn_from(turn: Turn, ticket: Ticket) -> bool:
    """Whether anything of this ticket may be learnt at all."""
    stranger = turn.policy.is_known_stranger(turn.person(ticket.requester))
    return not ticket.restricted and not turn.team_of(ticket).restricted and not stranger


def judged(turn: Turn, ticket: Ticket, article: Article | None, kind: CaseKind) -> Decision:
    """An agent said what answers the question of a ticket, or what does not."""
    if not may_learn_from(turn, ticket):
        return Decision()
    question = turn.situation.loaded.opening
    return _case(turn, question, article, kind, ticket=ticket.id)


def taken_back(turn: Turn, linked: Case) -> Decision:
    """The agent says that this article does not answer the ticket after all."""
    corrected = case(
        at=turn.now,
        text=linked.text,
        article=linked.article,
        kind=CaseKind.CORRECTED,
        person=turn.sender.id,
        ticket=linked.ticket,
        audience=linked.audience,
    )
    return Decision(changes=(KeepCase(case=corrected),))


# --- proposals ---------------------------------------------------------------------------------
def add_phrasing(
    turn: Turn, article: Article, text: str, kind: ProposalKind, team: Team, ticket: Ticket | None = None
) -> Decision:
    """Ask whoever looks after the article whether the question belongs to it, unless it stands there already."""
    versions = [each for each in turn.situation.kb.articles if each.id == article.id]
    if any(known_to(version, text, kind) for version in versions):
        return Decision()
    owning = turn.policy.teams.get(article.team)
    person = _reader(turn.policy, team, article.owner, owning.lead if owning else None)
    made = Proposal(
        id=proposal_id(kind, article.id, text),
        kind=kind,
        article=article.id,
        title=article.title,
        text=text,
        language=article.language,
        team=team.id,
        person=person or "",
        ticket=ticket.id if ticket else None,
        made_at=turn.now,
    )
    return _proposed(turn, made)


def add_article(turn: Turn, ticket: Ticket, body: str) -> Decision:
    """Ask the team's lead whether what an agent answered should become an article."""
    question = turn.situation.loaded.opening
    if not body.strip() or not may_learn_from(turn, ticket):
        return Decision()
    made = Proposal(
        id=proposal_id(ProposalKind.ARTICLE, article_of(ticket), ""),
        kind=ProposalKind.ARTICLE,
        article=article_of(ticket),
        title=ticket.subject,
        text=question,
        body=body,
        language=ticket.language,
        team=ticket.team,
        person=_reader(turn.policy, turn.team_of(ticket), turn.team_of(ticket).lead) or "",
        ticket=ticket.id,
        made_at=turn.now,
    )
    return _proposed(turn, made)


def article_of(ticket: Ticket) -> str:
    """The id of the article that a ticket may become."""
    return f"ticket-{ticket.number}"


def _reader(policy: Policy, team: Team, *people: str | None) -> str | None:
    """The first of these people who may read the team's conversations."""
    return next((person for person in people if person and policy.serves(person, team.id)), None)


def _proposed(turn: Turn, made: Proposal) -> Decision:
    if not made.person or not may_be_phrasing(made.text):
        return Decision()
    before = [each for each in turn.situation.taught.proposals if each.kind is made.kind]
    if any(each.id == made.id for each in before) or nearly_equal(made.text, [each.text for each in before]):
        return Decision()
    if turn.situation.taught.offered.get(made.person, 0) >= PROPOSALS_A_DAY:
        return Decision(changes=(Propose(proposal=made),))
    now = replace(made, offered_at=turn.now)
    return Decision(changes=(Propose(proposal=now),), outgoing=(offered(now, turn.person(now.person)),))


def offered(proposal: Proposal, person: Person) -> Outgoing:
    """The proposal as its person reads it, with a button for each answer; sent once, whoever sends it."""
    return Outgoing(
        key=f"proposal:{proposal.id}",
        to=Direct(person=proposal.person),
        notice=_question(proposal),
        language=person.language,
        slot=_slot(proposal),
    )


def _slot(proposal: Proposal) -> str:
    return f"proposal:{proposal.id}"


def _question(proposal: Proposal) -> Say:
    yes = Choice(label="learn.add", command=f"settle {proposal.id} {ADD}", style="primary")
    no = Choice(label="learn.no", command=f"settle {proposal.id} {DECLINE}")
    match proposal.kind:
        case ProposalKind.PHRASING:
            against = Choice(label="learn.not_this", command=f"settle {proposal.id} {AGAINST}")
            values: dict[str, Value] = {"title": proposal.title}
            return Say(phrase="learn.phrasing", values=values, quote=proposal.text, choices=(yes, against, no))
        case ProposalKind.AGAINST:
            values = {"title": proposal.title}
            return Say(phrase="learn.against", values=values, quote=proposal.text, choices=(yes, no))
        case ProposalKind.ARTICLE:
            number = proposal.article.rpartition("-")[2]
            values = {"number": number, "title": proposal.title, "question": proposal.text}
            write = replace(yes, label="learn.write")
            return Say(phrase="learn.article", values=values, quote=proposal.body, choices=(write, no))


# --- settling ----------------------------------------------------------------------------------
def settle(turn: Turn, command: Command) -> Decision:
    """Somebody pressed a button of a proposal; of two presses the first counts."""
    answer = command.rest.rpartition(" ")[2]
    proposal = turn.situation.taught.proposal
    if proposal is None or answer not in (ADD, AGAINST, DECLINE) or not _may_settle(turn, proposal):
        return turn.say("learn.gone")
    if proposal.state is not ProposalState.WAITING:
        who = turn.who(proposal.settled_by).name if proposal.settled_by else ""
        return turn.say("learn.settled", who=who, outcome=Term(term=f"learn.outcome.{proposal.state}"))
    if answer == DECLINE or turn.situation.taught.restricted:
        return _settled(turn, proposal, ProposalState.DECLINED, "learn.declined")
    if proposal.kind is ProposalKind.ARTICLE:
        return _accepted_article(turn, proposal)
    article = turn.situation.kb.article(proposal.article, proposal.language)
    if article is None:
        return _settled(turn, proposal, ProposalState.DECLINED, "learn.no_article")
    against = answer == AGAINST or proposal.kind is ProposalKind.AGAINST
    return _accepted_phrasing(turn, proposal, article, against=against)


def _may_settle(turn: Turn, proposal: Proposal) -> bool:
    return not turn.situation.stranger and turn.policy.serves(turn.sender.id, proposal.team)


def _accepted_phrasing(turn: Turn, proposal: Proposal, article: Article, *, against: bool) -> Decision:
    phrasing = AddPhrasing(
        article=article.id, language=article.language, text=proposal.text, against=against, by=turn.sender.id
    )
    judged = Decision()
    if against and proposal.kind is ProposalKind.PHRASING:
        judged = _case(turn, proposal.text, article, CaseKind.CORRECTED, ticket=proposal.ticket)
    phrase = "learn.added_against" if against else "learn.added"
    return _settled(turn, proposal, ProposalState.ACCEPTED, phrase, phrasing) + judged


def _accepted_article(turn: Turn, proposal: Proposal) -> Decision:
    team = turn.policy.teams.get(proposal.team)
    article = Article(
        id=proposal.article,
        title=proposal.title,
        body=proposal.body,
        phrasings=(proposal.text,),
        language=proposal.language,
        team=proposal.team,
        audience=f"team:{proposal.team}" if team and team.restricted else "company",
        owner=proposal.person,
    )
    linked = _case(turn, proposal.text, article, CaseKind.LINKED, ticket=proposal.ticket)
    return _settled(turn, proposal, ProposalState.ACCEPTED, "learn.written", AddArticle(article=article)) + linked


def _settled(turn: Turn, proposal: Proposal, state: ProposalState, phrase: str, *changes: Change) -> Decision:
    """What was asked now reads as what was answered; who was not asked themselves is told apart."""
    values: dict[str, Value] = {"title": proposal.title, "who": turn.me.name}
    owner = turn.person(proposal.person)
    lane = f"person:{proposal.person}"
    update = Outgoing(
        key=turn.key("proposal"),
        to=OnSlot(slot=_slot(proposal), lane=lane, bucket=lane),
        notice=Say(phrase=phrase, values=values, quote=proposal.text),
        language=owner.language,
    )
    told = Decision() if proposal.person == turn.sender.id else turn.say(phrase, title=proposal.title, who=turn.me.name)
    kept = Settle(proposal=proposal.id, state=state, by=turn.sender.id)
    return told + Decision(changes=(kept, *changes), outgoing=(update,), ack=Say(phrase=phrase, values=values))
