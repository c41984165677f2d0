"""The verb `kb` and the question after resolving: agents link, correct and send articles; anybody searches them.

Lee leads IT and looks after its articles; Kim is an agent; HR is restricted; Max is a stranger.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import (
    ASKED,
    BANDS,
    CARD,
    LOBBY,
    MAIL,
    NO_MATCH,
    NOW,
    VPN,
    changed,
    commands,
    conversation,
    decided,
    entry,
    hr_ticket,
    loaded,
    match,
    mention,
    notice,
    person,
    phrases,
    press,
    saying,
    slash,
    ticket,
)
from tests.unit.learning_cases import judged, proposed
from triage.changes import AddEntry, Converse, Decision, KeepCase, Propose
from triage.knowledge import Article, KnowledgeBase
from triage.learning import Case, CaseKind, ProposalKind, case
from triage.matching import Verdict
from triage.model import EntryKind, Status, Ticket
from triage.outgoing import Answer, Direct, InThread, Privately
from triage.ports import Loaded
from triage.turn import Taught


# --- agents ----------------------------------------------------------------------------------------
def by_kim(text: str, found: Ticket | None = None, **known: Any) -> Decision:
    """Kim, by button; the ticket's question is "Printer on fire"."""
    loads = loaded(found or ticket(owner="kim"))
    return decided(press(text, by="kim", at=CARD), loads, **known)


NEAR = match(Verdict.SUGGEST, VPN, MAIL)


def test_a_resolved_ticket_asks_which_article_answered_it() -> None:
    """The three nearest, and that it was none of them."""
    told = notice(by_kim("resolve 7 new cable", match=NEAR), "kb.which_solved")
    assert commands(told.choices) == ["kb 7 vpn", "kb 7 mail", "kb 7 none"]


def test_a_ticket_that_is_linked_already_asks_nothing() -> None:
    """Nor does a restricted one."""
    linked = Case(id="c", at=NOW, text="q", article="vpn", kind=CaseKind.LINKED, person="kim", ticket="t7")
    assert "kb.which_solved" not in phrases(by_kim("resolve 7", match=NEAR, taught=Taught(cases=(linked,))))
    park = decided(press("resolve 8", by="park", at=CARD), loaded(hr_ticket()), match=NEAR)
    assert "kb.which_solved" not in phrases(park)


def test_a_solved_ticket_without_a_near_article_may_become_one() -> None:
    """The subject, the agent's words and the question go to the lead, who sees it all."""
    decision = by_kim("resolve 7 pull the plug", match=NO_MATCH)
    proposal = proposed(decision)
    assert (proposal.kind, proposal.title, proposal.body) == (ProposalKind.ARTICLE, "Printer on fire", "pull the plug")
    assert (proposal.text, proposal.person, proposal.article) == ("Printer on fire", "lee", "ticket-7")
    assert notice(decision, "learn.article").quote == "pull the plug"


def test_the_last_reply_counts_where_the_resolving_had_no_words() -> None:
    """What the agent wrote to the requester before."""
    history = (entry("first", by="kim", kind=EntryKind.REPLY), entry("secret", by="kim", kind=EntryKind.NOTE))
    assert proposed(by_kim("resolve 7", match=NO_MATCH, history=history)).body == "first"


@pytest.mark.parametrize("found", [NO_MATCH, None])
def test_a_ticket_without_an_answer_becomes_no_article(found: Any) -> None:
    """There is nothing to learn from it."""
    decision = by_kim("resolve 7", match=found)
    assert changed(decision, Propose) == []
    assert "kb.which_solved" not in phrases(decision)


def test_a_requester_who_resolves_is_asked_nothing() -> None:
    """Which article it was is for agents to say."""
    decision = decided(press("resolve 7 got it", at=ASKED), loaded(ticket()), match=NEAR)
    assert phrases(decision).isdisjoint({"kb.which_solved", "learn.article"})


def test_linking_is_a_case_an_entry_and_a_proposal() -> None:
    """And the agent may send the article with another press."""
    decision = by_kim("kb 7 vpn")
    assert judged(decision) == [(CaseKind.LINKED, "vpn")]
    (line,) = changed(decision, AddEntry)
    assert line.entry.kind is EntryKind.EVENT
    assert proposed(decision).text == "Printer on fire"
    assert commands(notice(decision, "kb.linked").choices) == ["kb 7 vpn send"]


def test_linking_again_adds_no_second_entry() -> None:
    """The verb is idempotent for a person, a ticket and an article."""
    (line,) = changed(by_kim("kb 7 vpn"), AddEntry)
    assert changed(by_kim("kb 7 vpn", history=(line.entry,)), AddEntry) == []


def test_not_this_corrects_and_proposes_against() -> None:
    """The owner decides whether the article shall never answer this."""
    decision = by_kim("kb 7 not vpn")
    assert judged(decision) == [(CaseKind.CORRECTED, "vpn")]
    assert proposed(decision).kind is ProposalKind.AGAINST
    assert len(notice(decision, "learn.against").choices) == 2


