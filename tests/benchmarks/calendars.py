"""How long a walk takes: `python -m tests.benchmarks.calendars`, a Markdown table on stdout.

The bound is 1 ms for a walk over ten years of working days and public holidays. `first` includes working
out the years (and the country's holidays), which a process does once for each calendar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from statistics import quantiles
from time import perf_counter

from tests.benchmarks.table import machine
from triage.calendars import Calendar, Window, elapsed, next_open, walk, walk_back

HOUR = 3_600
ENGLAND = Calendar(
    timezone="Europe/London",
    windows=tuple(Window(day=day, opens=9 * HOUR, closes=17 * HOUR) for day in range(5)),
    holidays=("GB-ENG", "2026-12-24"),
)
SPLIT = replace(
    ENGLAND,
    timezone="Asia/Seoul",
    windows=tuple(
        Window(day=day, opens=opens * HOUR, closes=closes * HOUR)
        for day in range(7)
        for opens, closes in ((7, 10), (11, 14), (15, 18), (22, 26))
    ),
    holidays=("KR", "GB-ENG"),
)
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
END = datetime(2036, 1, 5, 9, tzinfo=UTC)
REPEATS = 1_000

Question = Callable[[], object]


def main() -> None:
    print(f"Measured on: {machine()}. One thread, {REPEATS} repeats.\n")
    print("| question | first ms | p50 ms | p99 ms |\n|---|---:|---:|---:|")
    for name, calendar in (("5 windows a week", ENGLAND), ("28 windows a week", SPLIT)):
        for question, ask in questions(calendar):
            first, *others = (timed(ask) for _ in range(REPEATS + 1))
            cuts = quantiles(others, n=100)
            print(f"| {name}: {question} | {first:.3f} | {cuts[49]:.4f} | {cuts[98]:.4f} |")


def questions(calendar: Calendar) -> Iterator[tuple[str, Question]]:
    """Each question with its name; the first one asked pays for working out the years."""
    yield "walk, 4 hours", lambda: walk(calendar, START, 4 * HOUR)
    ten_years = elapsed(calendar, START, END)
    yield f"walk, 10 years ({ten_years // HOUR} open hours)", lambda: walk(calendar, START, ten_years)
    yield "walk_back, 10 years", lambda: walk_back(calendar, END, ten_years - 1)
    yield "elapsed, 10 years", lambda: elapsed(calendar, START, END)
    yield "next_open", lambda: next_open(calendar, END)


def timed(ask: Question) -> float:
    """Milliseconds that it takes to answer."""
    started = perf_counter()
    ask()
    return (perf_counter() - started) * 1_000


if __name__ == "__main__":
    main()
