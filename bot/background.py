"""One background thread that works on the newest of what it is given. Used by `bot.knowing`."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Newest(Generic[T]):
    """Does `work` on one value after the other; of those that came meanwhile only on the newest.

    The thread lives while there is something to do, and does not keep the process alive.
    """

    def __init__(self, name: str, work: Callable[[T], None]) -> None:
        self._name = name
        self._work = work
        self._lock = Lock()
        self._waiting: list[T] = []
        self._at_work = False

    def put(self, value: T) -> None:
        with self._lock:
            self._waiting = [value]
            if not self._at_work:
                self._at_work = True
                Thread(target=self._run, name=self._name, daemon=True).start()

    def clear(self) -> None:
        """Forget what waits; what is under way is finished."""
        with self._lock:
            self._waiting = []

    def _run(self) -> None:
        while taken := self._take():
            try:
                self._work(taken[0])
            except Exception:
                log.exception("work in the background failed", work=self._name)

    def _take(self) -> list[T]:
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._at_work = bool(taken)
        return taken