def test_none_of_them_offers_the_answer_as_an_article() -> None:
    """The agent's reply is there; the owner decides."""
    history = (entry("pull the plug", by="kim", kind=EntryKind.REPLY),)
    decision = by_kim("kb 7 none", ticket(status=Status.RESOLVED), history=history)
    assert judged(decision) == [(CaseKind.NONE_OF_THESE, None)]
    assert proposed(decision).kind is ProposalKind.ARTICLE
    assert "kb.noted_proposed" in phrases(decision)


def test_without_an_article_the_nearest_are_offered() -> None:
    """`kb 7` asks which; with nothing near it says how to name one."""
    assert commands(notice(by_kim("kb 7", match=NEAR), "kb.which").choices)[:2] == ["kb 7 vpn", "kb 7 mail"]
    assert phrases(by_kim("kb 7", match=NO_MATCH)) == {"kb.nothing_near"}


def test_an_article_the_agent_may_not_read_does_not_exist() -> None:
    """Salary bands are HR's."""
    assert phrases(by_kim("kb 7 bands")) == {"kb.no_article"}


def test_a_restricted_ticket_is_linked_and_teaches_nothing() -> None:
    """Its history may know; nobody else does."""
    decision = decided(press("kb 8 leave", by="park", at=CARD), loaded(hr_ticket()))
    assert changed(decision, KeepCase) == changed(decision, Propose) == []
    assert len(changed(decision, AddEntry)) == 1


def test_a_strangers_ticket_teaches_nothing() -> None:
    """Guests' words do not shape the company's answers."""
    guest = ticket(team="finance", requester="max")
    found = loaded(guest, people={"max": replace(person("max"), guest=True)})
    decision = decided(press("kb 7 mail", by="chen", at=CARD), found)
    assert changed(decision, KeepCase) == changed(decision, Propose) == []


@pytest.mark.parametrize("by", ["ann", "bob", "chen"])
def test_only_agents_of_the_team_link(by: str) -> None:
    """Others are told so, or that there is no such ticket."""
    decision = decided(press("kb 7 vpn", by=by, at=LOBBY), Loaded(ticket=ticket()))
    assert judged(decision) == []
    assert phrases(decision) <= {"error.not_agent", "error.no_ticket"}


# --- an article or none ----------------------------------------------------------------------------
def case_of(kind: CaseKind, article: str | None = None, *, by: str = "kim", minutes: int = 0) -> Case:
    at = NOW - timedelta(hours=1) + timedelta(minutes=minutes)
    return case(at=at, text="Printer on fire", article=article, kind=kind, person=by, ticket="t7")


LINKED = case_of(CaseKind.LINKED, "vpn")
NONE = case_of(CaseKind.NONE_OF_THESE)


def after(text: str, *before: Case, **known: Any) -> Decision:
    return by_kim(text, taught=Taught(cases=before), **known)


def test_none_does_not_overrule_a_link() -> None:
    """The link is kept; one press, or the words that the message names, changes that."""
    decision = after("kb 7 none", LINKED)
    assert decision.changes == ()
    told = notice(decision, "kb.keeps_link")
    assert (told.values["title"], told.values["command"]) == (VPN.title, "kb 7 none instead")
    assert commands(told.choices) == ["kb 7 none instead"]


def test_a_link_that_the_agent_may_not_read_is_kept_without_its_title() -> None:
    """Salary bands are HR's."""
    decision = after("kb 7 none", replace(LINKED, article="bands"))
    assert decision.changes == ()
    assert phrases(decision) == {"kb.keeps_other"}
    assert BANDS.title not in str(decision.outgoing)


@pytest.mark.parametrize("words", ["vpn", "vpn send"])
def test_a_link_does_not_overrule_none(words: str) -> None:
    """Nor is anything sent before the agent says "instead"."""
    decision = after(f"kb 7 {words}", NONE)
    assert decision.changes == ()
    assert commands(notice(decision, "kb.keeps_none").choices) == [f"kb 7 {words} instead"]


def test_none_instead_takes_the_link_back() -> None:
    """What was linked is corrected, so that it labels nothing any more."""
    decision = after("kb 7 none instead", LINKED)
    assert judged(decision) == [(CaseKind.CORRECTED, "vpn"), (CaseKind.NONE_OF_THESE, None)]
    assert len(changed(decision, AddEntry)) == 1
    assert "kb.noted" in phrases(decision)


@pytest.mark.parametrize(("words", "said"), [("vpn instead", "kb.linked"), ("vpn send instead", "kb.sent")])
def test_an_article_instead_of_none_is_linked(words: str, said: str) -> None:
    """And sent, if that was wanted."""
    decision = after(f"kb 7 {words}", NONE)
    assert judged(decision) == [(CaseKind.LINKED, "vpn")]
    assert said in phrases(decision)


