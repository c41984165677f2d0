"""Thresholds from the knowledge base alone, and from labelled questions, against what is worked out otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tests.unit.match_cases import DESK, sample, text_matcher
from triage.calibrate import (
    ENOUGH,
    FEWEST_RIGHT,
    LABELLED_ENOUGH,
    LEAST,
    MOST,
    OUT_OF_SCOPE,
    SAMPLED,
    TRUSTED,
    USUAL,
    WORTHWHILE,
    Seen,
    _auroc,
    _splits,
    calibrate,
    hide_from_nearest,
    share_let_through,
    threshold,
    usual_threshold,
)
from triage.corpus import corpus_of
from triage.features import Floats
from triage.head import Trust
from triage.knowledge import Article, KnowledgeBase
from triage.space import WordSpace

MOST_LET_THROUGH = 0.33


def seen(rows: Sequence[tuple[float, str]]) -> Seen:
    """Each question's confidence and what came of it: `right`, `wrong`, or `none` when it has no article."""
    return Seen(
        confidence=np.array([confidence for confidence, _ in rows], np.float32),
        right=np.array([what == "right" for _, what in rows], bool),
        inside=np.array([what != "none" for _, what in rows], bool),
        text=np.zeros(len(rows), np.int64),
        said=np.zeros(len(rows), np.int64),
    )


ROWS = st.lists(st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.sampled_from(["right", "wrong", "none"])))
NOTHING = seen([])
GOOD = seen([(0.5 + n / 100, "right") for n in range(45)] + [(n / 200, "none") for n in range(60)])


# --- the threshold of what was seen --------------------------------------------------------------
def precision_from(found: Seen, least: float) -> tuple[float, int]:
    """Counted one by one: the precision of answers from `least` up, and how many of them are right."""
    given_ = found.confidence >= np.float32(least)
    inside, outside = max(1, found.inside.sum()), max(1, (~found.inside).sum())
    right = int((given_ & found.inside & found.right).sum())
    rightly = (1 - OUT_OF_SCOPE) * right / inside
    wrongly = (1 - OUT_OF_SCOPE) * int((given_ & found.inside & ~found.right).sum()) / inside
    needlessly = OUT_OF_SCOPE * int((given_ & ~found.inside).sum()) / outside
    total = rightly + wrongly + needlessly
    return (rightly / total if total else 0.0), right


@given(ROWS, st.sampled_from([0.6, 0.8, 0.95]))
def test_the_threshold_is_the_lowest_that_is_precise(rows: list[tuple[float, str]], precision: float) -> None:
    """As trying every confidence that was seen finds it; distinct ones, since equal ones are counted in order."""
    found = seen(list(dict(rows).items()))
    least = threshold(found, precision)
    tried = [float(confidence) for confidence in found.confidence]
    precise = [
        one
        for one in tried
        if precision_from(found, one)[0] >= precision - 1e-12 and precision_from(found, one)[1] >= 5
    ]
    assert FEWEST_RIGHT == 5
    assert least == pytest.approx(min(precise, default=1.0))


def test_a_threshold_by_hand() -> None:
    """Six right ones, then one without an article: 0.75 of six sixths against 0.25 of one."""
    rows = [(0.9 - n / 100, "right") for n in range(6)] + [(0.5, "none")]
    assert threshold(seen(rows), 0.75) == pytest.approx(0.5)
    assert threshold(seen(rows), 0.76) == pytest.approx(0.85)


def test_too_few_right_answers_make_no_threshold() -> None:
    """Four of four are no estimate."""
    assert threshold(seen([(0.9, "right")] * 4), 0.95) == 1.0
    assert threshold(NOTHING, 0.95) == 1.0


# --- how well hidden phrasings are told from hidden articles -------------------------------------
@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
)
def test_the_area_is_that_of_scikit_learn(above: list[int], below: list[int]) -> None:
    """Ties count half."""
    expected = roc_auc_score([1] * len(above) + [0] * len(below), above + below)
    assert _auroc(np.array(above, np.float32), np.array(below, np.float32)) == pytest.approx(expected)


def test_nothing_to_compare_is_a_half() -> None:
    """No evidence either way."""
    nothing: Floats = np.zeros(0, np.float32)
    assert _auroc(nothing, nothing) == _auroc(nothing, np.ones(3, np.float32)) == 0.5


