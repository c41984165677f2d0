"""`make bench`: the tables of docs/matching.md, on stdout as Markdown; progress goes to stderr. With `--sla`
those of docs/benchmarks.md (`tests.benchmarks.sla`).

Every measurement is a process of its own, one after the other on the same machine, so that the rows of
one run can be compared. Rows of different runs cannot.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from tests.benchmarks import sla
from tests.benchmarks.ablations import DESIGNS
from tests.benchmarks.methods import METHODS
from tests.benchmarks.sets import QuestionSet, public_sets, sample_sets, scaled
from tests.benchmarks.table import QUALITY, SPEED, Row, machine, mean, table

LEXICAL, SEMANTIC = "Deskbell lexical", "Deskbell semantic"
LARGE = 10_000
"""Phrasings from which some are left out: an encoder's time is the same for any number, a plain head takes too long."""

SMALL = {SEMANTIC, *(name for name in METHODS if name.startswith("logistic regression"))}

LIMIT_S = 1_800
TOLD = "One thread. MB: the most memory of a process that does only this, Python and the files it reads included."


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.sla:
        return sla.main(options.seconds)
    with TemporaryDirectory() as folder:
        sets = public_sets(options.data) if options.data else sample_sets(Path(folder))
        if not sets:
            _say(f"{options.data}: no folder in it has kb-*.jsonl and queries.jsonl")
            return 2
        print(f"Measured on: {machine()}. {TOLD}\n")
        if options.sizes:
            _print_scaled(sets[0].kbs[0], options.sizes, Path(folder), options)
        else:
            _print_quality(sets, options)
    return 0


def _print_quality(sets: Sequence[QuestionSet], options: argparse.Namespace) -> None:
    methods = [f"Deskbell {options.tier}: {name}" for name in DESIGNS] if options.ablate else _all(options)
    for each in sets:
        rows = _measured(each, methods, ["--precision", str(options.precision), "--limit", str(options.limit)])
        title = f"{each.name} ({_bases(each)}, {_first(rows).get('n', 0):.0f} questions)"
        _print(table(title, rows, columns={**QUALITY, **SPEED}))


def _print_scaled(source: Path, sizes: Sequence[int], folder: Path, options: argparse.Namespace) -> None:
    for size in sizes:
        each = scaled(source, size, folder)
        methods = [name for name in _all(options) if name not in SMALL or size < LARGE]
        rows = _measured(each, methods, ["--speed"])
        _print(table(f"{each.name}, words of the knowledge base recombined", rows, columns=SPEED))


def _measured(each: QuestionSet, methods: Sequence[str], further: Sequence[str]) -> Mapping[str, Row]:
    """The mean row of each method; one that is not installed, fails or takes too long is named on stderr."""
    rows: dict[str, Row] = {}
    for method in methods:
        found = []
        for kb in each.kbs:
            started = perf_counter()
            row = _worker(method, kb, each.queries, further)
            _say(f"{each.name} · {kb.stem} · {method}: {row.get('missing') or f'{perf_counter() - started:.0f} s'}")
            if "missing" in row:
                break
            found.append(row)
        if len(found) == len(each.kbs):
            rows[method] = mean(found)
    return rows


def _worker(method: str, kb: Path, queries: Path, further: Sequence[str]) -> dict[str, Any]:
    files = ["--kb", str(kb), "--queries", str(queries)]
    command = [sys.executable, "-m", "tests.benchmarks.worker", "--method", method, *files, *further]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT_S, check=True)
    except subprocess.TimeoutExpired:
        return {"missing": f"took over {LIMIT_S} s"}
    except subprocess.CalledProcessError as error:
        return {"missing": f"failed with exit code {error.returncode}"}
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def _all(options: argparse.Namespace) -> list[str]:
    known = [LEXICAL, SEMANTIC, *METHODS]
    return [name for name in known if not options.only or any(part in name for part in options.only)]


def _first(rows: Mapping[str, Row]) -> Row:
    return next(iter(rows.values()), {})


def _bases(each: QuestionSet) -> str:
    return f"mean of {len(each.kbs)} knowledge bases" if len(each.kbs) > 1 else "one knowledge base"


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--data", type=Path, help="folder of question sets; default: the sample desk's")
    parser.add_argument("--precision", type=float, default=0.95)
    parser.add_argument("--limit", type=int, default=0, help="so many questions a set, evenly spread; 0: all")
    parser.add_argument("--only", nargs="*", help="parts of the names of the methods wanted")
    parser.add_argument("--sizes", type=int, nargs="+", help="speed and memory at so many phrasings, instead")
    parser.add_argument("--ablate", action="store_true", help="every design of tests/benchmarks/ablations.py, instead")
    parser.add_argument("--tier", choices=["lexical", "semantic"], default="lexical", help="for --ablate")
    parser.add_argument("--sla", action="store_true", help="clocks, sweep and pings, instead")
    parser.add_argument("--seconds", type=int, help="for --sla: how long pings are sent; default 300")
    return parser


if __name__ == "__main__":
    sys.exit(main())
