"""The knowledge base in force, with a matcher for each audience; swapped audience by audience when it changes.

`triage.desk` asks it in every turn, `bot.running` has it follow the library's revision, `bot.compose`
makes it. Audiences that read the same articles share a matcher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Event, Lock

import structlog

from bot.background import Newest
from bot.tiers import EncoderWatch, TieredMatcher
from triage.errors import Unavailable
from triage.knowledge import KnowledgeBase
from triage.match import build_matcher
from triage.matching import Encoder, EncoderFailed, Labelled, Matcher
from triage.phrases import noted
from triage.policy import Policy
from triage.policy import audience as readable
from triage.ports import Library

OUTSIDER = frozenset({"public"})
EMPLOYEE = frozenset({"public", "company"})
RETRY_SECONDS = 15.0
"""Until an encoder that could not be loaded, or failed while a matcher was built, is tried again."""

Build = Callable[..., Matcher]
"""`triage.match.build_matcher`, or what stands for it."""

Labels = Callable[[frozenset[str]], Sequence[Labelled]]
"""What people said of answers, as far as it is about articles of these audiences."""

log = structlog.get_logger(__name__)


def nothing_labelled(audience: frozenset[str]) -> Sequence[Labelled]:
    return ()


def audiences_of(policy: Policy) -> tuple[frozenset[str], ...]:
    """Every audience that somebody belongs to, the one most people need first."""
    named = [readable(policy, person, stranger=False) for person in policy.people]
    return tuple(dict.fromkeys((EMPLOYEE, OUTSIDER, *named)))


class Knowing:
    """Implements `triage.desk.Knowing`; safe to call from any thread.

    A matcher takes seconds to build, longer than a turn may wait: `replace` and `follow` build in a
    background thread, for `audiences`, and each goes on with its old articles and matcher until its new
    one is there.
    `labelled` gives what a matcher is calibrated with, asked each time one is built. `encoder` loads
    the encoder; it is called in a background thread too, and the semantic matchers built with it take
    over one by one. Without `kb` nothing is in force until the first `replace`.
    """

    def __init__(
        self,
        kb: KnowledgeBase | None = None,
        *,
        precision: float,
        audiences: Iterable[frozenset[str]] = (EMPLOYEE, OUTSIDER),
        encoder: Callable[[], Encoder] | None = None,
        labelled: Labels = nothing_labelled,
        build: Build = build_matcher,
    ) -> None:
        self._precision = precision
        self._audiences = dict.fromkeys(audiences)
        self._load = encoder
        self._labelled = labelled
        self._encoder: Encoder | None = None
        self._build = build
        self._watch = EncoderWatch()
        self._ready, self._closed = Event(), Event()
        self._following = Lock()
        self._revision: int | None = None
        self._renewing = Newest("knowledge", self._renew)
        self._refining = Newest("encoder", self._refine)
        self._current: _InForce | None = None
        if kb is not None:
            self._put_in_force(_InForce(kb))

    # --- asked in every turn ---
    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        """What this audience may read. Raises Unavailable before anything is in force."""
        return self._in_force().base(audience)

    def matcher(self, audience: frozenset[str]) -> Matcher:
        """The audience's matcher, or a narrower one while it is being built; builds one when there is none.

        Raises Unavailable before anything is in force.
        """
        current = self._in_force()
        for wanted in (audience, audience & EMPLOYEE):
            found = current.matcher(wanted)
            if found is not None:
                return found
        self._audiences.setdefault(audience)
        built = self._fitted(current, audience)
        self._refine_later(current)
        return built

    # --- kept up to date ---
    @property
    def ready(self) -> bool:
        """Whether questions can be answered."""
        return self._ready.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait until it is ready; False when it took longer."""
        return self._ready.wait(seconds)

    def follow(self, library: Library) -> bool:
        """Put the library's articles in force when its revision moved; returns before they are, whether it did.

        Raises Unavailable.
        """
        with self._following:
            if library.revision() == self._revision:
                return False
            revision, articles = library.articles()
            self.replace(KnowledgeBase.of(articles))
            self._revision = revision
        return True

    def replace(self, kb: KnowledgeBase) -> None:
        """Put `kb` in force once its matchers are built; of several that come meanwhile, the newest."""
        self._renewing.put(kb)

    def warm(self) -> None:
        """Build every audience's matchers of both tiers now, in this thread. Raises EncoderFailed."""
        current = self._in_force()
        for audience in tuple(self._audiences):
            self._fitted(current, audience)
        if self._load is not None:
            self._refine_all(current, self._load)

    def close(self) -> None:
        """Begin nothing more in the background."""
        self._closed.set()
        self._renewing.clear()
        self._refining.clear()

    def _in_force(self) -> _InForce:
        current = self._current
        if current is None:
            raise Unavailable("the articles are still being read")
        return current

    def _put_in_force(self, new: _InForce) -> None:
        self._current = new
        if new.matchers:
            self._ready.set()

    def _renew(self, kb: KnowledgeBase) -> None:
        """Each audience changes over as soon as its matcher is there: most people need only the first."""
        old = self._current
        new = _InForce(kb, before=old)
        for audience in tuple(self._audiences):
            if self._closed.is_set():
                return
            self._fitted(new, audience, old)
            self._put_in_force(new)
        new.before = None
        log.info("articles are in force", articles=len(kb.articles), matchers=len(new.matchers))
        self._refine_later(new)

    def _fitted(self, state: _InForce, audience: frozenset[str], old: _InForce | None = None) -> TieredMatcher:
        """The audience's matcher in `state`: there already, taken over from `old`, or built."""
        kinds = state.kinds(audience)
        with state.building:
            if kinds not in state.matchers:
                base = state.own(kinds)
                kept = old and old.matcher_of(base)
                state.matchers[kinds] = kept or TieredMatcher(base, self._built(base), self._watch)
        if state is self._current:
            self._ready.set()
        return state.matchers[kinds]

    def _built(self, base: KnowledgeBase, **tier: object) -> Matcher:
        kinds = frozenset(article.audience for article in base.articles)
        labelled = self._labelled(kinds)
        return self._build(base, precision=self._precision, say=noted, labelled=labelled, **tier)

    # --- the semantic tier ---
    def _refine_later(self, state: _InForce) -> None:
        if self._load is not None:
            self._refining.put(state)

    def _refine(self, state: _InForce) -> None:
        """Build the semantic matchers that are missing; when the encoder fails, again a little later."""
        while self._load is not None and state is self._current and not self._closed.is_set():
            try:
                self._refine_all(state, self._load)
            except EncoderFailed as error:
                self._watch.failed(error)
                self._closed.wait(RETRY_SECONDS)
            else:
                return

    def _refine_all(self, state: _InForce, load: Callable[[], Encoder]) -> None:
        if self._encoder is None:
            self._encoder = load()
            log.info("the encoder is loaded", encoder=self._encoder.name)
        for tiered in dict.fromkeys(state.matchers.values()):
            if state is not self._current:
                return
            if tiered.semantic is None:
                tiered.semantic = self._built(tiered.kb, encoder=self._encoder, lexical=tiered.lexical)
                self._watch.worked()


