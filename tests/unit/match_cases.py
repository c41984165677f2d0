"""Knowledge bases, fake encoders and the sample desk's labelled questions, for the tests of the matcher."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.kb import read_folder
from triage.knowledge import Article, KnowledgeBase
from triage.match import TextMatcher, build_matcher
from triage.matching import Encoder, EncoderFailed, Match, Matcher, Verdict
from triage.model import Language
from triage.phrases import say
from triage.text import words

ROOT = Path(__file__).parents[2]
EMPLOYEE = frozenset({"public", "company"})
OUT_OF_SCOPE = 0.25

VPN = Article(
    id="vpn",
    title="VPN drops",
    phrasings=("the vpn keeps disconnecting", "vpn connection is unstable", "I lose the vpn every few minutes"),
    team="it",
)
BADGE = Article(
    id="badge",
    title="Lost badge",
    phrasings=("I lost my badge", "need a new access card", "my entry card was stolen"),
    team="facilities",
)
LEAVE = Article(
    id="leave",
    title="Annual leave",
    phrasings=("how do I book holiday", "request days off", "where do I enter annual leave"),
    team="hr",
)
DESK = (VPN, BADGE, LEAVE)


def matcher(*articles: Article, precision: float = 0.95, **more: Any) -> Matcher:
    return build_matcher(KnowledgeBase.of(articles), precision=precision, say=say, **more)


def text_matcher(*articles: Article, **more: Any) -> TextMatcher:
    made = matcher(*articles, **more)
    assert isinstance(made, TextMatcher)
    return made


def best(match: Match) -> str:
    assert match.best is not None
    return match.best.article.id


class FakeEncoder:
    """Stands in for the model, which turns each text into numbers; `down` makes it fail."""

    def __init__(self, vector: Callable[[str], NDArray[np.float32]], name: str = "fake") -> None:
        self.name = name
        self.down = False
        self.read: list[str] = []
        self._vector = vector
        self.specialists: Mapping[Language, Encoder] = {}

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.down:
            raise EncoderFailed(f"{self.name} is down")
        self.read += texts
        rows = np.stack([self._vector(text) for text in texts])
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)

    def remember(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.encode(texts)


def random_vector(text: str) -> NDArray[np.float32]:
    """The same for the same text, and nothing else."""
    return np.random.default_rng(zlib.crc32(text.encode("utf-8", "replace"))).standard_normal(64).astype(np.float32)


def hashed_words(text: str) -> NDArray[np.float32]:
    """Texts with the same words lie near."""
    vectors = [random_vector(word) for word in words(text)] or [random_vector("")]
    return np.asarray(np.sum(vectors, axis=0), np.float32)


@cache
def sample_articles() -> KnowledgeBase:
    return read_folder(ROOT / "bot" / "sample" / "kb")[0]


@cache
def sample() -> TextMatcher:
    """The lexical matcher of what an employee may read."""
    return text_matcher(*sample_articles().for_audience(EMPLOYEE).articles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A labelled question and what came out; `wanted` is None when no article answers it."""

    wanted: str | None
    language: Language
    match: Match

    @property
    def answered(self) -> bool:
        return self.match.verdict is Verdict.ANSWER

    @property
    def right(self) -> bool:
        return best(self.match) == self.wanted

    @property
    def found(self) -> bool:
        return self.wanted in [candidate.article.id for candidate in self.match.top]


def put(matcher: Matcher) -> tuple[Asked, ...]:
    """All labelled questions of the sample desk."""
    file = ROOT / "tests" / "data" / "questions.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return tuple(
        Asked(wanted=line["article"], language=Language(line["lang"]), match=matcher.match(line["text"]))
        for line in lines
    )


@cache
def asked_by_words() -> tuple[Asked, ...]:
    return put(sample())


def inside(asked: Iterable[Asked], language: Language | None = None) -> list[Asked]:
    return [one for one in asked if one.wanted and language in (None, one.language)]


def outside(asked: Iterable[Asked]) -> list[Asked]:
    return [one for one in asked if one.wanted is None]


def share(values: Iterable[bool]) -> float:
    known = list(values)
    return sum(known) / len(known)


def precision(asked: Sequence[Asked]) -> float:
    """`answer_precision` of `deskbell eval`: as if a quarter of the questions had no article."""
    right = share(one.answered and one.right for one in inside(asked))
    given = share(one.answered for one in inside(asked))
    needless = share(one.answered for one in outside(asked))
    return (1 - OUT_OF_SCOPE) * right / ((1 - OUT_OF_SCOPE) * given + OUT_OF_SCOPE * needless)


def teams(asked: Sequence[Asked]) -> list[tuple[str, str | None]]:
    """The right team and the one that was named."""
    team = {article.id: article.team for article in sample_articles().articles}
    return [(team[one.wanted], one.match.team) for one in inside(asked) if one.wanted]
