"""Whose turn it is at an engine that serves one caller at a time. Used by `adapters.encoders.bundled`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turnstile:
    """A lock that goes to whoever waits: encoding thousands of texts lets a question through between any two.

    With a single lock, who releases it to take it again at once mostly gets it again.
    """

    def __init__(self) -> None:
        self._next, self._inside = Lock(), Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._next:
            self._inside.acquire()
        try:
            yield
        finally:
            self._inside.release()
