"""Whether memory stays flat: the same load for a long time, and what each minute left behind.

Used by `tests.load.__main__` (`make load SOAK=600`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from tests.load.desk import Loaded, assert_kept
from tests.load.processes import megabytes

MINUTE = 60.0
SETTLED = 0.25
"""Share of the time after which caches are full."""
GROWTH = 0.05
"""Of the memory at the end of that, so much may be more at the end of all: what a heap gives or takes by chance."""


class Grew(AssertionError):
    """Memory is not flat."""


async def soak(desk: Loaded, *, rate: float, seconds: float, tell: Callable[[str], None]) -> Sequence[float]:
    """Megabytes of the largest process after each minute, at `rate` events a second. Raises Grew."""
    found: list[float] = []
    while len(found) * MINUTE < seconds:
        step = await desk.driver.run(desk.ports, rate=rate, seconds=min(MINUTE, seconds))
        assert_kept(desk.url, step.keys)
        found.append(max(megabytes(process.pid) for process in desk.processes))
        tell(
            f"minute {len(found)}: {found[-1]:.1f} MB, {step.durable:.0f} durable turns a second, "
            f"{step.refused + step.unanswered} not taken"
        )
    if len(found) > 1:
        _judge(found)
    return found


def _judge(found: Sequence[float]) -> None:
    settled = found[int(len(found) * SETTLED) :]
    half = max(1, len(settled) // 2)
    before, after = fmean(settled[:half]), fmean(settled[-half:])
    if after > before * (1 + GROWTH):
        raise Grew(f"{before:.1f} MB became {after:.1f} MB")
