"""The matcher: which article answers a message, how surely, and why.

`build_matcher` is called by `bot.knowing`, once for each audience's knowledge base: what a person may
not read has no part in anything computed here. `triage.desk` calls `match` for every message.

Two tiers, one class: the lexical one knows words and pieces of words; the semantic one also what
sentences mean, from an encoder, and leaves a language to the lexical one where that was seen to do
better. A tier is a space (how near texts are), a head (which article that speaks for) and thresholds.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile

import numpy as np

from triage.calibrate import Seen, Thresholds, calibrate, hide, hide_from_nearest, nothing_seen
from triage.corpus import Corpus, corpus_of, worded
from triage.features import Analyze, Floats, Ints, features
from triage.head import Head, Nearest, Trust, coordinates, fit
from triage.knowledge import KnowledgeBase
from triage.matching import Candidate, Encoder, Labelled, Match, Matcher, Verdict
from triage.meaning import MeaningSpace
from triage.model import Language
from triage.questions import MAX_CLAUSES, clauses, questions
from triage.reasons import Explanation, Say
from triage.repair import Repair
from triage.space import Blend, Space, WordSpace
from triage.text import is_small_talk, language_of, normalise, replace_words, sentences

MAX_WINDOWS = 6
TOP = 3
CLOSEST = 3
"""Phrasings of the best article that are named."""

MAX_PARTS = 8
"""Questions of one message that are looked up; any further one is named only."""

JOINED = 0.08
"""Confidence from which an article further down is near enough to be asked for, too, in the same sentence."""

CONFUSING = 0.5
"""Confidence from which a wrong article shadows the right one; below it nothing was near."""

LET_THROUGH_BY_WORDS, LET_THROUGH_BY_MEANING = 0.33, 0.45
"""What `calibrate` takes as `most`: words alone tell less well what is out of scope."""

DESCRIBED_BY_WORDS, DESCRIBED_BY_MEANING = 0.05, 0.10
"""What it takes as `more` where every article has a body: on the sample desk's questions coverage rises by 5 and 14
points, and answers stay as precise as asked for; see docs/matching.md."""

LEXICAL = Trust(top=1.2, apart=0.28, offset=2.63)
SEMANTIC = Trust(top=1.25, apart=0.32, offset=2.07)
"""Logistic regressions on the tuning questions of public sets and of the sample desk: see docs/matching.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What the matcher is made of; everything, unless an ablation leaves a part out."""

    analyze: Analyze = features
    repair: bool = True
    windows: bool = True
    body: bool = True
    folds: bool = True
    """Without them the threshold is the one usual elsewhere."""


WHOLE = Design()


def build_matcher(
    kb: KnowledgeBase,
    *,
    precision: float,
    say: Say,
    encoder: Encoder | None = None,
    lexical: Matcher | None = None,
    labelled: Sequence[Labelled] = (),
    design: Design = WHOLE,
) -> Matcher:
    """A matcher for one audience's articles; `precision`, 0-1, is what its answers aim at.

    With an encoder the semantic one, beside `lexical`, the matcher of the same articles without it.
    Takes two seconds for a thousand phrasings, and whatever the encoder needs for them. Raises
    EncoderFailed; never fails otherwise, whatever the articles hold.
    """
    known = worded(kb)
    if not known.articles:
        return EmptyMatcher(say)
    if not isinstance(lexical, TextMatcher):
        lexical = TextMatcher(known, precision=precision, say=say, labelled=labelled, design=design)
    if encoder is None or not lexical.corpus.trained:
        return lexical
    return TextMatcher(
        known, precision=precision, say=say, labelled=labelled, design=design, encoder=encoder, lexical=lexical
    )


class EmptyMatcher:
    """There is no article to answer with."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def match(self, text: str) -> Match:
        language = language_of(text)
        verdict = Verdict.IGNORE if is_small_talk(text) else Verdict.TICKET
        return Match(verdict=verdict, language=language, reasons=(self._say("reason.empty", language, {}),))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """How a message was read: `probabilities` by article, `similarities` by text, those of `against` apart."""

    text: str
    confidence: float
    probabilities: Floats
    similarities: Floats
    barred: Mapping[int, str]
    """Articles that were taken out of the running, with the text that did it."""


