"""Cases, what may become a phrasing, and the trade-off of thresholds: the pure part of learning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, VPN
from triage.learning import (
    MAX_PHRASING,
    Case,
    CaseKind,
    Point,
    ProposalKind,
    case,
    known_to,
    labelled,
    may_be_case,
    may_be_phrasing,
    trade_off,
)
from triage.matching import Labelled


def said(kind: CaseKind, article: str | None = "vpn", *, minutes: int = 0, **changes: Any) -> Case:
    known: dict[str, Any] = {"text": "my vpn drops", "person": "ann", "at": NOW + timedelta(minutes=minutes)}
    return case(kind=kind, article=article, **(known | changes))


# --- cases ---------------------------------------------------------------------------------------
def test_saying_the_same_again_is_the_same_case() -> None:
    """The same person of the same question, however it is spaced and cased."""
    again = said(CaseKind.CONFIRMED, minutes=5, text="My  VPN drops")
    assert said(CaseKind.CONFIRMED).id == again.id


@pytest.mark.parametrize(
    "changes", [{"person": "bob"}, {"article": "mail"}, {"text": "mail is gone"}, {"ticket": "t7"}]
)
def test_something_else_is_another_case(changes: dict[str, Any]) -> None:
    """Another person, another article, another question, another ticket."""
    assert said(CaseKind.CONFIRMED).id != said(CaseKind.CONFIRMED, **changes).id


@pytest.mark.parametrize(
    ("cases", "article"),
    [
        ([said(CaseKind.CONFIRMED)], "vpn"),
        ([said(CaseKind.CONTRADICTED)], None),
        ([said(CaseKind.NONE_OF_THESE, None)], None),
        ([said(CaseKind.CORRECTED)], None),
        ([said(CaseKind.LINKED, "mail"), said(CaseKind.CONFIRMED, minutes=9)], "mail"),
        ([said(CaseKind.CORRECTED), said(CaseKind.CONFIRMED, minutes=9)], None),
        ([said(CaseKind.CORRECTED), said(CaseKind.LINKED, "mail", minutes=9)], "mail"),
        ([said(CaseKind.CONTRADICTED), said(CaseKind.CONFIRMED, "mail", minutes=9)], "mail"),
        ([said(CaseKind.LINKED, "mail", minutes=9), said(CaseKind.LINKED, "vpn")], "mail"),
        ([said(CaseKind.LINKED), said(CaseKind.CORRECTED, minutes=9)], None),
        ([said(CaseKind.LINKED, minutes=9), said(CaseKind.CORRECTED)], "vpn"),
        ([said(CaseKind.LINKED), said(CaseKind.LINKED, "mail"), said(CaseKind.CORRECTED, "mail", minutes=9)], "vpn"),
    ],
)
def test_a_question_gets_the_label_of_whoever_knows_best(cases: list[Case], article: str | None) -> None:
    """Agents before requesters, and of equal ones whoever spoke last."""
    assert labelled(cases) == [Labelled(text="my vpn drops", article=article)]


def test_each_question_is_one_label() -> None:
    """Whoever asks it, however often."""
    cases = [said(CaseKind.CONFIRMED), said(CaseKind.CONFIRMED, person="bob"), said(CaseKind.CONFIRMED, text="mail")]
    assert [label.text for label in labelled(cases)] == ["my vpn drops", "mail"]


def test_what_an_audience_may_not_read_labels_nothing_for_it() -> None:
    """Otherwise an outsider's confidence would depend on articles they may not see."""
    cases = [said(CaseKind.LINKED, audience="team:it"), said(CaseKind.CONFIRMED, text="mail", audience="public")]
    assert labelled(cases, frozenset({"public", "company"})) == [Labelled(text="mail", article="vpn")]
    assert len(labelled(cases, frozenset({"public", "company", "team:it"}))) == 2


# --- phrasings -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        "write to kim@example.com please",
        "my number is 020 7946 0958",
        "call me on +44-20-7946-0958",
        "my badge 20041977 is broken",
        "주민번호 900101-1234567",
        "ask @Kim about it",
    ],
)
def test_personal_data_is_never_learned(text: str) -> None:
    """Neither as a phrasing nor as a case."""
    assert (may_be_phrasing(text), may_be_case(text)) == (False, False)


@pytest.mark.parametrize("text", ["my vpn drops since 09:30", "Windows 11 and Office 365", "error 809", "VPN이 안돼요"])
def test_numbers_of_things_are_no_personal_data(text: str) -> None:
    """Versions, times, short error codes."""
    assert may_be_phrasing(text)


def test_a_long_story_is_a_case_and_no_phrasing() -> None:
    """It would weigh more than all others."""
    text = "the train was late and " * MAX_PHRASING
    assert (may_be_phrasing(text[: MAX_PHRASING + 1]), may_be_case(text[: MAX_PHRASING + 1])) == (False, True)


@pytest.mark.parametrize("text", ["", "  ", "👍👍"])
def test_nothing_said_is_nothing_learned(text: str) -> None:
    """Without a word there is no question."""
    assert (may_be_phrasing(text), may_be_case(text)) == (False, False)


@pytest.mark.parametrize(
    ("text", "known"), [("vpn keeps dropping!", True), ("VPN keep dropping", True), ("the tunnel is slow", False)]
)
def test_nearly_the_same_words_are_known(text: str, known: bool) -> None:
    """The title counts as one of the phrasings."""
    assert known_to(VPN, text, ProposalKind.PHRASING) is known


def test_a_phrasing_is_not_known_as_one_against_it() -> None:
    """The two are told apart."""
    assert not known_to(VPN, VPN.title, ProposalKind.AGAINST)


# --- the trade-off -------------------------------------------------------------------------------
def test_the_trade_off_shows_what_each_threshold_would_do() -> None:
    """Fewer answers, and more of them right, the higher it is."""
    scored = [(0.9, True), (0.8, True), (0.7, False), (0.2, False)]
    assert trade_off(scored, (0.75, 0.5, 0.95)) == (
        Point(threshold=0.5, coverage=0.75, precision=2 / 3),
        Point(threshold=0.75, coverage=0.5, precision=1.0),
        Point(threshold=0.95, coverage=0.0, precision=None),
    )