class _InForce:
    """One knowledge base with its matchers, by the kinds of article that an audience can read of it.

    `before` serves the audiences whose matcher is still being built.
    """

    def __init__(self, kb: KnowledgeBase, before: _InForce | None = None) -> None:
        self.kb = kb
        self.before = before
        self.matchers: dict[frozenset[str], TieredMatcher] = {}
        self.building = Lock()
        self._kinds = frozenset(article.audience for article in kb.articles)
        self._bases: dict[frozenset[str], KnowledgeBase] = {}

    def kinds(self, audience: frozenset[str]) -> frozenset[str]:
        return audience & self._kinds

    def matcher(self, audience: frozenset[str]) -> TieredMatcher | None:
        before, own = self.before, self.matchers.get(self.kinds(audience))
        return own or (before.matcher(audience) if before else None)

    def base(self, audience: frozenset[str]) -> KnowledgeBase:
        """What goes with `matcher`."""
        before = self.before
        if before is not None and self.kinds(audience) not in self.matchers:
            return before.base(audience)
        return self.own(audience)

    def own(self, audience: frozenset[str]) -> KnowledgeBase:
        kinds = self.kinds(audience)
        if kinds not in self._bases:
            self._bases[kinds] = self.kb.for_audience(kinds)
        return self._bases[kinds]

    def matcher_of(self, base: KnowledgeBase) -> TieredMatcher | None:
        """A matcher of exactly these articles."""
        same = (tiered for tiered in tuple(self.matchers.values()) if tiered.kb.articles == base.articles)
        return next(same, None)
