"""`make simulate-defects`: shows that the laws bite, by planting defects and looking for each.

Prints the table of docs/reliability.md: the seed that found a defect and the law it broke.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.simulation.defects import NEEDS_SQLITE
from tests.simulation.plan import plan_of
from tests.simulation.planting import defects
from tests.simulation.world import Story, told

MOST = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    seed: int
    story: Story


def found(name: str, empty: Path, seeds: int = MOST) -> Found | None:
    """The first seed whose story breaks a law with this defect."""
    for seed in range(1, seeds + 1):
        plan = plan_of(seed)
        if plan.sqlite != (name in NEEDS_SQLITE):
            continue
        with defects()[name]():
            story = told(plan, empty)
        if story.violations:
            return Found(seed, story)
    return None


def hunt(empty: Path, seeds: int, *, only: str | None = None) -> int:
    missed = 0
    print("| defect | found by seed | law |\n| --- | --- | --- |")
    for name in [each for each in defects() if only in (None, each)]:
        prey = found(name, empty, seeds)
        missed += prey is None
        law = prey.story.violations[0][0] if prey else ""
        print(f"| {name} | {prey.seed if prey else f'not within {seeds}'} | {law} |", flush=True)
    return 1 if missed else 0
