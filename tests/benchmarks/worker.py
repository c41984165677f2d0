"""One measurement in a process of its own, so that its memory is its own: prints one JSON object.

Started by `tests.benchmarks.__main__`, one at a time. `--method` is `Deskbell TIER`, `Deskbell TIER: DESIGN`
or a name of `METHODS`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bot.evaluate import Outcome, ask, best_coverage, figures, peak_mb, trade_off
from bot.evaluation_files import read_kb, read_questions
from bot.settings import SettingsError
from tests.benchmarks.ablations import DESIGNS, WHOLE
from tests.benchmarks.methods import METHODS, Ranking
from tests.benchmarks.thresholds import decided, threshold
from triage.knowledge import Article
from triage.matching import Labelled

DESKBELL = "Deskbell "


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    articles, wrong = read_kb(options.kb)
    questions, more = read_questions(options.queries)
    if wrong or more:
        raise SystemExit("\n".join(map(str, [*wrong, *more])))
    some = questions[:: max(1, len(questions) // options.limit)][: options.limit] if options.limit else questions
    try:
        print(json.dumps(measure(options.method, articles, some, options.precision, speed_only=options.speed)))
    except (ImportError, SettingsError) as error:
        print(json.dumps({"missing": str(error)}))


def measure(
    method: str, articles: Sequence[Article], questions: Sequence[Labelled], precision: float, *, speed_only: bool
) -> dict[str, Any]:
    """The figures of `deskbell eval`, and `cov95`, the coverage that a threshold read off the questions gives."""
    measured = _deskbell if method.startswith(DESKBELL) else _other
    outcomes, build_s, peak = measured(method, articles, questions, precision, speed_only=speed_only)
    best = best_coverage(trade_off(outcomes), precision)
    return {**asdict(figures(outcomes, build_s=build_s, rss_mb=peak)), "cov95": best.coverage if best else 0.0}


Measured = tuple[Sequence[Outcome], float, float | None]


def _deskbell(
    method: str, articles: Sequence[Article], questions: Sequence[Labelled], precision: float, *, speed_only: bool
) -> Measured:
    from bot.evaluation_build import build, encoder_for

    tier, _, design = method.removeprefix(DESKBELL).partition(": ")
    matcher, build_s = build(articles, precision=precision, encoder=encoder_for(tier), further=DESIGNS[design or WHOLE])
    outcomes = list(ask(matcher, questions, warm_up=_warm_up(articles)))
    return outcomes, build_s, peak_mb()


def _other(
    method: str, articles: Sequence[Article], questions: Sequence[Labelled], precision: float, *, speed_only: bool
) -> Measured:
    make = METHODS[method]
    searched = make()
    with threadpool_limits(1):
        started = perf_counter()
        searched.build(articles)
        build_s = perf_counter() - started
    outcomes = list(ask(Ranking(searched, articles), questions, warm_up=_warm_up(articles)))
    peak = peak_mb()
    found = None if speed_only else threshold(make, articles, precision)
    return decided(outcomes, found), build_s, peak


def _warm_up(articles: Sequence[Article]) -> list[str]:
    return [text for article in articles[:20] for text in article.phrasings[:1]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", required=True)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--precision", type=float, default=0.95)
    parser.add_argument("--limit", type=int, default=0, help="so many questions, evenly spread; 0: all")
    parser.add_argument("--speed", action="store_true", help="time and memory only: no threshold is sought")
    return parser


if __name__ == "__main__":
    main()
