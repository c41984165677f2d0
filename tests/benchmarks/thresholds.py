"""A threshold for a method that brings none, from the knowledge base alone: no labelled question is seen.

Called by `tests.benchmarks.worker`. In-scope questions are phrasings that are held out, out-of-scope ones
the phrasings of articles that are held out whole; both in folds.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bot.evaluate import Outcome, ask, best_coverage, trade_off
from tests.benchmarks.methods import Method, Ranking
from triage.knowledge import Article
from triage.matching import Labelled, Verdict

FOLDS = 5
SEED = 0


def threshold(make: Callable[[], Method], articles: Sequence[Article], precision: float) -> float | None:
    """The lowest score from which held-out phrasings are answered with this precision; None: from none."""
    shuffled = _shuffled(articles)
    found = [*_phrasings_held_out(make, shuffled), *_articles_held_out(make, shuffled)]
    best = best_coverage(trade_off(found), precision)
    return best.threshold if best else None


def decided(outcomes: Sequence[Outcome], threshold: float | None) -> list[Outcome]:
    """The same outcomes, had this threshold been in force."""
    limit = float("inf") if threshold is None else threshold
    return [
        replace(each, threshold=limit, decision=Verdict.ANSWER if each.confidence >= limit else Verdict.SUGGEST)
        for each in outcomes
    ]


def _phrasings_held_out(make: Callable[[], Method], articles: Sequence[Article]) -> Iterator[Outcome]:
    for fold in range(FOLDS):
        kept = [
            replace(a, phrasings=tuple(t for i, t in enumerate(a.phrasings) if i % FOLDS != fold)) for a in articles
        ]
        asked = [
            Labelled(text=text, article=article.id)
            for article in articles
            for text in article.phrasings[fold::FOLDS]
            if len(article.phrasings) > 1
        ]
        yield from _asked(make(), kept, asked)


def _articles_held_out(make: Callable[[], Method], articles: Sequence[Article]) -> Iterator[Outcome]:
    ids = list(dict.fromkeys(article.id for article in articles))
    for fold in range(FOLDS):
        out = set(ids[fold::FOLDS])
        kept = [article for article in articles if article.id not in out]
        texts = [text for article in articles if article.id in out for text in article.phrasings]
        yield from _asked(make(), kept, [Labelled(text=text, article=None) for text in texts])


def _asked(method: Method, kept: Sequence[Article], questions: Sequence[Labelled]) -> Iterator[Outcome]:
    if any(article.phrasings for article in kept):
        method.build(kept)
        yield from ask(Ranking(method, kept), questions)


def _shuffled(articles: Sequence[Article]) -> list[Article]:
    chance = random.Random(SEED)
    kept = [replace(a, phrasings=tuple(chance.sample(a.phrasings, len(a.phrasings)))) for a in articles]
    chance.shuffle(kept)
    return kept
