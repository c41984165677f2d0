"""The form of an article, whatever the format of its file: fields, limits, and how a mistake is told.

The readers of `bot.kbfiles` turn text into a `Source` and call `page`; `bot.kbfiles.checks` looks at
the pages together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, FailFast, Field

from bot.deskfile_values import Id, Tongue
from bot.forms import Entry, named, validate
from bot.yamlfile import Problem, Severity, Source, Tree
from triage.knowledge import Article

MAX_ID = 200
MAX_LINE = 500
"""Characters of a title, a tag, an owner."""
MAX_PHRASING = 4_000
MAX_BODY = 200_000
MAX_PHRASINGS = 200_000
MAX_TAGS = 200
MAX_VERSION = 1_000_000
MAX_TOLD = 100
"""Errors told of one file; a reader stops soon after."""
MAX_MESSAGE = 400

_AUDIENCES = "public, company, or team: and the key of a team, such as team:hr"
_BROKEN = re.compile("[\0\ud800-\udfff]")
_BREAK = re.compile(r"\s*[\r\n]\s*")
_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What stands in for a team, an audience or a language that a file does not name.

    `open_team` is the team of JSONL in the form of `deskbell eval`, which knows neither teams nor audiences.
    """

    team: str | None = None
    audience: str | None = None
    lang: str | None = None
    open_team: str | None = None

    def fill(self, data: dict[str, Tree]) -> None:
        for key, value in (("team", self.team), ("audience", self.audience), ("lang", self.lang)):
            if value and not data.get(key):
                data[key] = value


def tidy(text: str) -> str:
    """Text with `\\n` line ends, without blank lines before it and blanks after it."""
    return _BLANK_LINES.sub("", text.replace("\r\n", "\n").replace("\r", "\n").rstrip())


def _sound(text: str, most: int) -> str:
    if _BROKEN.search(text):
        raise ValueError("has a character that is no text (NUL, or half of a pair): remove it")
    if len(text) > most:
        raise ValueError(f"is too long: {len(text):,} characters, at most {most:,}")
    return text


def _words(most: int) -> Callable[[str], str]:
    """A validator of text that says something, in at most so many characters."""

    def check(text: str) -> str:
        stripped = _sound(tidy(text).strip(), most)
        if not stripped:
            raise ValueError("must not be empty")
        return stripped

    return check


def _line(text: str) -> str:
    """Text in one line that says something."""
    return _words(MAX_LINE)(_BREAK.sub(" ", text))


def _body(text: str) -> str:
    return _sound(tidy(text), MAX_BODY)


def _at_most(most: int) -> Callable[[list[str]], list[str]]:
    def check(entries: list[str]) -> list[str]:
        if len(entries) > most:
            raise ValueError(f"has {len(entries):,} entries, at most {most:,}")
        return entries

    return check


def _audience(text: str) -> str:
    kind, colon, team = text.partition(":")
    if text in ("public", "company") or (kind == "team" and colon and team):
        return _sound(text, MAX_ID)
    raise ValueError(f"'{text}' is not an audience: write {_AUDIENCES}")


def _review(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        raise ValueError(f"'{text}' is not a day: write it like 2027-02-15") from None


Key = Annotated[Id, AfterValidator(_words(MAX_ID))]
Line = Annotated[str, AfterValidator(_line)]
Phrasing = Annotated[str, AfterValidator(_words(MAX_PHRASING))]
Phrasings = Annotated[list[Phrasing], FailFast(), AfterValidator(_at_most(MAX_PHRASINGS))]
Tags = Annotated[list[Line], FailFast(), AfterValidator(_at_most(MAX_TAGS))]


class FrontMatter(Entry):
    """What stands between the two `---` lines."""

    id: Key
    lang: Tongue
    title: Line
    team: Key
    audience: Annotated[str, AfterValidator(_audience)]
    tags: Annotated[Tags, Field(default_factory=list)]
    owner: Line | None = None
    review: Annotated[date, BeforeValidator(_review)] | None = None
    version: Annotated[int, Field(ge=1, le=MAX_VERSION)] = 1
    phrasings: Annotated[Phrasings, Field(default_factory=list)]
    against: Annotated[Phrasings, Field(default_factory=list)]


class Record(FrontMatter):
    """An article of the other formats, where the text is one field among others."""

    body: Annotated[str, AfterValidator(_body)] = ""


FIELDS = tuple(Record.model_fields)
REQUIRED = tuple(name for name, field in Record.model_fields.items() if field.is_required())


@dataclass(frozen=True, slots=True)
class Page:
    """One sound article and where it stands."""

    source: Source
    article: Article

    @property
    def line(self) -> int:
        return self.source.line(())

    def problem(self, key: str, message: str, severity: Severity = Severity.ERROR) -> Problem:
        """A sentence about one field."""
        return self.source.problem((key,), named((key,), message), severity)


Read = tuple[list[Page], list[Problem]]
"""What a reader returns: the pages of a file, and what is wrong with it."""


def page(source: Source, form: type[FrontMatter] = Record) -> tuple[Page | None, list[Problem]]:
    """The article that a source describes; None when there is an error in it."""
    filled, problems = validate(source, form)
    if filled is None or problems:
        return None, problems
    return Page(source, _article(filled)), []


def _article(form: FrontMatter) -> Article:
    return Article(
        id=form.id,
        title=form.title,
        body=form.body if isinstance(form, Record) else "",
        phrasings=tuple(form.phrasings),
        against=tuple(form.against),
        language=form.lang,
        team=form.team,
        audience=form.audience,
        tags=tuple(form.tags),
        owner=form.owner,
        review=form.review,
        version=form.version,
    )


def fields(article: Article) -> dict[str, object]:
    """An article as the fields of its form, in their order; those that say nothing are left out."""
    found: dict[str, object] = {
        "id": article.id,
        "lang": article.language.value,
        "title": article.title,
        "team": article.team,
        "audience": article.audience,
        "tags": list(article.tags),
        "owner": article.owner,
        "review": article.review.isoformat() if article.review else None,
        "version": article.version if article.version != 1 else None,
        "phrasings": list(article.phrasings),
        "against": list(article.against),
        "body": article.body,
    }
    return {key: value for key, value in found.items() if value not in (None, [], "")}


def abridged(problems: Sequence[Problem]) -> list[Problem]:
    """The problems of one file, fit to be printed: all warnings, not too many errors, none too long.

    What a file says is quoted in them, so nothing that would steer a terminal is left.
    """
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    untold = frozenset(map(id, errors[MAX_TOLD:]))
    shown = [replace(p, message=_printable(p.message)) for p in problems if id(p) not in untold]
    if untold:
        shown.append(replace(errors[MAX_TOLD], message=f"at least {len(untold):,} more errors are not shown"))
    return shown


def _printable(message: str) -> str:
    short = message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]}…"
    return "".join(char if char.isprintable() else "\ufffd" for char in short)
