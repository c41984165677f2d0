"""What only several articles, or the desk, can tell: unknown teams, ids taken twice, translations at odds.

Called by `bot.kbfiles.reading` once every single article is sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain

from bot.kbfiles.form import Page
from bot.yamlfile import Problem, Severity, did_you_mean
from triage.model import Language
from triage.policy import Policy

ENOUGH_PHRASINGS = 3
"""Ways to ask, below which an article is hard to find."""


def problems(pages: Sequence[Page], policy: Policy | None, today: date | None) -> list[Problem]:
    """Errors and warnings; without a policy or a day, what they would tell is not checked."""
    single = chain.from_iterable(_check(page, policy, today) for page in pages)
    return [*single, *_duplicates(pages), *_disagreements(pages)]


def _check(page: Page, policy: Policy | None, today: date | None) -> Iterator[Problem]:
    article = page.article
    if policy is not None:
        yield from _strangers(page, policy)
    if not article.body:
        yield page.problem("title", "the article has no text", Severity.WARNING)
    if len(article.phrasings) < ENOUGH_PHRASINGS:
        message = f"{len(article.phrasings)} of at least {ENOUGH_PHRASINGS}: add ways in which people ask this"
        yield page.problem("phrasings", message, Severity.WARNING)
    if today and article.review and article.review < today:
        message = f"was due on {article.review}: read the article again and set a new date"
        yield page.problem("review", message, Severity.WARNING)


def _strangers(page: Page, policy: Policy) -> Iterator[Problem]:
    """Teams and people that desk.yaml does not know."""
    article = page.article
    if article.team not in policy.teams:
        yield page.problem("team", f"'{article.team}' is not a team: {did_you_mean(article.team, policy.teams)}")
    team = article.audience.partition(":")[2]
    if team and team not in policy.teams:
        yield page.problem("audience", f"'{team}' is not a team: {did_you_mean(team, policy.teams)}")
    if article.owner and article.owner not in policy.people:
        message = f"'{article.owner}' is not a key under people: {did_you_mean(article.owner, policy.people)}"
        yield page.problem("owner", message, Severity.WARNING)


def _duplicates(pages: Sequence[Page]) -> Iterator[Problem]:
    first: dict[tuple[str, Language], Page] = {}
    for page in pages:
        other = first.setdefault((page.article.id, page.article.language), page)
        if other is not page:
            message = f"'{page.article.id}' is already the id of {_place(other, page)} in the same language"
            yield page.problem("id", message)


def _disagreements(pages: Sequence[Page]) -> Iterator[Problem]:
    """Translations that name another team or audience than the original (English, else the first)."""
    original: dict[str, Page] = {}
    for page in sorted(pages, key=lambda page: page.article.language is not Language.EN):
        first = original.setdefault(page.article.id, page)
        for key in ("team", "audience"):
            ours, theirs = getattr(page.article, key), getattr(first.article, key)
            if ours != theirs:
                place = _place(first, page)
                yield page.problem(key, f"is '{ours}', but '{theirs}' in {place}; translations must agree")


def _place(page: Page, seen_from: Page) -> str:
    """Where a page stands, told to the reader of another one."""
    same = page.source.file == seen_from.source.file
    return f"line {page.line}" if same else str(page.source.file)
