"""`make simulate`: many stories, and for one that breaks a law its shortest form.

`--seed N` tells one story whole; `--defects` shows that the laws bite.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.contract.storages import empty_sqlite
from tests.simulation.plan import plan_of
from tests.simulation.shrinking import shrunk
from tests.simulation.tally import Tally
from tests.simulation.world import told


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    with TemporaryDirectory() as folder:
        empty = empty_sqlite(Path(folder))
        if options.defects:
            from tests.simulation.hunting import hunt

            return hunt(empty, options.seeds, only=options.defect)
        if options.seed is not None:
            return _replay(options.seed, empty)
        return _many(range(options.first, options.first + options.seeds), empty)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300, help="how many stories")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="tell this one story")
    parser.add_argument("--defects", action="store_true", help="plant defects, and find each")
    parser.add_argument("--defect", help="plant only this one")
    return parser


def _many(seeds: range, empty: Path) -> int:
    tally, begun = Tally(), perf_counter()
    for seed in seeds:
        story = told(plan_of(seed), empty)
        tally.add(story)
        if story.violations:
            print(f"SEED={seed} {'; '.join(f'{law}: {what}' for law, what in story.violations[:3])}", flush=True)
        elif sys.stderr.isatty() and seed % 50 == 0:
            print(f"{seed} …", end="\r", file=sys.stderr, flush=True)
    print(tally)
    print(f"{perf_counter() - begun:.0f} s")
    return 1 if tally.broken else 0


def _replay(seed: int, empty: Path) -> int:
    plan = plan_of(seed)
    story = told(plan, empty)
    if not story.violations:
        print(story)
        print(f"SEED={seed}: every law held")
        return 0
    fewest = shrunk(plan, story.laws, lambda fewer: told(fewer, empty))
    print(fewest)
    print(f"SEED={seed}, shrunk from {len(plan.faults)} faults to {len(fewest.plan.faults)}:")
    print("\n".join(f"  {fault}" for fault in fewest.plan.faults) or "  none")
    return 1


if __name__ == "__main__":
    sys.exit(main())
