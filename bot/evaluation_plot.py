"""The picture of `deskbell eval --plot`: can the confidence be believed, and what does a threshold cost.

Called by `bot.cli_eval_run`. The only module that knows matplotlib, which is imported when a picture is
wanted and not before; it draws without a screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.evaluate import Bin, Outcome, precision_of, reliability, trade_off

_INK, _BLUE, _RED, _GREY = "#222222", "#2f6db3", "#c2410c", "#8a8a8a"
_FIRST_ANSWERS = 5
"""Points of the curve that rest on fewer answers than this are noise, and are not drawn."""


def plot(outcomes: Sequence[Outcome], *, precision: float, title: str, file: Path) -> None:
    """Write a PNG, 1600 by 800 pixels. `precision` is the one aimed at. Raises OSError."""
    drawn(outcomes, precision=precision, title=title).print_figure(str(file), format="png")


def drawn(outcomes: Sequence[Outcome], *, precision: float, title: str) -> Any:
    """The picture, as matplotlib's canvas."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.8, 6.4), dpi=125, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=15, fontweight="bold", color=_INK)
    grid = figure.add_gridspec(2, 2, height_ratios=(4, 1))
    diagram = figure.add_subplot(grid[0, 0])
    _reliability(diagram, reliability(outcomes), _threshold(outcomes))
    _counts(figure.add_subplot(grid[1, 0], sharex=diagram), outcomes)
    _trade_off(figure.add_subplot(grid[:, 1]), outcomes, precision)
    return canvas


def _threshold(outcomes: Sequence[Outcome]) -> float | None:
    """The threshold in force; None when nothing was asked."""
    return outcomes[0].threshold if outcomes else None


def _reliability(axes: Any, bins: Sequence[Bin], threshold: float | None) -> None:
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1.2, label="as it should be")
    axes.plot(
        [b.confidence for b in bins], [b.right for b in bins], "o-", color=_BLUE, markersize=8, label="as it turned out"
    )
    for b in bins:
        below = b.right <= b.confidence
        axes.annotate(
            f"{b.right:.2f}\nof {b.count}",
            (b.confidence, b.right),
            xytext=(0, -35 if below else 11),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            color=_INK,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
    _mark_threshold(axes, threshold)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.25, 1.2), ylabel="share right, of all questions (25 % out of scope)")
    axes.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.tick_params(labelbottom=False)
    _dress(axes, "Reliability: what a confidence is worth")


def _counts(axes: Any, outcomes: Sequence[Outcome]) -> None:
    for label, color, wanted in (("in scope", _BLUE, True), ("out of scope", _RED, False)):
        values = [outcome.confidence for outcome in outcomes if outcome.in_scope is wanted]
        axes.hist(values, bins=20, range=(0, 1), color=color, alpha=0.55, label=f"{len(values)} {label}")
    axes.set(xlabel="confidence", ylabel="questions")
    axes.tick_params(labelsize=11)
    _explain(axes, in_layout=True)
    axes.grid(visible=True, color="#e5e5e5")
    axes.set_axisbelow(True)


def _trade_off(axes: Any, outcomes: Sequence[Outcome], precision: float) -> None:
    inside = sum(outcome.in_scope for outcome in outcomes)
    points = [point for point in trade_off(outcomes) if point.coverage * inside >= _FIRST_ANSWERS]
    axes.plot([p.coverage for p in points], [p.precision for p in points], color=_BLUE, linewidth=2)
    axes.axhline(precision, color=_GREY, linestyle="--", linewidth=1.2, label=f"aimed at: {precision:.3g}")
    _mark_in_force(axes, outcomes, inside)
    lowest = min((p.precision for p in points), default=0.0)
    axes.set(xlim=(0, 1.02), ylim=(max(0.0, lowest - 0.05), 1.02))
    axes.set(xlabel="coverage: share of questions in scope that are answered", ylabel="precision of the answers")
    _dress(axes, "Trade-off: every threshold, and the one in force")


def _mark_in_force(axes: Any, outcomes: Sequence[Outcome], inside: int) -> None:
    precision, threshold = precision_of(outcomes), _threshold(outcomes)
    if precision is None or threshold is None:
        axes.plot([], [], " ", label="in force: nothing is answered")
        return
    coverage = sum(outcome.answered and outcome.in_scope for outcome in outcomes) / inside
    told = f"in force, {threshold:.3f}: precision {precision:.3f}, coverage {coverage:.2f}"
    axes.plot([coverage], [precision], "o", color=_RED, markersize=11, label=told)


def _mark_threshold(axes: Any, threshold: float | None) -> None:
    if threshold is not None and threshold <= 1:
        axes.axvline(threshold, color=_RED, linewidth=1.5, label=f"answers from {threshold:.3f} up")


def _dress(axes: Any, title: str) -> None:
    axes.set_title(title, fontsize=13, pad=28)
    axes.xaxis.label.set_size(12)
    axes.yaxis.label.set_size(12)
    axes.tick_params(labelsize=11)
    axes.grid(visible=True, color="#e5e5e5")
    axes.set_axisbelow(True)
    _explain(axes, in_layout=False)


def _explain(axes: Any, *, in_layout: bool) -> None:
    """The legend in one line above the axes: inside them it would lie on the curve of some data.

    Where the title leaves it room, it is no part of the layout, and so cannot make the axes narrow.
    """
    legend = axes.legend(
        fontsize=10.5,
        frameon=False,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3,
        borderaxespad=0.2,
        columnspacing=1.5,
        handlelength=1.6,
    )
    legend.set_in_layout(in_layout)
