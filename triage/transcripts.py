"""The web chat's own log: the platform that Slack and Teams are for the other adapters.

`storage` implements it, `adapters.web` writes and reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triage.document import Document
from triage.model import Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPost:
    """One post of the web chat; `author` None is the bot. `only_for` is a user id: nobody else sees it."""

    id: str
    thread: Thread
    at: datetime
    author: str | None
    document: Document
    only_for: str | None = None
    edited: bool = False
    key: str | None = None
    """The outbox key, for posts of the bot: writing one twice writes it once."""


class Transcript(Protocol):
    """What was said in the web chat: the platform that Slack and Teams are for the other adapters."""

    def write(self, post: WebPost) -> WebPost:
        """Append, or return the post already written under the same `key`."""
        ...

    def replace(self, id: str, document: Document) -> bool:
        """Show something else in place; False when there is no such post."""
        ...

    def find(self, key: str) -> WebPost | None: ...

    def read(self, channels: Sequence[str], user: str, limit: int) -> Sequence[WebPost]:
        """The newest posts of these channels (`Channel.key`) that this user may see, oldest first."""
        ...
