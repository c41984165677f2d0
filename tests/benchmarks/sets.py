"""The knowledge bases and questions of a run: public sets, the sample desk, and bases of any size.

Called by `tests.benchmarks.__main__`; workers read the files whose paths are given here.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import sample
from bot.evaluation_files import read_kb
from bot.kb import read_folder
from triage.knowledge import Article
from triage.model import Language

QUESTIONS = Path(__file__).parents[1] / "data" / "questions.jsonl"
EMPLOYEE = frozenset({"public", "company"})

PHRASINGS = 5
TOPIC_WORDS = 8
ON_TOPIC = 0.6
ASKED = 300
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """One row of a table: questions, and the knowledge bases over which the figures are the mean."""

    name: str
    kbs: tuple[Path, ...]
    queries: Path


def public_sets(data: Path) -> list[QuestionSet]:
    """Every folder of `data` with kb-*.jsonl and queries.jsonl, or `data` itself."""
    folders = [data, *sorted(path for path in data.iterdir() if path.is_dir())]
    return [
        QuestionSet(name=folder.name, kbs=tuple(sorted(folder.glob("kb-*.jsonl"))), queries=folder / "queries.jsonl")
        for folder in folders
        if (folder / "queries.jsonl").exists() and any(folder.glob("kb-*.jsonl"))
    ]


def sample_sets(folder: Path) -> list[QuestionSet]:
    """The sample desk in all its languages at once, its questions by language; files go into `folder`."""
    kb, _ = read_folder(sample.files() / "kb")
    base = folder / "sample-kb.jsonl"
    _write_kb(base, kb.for_audience(EMPLOYEE).articles)
    lines = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").split("\n") if line]
    sets = []
    for language in Language:
        file = folder / f"sample-{language}.jsonl"
        _write(file, (line for line in lines if line["lang"] == language))
        sets.append(QuestionSet(name=f"sample desk, {language}", kbs=(base,), queries=file))
    return sets


def scaled(source: Path, size: int, folder: Path) -> QuestionSet:
    """A knowledge base of `size` phrasings, PHRASINGS an article, made of the words of the one in `source`.

    Each article has a topic of a few words; its phrasings, and the questions, mix them with all others.
    """
    articles, _ = read_kb(source)
    generator = _Generator(articles)
    topics = [generator.topic() for _ in range(max(1, size // PHRASINGS))]
    kb, queries = folder / f"scale-{size}-kb.jsonl", folder / f"scale-{size}.jsonl"
    _write_kb(
        kb,
        (
            Article(id=f"a{number}", title="", phrasings=tuple(generator.text(topic) for _ in range(PHRASINGS)))
            for number, topic in enumerate(topics)
        ),
    )
    asked = random.Random(SEED + 1).choices(range(len(topics)), k=ASKED)
    _write(queries, ({"text": generator.text(topics[number]), "article": f"a{number}"} for number in asked))
    return QuestionSet(name=f"{size:,} phrasings", kbs=(kb,), queries=queries)


class _Generator:
    """Recombines the words of a knowledge base, each as frequent as it is there, from a fixed seed."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._chance = random.Random(SEED)
        texts = [text.split() for article in articles for text in article.phrasings]
        self._lengths = [len(words) for words in texts]
        self._words = [word for words in texts for word in words]
        self._vocabulary = sorted(set(self._words))

    def topic(self) -> list[str]:
        return self._chance.choices(self._vocabulary, k=TOPIC_WORDS)

    def text(self, topic: Sequence[str]) -> str:
        length = max(2, self._chance.choice(self._lengths))
        return " ".join(
            self._chance.choice(topic if self._chance.random() < ON_TOPIC else self._words) for _ in range(length)
        )


def _write_kb(file: Path, articles: Sequence[Article] | Iterator[Article]) -> None:
    _write(
        file,
        (
            {
                "id": article.id,
                "title": article.title,
                "body": article.body,
                "phrasings": article.phrasings,
                "tags": article.tags,
                "lang": article.language,
            }
            for article in articles
        ),
    )


def _write(file: Path, lines: Iterator[dict[str, object]]) -> None:
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
