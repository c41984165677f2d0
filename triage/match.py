"""The lexical matcher: which article answers a message, how surely, and why.

`build_matcher` is called by `bot.compose`, once for each audience's knowledge base: what a person
may not read has no part in anything computed here. `triage.desk` calls `match` for every message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from triage.calibrate import Corpus, Thresholds, calibrate
from triage.features import Floats, Space
from triage.head import confidence, coordinates, fit
from triage.knowledge import Article, KnowledgeBase
from triage.matching import Candidate, Match, Matcher, Verdict
from triage.model import Language
from triage.repair import Repair
from triage.text import is_small_talk, language_of, normalise, replace_words, sentences, words

Say = Callable[[str, Language, Mapping[str, object]], str]
"""The text of a catalogue key in a language, with its placeholders filled."""

MAX_TEXTS = 4_000
"""Texts that are learned from: beyond, every article keeps its first ones."""

MAX_WINDOWS = 12
TOP = 3

FEW_PHRASINGS = 3
"""An article with fewer lends lines of its body, which are worth less: they tell, they do not ask."""

_BODY_LINES = 5
_BODY_WEIGHT = 0.3


def build_matcher(kb: KnowledgeBase, *, precision: float, say: Say) -> Matcher:
    """A matcher for one audience's articles; `precision`, 0-1, is what its answers aim at.

    Takes two seconds for a thousand phrasings. Never fails, whatever the articles hold.
    """
    worded = KnowledgeBase.of(article for article in kb.articles if _texts(article))
    return LexicalMatcher(worded, precision=precision, say=say) if worded.articles else EmptyMatcher(say)


class EmptyMatcher:
    """There is no article to answer with."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def match(self, text: str) -> Match:
        language = language_of(text)
        verdict = Verdict.IGNORE if is_small_talk(text) else Verdict.TICKET
        return Match(verdict=verdict, language=language, reasons=(self._say("reason.empty", language, {}),))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A text that was learned from, as its article has it."""

    text: str
    article: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One way to read a message: `probabilities` by article, `similarities` by text."""

    confidence: float
    probabilities: Floats
    similarities: Floats


class LexicalMatcher:
    """Trained on a knowledge base with at least one article, and words in each (see `build_matcher`)."""

    def __init__(self, kb: KnowledgeBase, *, precision: float, say: Say) -> None:
        self._kb = kb
        self._say = say
        self._ids = sorted({article.id for article in kb.articles})
        teams = {article.id: article.team for article in reversed(kb.articles)}
        self._teams, self._team_of = np.unique([teams[id] for id in self._ids], return_inverse=True)
        self._sources = _sources(kb, self._ids)
        self._labels = np.array([source.article for source in self._sources], np.int64)
        texts = [normalise(source.text) for source in self._sources]
        self._repair = Repair([*texts, *(normalise(article.body) for article in kb.articles)])
        self._space = Space(texts)
        corpus = self._corpus()
        head = fit(corpus.coordinates, corpus.labels, corpus.weights)
        self._head = head.over_similarities(corpus.coordinates)
        self.thresholds = calibrate(corpus, precision)

    def match(self, text: str) -> Match:
        language = language_of(text)
        own = normalise(text)
        repairs = self._repair.repairs(own)
        reading = self._read(list(_windows(replace_words(own, repairs))))
        top = self._top(reading, language)
        verdict = self._verdict(text, reading.confidence)
        reasons = _Reasons(self._say, language, top, self.thresholds)
        return Match(
            verdict=verdict,
            language=language,
            top=top,
            answer=self.thresholds.answer,
            suggest=self.thresholds.suggest,
            team=self._team(reading),
            reasons=tuple(reasons.all(verdict, self._closest(reading), repairs)),
        )

    def _corpus(self) -> Corpus:
        weights = np.array([source.weight for source in self._sources], np.float32)
        return Corpus(
            coordinates=coordinates(self._space.similarities(self._space.rows)),
            labels=self._labels,
            weights=weights,
            asked=weights == 1,
            articles=len(self._ids),
        )

    def _read(self, windows: list[str]) -> _Reading:
        """The window that is read most surely."""
        similarities = self._space.similarities(self._space.vectors(windows))
        probabilities = self._head.probabilities(similarities)
        sure = confidence(probabilities)
        best = int(sure.argmax())
        return _Reading(
            confidence=float(sure[best]), probabilities=probabilities[best], similarities=similarities[best]
        )

    def _top(self, reading: _Reading, language: Language) -> tuple[Candidate, ...]:
        """The best articles; the others' confidence falls as their probability does."""
        order = np.argsort(-reading.probabilities, kind="stable")[:TOP]
        best = float(reading.probabilities[order[0]])
        found = ((self._kb.article(self._ids[index], language), index) for index in order)
        return tuple(
            Candidate(article=article, confidence=reading.confidence * float(reading.probabilities[index]) / best)
            for article, index in found
            if article is not None
        )

    def _verdict(self, text: str, sure: float) -> Verdict:
        if sure >= self.thresholds.answer:
            return Verdict.ANSWER
        if is_small_talk(text):
            return Verdict.IGNORE
        return Verdict.SUGGEST if sure >= self.thresholds.suggest else Verdict.TICKET

    def _team(self, reading: _Reading) -> str | None:
        """The team with most of the squared probability: many far articles do not outweigh a near one."""
        mass = np.bincount(self._team_of, reading.probabilities**2)
        best = int(mass.argmax())
        if reading.confidence < self.thresholds.suggest / 2 or mass[best] < mass.sum() / 2:
            return None
        return str(self._teams[best]) or None

    def _closest(self, reading: _Reading) -> str | None:
        """The text of the best article that is nearest to the message, None when nothing is shared."""
        own = np.where(self._labels == reading.probabilities.argmax(), reading.similarities, -1)
        nearest = int(own.argmax())
        return self._sources[nearest].text if own[nearest] > 0 else None


