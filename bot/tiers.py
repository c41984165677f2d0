"""One audience's matcher in two tiers: the semantic one once it is built, the lexical one before and whenever
the encoder fails. Made by `bot.knowing`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from triage.knowledge import KnowledgeBase
from triage.matching import EncoderFailed, Match, Matcher

REST_SECONDS = 5.0
"""How long a failed encoder is left alone: nobody's question waits for it meanwhile."""
SILENT_SECONDS = 60.0

log = structlog.get_logger(__name__)


class EncoderWatch:
    """Remembers when the encoder failed; says so once a minute. `tick` gives monotonic seconds."""

    def __init__(self, *, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick = tick
        self._failed_at: float | None = None
        self._told_at: float | None = None

    @property
    def resting(self) -> bool:
        return self._failed_at is not None and self._tick() - self._failed_at < REST_SECONDS

    def worked(self) -> None:
        self._failed_at = None

    def failed(self, error: EncoderFailed) -> None:
        now = self._tick()
        self._failed_at = now
        if self._told_at is None or now - self._told_at >= SILENT_SECONDS:
            self._told_at = now
            log.warning("the encoder failed; answers come from the lexical tier", error=str(error))


class TieredMatcher:
    """Implements `triage.matching.Matcher` for the articles of `kb`; `semantic` is set when it is built."""

    def __init__(self, kb: KnowledgeBase, lexical: Matcher, watch: EncoderWatch) -> None:
        self.kb = kb
        self.semantic: Matcher | None = None
        self.lexical = lexical
        self._watch = watch

    def match(self, text: str) -> Match:
        semantic = self.semantic
        if semantic is not None and not self._watch.resting:
            try:
                return semantic.match(text)
            except EncoderFailed as error:
                self._watch.failed(error)
        return self.lexical.match(text)
