"""The files of `deskbell eval`: one JSON object a line, as DESIGN.md, section 7 fixes them.

Called by `bot.cli_eval_run` and by the benchmarks. Nothing here raises because of what stands in a file:
everything wrong comes back as a `Problem` with its line, and a file with a problem is not used.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.deskfile_values import Tongue
from bot.yamlfile import Problem, read_text
from triage.knowledge import Article
from triage.matching import Labelled
from triage.model import Language
from triage.text import language_of

_Line = TypeVar("_Line", bound=BaseModel)
_Numbered = list[tuple[int, _Line]]


class _KbLine(BaseModel):
    """Keys that are not named here belong to others and are left alone."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: Annotated[str, Field(min_length=1)]
    title: str = ""
    body: str = ""
    phrasings: list[str] = []
    against: list[str] = []
    tags: list[str] = []
    lang: Tongue | None = None

    def article(self) -> Article:
        return Article(
            id=self.id,
            title=self.title,
            body=self.body,
            phrasings=tuple(self.phrasings),
            against=tuple(self.against),
            tags=tuple(self.tags),
            language=self.lang or language_of(" ".join((*self.phrasings, self.title)) or self.body),
        )


class _QueryLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    text: str
    article: str | None


class _ReplayedLine(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    id: str
    right: bool


def read_kb(file: Path) -> tuple[tuple[Article, ...], list[Problem]]:
    """The articles in the order of the file; a missing `lang` is told from the text."""
    lines, problems = _lines(file, _KbLine)
    articles = [(number, line.article()) for number, line in lines]
    problems += _duplicates(file, articles)
    return tuple(article for _, article in articles), sorted(problems, key=lambda problem: problem.line)


def read_questions(file: Path) -> tuple[tuple[Labelled, ...], list[Problem]]:
    """The labelled questions in the order of the file."""
    lines, problems = _lines(file, _QueryLine)
    return tuple(Labelled(text=line.text, article=line.article) for _, line in lines), problems


def read_replayed(file: Path) -> tuple[dict[str, bool], list[Problem]]:
    """What `deskbell eval --feedback --out` wrote: by the id of a case whether it was right."""
    lines, problems = _lines(file, _ReplayedLine)
    return {line.id: line.right for _, line in lines}, problems


def _lines(file: Path, form: type[_Line]) -> tuple[_Numbered[_Line], list[Problem]]:
    text = read_text(file)
    if isinstance(text, Problem):
        return [], [text]
    read: _Numbered[_Line] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            read.append((number, form.model_validate_json(line)))
        except ValidationError as error:
            problems.append(Problem(file=file, line=number, message=_reason(line, error)))
    return read, problems


def _reason(line: str, error: ValidationError) -> str:
    """The first thing wrong with a line, with the key it is about."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    if first["loc"][:1] == ("lang",):
        return f"lang: {json.dumps(first['input'], ensure_ascii=False)} is none of {', '.join(Language)}"
    if first["type"] == "missing":
        return f"{where}: is missing"
    if first["type"] == "json_invalid":
        return f"is not JSON: {first['ctx']['error']}".replace(" line 1 column", " character")
    return f"{where}: {first['msg'].lower()}" if where else "is not a JSON object: write {...}"


def _duplicates(file: Path, articles: Iterable[tuple[int, Article]]) -> list[Problem]:
    first: dict[tuple[str, Language], int] = {}
    found: list[Problem] = []
    for number, article in articles:
        other = first.setdefault((article.id, article.language), number)
        if other != number:
            message = f"id: '{article.id}' is already the id of line {other} in the same language"
            found.append(Problem(file=file, line=number, message=message))
    return found
