"""A few dozen stories at every test run, and that the simulation itself can be relied on.

`make simulate SEEDS=1000` tells more of them; `make simulate-defects` plants every defect.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plan import plan_of
from tests.simulation.planting import defects
from tests.simulation.shrinking import shrunk
from tests.simulation.world import told

PARTS = 6
SEEDS = 60
REPRODUCIBLE = (9, 12, 13)
"""One story in memory, one on SQLite, one with two processes; all with crashes."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_law_holds(part: int, empty_sqlite: Path) -> None:
    """Ten stories each; `make simulate SEED=…` tells one that fails."""
    for seed in range(1 + part, SEEDS + 1, PARTS):
        story = told(plan_of(seed), empty_sqlite)
        assert not story.violations, f"SEED={seed}"


@pytest.mark.parametrize("seed", REPRODUCIBLE)
def test_the_same_seed_tells_the_same_story(seed: int, empty_sqlite: Path) -> None:
    """Byte for byte, or no failure could be looked into."""
    assert str(told(plan_of(seed), empty_sqlite)) == str(told(plan_of(seed), empty_sqlite))


def test_the_story_does_not_hang_on_the_order_of_hashes() -> None:
    """Another process, with other hashes of strings, tells the same one."""
    stories = {_in_another_process(REPRODUCIBLE[-1], hashes) for hashes in ("1", "2")}
    assert len(stories) == 1


def test_a_planted_defect_is_found_and_its_story_made_short(empty_sqlite: Path) -> None:
    """What is left is a plan that still breaks the law, and has no fault too many."""
    plan = plan_of(9)
    with defects()["a retry does not look first"]():
        story = told(plan, empty_sqlite)
        fewest = shrunk(plan, story.laws, lambda fewer: told(fewer, empty_sqlite))
    assert "nothing doubled" in story.laws & fewest.laws
    assert len(fewest.plan.faults) < len(plan.faults)


def test_a_planted_defect_is_taken_out_again(empty_sqlite: Path) -> None:
    """The next story is told by the desk as it is."""
    with defects()["lane order dropped"]():
        assert told(plan_of(1), empty_sqlite).violations
    assert not told(plan_of(1), empty_sqlite).violations


def _in_another_process(seed: int, hashes: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--seed", str(seed)]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
