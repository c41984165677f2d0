"""What is learned, on every storage: cases, proposals and figures are kept once, and articles follow."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.contract.storages import AT, Bench, minutes, open_ticket, record
from triage.changes import AddArticle, AddPhrasing, Count, Decision, KeepCase, Offer, Propose, Settle, Transfer
from triage.errors import Conflict
from triage.knowledge import Article
from triage.learning import Case, CaseKind, Event, Figures, Proposal, ProposalKind, ProposalState, case
from triage.model import Language
from triage.ports import Lessons

VPN = Article(id="vpn", title="VPN keeps dropping", body="Restart it.", team="it")


def said(text: str = "my vpn drops", *, at: int = 0, **changes: Any) -> Case:
    known: dict[str, Any] = {"article": "vpn", "kind": CaseKind.CONFIRMED, "person": "ann"}
    return case(at=minutes(at), text=text, **(known | changes))


def proposal(id: str = "p1", **changes: Any) -> Proposal:
    known: dict[str, Any] = {
        "id": id,
        "kind": ProposalKind.PHRASING,
        "article": "vpn",
        "title": "VPN",
        "text": "the tunnel breaks",
        "language": Language.EN,
        "team": "it",
        "person": "lee",
        "made_at": AT,
    }
    return Proposal(**(known | changes))


def lessons(bench: Bench, read: Callable[[Lessons], Any]) -> Any:
    with bench.storage.reading() as reading:
        return read(reading.lessons)


# --- cases ---------------------------------------------------------------------------------------
def test_a_case_is_kept_once_and_comes_back_whole(bench: Bench) -> None:
    """Saying it again later makes it newer, since the last word counts."""
    first = said(ticket="t1", audience="team:it")
    again = replace(first, at=minutes(5))
    record(bench.storage, KeepCase(case=first))
    record(bench.storage, KeepCase(case=again))
    assert list(bench.storage.cases()) == [again]
    assert list(lessons(bench, lambda read: read.cases_of("t1"))) == [again]


def test_the_newest_cases_come_oldest_first(bench: Bench) -> None:
    """A limit leaves out the oldest."""
    kept = [said(f"question {n}", at=n) for n in range(3)]
    record(bench.storage, *(KeepCase(case=each) for each in reversed(kept)))
    assert list(bench.storage.cases(2)) == kept[1:]


def test_a_ticket_that_became_restricted_teaches_nothing_any_more(bench: Bench) -> None:
    """Its agents still find what was said of it."""
    opened = open_ticket(bench.storage)
    private = said("somebody talks about me", ticket=opened.id)
    public = said("my vpn drops")
    record(bench.storage, KeepCase(case=private), KeepCase(case=public))
    record(bench.storage, Transfer(ticket=opened.id, team="hr", restricted=True))
    assert list(bench.storage.cases()) == [public]
    assert list(lessons(bench, lambda read: read.cases_of(opened.id))) == [private]


# --- articles ------------------------------------------------------------------------------------
def test_an_added_phrasing_is_in_the_article_and_raises_the_revision(bench: Bench) -> None:
    """So every process follows within seconds."""
    library = bench.storage.library
    library.replace("folder", [VPN], AT)
    before = library.revision()
    added = AddPhrasing(article="vpn", language=Language.EN, text="the tunnel breaks", against=False, by="lee")
    record(bench.storage, added, replace(added, text="the train tunnel", against=True))
    revision, (article,) = library.articles()
    assert revision > before
    assert (article.phrasings, article.against) == (("the tunnel breaks",), ("the train tunnel",))


def test_a_new_article_is_in_force_and_survives_a_sync(bench: Bench) -> None:
    """It belongs to no folder, so no folder retires it."""
    library = bench.storage.library
    record(bench.storage, AddArticle(article=replace(VPN, id="ticket-7")))
    library.replace("folder", [VPN], AT)
    assert [article.id for article in library.articles()[1]] == ["ticket-7", "vpn"]


def test_an_article_whose_id_is_taken_changes_nothing(bench: Bench) -> None:
    """Whoever holds it keeps it."""
    library = bench.storage.library
    before = (library.replace("folder", [VPN], AT), library.articles())
    record(bench.storage, AddArticle(article=replace(VPN, title="Other")))
    assert library.articles() == before[1]


def test_nothing_is_learned_by_a_turn_that_rolls_back(bench: Bench) -> None:
    """Phrasing, revision, case and proposal go with the rest of it."""
    library = bench.storage.library
    library.replace("folder", [VPN], AT)
    before = library.articles()
    added = AddPhrasing(article="vpn", language=Language.EN, text="x", against=False, by="lee")
    with bench.storage.writing() as work:
        work.record(Decision(changes=(added, KeepCase(case=said()), Propose(proposal=proposal()))), AT)
    assert library.articles() == before
    assert list(bench.storage.cases()) == []
    assert lessons(bench, lambda read: read.proposal("p1")) is None


# --- proposals -----------------------------------------------------------------------------------
def test_a_proposal_is_made_once(bench: Bench) -> None:
    """The same one made again leaves it as it was settled."""
    record(bench.storage, Propose(proposal=proposal()))
    record(bench.storage, Settle(proposal="p1", state=ProposalState.DECLINED, by="lee"), at=minutes(5))
    record(bench.storage, Propose(proposal=proposal()))
    settled = replace(proposal(), state=ProposalState.DECLINED, settled_by="lee", settled_at=minutes(5))
    assert list(lessons(bench, lambda read: read.proposals("vpn"))) == [settled]


def test_a_settled_proposal_is_a_conflict(bench: Bench) -> None:
    """Whoever comes second decides again, with what the first one did."""
    record(bench.storage, Propose(proposal=proposal()))
    accept = Settle(proposal="p1", state=ProposalState.ACCEPTED, by="lee")
    record(bench.storage, accept)
    with pytest.raises(Conflict):
        record(bench.storage, accept)


def test_of_two_at_once_one_settles(bench: Bench) -> None:
    """Each in a transaction of its own that looks before it writes."""
    record(bench.storage, Propose(proposal=proposal()))

    def settle(by: str) -> str:
        with bench.storage.writing() as work:
            found = work.look().lessons.proposal("p1")
            if found is None or found.state is not ProposalState.WAITING:
                return "late"
            work.record(Decision(changes=(Settle(proposal="p1", state=ProposalState.ACCEPTED, by=by),)), AT)
            work.commit()
        return by

    with ThreadPoolExecutor(2) as pool:
        outcome = sorted(pool.map(settle, ("lee", "kim")))
    assert outcome[1] == "late" or outcome[0] == "late"
    found = lessons(bench, lambda read: read.proposal("p1"))
    assert found.settled_by in outcome


def test_what_was_offered_is_counted_and_what_waits_is_held(bench: Bench) -> None:
    """Offered late counts from then; settled ones wait no more."""
    offered = proposal("p1", offered_at=minutes(10))
    held = [proposal("p2", made_at=minutes(2)), proposal("p3", made_at=minutes(1), person="kim")]
    gone = proposal("p4", state=ProposalState.DECLINED)
    other = proposal("p5", team="hr")
    record(bench.storage, *(Propose(proposal=each) for each in (offered, *held, gone, other)))
    assert list(lessons(bench, lambda read: read.held("it"))) == [held[1], held[0]]
    assert lessons(bench, lambda read: read.offered(AT)) == {"lee": 1}
    record(bench.storage, Offer(proposal="p3"), at=minutes(30))
    assert lessons(bench, lambda read: read.offered(minutes(20))) == {"kim": 1}
    assert list(lessons(bench, lambda read: read.held("it"))) == [held[0]]


# --- figures -------------------------------------------------------------------------------------
def test_figures_count_one_team_and_one_day(bench: Bench) -> None:
    """From `since` up to but without `until`; a repeat counts once."""
    events = [Event.ANSWER, Event.ANSWER, Event.SUGGEST, Event.TICKET, Event.CONFIRMED, Event.CONTRADICTED]
    counts = [Count(id=str(n), team="it", event=event) for n, event in enumerate(events)]
    record(
        bench.storage, *counts, counts[0], Count(id="hr", team="hr", event=Event.ANSWER), Propose(proposal=proposal())
    )
    record(bench.storage, Count(id="later", team="it", event=Event.ANSWER), at=AT + timedelta(days=1))
    open_ticket(bench.storage)
    figures = lessons(bench, lambda read: read.figures("it", AT, AT + timedelta(days=1)))
    assert figures == Figures(asked=4, answered=2, confirmed=1, contradicted=1, opened=1, waiting=1)


def test_a_ticket_is_found_by_number_with_its_question(bench: Bench) -> None:
    """Before a turn, to match its question."""
    opened = open_ticket(bench.storage)
    with bench.storage.reading() as reading:
        assert (reading.numbered(1), reading.numbered(2)) == (opened, None)
        assert (reading.opening(opened.id), reading.opening("gone")) == ("Request 1", "")
