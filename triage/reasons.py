"""The sentences that say why a message was matched as it was, in the language of the message.

`Explanation` is made by `triage.match`; what a reader may not see is in none of its values, since a
matcher knows one audience's articles only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz.distance import Prefix

from triage.calibrate import Thresholds
from triage.concepts import mentions
from triage.matching import Candidate, Verdict
from triage.model import Language
from triage.text import is_han, normalise, words

Say = Callable[[str, Language, Mapping[str, object]], str]
"""The text of a catalogue key in a language, with its placeholders filled."""

SAME_BEGINNING = 0.6
"""Share of the longer name from which two names that begin the same are forms of one."""

MAX_SHARED = 6
"""Words in common that are named, and things that are called by two names."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`closest` are the best article's phrasings that are nearest, best first; `read` is the message as it was read."""

    say: Say
    language: Language
    top: Sequence[Candidate]
    thresholds: Thresholds
    closest: Sequence[str]
    read: str
    repairs: Mapping[str, str]
    by_meaning: bool = False
    """Whether a phrasing without a common word may have come near by its meaning."""
    barred: str | None = None
    """The text that an owner marked as not this article's, when it is nearer than the article's own."""

    def sentences(self, verdict: Verdict) -> Iterator[str]:
        yield self._tell(f"reason.{verdict}", title=self.top[0].article.title)
        if verdict is not Verdict.IGNORE:
            yield from self._nearest()
        yield self._tell(f"reason.otherwise.{verdict}")

    def _nearest(self) -> Iterator[str]:
        if self.barred is not None:
            yield self._tell("reason.barred", phrasing=self.barred)
        for phrasing in self.closest[:1]:
            shared = shared_words(self.read, normalise(phrasing))
            alike = "reason.closest_meaning" if self.by_meaning else "reason.closest_pieces"
            yield self._tell("reason.closest" if shared else alike, phrasing=phrasing, shared=", ".join(shared))
        for phrasing in self.closest[1:]:
            yield self._tell("reason.close", phrasing=phrasing)
        if same := same_things(self.read, normalise("\n".join(self.closest[:1]))):
            pairs = ", ".join(f"{theirs} = {ours}" for theirs, ours in same)
            yield self._tell("reason.same", pairs=pairs)
        for written, meant in self.repairs.items():
            yield self._tell("reason.repaired", written=written, meant=meant)
        if len(self.top) > 1:
            other = self.top[1]
            yield self._tell("reason.runner_up", title=other.article.title, other=_percent(other.confidence))

    def _tell(self, key: str, **values: object) -> str:
        return self.say(key, self.language, {**self._known, **values})

    @cached_property
    def _known(self) -> Mapping[str, str]:
        """What any sentence may name."""
        return {
            "confidence": _percent(self.top[0].confidence),
            "answer": _percent(self.thresholds.answer),
            "suggest": _percent(self.thresholds.suggest),
        }


def shared_words(message: str, phrasing: str) -> list[str]:
    """What two normalised texts have in common: words, of Chinese the longest common runs of two characters or more."""
    theirs = words(phrasing)
    same = [word for word in words(message) if word in theirs and not is_han(word)]
    runs = [run for word in words(message) if is_han(word) for run in _common_runs(word, theirs)]
    return list(dict.fromkeys([*same, *runs]))[:MAX_SHARED]


def same_things(message: str, phrasing: str) -> list[tuple[str, str]]:
    """Of two normalised texts what each calls by another name: (as the message puts it, as the phrasing does).

    Forms of one word (visitor's, visitors) are no other name, and of a name within a longer one the longer counts.
    """
    ours = {mention.concept: mention.written for mention in reversed(mentions(phrasing))}
    found = dict.fromkeys((one.written, ours[one.concept]) for one in mentions(message) if one.concept in ours)
    pairs = [pair for pair in found if not _is_form(*pair)]
    return [pair for pair in pairs if not any(_is_part(pair, other) for other in pairs)][:MAX_SHARED]


def _is_form(one: str, other: str) -> bool:
    return one in other or other in one or Prefix.normalized_similarity(one, other) >= SAME_BEGINNING


def _is_part(pair: tuple[str, str], other: tuple[str, str]) -> bool:
    return pair != other and pair[0] in other[0] and pair[1] in other[1]


def _common_runs(word: str, theirs: Sequence[str]) -> Iterator[str]:
    start = 0
    while start < len(word) - 1:
        size = 0
        while start + size < len(word) and any(word[start : start + size + 1] in other for other in theirs):
            size += 1
        if size > 1:
            yield word[start : start + size]
        start += max(size, 1)


def _percent(share: float) -> str:
    """Nothing is ever quite sure."""
    return f"{min(share, 0.999):.1%}"
