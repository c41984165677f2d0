"""Makes a failing story short: delta debugging over its list of faults.

Called for a seed that is replayed. A smaller plan is as good if it breaks one of the same laws.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.plan import Fault, Plan
from tests.simulation.world import Story


def shrunk(plan: Plan, laws: frozenset[str], tell: Callable[[Plan], Story]) -> Story:
    """The story with the fewest faults found that still breaks one of these laws."""
    best = tell(plan)
    size = max(1, len(best.plan.faults) // 2)
    while best.plan.faults:
        smaller = _without_a_part(best.plan, size, laws, tell)
        if smaller is not None:
            best = smaller
            size = min(size, max(1, len(best.plan.faults)))
        elif size == 1:
            break
        else:
            size //= 2
    return best


def _without_a_part(plan: Plan, size: int, laws: frozenset[str], tell: Callable[[Plan], Story]) -> Story | None:
    """A story without so many faults in a row, if one still fails."""
    for start in range(0, len(plan.faults), size):
        kept: tuple[Fault, ...] = plan.faults[:start] + plan.faults[start + size :]
        story = tell(plan.only(kept))
        if story.laws & laws:
            return story
    return None
