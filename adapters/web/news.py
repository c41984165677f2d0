"""The signal by which whoever writes to the transcript wakes the open pages of this process.

`adapters.web.port` and `adapters.web.posting` tell it, every open page listens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from triage.model import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Something changed in `channel`; `fresh` when the bot posted there, for `only_for` (a user id) or all."""

    channel: Channel
    only_for: str | None = None
    fresh: bool = False


Listener = Callable[[Shown], None]


class News:
    """Calls its listeners one after the other, on the event loop of whoever tells."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Listen from now on; the result ends it and may be called twice."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def tell(self, shown: Shown) -> None:
        for listener in tuple(self._listeners):
            listener(shown)
