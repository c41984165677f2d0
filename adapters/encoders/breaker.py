"""Stops asking a service that is down. Used by `adapters.encoders.endpoint`."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

FAILURES = 3
REST_SECONDS = 30.0


class CircuitBreaker:
    """Open after FAILURES in a row, for REST_SECONDS; then one caller may try, and the others when it worked.

    `tick` gives monotonic seconds. Thread-safe.
    """

    def __init__(self, *, tick: Callable[[], float]) -> None:
        self._tick = tick
        self._lock = Lock()
        self._failures = 0
        self._closed_at = 0.0

    def admits(self) -> bool:
        """Whether the service may be asked now; then `worked` or `failed` follows."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            if self._tick() < self._closed_at:
                return False
            self._closed_at = self._tick() + REST_SECONDS
            return True

    def worked(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._closed_at = self._tick() + REST_SECONDS
