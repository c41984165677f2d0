"""JSONL: one article a line, as a JSON object.

Called by `bot.kbfiles.reading` and `bot.kbfiles.writing`. The form that `deskbell eval` reads (id, title,
body, phrasings, lang) is an article whose team and audience come from the command line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.kbfiles.form import MAX_TOLD, Defaults, Page, Read, fields, page
from bot.yamlfile import Problem, Severity, Source, Tree
from triage.knowledge import Article

AUDIENCE = "company"
"""Who may read the articles of a file that says nothing about it, unless the command line does."""


TITLE = 200
"""Characters of a phrasing that stands in for a title."""


class _Twice(ValueError):
    """A key that an object has two times."""


def read(text: str, file: Path, defaults: Defaults) -> Read:
    """The articles of a file's text, and what is wrong with it."""
    pages: list[Page] = []
    problems: list[Problem] = []
    untitled: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        found, said = _line(line, Source(file=file, lines={(): number}), defaults, untitled)
        pages += [found] if found else []
        problems += said
        if len(problems) > MAX_TOLD:
            break
    if untitled:
        message = f"title: {len(untitled):,} articles from here on have none: the first phrasing stands in for it"
        problems.append(Problem(file=file, line=untitled[0], message=message, severity=Severity.WARNING))
    return pages, problems


def write(articles: Iterable[Article]) -> str:
    """The text of a file of these articles."""
    return "".join(json.dumps({"phrasings": [], "body": "", **fields(a)}, ensure_ascii=False) + "\n" for a in articles)


def _line(line: str, source: Source, defaults: Defaults, untitled: list[int]) -> tuple[Page | None, list[Problem]]:
    try:
        found = json.loads(line, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
    except _Twice as error:
        return None, [source.problem((), f"the key '{error}' is here twice; keep one")]
    except json.JSONDecodeError as error:
        return None, [source.problem((), f"not valid JSON: {error.msg.lower()} at character {error.pos + 1}")]
    except RecursionError:
        return None, [source.problem((), "not valid JSON: it is nested too deeply")]
    if not isinstance(found, dict):
        return None, [source.problem((), 'must be an object: {"id": …, "title": …, "body": …, "phrasings": […], …}')]
    data = {key: _as_text(value) for key, value in found.items() if value is not None}
    _complete(data, defaults)
    if not data.get("title") and (first := _first(data.get("phrasings"))):
        data["title"] = first[:TITLE]
        untitled.append(source.line(()))
    return page(Source(file=source.file, data=data, lines=source.lines))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return found


def _as_text(value: Any) -> Tree:
    if isinstance(value, bool):
        return str(value).lower()
    return value  # type: ignore[no-any-return]


def _complete(data: dict[str, Tree], defaults: Defaults) -> None:
    """Fill in the team and the audience that the form of `deskbell eval` leaves out."""
    if "team" not in data and "audience" not in data:
        data["audience"] = defaults.audience or AUDIENCE
    for key, value in (("team", defaults.team), ("audience", defaults.audience)):
        if value:
            data.setdefault(key, value)


def _first(phrasings: Tree | None) -> str:
    first = phrasings[0] if isinstance(phrasings, list) and phrasings else ""
    return first if isinstance(first, str) else ""
