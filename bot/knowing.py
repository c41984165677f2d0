"""The knowledge base in force, with a matcher for each audience; swapped whole when it changes.

`triage.desk` asks it in every turn; `bot.compose` makes it. Audiences that read the same articles
share a matcher.
"""

from __future__ import annotations

from threading import Lock

from triage.knowledge import KnowledgeBase
from triage.match import build_matcher
from triage.matching import Matcher
from triage.phrases import noted
from triage.policy import Policy

OUTSIDER = frozenset({"public"})
EMPLOYEE = frozenset({"public", "company"})


class Knowing:
    """Implements `triage.desk.Knowing`; safe to call from any thread.

    A matcher takes seconds to build, longer than a turn may wait, so all are built ahead by `warm`.
    Until a team's own is there its people get the employees', which knows nothing they may not see.
    """

    def __init__(self, kb: KnowledgeBase, *, precision: float) -> None:
        self._kb = kb
        self._precision = precision
        self._kinds = frozenset(article.audience for article in kb.articles)
        self._building = Lock()
        self._bases: dict[frozenset[str], KnowledgeBase] = {}
        self._matchers: dict[frozenset[str], Matcher] = {}

    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        kinds = audience & self._kinds
        if kinds not in self._bases:
            self._bases[kinds] = self._kb.for_audience(kinds)
        return self._bases[kinds]

    def matcher(self, audience: frozenset[str]) -> Matcher:
        """The audience's matcher, or a narrower one while it is being built; builds one when there is none."""
        for wanted in (audience, audience & EMPLOYEE):
            found = self._matchers.get(wanted & self._kinds)
            if found is not None:
                return found
        return self._built(audience)

    def warm(self, policy: Policy) -> None:
        """Build every audience's matcher, the one most people need first."""
        self._built(EMPLOYEE)
        self._built(OUTSIDER)
        for team in policy.teams.values():
            self._built(EMPLOYEE | {f"team:{team.id}"})

    def _built(self, audience: frozenset[str]) -> Matcher:
        kinds = audience & self._kinds
        with self._building:
            if kinds not in self._matchers:
                self._matchers[kinds] = build_matcher(self.base(kinds), precision=self._precision, say=noted)
            return self._matchers[kinds]
