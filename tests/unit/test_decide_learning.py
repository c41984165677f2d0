"""What presses and agents' words teach: cases, figures, and proposals to an article's owner.

Lee leads IT and looks after its articles; Kim is an agent; HR is restricted; Max is a stranger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.builders import (
    DM,
    HR_HELP,
    LOBBY,
    MAIL,
    NO_MATCH,
    NOW,
    POLICY,
    VPN,
    changed,
    commands,
    conversation,
    decided,
    hr_ticket,
    loaded,
    match,
    mention,
    message,
    notice,
    phrases,
    press,
    saying,
    slash,
)
from tests.unit.learning_cases import judged, proposed
from triage.changes import AddArticle, AddPhrasing, Converse, Count, Decision, KeepCase, Propose, Settle
from triage.knowledge import Article, KnowledgeBase
from triage.learning import (
    PROPOSALS_A_DAY,
    Case,
    CaseKind,
    Event,
    Proposal,
    ProposalKind,
    ProposalState,
    proposal_id,
)
from triage.matching import Verdict
from triage.model import Language
from triage.outgoing import Direct, InThread, OnSlot
from triage.ports import Loaded
from triage.turn import Taught

QUESTION = "the tunnel to the office breaks all the time"
ANSWERED = conversation(article="vpn", question=QUESTION)


def solved(asked: Any = ANSWERED, *, article: str = "vpn", **known: Any) -> Decision:
    return decided(press(f"solved {article}"), Loaded(conversation=asked), **known)


def events(decision: Decision) -> list[tuple[Event, str]]:
    return [(change.event, change.team) for change in changed(decision, Count)]


# --- figures -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("found", "event"),
    [
        (match(Verdict.ANSWER, VPN), Event.ANSWER),
        (match(Verdict.SUGGEST, VPN, MAIL), Event.SUGGEST),
        (NO_MATCH, Event.TICKET),
    ],
)
def test_every_question_is_counted_for_its_team(found: Any, event: Event) -> None:
    """As a figure: nobody's words are kept for it."""
    said = message(QUESTION)
    (count,) = changed(decided(said, match=found), Count)
    assert (count.event, count.team, count.id) == (event, "it", said.key)
    assert QUESTION not in str(count)


@pytest.mark.parametrize("text", ["thanks!", "hello", ""])
def test_small_talk_is_no_question(text: str) -> None:
    """Nor is an empty mention."""
    assert events(decided(mention(text, at=LOBBY), match=NO_MATCH)) == []


# --- what requesters say ---------------------------------------------------------------------------
def test_a_confirmed_answer_is_a_case() -> None:
    """With who said so and who may read the article."""
    decision = solved()
    (change,) = changed(decision, KeepCase)
    kept: Case = change.case
    assert (kept.text, kept.article, kept.kind, kept.person) == (QUESTION, "vpn", CaseKind.CONFIRMED, "ann")
    assert kept.audience == "public"
    assert events(decision) == [(Event.CONFIRMED, "it")]


def test_pressing_twice_says_the_same() -> None:
    """Equal ids, so that storage keeps one case and one count."""
    first, again = solved(), solved()
    assert changed(first, KeepCase) == changed(again, KeepCase)
    assert changed(first, Count) == changed(again, Count)


@pytest.mark.parametrize(
    "asked",
    [
        conversation(article="mail", question=QUESTION),
        conversation(article="vpn", question=QUESTION, requester="bob"),
        conversation(article="vpn", question=""),
        None,
    ],
    ids=["an older answer", "a bystander", "nothing asked", "no conversation"],
)
def test_a_press_that_proves_nothing_teaches_nothing(asked: Any) -> None:
    """What was asked for that answer, by whoever presses, is not known."""
    decision = solved(asked)
    assert (judged(decision), events(decision)) == ([], [])
    assert phrases(decision) == {"answer.solved"}


def test_one_yes_to_several_answers_is_only_counted() -> None:
    """The day's figures know it; the words are those of two questions, and no article's."""
    both = conversation(article="vpn", question="My vpn keeps disconnecting. Also, how do I book a holiday?")
    decision = decided(press("solved"), Loaded(conversation=both))
    assert (judged(decision), events(decision)) == ([], [(Event.CONFIRMED, "it")])


def test_no_get_me_a_person_contradicts_the_answer() -> None:
    """The case knows the ticket that was opened instead."""
    decision = decided(press("ticket"), Loaded(conversation=ANSWERED))
    (change,) = changed(decision, KeepCase)
    assert (change.case.kind, change.case.article, change.case.ticket) == (CaseKind.CONTRADICTED, "vpn", "t42")
    assert events(decision) == [(Event.CONTRADICTED, "it")]


