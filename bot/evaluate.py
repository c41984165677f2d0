"""How good the answers are: labelled questions put to a matcher, and the figures of what came back.

Called by `bot.cli_eval_run` (`deskbell eval`, DESIGN.md, section 7) and by the benchmarks. Apart from the
clock everything is a pure function of outcomes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from triage.matching import Labelled, Match, Matcher, Verdict

OUT_OF_SCOPE = 0.25
"""Share of questions that the knowledge base cannot answer, as precision weighs them."""

WARM_UP = 20
BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one question; `seconds` is how long the matcher took."""

    question: Labelled
    decision: Verdict
    top: tuple[str, ...]
    confidence: float
    threshold: float
    seconds: float

    @property
    def best(self) -> str | None:
        """The id of the top article, None when the matcher has no candidate at all."""
        return self.top[0] if self.top else None

    @property
    def in_scope(self) -> bool:
        return self.question.article is not None

    @property
    def right(self) -> bool:
        """The top article is the wanted one."""
        return self.in_scope and self.best == self.question.article

    @property
    def answered(self) -> bool:
        return self.decision is Verdict.ANSWER

    def as_json(self) -> dict[str, Any]:
        """One line of `--out`."""
        return {
            "text": self.question.text,
            "decision": str(self.decision),
            "best": self.best,
            "confidence": self.confidence,
            "top3": list(self.top),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`deskbell eval --json`: shares are 0-1, times per question; None where a figure is undefined."""

    n: int
    n_in: int
    n_out: int
    top1: float | None
    recall3: float | None
    answered: int
    answer_precision: float | None
    coverage: float | None
    out_rejected: float | None
    auroc: float | None
    p50_ms: float | None
    p99_ms: float | None
    build_s: float
    rss_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Precision and coverage, 0-1, if everything from `threshold` up were answered."""

    threshold: float
    precision: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Questions whose confidence lies in [low, high): how many, their mean confidence, the share right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


def ask(matcher: Matcher, questions: Iterable[Labelled], *, warm_up: Sequence[str] = ()) -> Iterator[Outcome]:
    """Put the questions one at a time, in one thread, after `warm_up` was put without being counted."""
    with threadpool_limits(1):
        for text in warm_up[:WARM_UP]:
            matcher.match(text)
        for question in questions:
            started = perf_counter()
            match = matcher.match(question.text)
            yield _outcome(question, match, perf_counter() - started)


def figures(outcomes: Sequence[Outcome], *, build_s: float, rss_mb: float | None) -> Figures:
    inside = [outcome for outcome in outcomes if outcome.in_scope]
    outside = [outcome for outcome in outcomes if not outcome.in_scope]
    times = np.array([outcome.seconds for outcome in outcomes]) * 1000
    wanted = [outcome.question.article in outcome.top for outcome in inside]
    return Figures(
        n=len(outcomes),
        n_in=len(inside),
        n_out=len(outside),
        top1=_share([outcome.right for outcome in inside]),
        recall3=_share(wanted),
        answered=sum(outcome.answered for outcome in outcomes),
        answer_precision=precision_of(outcomes),
        coverage=_share([outcome.answered for outcome in inside]),
        out_rejected=_share([not outcome.answered for outcome in outside]),
        auroc=auroc([outcome.confidence for outcome in inside], [outcome.confidence for outcome in outside]),
        p50_ms=round(float(np.percentile(times, 50)), 4) if outcomes else None,
        p99_ms=round(float(np.percentile(times, 99)), 4) if outcomes else None,
        build_s=round(build_s, 3),
        rss_mb=rss_mb,
    )


def precision_of(outcomes: Sequence[Outcome]) -> float | None:
    """The share of answers that are right, None when there is no answer or no question in scope."""
    weights = _weights(outcomes)
    given = np.array([outcome.answered for outcome in outcomes], bool)
    right = np.array([outcome.right for outcome in outcomes], bool)
    total = float(weights[given].sum())
    if not total or not any(outcome.in_scope for outcome in outcomes):
        return None
    return float(weights[given & right].sum()) / total


def auroc(inside: Sequence[float], outside: Sequence[float]) -> float | None:
    """The chance that a question in scope is more confident than one out of scope; ties count half."""
    if not inside or not outside:
        return None
    others = np.sort(np.array(outside))
    below = np.searchsorted(others, inside, "left")
    not_above = np.searchsorted(others, inside, "right")
    return float((below + not_above).mean()) / 2 / len(others)


def trade_off(outcomes: Sequence[Outcome]) -> tuple[Point, ...]:
    """A point for every threshold that makes a difference, the highest first; empty without a question in scope.

    What a threshold below the one in force would answer is what was merely suggested.
    """
    inside = np.array([outcome.in_scope for outcome in outcomes], bool)
    if not inside.any():
        return ()
    confidences = np.array([outcome.confidence for outcome in outcomes])
    order = np.argsort(-confidences, kind="stable")
    weights = _weights(outcomes)[order]
    right = np.array([outcome.right for outcome in outcomes], bool)[order]
    sorted_confidences = confidences[order]
    last = np.append(np.nonzero(np.diff(sorted_confidences))[0], len(order) - 1)
    precisions = (np.cumsum(weights * right) / np.cumsum(weights))[last]
    coverages = (np.cumsum(inside[order]) / inside.sum())[last]
    return tuple(
        Point(threshold=float(t), precision=float(p), coverage=float(c))
        for t, p, c in zip(sorted_confidences[last], precisions, coverages, strict=True)
    )


def best_coverage(points: Iterable[Point], precision: float) -> Point | None:
    """The point with most coverage that still has the precision; None when there is none."""
    kept = [point for point in points if point.precision >= precision and point.coverage > 0]
    return max(kept, key=lambda point: point.coverage, default=None)


def reliability(outcomes: Sequence[Outcome], bins: int = BINS) -> tuple[Bin, ...]:
    """Confidence against the share that is right, weighed like precision; bins without a question are left out."""
    weights = _weights(outcomes)
    confidences = np.array([outcome.confidence for outcome in outcomes])
    right = np.array([outcome.right for outcome in outcomes], float)
    places = np.minimum((confidences * bins).astype(int), bins - 1)
    return tuple(
        Bin(
            low=place / bins,
            high=(place + 1) / bins,
            count=int((places == place).sum()),
            confidence=float(np.average(confidences[places == place], weights=weights[places == place])),
            right=float(np.average(right[places == place], weights=weights[places == place])),
        )
        for place in np.unique(places)
    )


def peak_mb() -> float | None:
    """The most memory this process ever held, in MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1_000_000 if sys.platform == "darwin" else 1_000_000 / 1024), 1)


def _outcome(question: Labelled, match: Match, seconds: float) -> Outcome:
    """What is ignored opens no ticket in chat; here it counts with what is not answered."""
    return Outcome(
        question=question,
        decision=Verdict.TICKET if match.verdict is Verdict.IGNORE else match.verdict,
        top=tuple(candidate.article.id for candidate in match.top),
        confidence=match.best.confidence if match.best else 0.0,
        threshold=match.answer,
        seconds=seconds,
    )


def _weights(outcomes: Sequence[Outcome]) -> NDArray[np.float64]:
    """A weight a question, so that OUT_OF_SCOPE of the whole is out of scope, however many there are."""
    inside = np.array([outcome.in_scope for outcome in outcomes], bool)
    n_in, n_out = int(inside.sum()), int((~inside).sum())
    if not n_in or not n_out:
        return np.ones(len(outcomes))
    return np.where(inside, (1 - OUT_OF_SCOPE) / n_in, OUT_OF_SCOPE / n_out)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