class TextMatcher:
    """Made from a knowledge base with at least one article, and words in each (see `build_matcher`)."""

    def __init__(
        self,
        kb: KnowledgeBase,
        *,
        precision: float,
        say: Say,
        labelled: Sequence[Labelled] = (),
        design: Design = WHOLE,
        encoder: Encoder | None = None,
        lexical: TextMatcher | None = None,
    ) -> None:
        self._kb = kb
        self._say = say
        self._design = design
        self._lexical = lexical
        self._trust = LEXICAL if encoder is None else SEMANTIC
        self._ids = sorted({article.id for article in kb.articles})
        teams = {article.id: article.team for article in reversed(kb.articles)}
        self._teams, self._team_of = np.unique([teams[id] for id in self._ids], return_inverse=True)
        self.corpus: Corpus = lexical.corpus.evened() if lexical else corpus_of(kb, self._ids, body=design.body)
        self._repair: Repair = lexical._repair if lexical else _repair(kb, self.corpus)
        self._space = self._make_space(encoder)
        self._head, self.hidden = self._learn()
        self._weak = self._weaker_languages()
        self.thresholds = self._calibrated(precision)
        if labelled:
            self.thresholds = self._calibrated(precision, self._seen(labelled))

    def match(self, text: str) -> Match:
        language = language_of(text)
        if self._lexical is not None and language in self._weak:
            return self._lexical.match(text)
        whole = self._match(text, language)
        asked = questions(text)
        if len(asked) < 2:
            joined = self._joined(whole)
            return replace(whole, parts=joined) if len(joined) > 1 else whole
        known = [self._match(part, language) for part in asked[:MAX_PARTS]]
        if len(asked) <= MAX_PARTS // MAX_CLAUSES:
            known = [one for part in known for one in self._joined(part)]
        named = [
            Match(text=part, verdict=Verdict.TICKET, language=language) for part in asked[MAX_PARTS : 2 * MAX_PARTS]
        ]
        parts = (*known, *named)
        return replace(whole, parts=parts) if _are_several(parts) else whole

    def _joined(self, whole: Match) -> tuple[Match, ...]:
        """What a question joins, if each of that has an answer of its own that is near to the whole; else the whole."""
        near = {candidate.article.id for candidate in whole.top if candidate.confidence >= JOINED}
        is_near = whole.verdict in (Verdict.ANSWER, Verdict.SUGGEST) and len(near) > 1
        for way in clauses(whole.text) if is_near else ():
            matches = (self._match(clause, whole.language) for clause in way)
            parts = tuple(takewhile(lambda part: _answers_one_of(part, near), matches))
            if len(parts) == len(way) and _are_several(parts):
                return parts
        return (whole,)

    def _match(self, text: str, language: Language) -> Match:
        own = normalise(text)
        repairs = self._repair.repairs(own) if self._design.repair else {}
        reading = self._read(replace_words(own, repairs))
        top = self._top(reading, language)
        verdict = self._verdict(text, reading.confidence)
        explanation = Explanation(
            say=self._say,
            language=language,
            top=top,
            thresholds=self.thresholds,
            closest=self._closest(reading),
            read=reading.text,
            repairs=repairs,
            by_meaning=self._lexical is not None,
            barred=next(iter(reading.barred.values()), None),
        )
        return Match(
            text=text,
            verdict=verdict,
            language=language,
            top=top,
            answer=self.thresholds.answer,
            suggest=self.thresholds.suggest,
            team=self._team(reading),
            reasons=tuple(explanation.sentences(verdict)),
        )

    def confusions(self) -> list[tuple[str, str, str]]:
        """Phrasings that, hidden, were surely taken for another article's: (article, other article, phrasing)."""
        sure = self.hidden.confidence >= CONFUSING
        wrong = np.flatnonzero(self.hidden.inside & ~self.hidden.right & sure)
        texts = [self.corpus.sources[text] for text in self.hidden.text[wrong]]
        others = [self._ids[other] for other in self.hidden.said[wrong]]
        return [(self._ids[text.article], other, text.text) for text, other in zip(texts, others, strict=True)]

    # --- learning ------------------------------------------------------------------------------
    def _make_space(self, encoder: Encoder | None) -> Space:
        sources = (*self.corpus.sources, *self.corpus.against)
        texts = [source.normal for source in sources]
        if encoder is None or self._lexical is None:
            return WordSpace(texts, self._design.analyze)
        return Blend(self._lexical._space, MeaningSpace(sources, encoder))

    def _learn(self) -> tuple[Head, Seen]:
        if not self.corpus.trained:
            nearest = Nearest(self.corpus.labels)
            return nearest, hide_from_nearest(self.corpus, self._space.similarities, self._trust.confidence)
        count = len(self.corpus.labels)
        own = self._space.own()[:count, :count]
        root = coordinates(own)
        trained = fit(root, self.corpus.labels, self.corpus.weights).over_similarities(root)
        return trained, hide(self.corpus, own, self._trust.confidence) if self._design.folds else nothing_seen()

    def _calibrated(self, precision: float, labelled: Seen | None = None) -> Thresholds:
        by_words = self._lexical is None
        most = LET_THROUGH_BY_WORDS if by_words else LET_THROUGH_BY_MEANING
        more = self.corpus.described * (DESCRIBED_BY_WORDS if by_words else DESCRIBED_BY_MEANING)
        return calibrate(self.hidden, precision, most=most, more=more, labelled=labelled)

    def _weaker_languages(self) -> frozenset[Language]:
        """Languages in which the hidden phrasings were found more often without the encoder."""
        if self._lexical is None:
            return frozenset()
        gain = self._found() - self._lexical._found()
        return frozenset(language for place, language in enumerate(Language) if gain[place] < -1)

    def _found(self) -> Ints:
        """How many hidden phrasings of each language found their article."""
        places = {language: place for place, language in enumerate(Language)}
        right = self.hidden.text[self.hidden.right & self.hidden.inside]
        found = [places[self.corpus.sources[text].language] for text in right]
        return np.bincount(np.array(found, np.int64), minlength=len(places))

    def _seen(self, labelled: Sequence[Labelled]) -> Seen:
        """What comes out for questions that people labelled; those the base has word for word teach nothing."""
        known = {source.normal for source in self.corpus.sources}
        new = [one for one in labelled if normalise(one.text) not in known]
        tops = [self._match(one.text, language_of(one.text)).top[:1] for one in new]
        found = [(best[0].article.id, best[0].confidence) if best else (None, 0.0) for best in tops]
        return Seen(
            confidence=np.array([confidence for _, confidence in found], np.float32),
            right=np.array([id == one.article for (id, _), one in zip(found, new, strict=True)], np.bool_),
            inside=np.array([one.article is not None for one in new], np.bool_),
            text=np.zeros(len(new), np.int64),
            said=np.zeros(len(new), np.int64),
        )

    # --- reading a message ---------------------------------------------------------------------
    def _read(self, text: str) -> _Reading:
        """As far as its own language goes; where that makes no answer, articles in other languages are looked at."""
        windows = list(self._windows(text))
        similarities = self._space.similarities(windows)
        reading = self._judged(windows, similarities)
        abroad = self._space.abroad(windows[0]) if reading.confidence < self.thresholds.answer else None
        return reading if abroad is None else self._judged(windows[:1], similarities[:1] + abroad)

    def _judged(self, windows: Sequence[str], similarities: Floats) -> _Reading:
        """The whole message decides which article; the part of it that says so most surely, how sure that is."""
        count = len(self.corpus.labels)
        probabilities = self._head.probabilities(similarities[:, :count])
        barred = self._bar(probabilities[0], similarities[0])
        sure = self._trust.confidence(probabilities)
        agreeing = probabilities.argmax(axis=1) == probabilities[0].argmax()
        best = 0 if barred else int(np.where(agreeing, sure, -1).argmax())
        return _Reading(
            text=windows[best],
            confidence=float(sure[best]),
            probabilities=probabilities[0],
            similarities=similarities[best, :count],
            barred=barred,
        )

    def _windows(self, text: str) -> Iterator[str]:
        """The whole message without its greetings; of a longer one also pairs of sentences.

        In a long message one or two sentences ask, and the others say how it came about. An encoder
        gets by without them (measured), and would take its time for each.
        """
        said = sentences(text)
        telling = [sentence for sentence in said if not is_small_talk(sentence)] if len(said) > 1 else said
        yield " ".join(telling) or text
        if self._lexical is None and self._design.windows and len(telling) > 2:
            yield from (" ".join(pair) for pair in list(pairwise(telling))[:MAX_WINDOWS])

    def _bar(self, probabilities: Floats, similarities: Floats) -> dict[int, str]:
        """Take the best article out of the running while the message is nearer to what it is not about.

        Those taken out, with the text that did it.
        """
        barred: dict[int, str] = {}
        if not self.corpus.against:
            return barred
        best = int(probabilities.argmax())
        while best not in barred and (text := self._barring(best, similarities)) is not None:
            barred[best] = text
            probabilities[best] = 0
            best = int(probabilities.argmax())
        return barred

    def _barring(self, article: int, similarities: Floats) -> str | None:
        """The text that the article is not about and that is nearer to the message than all of its own."""
        count = len(self.corpus.labels)
        own = similarities[self._own(article)].max()
        near = (text for text, near in zip(self.corpus.against, similarities[count:], strict=True) if near > own)
        return next((text.text for text in near if text.article == article), None)

    def _top(self, reading: _Reading, language: Language) -> tuple[Candidate, ...]:
        """The best articles; the others' confidence falls as their probability does."""
        most = min(TOP + len(reading.barred), len(self._ids))
        first = np.argpartition(-reading.probabilities, most - 1)[:most]
        order = first[np.argsort(-reading.probabilities[first], kind="stable")]
        best = max(float(reading.probabilities[order[0]]), 1e-9)
        running = [index for index in order if index not in reading.barred] or order[:1]
        found = ((self._kb.article(self._ids[index], language), index) for index in running[:TOP])
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
        team = str(self._teams[best])
        return team or None

    def _closest(self, reading: _Reading) -> list[str]:
        """The best article's phrasings nearest to the message, else lines of it; none when nothing is shared."""
        own = self._own(int(reading.probabilities.argmax()))
        near = reading.similarities[own]
        nearest = np.argsort(-near, kind="stable")[: 3 * CLOSEST]
        found = [self.corpus.sources[own.start + place] for place in nearest if near[place] > 0]
        return [source.text for source in [one for one in found if one.asked] or found][:CLOSEST]

    def _own(self, article: int) -> slice:
        """Where the article's texts stand."""
        first, last = np.searchsorted(self.corpus.labels, [article, article + 1])
        return slice(int(first), int(last))


def _repair(kb: KnowledgeBase, corpus: Corpus) -> Repair:
    return Repair([*corpus.normals, *(normalise(article.body) for article in kb.articles)])


def _answers_one_of(part: Match, articles: Container[str]) -> bool:
    return part.verdict is Verdict.ANSWER and part.best is not None and part.best.article.id in articles


def _are_several(parts: Sequence[Match]) -> bool:
    """Whether the parts ask for different things and at least one of them is known."""
    known = [part.best.article.id for part in parts if part.verdict is Verdict.ANSWER and part.best]
    other = [part for part in parts if part.verdict in (Verdict.SUGGEST, Verdict.TICKET)]
    return bool(known) and (len(set(known)) > 1 or bool(other))