# --- thresholds ----------------------------------------------------------------------------------
def test_without_anything_hidden_the_usual_threshold_holds() -> None:
    """Articles of one phrasing each say nothing about themselves."""
    assert calibrate(NOTHING, 0.95, most=MOST_LET_THROUGH).answer == pytest.approx(USUAL)
    assert usual_threshold(0.95) == pytest.approx(USUAL)


def test_the_usual_threshold_moves_with_the_odds_of_precision() -> None:
    """By hand: its odds times the odds of the precision over those of .95."""
    odds = USUAL / (1 - USUAL) * (0.8 / 0.2) / (0.95 / 0.05)
    assert usual_threshold(0.8) == pytest.approx(odds / (1 + odds))


def test_what_the_folds_ask_for_counts_with_their_number() -> None:
    """By hand, in logits: 45 hidden phrasings go TRUSTED * 45 / (45 + ENOUGH) of the way."""
    high = [(0.90 + n / 1000, "right") for n in range(45)] + [(0.96 + n / 1000, "none") for n in range(8)]
    hidden = seen(high + [(n / 104, "none") for n in range(52)])
    found = threshold(hidden, 0.95)
    assert found == pytest.approx(51 / 104)
    way = TRUSTED * 45 / (45 + ENOUGH)
    odds = (USUAL / (1 - USUAL)) ** (1 - way) * (found / (1 - found)) ** way
    assert calibrate(hidden, 0.95, most=1.0).answer == pytest.approx(odds / (1 + odds), abs=1e-5)


@given(ROWS)
def test_a_useful_share_of_hidden_phrasings_is_answered(rows: list[tuple[float, str]]) -> None:
    """However strict the folds are: a desk that never answers has failed."""
    found = seen(rows)
    reached = found.confidence[found.inside]
    answer = calibrate(found, 0.95, most=MOST_LET_THROUGH).answer
    if len(reached) and answer > LEAST:
        share = share_let_through(found, 0.95, MOST_LET_THROUGH)
        assert 0.1 < share <= MOST_LET_THROUGH + 1e-9
        assert (reached >= answer - 1e-6).sum() >= np.floor(share * (len(reached) - 1))


def test_more_is_let_through_where_articles_describe_themselves() -> None:
    """By hand: of 101 hidden phrasings, all mixed with what is out of scope, a quarter, then ten in a hundred more."""
    hidden = seen([(0.4 + n / 1000, kind) for n in range(101) for kind in ("wrong", "none")])
    strict = calibrate(hidden, 0.95, most=MOST_LET_THROUGH).answer
    described = calibrate(hidden, 0.95, most=MOST_LET_THROUGH, more=0.1).answer
    assert strict == pytest.approx(0.475, abs=1e-4)
    assert described == pytest.approx(0.465, abs=1e-4)


@given(ROWS)
def test_stricter_precision_never_lowers_the_threshold(rows: list[tuple[float, str]]) -> None:
    """From .5 to .999."""
    answers = [calibrate(seen(rows), p, most=MOST_LET_THROUGH).answer for p in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)]
    assert all(lower <= upper + 1e-9 for lower, upper in pairwise(answers))


@given(ROWS, ROWS)
def test_thresholds_are_ordered_shares(rows: list[tuple[float, str]], more: list[tuple[float, str]]) -> None:
    """No suggestion needs more than an answer, and none is free."""
    found = calibrate(seen(rows), 0.95, most=MOST_LET_THROUGH, labelled=seen(more))
    assert WORTHWHILE <= found.suggest <= found.answer <= MOST
    assert found.answer >= LEAST


def test_precision_moves_the_sample_desks_threshold() -> None:
    """Step by step."""
    answers = [calibrate(sample().hidden, p, most=MOST_LET_THROUGH).answer for p in (0.8, 0.9, 0.95, 0.99)]
    assert all(lower < upper for lower, upper in pairwise(answers))


