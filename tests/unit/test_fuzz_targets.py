"""What `make fuzz` starts from passes its own checks."""

from __future__ import annotations

import pytest

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_a_target_pass(name: str) -> None:
    """Otherwise a run ends before it begins."""
    target, seeds = TARGETS[name]
    for seed in seeds:
        target(seed)
