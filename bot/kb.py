"""The folder of articles: Markdown files with YAML front matter, one article in one language each.

`read_folder` is called by `bot.compose` to start a desk and to reload it, and by `deskbell check` and
`kb lint`. A file with an error is left out of the knowledge base: an audience is never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.deskfile_schema import Entry
from bot.deskfile_values import Id, Text, Tongue
from bot.forms import named, validate
from bot.yamlfile import Problem, Severity, Source, Where, did_you_mean, has_errors, parse, read_text
from triage.knowledge import Article, KnowledgeBase
from triage.model import Language
from triage.policy import Policy

FENCE = "---"
ENOUGH_PHRASINGS = 3
"""Ways to ask, below which an article is hard to find."""

_AUDIENCES = "public, company, or team: and the key of a team, such as team:hr"


def _audience(text: str) -> str:
    kind, colon, team = text.partition(":")
    if text in ("public", "company") or (kind == "team" and colon and team):
        return text
    raise ValueError(f"'{text}' is not an audience: write {_AUDIENCES}")


def _review(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"'{text}' is not a day: write it like 2027-02-15") from None


class FrontMatter(Entry):
    """What stands between the two `---` lines."""

    id: Id
    lang: Tongue
    title: Text
    team: Id
    audience: Annotated[str, AfterValidator(_audience)]
    tags: Annotated[list[Text], Field(default_factory=list)]
    owner: Text | None = None
    review: Annotated[date, BeforeValidator(_review)] | None = None
    phrasings: Annotated[list[Text], Field(default_factory=list)]
    version: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True)
class _Page:
    """One sound file."""

    source: Source
    article: Article

    def problem(self, key: str, message: str, severity: Severity = Severity.ERROR) -> Problem:
        where: Where = (key,)
        return self.source.problem(where, named(where, message), severity)


def read_folder(
    folder: Path, *, policy: Policy | None = None, today: date | None = None
) -> tuple[KnowledgeBase, list[Problem]]:
    """All sound articles below `folder`, and what is wrong with the files, in the order of their names.

    `policy` tells which teams and people exist; `today` which review dates are overdue. Without them
    that is not checked.
    """
    if not folder.is_dir():
        return KnowledgeBase.of(()), [Problem(file=folder, line=1, message="the folder of articles does not exist")]
    pages: list[_Page] = []
    problems: list[Problem] = []
    for file in sorted(folder.rglob("*.md")):
        page, found = _read(file)
        problems += found
        if page is not None:
            pages.append(page)
    problems += [problem for page in pages for problem in _check(page, policy, today)]
    problems += [*_duplicates(pages), *_disagreements(pages)]
    bad = {problem.file for problem in problems if problem.severity is Severity.ERROR}
    kept = KnowledgeBase.of(page.article for page in pages if page.source.file not in bad)
    return kept, sorted(problems, key=lambda problem: (str(problem.file), problem.line))


def read_article(text: str, file: Path) -> tuple[Article | None, list[Problem]]:
    """One article from the text of its file; None when there is an error in it."""
    page, problems = _page(text, file)
    return (page.article if page else None), problems


def _read(file: Path) -> tuple[_Page | None, list[Problem]]:
    text = read_text(file)
    if isinstance(text, Problem):
        return None, [text]
    return _page(text, file)


def _page(text: str, file: Path) -> tuple[_Page | None, list[Problem]]:
    parts = _split(text)
    if parts is None:
        message = (
            f"has no front matter: the file begins with a line {FENCE}, then id, lang, title and so on, then {FENCE}"
        )
        return None, [Problem(file=file, line=1, message=message)]
    front, body = parts
    source, problems = parse(front, file, first_line=2)
    if has_errors(problems):
        return None, problems
    form, problems = validate(source, FrontMatter)
    if form is None or problems:
        return None, problems
    return _Page(source, _article(form, body)), []


def _split(text: str) -> tuple[str, str] | None:
    """Front matter and body."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None
    end = next((index for index, line in enumerate(lines) if index and line.rstrip() == FENCE), None)
    if end is None:
        return None
    return "\n".join(lines[1:end]) + "\n", "\n".join(lines[end + 1 :]).strip()


def _article(form: FrontMatter, body: str) -> Article:
    return Article(
        id=form.id,
        title=form.title,
        body=body,
        phrasings=tuple(form.phrasings),
        language=form.lang,
        team=form.team,
        audience=form.audience,
        tags=tuple(form.tags),
        owner=form.owner,
        review=form.review,
        version=form.version,
    )


def _check(page: _Page, policy: Policy | None, today: date | None) -> Iterator[Problem]:
    article = page.article
    if policy is not None:
        yield from _strangers(page, policy)
    if not article.body:
        yield page.problem("title", "the article has no text below its front matter", Severity.WARNING)
    if len(article.phrasings) < ENOUGH_PHRASINGS:
        message = f"{len(article.phrasings)} of at least {ENOUGH_PHRASINGS}: add ways in which people ask this"
        yield page.problem("phrasings", message, Severity.WARNING)
    if today and article.review and article.review < today:
        message = f"was due on {article.review}: read the article again and set a new date"
        yield page.problem("review", message, Severity.WARNING)


def _strangers(page: _Page, policy: Policy) -> Iterator[Problem]:
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


def _duplicates(pages: list[_Page]) -> Iterator[Problem]:
    first: dict[tuple[str, Language], _Page] = {}
    for page in pages:
        other = first.setdefault((page.article.id, page.article.language), page)
        if other is not page:
            message = f"'{page.article.id}' is already the id of {other.source.file} in the same language"
            yield page.problem("id", message)


def _disagreements(pages: list[_Page]) -> Iterator[Problem]:
    """Translations that name another team or audience than the original (English, else the first)."""
    original: dict[str, _Page] = {}
    for page in sorted(pages, key=lambda page: page.article.language is not Language.EN):
        first = original.setdefault(page.article.id, page)
        for key in ("team", "audience"):
            ours, theirs = getattr(page.article, key), getattr(first.article, key)
            if ours != theirs:
                yield page.problem(key, f"is '{ours}', but '{theirs}' in {first.source.file}; translations must agree")
