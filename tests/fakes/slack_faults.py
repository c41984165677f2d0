"""How the fake Slack can be told to misbehave: busy, broken, dropping connections, or holding answers back.

`slack_server.FakeSlack` is one that does; it asks here before it answers a call.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Of the next call of this method, or of the next call at all; `kind` is `busy`, `break` or `drop`."""

    kind: str
    method: str | None
    seconds: int = 0


class Misbehaving:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._held: str | None = None
        self._held_once = self._lost = False
        self._released = asyncio.Event()

    def busy_next(self, seconds: int = 1, *, method: str | None = None) -> None:
        """Answer the next call (of this method) with 429 and Retry-After."""
        self._faults.append(Fault(kind="busy", method=method, seconds=seconds))

    def break_next(self, *, method: str | None = None) -> None:
        """Answer the next call with 500."""
        self._faults.append(Fault(kind="break", method=method))

    def drop_next(self, *, method: str | None = None) -> None:
        """Do what the next call asks, then drop the connection instead of answering."""
        self._faults.append(Fault(kind="drop", method=method))

    def hold(self, *, method: str, once: bool = False) -> None:
        """Answer calls of this method, or only the next one, after `release`; they are done only then."""
        self._held, self._held_once, self._released = method, once, asyncio.Event()

    def release(self, *, lost: bool = False) -> None:
        """Do what was held, or forget it and close the connections."""
        self._held, self._lost = None, lost
        self._released.set()

    def _fault(self, method: str) -> Fault | None:
        """What is to go wrong with this call; it goes wrong once."""
        found = next((fault for fault in self._faults if fault.method in (None, method)), None)
        if found:
            self._faults.remove(found)
        return found

    async def _forgotten(self, method: str) -> bool:
        """Whether this call is lost; where its method is held, said once it is released."""
        if self._held != method:
            return False
        self._held = None if self._held_once else method
        await self._released.wait()
        return self._lost
