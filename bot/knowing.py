"""The knowledge base in force, with a matcher for each audience; swapped whole when it changes.

`triage.desk` asks it in every turn; `bot.compose` makes it. A matcher is built once for each set of
articles that somebody may read, so two audiences that read the same share one.
"""

from __future__ import annotations

from threading import Lock

from triage.match import build_matcher

from triage.knowledge import Article, KnowledgeBase
from triage.matching import Matcher
from triage.phrases import say


class Knowing:
    """Implements `triage.desk.Knowing`; safe to call from any thread."""

    def __init__(self, kb: KnowledgeBase, *, precision: float) -> None:
        self._kb = kb
        self._precision = precision
        self._building = Lock()
        self._matchers: dict[tuple[Article, ...], Matcher] = {}

    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        return self._kb.for_audience(audience)

    def matcher(self, audience: frozenset[str]) -> Matcher:
        """The audience's matcher; the first call for a new audience takes the time to build it."""
        articles = self.base(audience).articles
        found = self._matchers.get(articles)
        if found is not None:
            return found
        with self._building:
            if articles not in self._matchers:
                kb = KnowledgeBase.of(articles)
                self._matchers[articles] = build_matcher(kb, precision=self._precision, say=say)
            return self._matchers[articles]