# --- labelled questions --------------------------------------------------------------------------
def test_labelled_questions_weigh_by_their_number() -> None:
    """By hand, in logits: sixty count as much as the base's own estimate."""
    rows = [(0.90 + n / 1000, "right") for n in range(40)] + [(0.5 + n / 100, "none") for n in range(20)]
    labelled = seen(rows)
    assert len(rows) == LABELLED_ENOUGH
    before = calibrate(GOOD, 0.95, most=1.0).answer
    found = threshold(labelled, 0.95)
    assert found > before
    odds = (before / (1 - before) * found / (1 - found)) ** 0.5
    after = calibrate(GOOD, 0.95, most=1.0, labelled=labelled).answer
    assert after == pytest.approx(odds / (1 + odds), abs=1e-5)


def test_confirmed_answers_alone_never_raise_the_threshold() -> None:
    """They all lie above it, and would drive it up rebuild by rebuild until nothing is answered."""
    confirmed = seen([(0.95 + n / 1000, "right") for n in range(50)])
    before = calibrate(GOOD, 0.95, most=1.0).answer
    assert calibrate(GOOD, 0.95, most=1.0, labelled=confirmed).answer <= before


def test_contradicted_answers_raise_the_threshold() -> None:
    """Sure and wrong, again and again."""
    rows = [(0.90 + n / 1000, "wrong" if n % 2 else "right") for n in range(60)]
    before = calibrate(GOOD, 0.95, most=1.0).answer
    assert calibrate(GOOD, 0.95, most=1.0, labelled=seen(rows)).answer > before


def test_labels_without_a_single_article_change_nothing() -> None:
    """Precision needs something that could have been right."""
    none = seen([(0.9, "none")] * 50)
    assert calibrate(GOOD, 0.95, most=1.0, labelled=none) == calibrate(GOOD, 0.95, most=1.0)


# --- folds ---------------------------------------------------------------------------------------
def test_no_fold_sees_what_it_hides() -> None:
    """Neither a hidden phrasing nor any text of a hidden article is learned from."""
    corpus = sample().corpus
    for kept, inside, outside in _splits(corpus):
        assert not set(kept) & (set(inside) | set(outside))
        assert not set(inside) & set(outside)
        articles = set(corpus.labels[kept])
        assert set(corpus.labels[inside]) <= articles
        assert not set(corpus.labels[outside]) & articles


def test_only_what_people_ask_is_hidden() -> None:
    """Lines of a body are no questions."""
    corpus = sample().corpus
    for _, inside, outside in _splits(corpus):
        assert corpus.asked[inside].all()
        assert corpus.asked[outside].all()


def test_no_article_is_hidden_twice() -> None:
    """Of a large base two folds are enough, and they hide different articles."""
    hidden = [set(sample().corpus.labels[outside]) for _, _, outside in _splits(sample().corpus)]
    assert len(hidden) == 2
    assert not hidden[0] & hidden[1]


def test_every_article_of_a_small_base_is_hidden_once() -> None:
    """All folds are made."""
    corpus = text_matcher(*DESK).corpus
    hidden = [place for _, _, outside in _splits(corpus) for place in set(corpus.labels[outside])]
    assert sorted(hidden) == list(range(corpus.articles))


def test_what_comes_out_for_hidden_phrasings_is_judged_by_their_article() -> None:
    """Those of hidden articles can only be wrong."""
    known = text_matcher(*DESK)
    inside = known.hidden.inside
    assert inside.any()
    assert (~inside).any()
    assert not known.hidden.right[~inside].any()
    labels = known.corpus.labels[known.hidden.text]
    assert (known.hidden.right == (known.hidden.said == labels)).all()


def test_a_searched_base_is_calibrated_on_a_sample_left_out_one_by_one() -> None:
    """By hand for the first: its own similarity is gone, and then its article's."""
    articles = [
        Article(id=f"{n:04}", title="", phrasings=tuple(f"gadget {n} {verb}" for verb in ("drops", "is lost", "jams")))
        for n in range(400)
    ]
    corpus = replace(corpus_of(KnowledgeBase.of(articles), [article.id for article in articles]), trained=False)
    found = hide_from_nearest(
        corpus, WordSpace(corpus.normals).similarities, Trust(top=1.2, apart=0.3, offset=2.6).confidence
    )
    assert len(found.confidence) == 2 * SAMPLED
    assert found.inside.sum() == SAMPLED
    assert not found.right[~found.inside].any()
    assert (found.said[~found.inside] != corpus.labels[found.text[~found.inside]]).all()
    assert found.right[found.inside].mean() > 0.9