def test_none_of_these_is_a_case_without_an_article() -> None:
    """Nothing that was suggested answers it."""
    decision = decided(press("ticket"), Loaded(conversation=conversation(question=QUESTION)))
    assert judged(decision) == [(CaseKind.NONE_OF_THESE, None)]


# --- what is never learned -------------------------------------------------------------------------
HR_ANSWERED = conversation(article="leave", question=QUESTION, team="hr")


@pytest.mark.parametrize(
    "decision",
    [
        solved(HR_ANSWERED, article="leave"),
        decided(press("ticket"), Loaded(conversation=HR_ANSWERED)),
        decided(press("solved vpn", at=HR_HELP), Loaded(conversation=ANSWERED)),
        decided(press("solved vpn"), loaded(hr_ticket(), conversation=replace(ANSWERED, ticket="t8"))),
        decided(press("solved vpn", by="max"), Loaded(conversation=replace(ANSWERED, requester="max"))),
        solved(replace(ANSWERED, question="my number is 020 7946 0958")),
    ],
    ids=["its team", "its ticket", "its channel", "restricted ticket", "a stranger", "personal data"],
)
def test_what_is_private_teaches_nothing(decision: Decision) -> None:
    """Neither case nor proposal; only the figure stays."""
    assert changed(decision, KeepCase) == changed(decision, Propose) == []
    assert len(events(decision)) == 1


def test_what_is_asked_in_a_restricted_channel_stays_that_teams() -> None:
    """Even where another team's article answers it, and the buttons are pressed elsewhere."""
    asked = decided(slash(QUESTION, at=HR_HELP), match=match(Verdict.ANSWER, VPN))
    (kept,) = changed(asked, Converse)
    later = decided(press("solved vpn", at=DM), Loaded(conversation=kept.conversation))
    assert changed(later, KeepCase) == changed(later, Propose) == []


# --- proposals -----------------------------------------------------------------------------------
def test_a_confirmed_question_is_proposed_as_a_phrasing() -> None:
    """To the lead, since the article has no owner; three answers are possible."""
    decision = solved()
    proposal = proposed(decision)
    assert (proposal.kind, proposal.article, proposal.text) == (ProposalKind.PHRASING, "vpn", QUESTION)
    asked = saying(decision, "learn.phrasing")
    assert asked.to == Direct(person="lee")
    assert asked.key == f"proposal:{proposal.id}"
    told = notice(decision, "learn.phrasing")
    assert told.quote == QUESTION
    assert [command.split()[-1] for command in commands(told.choices)] == ["add", "not", "no"]


def with_owner(owner: str) -> KnowledgeBase:
    return KnowledgeBase.of((replace(VPN, owner=owner),))


@pytest.mark.parametrize(("owner", "asked"), [("kim", "kim"), ("chen", "lee"), ("nobody", "lee"), ("ada", "ada")])
def test_a_question_is_shown_only_to_who_may_read_its_team(owner: str, asked: str) -> None:
    """An owner who does not work for the team gives way to its lead."""
    assert proposed(solved(kb=with_owner(owner))).person == asked


def test_with_nobody_to_ask_nothing_is_proposed() -> None:
    """A team without a lead, an article without an owner: the case is kept all the same."""
    teams = {id: replace(team, lead=None) for id, team in POLICY.teams.items()}
    decision = solved(policy=replace(POLICY, teams=teams))
    assert changed(decision, Propose) == []
    assert judged(decision) == [(CaseKind.CONFIRMED, "vpn")]


@pytest.mark.parametrize("question", ["VPN keep dropping", "x" * 301, "write to kim@example.com, it drops"])
def test_what_may_not_or_need_not_be_a_phrasing_is_not_proposed(question: str) -> None:
    """Nearly what stands there already, too long, somebody's data."""
    assert changed(solved(replace(ANSWERED, question=question)), Propose) == []


@pytest.mark.parametrize("state", ProposalState)
def test_nearly_the_same_is_proposed_once(state: ProposalState) -> None:
    """Waiting, accepted or declined: nobody is asked again."""
    before = replace(proposed(solved()), id="other", text=QUESTION.upper() + "!", state=state)
    assert changed(solved(taught=Taught(proposals=(before,))), Propose) == []


def test_who_got_many_proposals_today_gets_no_more() -> None:
    """It is kept for a quieter day."""
    decision = solved(taught=Taught(offered={"lee": PROPOSALS_A_DAY}))
    assert proposed(decision).offered_at is None
    assert phrases(decision) == {"answer.solved"}


