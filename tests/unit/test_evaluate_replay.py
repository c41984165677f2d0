"""Replaying what people said: what was right must not go wrong unseen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.evaluation_replay import Replay, replay
from tests.unit.test_evaluate import Fixed, Told
from triage.learning import Case, CaseKind, case
from triage.matching import Verdict

AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
ANSWERS: dict[str, Told] = {
    "vpn drops": (Verdict.ANSWER, {"vpn": 0.9}),
    "lost badge": (Verdict.SUGGEST, {"desk": 0.5, "badge": 0.4}),
    "new phone": (Verdict.TICKET, {"phone": 0.1}),
}


def said(text: str, article: str | None, kind: CaseKind, *, later: int = 0) -> Case:
    return case(at=AT + timedelta(minutes=later), text=text, article=article, kind=kind, person="ann")


def replayed(*cases: Case, before: dict[str, bool] | None = None) -> Replay:
    return replay(cases, lambda audience: Fixed(ANSWERS), before or {})


def test_a_confirmed_answer_that_is_lost_is_broken() -> None:
    """It was right, and now it becomes a ticket."""
    result = replayed(said("new phone", "phone", CaseKind.CONFIRMED))
    assert [each.case.article for each in result.broken] == ["phone"]


def test_a_broken_case_is_told_in_words() -> None:
    """The text, what was wanted, and what happens now."""
    told = replayed(said("new phone", "phone", CaseKind.CONFIRMED)).as_text()
    assert "BROKEN: 'new phone': wanted phone, now ticket phone" in told


def test_a_linked_article_that_is_answered_now_is_mended() -> None:
    """An agent linked it, so it had not been found; now it is."""
    result = replayed(said("vpn drops", "vpn", CaseKind.LINKED))
    assert (len(result.mended), len(result.broken)) == (1, 0)


def test_a_suggestion_of_the_right_article_is_right() -> None:
    """The asker finds it among the three."""
    result = replayed(said("lost badge", "badge", CaseKind.CONFIRMED))
    assert (result.broken, result.mended) == ((), ())


@pytest.mark.parametrize(("text", "right"), [("vpn drops", False), ("lost badge", True)])
def test_what_did_not_help_must_not_be_answered(text: str, *, right: bool) -> None:
    """Contradicted answers are wrong as long as they are given."""
    article = next(iter(ANSWERS[text][1]))
    [each] = replayed(said(text, article, CaseKind.CONTRADICTED)).cases
    assert each.now is right


def test_another_answer_than_the_contradicted_one_is_right() -> None:
    """Only the article that did not help is excluded."""
    [each] = replayed(said("vpn drops", "proxy", CaseKind.CONTRADICTED)).cases
    assert each.now


def test_none_of_these_is_right_when_nothing_is_answered() -> None:
    """Nobody named an article."""
    kind = CaseKind.NONE_OF_THESE
    assert [each.now for each in replayed(said("vpn drops", None, kind), said("new phone", None, kind)).cases] == [
        False,
        True,
    ]


def test_an_earlier_replay_tells_what_was_right() -> None:
    """A linked case that an earlier replay found right is broken when it is lost."""
    linked = said("new phone", "phone", CaseKind.LINKED)
    assert not replayed(linked).broken
    assert replayed(linked, before={linked.id: True}).broken


def test_a_later_word_replaces_an_earlier_one() -> None:
    """What a person confirmed and an agent corrected later is not expected any more."""
    first = said("new phone", "phone", CaseKind.CONFIRMED)
    result = replayed(first, said("new phone", "phone", CaseKind.CORRECTED, later=5))
    assert (len(result.cases), result.broken) == (1, ())


def test_the_json_form_counts_and_lists() -> None:
    """Programs read the same as people."""
    told = replayed(
        said("new phone", "phone", CaseKind.CONFIRMED), said("vpn drops", "vpn", CaseKind.CONFIRMED)
    ).as_json()
    assert (told["cases"], told["right_before"], told["right_now"]) == (2, 2, 1)
    assert [each["text"] for each in told["broken"]] == ["new phone"]
