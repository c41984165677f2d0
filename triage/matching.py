"""What a match is: the interface between `triage.match` (which computes it) and `triage.decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from triage.knowledge import Article
from triage.model import Language


class Verdict(StrEnum):
    ANSWER = "answer"
    SUGGEST = "suggest"
    TICKET = "ticket"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article and the probability, 0-1, that it answers the question."""

    article: Article
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The matcher's opinion on one message.

    `top` holds at most three candidates, best first. `answer` and `suggest` are the thresholds in
    force. `team` is the team whose articles are nearest, None when nothing is near.
    """

    verdict: Verdict
    language: Language
    top: tuple[Candidate, ...] = ()
    answer: float = 1.0
    suggest: float = 1.0
    team: str | None = None
    reasons: tuple[str, ...] = ()
    parts: tuple[Match, ...] = field(default=())
    """Of a message that asks several things, the opinion on each."""
    text: str = ""
    """What was matched: of a part, its words."""

    @property
    def best(self) -> Candidate | None:
        return self.top[0] if self.top else None


class Matcher(Protocol):
    """Built once for one audience's knowledge base; pure and safe to call from any thread."""

    def match(self, text: str) -> Match: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A question and the id of the article that answers it; None when none does."""

    text: str
    article: str | None


class EncoderFailed(Exception):
    """No vectors could be had; the lexical matcher answers meanwhile."""


class Encoder(Protocol):
    """Turns sentences of any language into vectors that lie near when the meanings do; thread-safe."""

    name: str
    """Model and version: vectors of different names cannot be compared."""
    specialists: Mapping[Language, Encoder]
    """Those that know one language better than this one does."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, dimensions), rows of unit length. Raises EncoderFailed."""
        ...

    def remember(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As `encode`, for texts of articles: they will be asked for again, and may be kept."""
        ...