def _texts(article: Article) -> list[tuple[str, float]]:
    """What is learned of an article, each with its weight: phrasings and title, for lack of them the body."""
    asked = [text for text in dict.fromkeys((*article.phrasings, article.title)) if words(normalise(text))]
    if len(article.phrasings) >= FEW_PHRASINGS:
        return [(text, 1.0) for text in asked]
    lines = [line for line in article.body.splitlines() if words(normalise(line))]
    return [(text, 1.0) for text in asked] + [(line, _BODY_WEIGHT) for line in lines[:_BODY_LINES]]


def _sources(kb: KnowledgeBase, ids: list[str]) -> list[_Source]:
    """At most MAX_TEXTS texts, of every article its first ones."""
    place = {id: index for index, id in enumerate(ids)}
    ranked = [
        (rank, _Source(text=text, article=place[article.id], weight=weight))
        for article in kb.articles
        for rank, (text, weight) in enumerate(_texts(article))
    ]
    last = sorted(rank for rank, _ in ranked)[:MAX_TEXTS][-1]
    return [source for rank, source in ranked if rank <= last][:MAX_TEXTS]


def _windows(text: str) -> Iterator[str]:
    """The whole message without its greetings; of a longer one also each pair of sentences.

    In a long message one or two sentences ask, and the others say how it came about.
    """
    telling = [sentence for sentence in sentences(text) if not is_small_talk(sentence)]
    yield " ".join(telling) or text
    if len(telling) > 2:
        for pair in list(pairwise(telling))[:MAX_WINDOWS]:
            yield " ".join(pair)


@dataclass(frozen=True, slots=True)
class _Reasons:
    """The sentences that say why, in the language of the message."""

    say: Say
    language: Language
    top: tuple[Candidate, ...]
    thresholds: Thresholds

    def all(self, verdict: Verdict, closest: str | None, repairs: Mapping[str, str]) -> Iterator[str]:
        yield self._tell(f"reason.{verdict}", title=self.top[0].article.title)
        if verdict is not Verdict.IGNORE:
            yield from self._nearest(closest, repairs)
        yield self._tell(f"reason.otherwise.{verdict}")

    def _nearest(self, closest: str | None, repairs: Mapping[str, str]) -> Iterator[str]:
        if closest is not None:
            yield self._tell("reason.closest", phrasing=closest)
        for written, meant in repairs.items():
            yield self._tell("reason.repaired", written=written, meant=meant)
        if len(self.top) > 1:
            other = self.top[1]
            yield self._tell("reason.runner_up", title=other.article.title, other=_percent(other.confidence))

    def _tell(self, key: str, **values: object) -> str:
        known = {
            "confidence": _percent(self.top[0].confidence),
            "answer": _percent(self.thresholds.answer),
            "suggest": _percent(self.thresholds.suggest),
        }
        return self.say(key, self.language, {**known, **values})


def _percent(share: float) -> str:
    return f"{share:.1%}"
