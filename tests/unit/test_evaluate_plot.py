"""The picture of `deskbell eval --plot`: nothing lies over the curves."""

from __future__ import annotations

from typing import Any

import pytest

from bot.evaluate import Outcome
from bot.evaluation_plot import drawn
from triage.matching import Labelled, Verdict


def outcome(confidence: float, *, right: bool, threshold: float) -> Outcome:
    decision = Verdict.ANSWER if confidence >= threshold else Verdict.SUGGEST
    question = Labelled(text="q", article="a" if right else None)
    return Outcome(
        question=question, decision=decision, top=("a",), confidence=confidence, threshold=threshold, seconds=0.001
    )


def legends(outcomes: list[Outcome]) -> list[tuple[Any, Any, Any]]:
    """Of each legend where it stands, and its axes and the picture."""
    canvas = drawn(outcomes, precision=0.95, title="kb, queries · lexical")
    canvas.draw()
    return [
        (axes.get_legend().get_window_extent(), axes.get_window_extent(), canvas.figure.bbox)
        for axes in canvas.figure.axes
    ]


@pytest.mark.parametrize("threshold", [0.5, 1.01], ids=["some are answered", "none is answered"])
def test_the_legends_stand_above_the_curves(threshold: float) -> None:
    """Inside the axes they would hide the curve of some data; outside the picture nobody could read them."""
    found = legends([outcome(n / 100, right=n % 3 > 0, threshold=threshold) for n in range(100)])
    assert len(found) == 3
    for legend, axes, picture in found:
        assert legend.y0 >= axes.y1
        assert (legend.x0 >= picture.x0, legend.x1 <= picture.x1) == (True, True)


def test_nothing_asked_is_drawn_too() -> None:
    """An empty file of questions is no failure."""
    assert len(legends([])) == 3