@pytest.mark.parametrize(
    ("text", "before", "said"),
    [
        ("kb 7 vpn", (LINKED,), "kb.linked"),
        ("kb 7 mail", (LINKED,), "kb.linked"),
        ("kb 7 none", (NONE,), "kb.noted"),
        ("kb 7 not vpn", (NONE,), "kb.corrected"),
        ("kb 7 none", (LINKED, case_of(CaseKind.CORRECTED, "vpn", minutes=5)), "kb.noted"),
        ("kb 7 vpn", (case_of(CaseKind.NONE_OF_THESE, by="ann"),), "kb.linked"),
        ("kb 7 none", (case_of(CaseKind.CONFIRMED, "vpn", by="ann"),), "kb.noted"),
        ("kb 7 vpn", (NONE, case_of(CaseKind.LINKED, "mail", minutes=5)), "kb.linked"),
        ("kb 7 none", (LINKED, case_of(CaseKind.NONE_OF_THESE, minutes=5)), "kb.noted"),
    ],
    ids=[
        "the same again",
        "a second article",
        "none again",
        "a correction",
        "a link taken back",
        "the requester's none",
        "the requester's yes",
        "linked since",
        "none since",
    ],
)
def test_what_contradicts_nothing_needs_no_instead(text: str, before: tuple[Case, ...], said: str) -> None:
    """Only what an agent said last, and did not take back, is kept against a press."""
    assert said in phrases(after(text, *before))


def test_resolving_asks_nothing_once_an_agent_said_none() -> None:
    """The question was answered."""
    assert "kb.which_solved" not in phrases(after("resolve 7", NONE, match=NEAR))


# --- sending it ------------------------------------------------------------------------------------
def test_the_article_is_sent_where_it_was_asked() -> None:
    """As the agent's reply: it is in the history and meets the first response."""
    decision = by_kim("kb 7 vpn send")
    (sent,) = [item for item in decision.outgoing if isinstance(item.notice, Answer)]
    assert sent.to == InThread(thread=ASKED)
    assert [change.entry.kind for change in changed(decision, AddEntry)] == [EntryKind.EVENT, EntryKind.REPLY]
    assert judged(decision) == [(CaseKind.LINKED, "vpn")]
    assert "kb.sent" in phrases(decision)


def test_it_is_sent_once() -> None:
    """The second press says so."""
    lines = tuple(change.entry for change in changed(by_kim("kb 7 vpn send"), AddEntry))
    again = by_kim("kb 7 vpn send", history=lines)
    assert phrases(again) == {"kb.sent_before"}
    assert again.changes == ()


TEAM_ONLY = Article(id="runbook", title="Runbook", body="Secret.", team="it", audience="team:it")
KB_OF_IT = KnowledgeBase.of((VPN, TEAM_ONLY))


def test_what_the_requester_may_not_read_is_not_sent() -> None:
    """The link itself stands in a note that they never see."""
    assert phrases(by_kim("kb 7 runbook send", kb=KB_OF_IT)) == {"kb.may_not_read"}
    (line,) = changed(by_kim("kb 7 runbook", kb=KB_OF_IT), AddEntry)
    assert line.entry.kind is EntryKind.NOTE


def test_what_only_a_team_may_read_goes_to_its_member_alone() -> None:
    """Lee asked in the open; the runbook is not for everyone there."""
    own = ticket(requester="lee")
    found = loaded(own, people={"lee": person("lee")})
    decision = decided(press("kb 7 runbook send", by="kim", at=CARD), found, kb=KB_OF_IT)
    (sent,) = [item for item in decision.outgoing if isinstance(item.notice, Answer)]
    assert sent.to == Direct(person="lee")


# --- searching -------------------------------------------------------------------------------------
def test_anybody_searches_the_articles() -> None:
    """Titles with a button each, to the searcher alone, and the words as a question."""
    decision = decided(slash("kb vpn drops"), match=match(Verdict.SUGGEST, VPN))
    assert isinstance(saying(decision, "kb.found").to, Privately)
    assert commands(notice(decision, "kb.found").choices) == ["read vpn", "ask vpn drops"]


def test_a_title_like_the_words_is_found_too() -> None:
    """Where the matcher sees nothing near."""
    found = notice(decided(slash("kb phone mail"), match=NO_MATCH), "kb.found")
    assert commands(found.choices)[0] == "read mail"


def test_nothing_is_found_of_what_is_not_for_the_searcher() -> None:
    """Salary bands are HR's: no title, no hint."""
    decision = decided(slash("kb salary bands"), match=NO_MATCH)
    assert phrases(decision) == {"kb.found_nothing"}
    assert BANDS.title not in str(decision.outgoing)


def test_reading_what_was_searched_answers_the_search() -> None:
    """So "yes, thanks" below it labels these words, not what was asked before."""
    before = Loaded(conversation=conversation(question="something else"))
    (kept,) = changed(decided(mention("kb vpn drops", at=ASKED), before, match=NO_MATCH), Converse)
    assert kept.conversation.question == "vpn drops"


def test_searching_leaves_a_ticket_its_question() -> None:
    """The requester looks something up in the ticket's own thread."""
    decision = decided(mention("kb vpn drops", at=ASKED), loaded(ticket()), match=NO_MATCH)
    assert changed(decision, Converse) == []