# --- settling ------------------------------------------------------------------------------------
PROPOSAL = Proposal(
    id=proposal_id(ProposalKind.PHRASING, "vpn", QUESTION),
    kind=ProposalKind.PHRASING,
    article="vpn",
    title=VPN.title,
    text=QUESTION,
    language=Language.EN,
    team="it",
    person="lee",
    made_at=NOW,
    offered_at=NOW,
)
WRITTEN = replace(
    PROPOSAL,
    id=proposal_id(ProposalKind.ARTICLE, "ticket-7", ""),
    kind=ProposalKind.ARTICLE,
    article="ticket-7",
    title="The tunnel breaks",
    body="Use the other tunnel.",
    ticket="t7",
)


def settled(answer: str, proposal: Proposal | None = PROPOSAL, *, by: str = "lee", **known: Any) -> Decision:
    id = proposal.id if proposal else "gone"
    taught = Taught(proposal=proposal, restricted=known.pop("restricted", False))
    return decided(press(f"settle {id} {answer}", by=by, at=DM), taught=taught, **known)


@pytest.mark.parametrize(
    ("answer", "against", "said"), [("add", False, "learn.added"), ("not", True, "learn.added_against")]
)
def test_one_press_adds_the_phrasing(answer: str, against: bool, said: str) -> None:
    """For the article or against it; the message then says so, and that it is in force within seconds."""
    decision = settled(answer)
    (added,) = changed(decision, AddPhrasing)
    assert (added.article, added.text, added.against, added.by) == ("vpn", QUESTION, against, "lee")
    assert [change.state for change in changed(decision, Settle)] == [ProposalState.ACCEPTED]
    update = saying(decision, said)
    assert isinstance(update.to, OnSlot)
    assert update.to.slot == f"proposal:{PROPOSAL.id}"


def test_not_this_is_a_correction_too() -> None:
    """The owner knows better than who pressed "yes"."""
    assert judged(settled("not")) == [(CaseKind.CORRECTED, "vpn")]


def test_no_thanks_adds_nothing() -> None:
    """And nobody is asked again, since the proposal stays."""
    decision = settled("no")
    assert [change.state for change in changed(decision, Settle)] == [ProposalState.DECLINED]
    assert changed(decision, AddPhrasing) == []


@pytest.mark.parametrize("state", [ProposalState.ACCEPTED, ProposalState.DECLINED])
def test_the_second_press_is_told_who_was_first(state: ProposalState) -> None:
    """Two people at once, or one person twice: nothing happens a second time."""
    decision = settled("add", replace(PROPOSAL, state=state, settled_by="kim"))
    assert decision.changes == ()
    assert notice(decision, "learn.settled").values["who"] == "Kim"


def test_who_presses_for_somebody_else_is_told_apart() -> None:
    """The one who was asked sees it in the message itself."""
    told = [item.to for item in settled("add", by="kim").outgoing]
    assert [type(to) for to in told] == [InThread, OnSlot]


@pytest.mark.parametrize("by", ["ann", "chen", "max"])
@pytest.mark.parametrize("answer", ["add", "no"])
def test_nobody_else_settles_a_proposal(by: str, answer: str) -> None:
    """Nor do they read what it was about."""
    decision = settled(answer, by=by)
    assert decision.changes == ()
    assert phrases(decision) == {"learn.gone"}


@pytest.mark.parametrize("decision", [settled("add", None), settled("later")], ids=["no proposal", "no such answer"])
def test_a_press_that_means_nothing_is_answered(decision: Decision) -> None:
    """Never silent."""
    assert phrases(decision) == {"learn.gone"}


def test_an_article_that_is_gone_gets_no_phrasing() -> None:
    """The proposal is closed with the reason."""
    decision = settled("add", kb=KnowledgeBase.of((MAIL,)))
    assert changed(decision, AddPhrasing) == []
    assert phrases(decision) == {"learn.no_article"}


def test_a_new_article_is_written_with_one_press() -> None:
    """For the company, with the question as its phrasing; the question is labelled with it."""
    decision = settled("add", WRITTEN)
    (change,) = changed(decision, AddArticle)
    article: Article = change.article
    assert (article.id, article.body, article.phrasings) == ("ticket-7", "Use the other tunnel.", (QUESTION,))
    assert (article.team, article.audience, article.owner) == ("it", "company", "lee")
    assert judged(decision) == [(CaseKind.LINKED, "ticket-7")]


def test_an_article_of_a_team_that_is_restricted_by_now_is_for_the_team() -> None:
    """Policy may change between question and press."""
    teams = {id: replace(team, restricted=True) for id, team in POLICY.teams.items()}
    decision = settled("add", WRITTEN, policy=replace(POLICY, teams=teams))
    assert changed(decision, AddArticle)[0].article.audience == "team:it"


def test_a_ticket_that_became_restricted_teaches_nothing_any_more() -> None:
    """The press closes the proposal and adds nothing."""
    decision = settled("add", WRITTEN, restricted=True)
    assert changed(decision, AddArticle) == []
    assert phrases(decision) == {"learn.declined"}
