"""Virtual time: an event loop that never waits, and the wall clock that the simulated world jumps about.

Used by `tests.simulation.world`. Nothing here reads a real clock, so that one seed tells one story.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
"""When a story begins: London opens."""


class Stuck(RuntimeError):
    """Nothing is left that could ever happen, and yet somebody waits."""


class _NeverWaiting(selectors.SelectSelector):
    """Instead of waiting for the network, of which there is none, time passes."""

    def __init__(self, passed: Callable[[float], None]) -> None:
        super().__init__()
        self._passed = passed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("everybody waits for somebody else")
        if timeout > 0:
            self._passed(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Timers ring in order, at once; `time()` is what they have added up to, in seconds."""

    def __init__(self) -> None:
        self._at = 0.0
        super().__init__(_NeverWaiting(self._pass))

    def time(self) -> float:
        return self._at

    def _pass(self, seconds: float) -> None:
        self._at += seconds


class Clock:
    """The wall clock of the simulated machine: it runs with the loop and can be set."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._set = timedelta()

    def __call__(self) -> datetime:
        return MONDAY + self._set + timedelta(milliseconds=round(self._loop.time() * 1_000))

    def unix(self) -> float:
        return self().timestamp()

    def jump(self, by: timedelta) -> None:
        self._set += timedelta(milliseconds=round(by.total_seconds() * 1_000))
