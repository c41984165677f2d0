"""What people wrote to the desk, and what Slack knows of each: was it acknowledged, was it given up.

Written by `tests.crash.author`, brought by `tests.crash.postman`, compared with what came out by
`tests.crash.judge`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.fakes.slack_payloads import Signed


class Act(StrEnum):
    KNOWN = "question with an answer"
    UNKNOWN = "question without one"
    DIRECT = "direct message"
    WORDS = "requester's words"
    REPLY = "agent's reply"
    NOTE = "agent's note"
    SEARCH = "command: search"
    COMMAND = "command: note"
    CLAIM = "button: claim"
    EDIT = "edit"
    CHATTER = "chatter"


ONCE = frozenset({Act.SEARCH, Act.COMMAND, Act.CLAIM})
"""What Slack brings once: on no answer the person sees an error and knows that it did not work."""


@dataclass(slots=True, kw_only=True, eq=False)
class Letter:
    """`marker` is a word that stands in nothing else; `about` the question whose ticket it belongs to.

    `requests` is what Slack sends for it: a post with a mention is two events.
    """

    act: Act
    marker: str
    key: str
    """Of the inbox."""
    user: str
    channel: str
    ts: str = ""
    thread: str | None = None
    about: Letter | None = None
    response_url: str | None = None
    requests: tuple[Signed, ...] = ()
    acknowledged: bool = False
    tries: int = 0
    refused: bool = False
    """Answered at once with "nothing was saved"."""
    done: bool = False
    """Slack brings it no more."""

    @property
    def given_up(self) -> bool:
        return self.done and not self.acknowledged
