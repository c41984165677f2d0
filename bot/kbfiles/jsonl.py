"""JSONL: one article a line, as a JSON object.

Called by `bot.kbfiles.reading` and `bot.kbfiles.writing`. The form that `deskbell eval` reads (id, title,
body, phrasings, lang) is an article whose team and audience come from the command line, or from desk.yaml
when `deskbell kb import` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class _Guessed:
    """The lines of articles without a title, and of those whose team nobody named."""

    titles: list[int] = field(default_factory=list)
    teams: list[int] = field(default_factory=list)


def read(text: str, file: Path, defaults: Defaults) -> Read:
    """The articles of a file's text, and what is wrong with it."""
    pages: list[Page] = []
    problems: list[Problem] = []
    guessed = _Guessed()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        found, said = _line(line, Source(file=file, lines={(): number}), defaults, guessed)
        pages += [found] if found else []
        problems += said
        if len(problems) > MAX_TOLD:
            break
    return pages, [*problems, *_told(guessed, file, defaults)]


def write(articles: Iterable[Article]) -> str:
    """The text of a file of these articles."""
    return "".join(json.dumps({"phrasings": [], "body": "", **fields(a)}, ensure_ascii=False) + "\n" for a in articles)


def _told(guessed: _Guessed, file: Path, defaults: Defaults) -> Iterator[Problem]:
    stand_ins = {
        "title": (guessed.titles, "the first phrasing stands in for it"),
        "team": (guessed.teams, f"they belong to '{defaults.open_team}', unless --team names another"),
    }
    for key, (lines, meaning) in stand_ins.items():
        if lines:
            message = f"{key}: {len(lines):,} articles from here on have none: {meaning}"
            yield Problem(file=file, line=lines[0], message=message, severity=Severity.WARNING)


def _line(line: str, source: Source, defaults: Defaults, guessed: _Guessed) -> tuple[Page | None, list[Problem]]:
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
    if _complete(data, defaults):
        guessed.teams.append(source.line(()))
    if not data.get("title") and (first := _first(data.get("phrasings"))):
        data["title"] = first[:TITLE]
        guessed.titles.append(source.line(()))
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


def _complete(data: dict[str, Tree], defaults: Defaults) -> bool:
    """Fill in what the form of `deskbell eval` leaves out; whether nobody named the team."""
    is_open = "team" not in data and "audience" not in data
    defaults.fill(data)
    if is_open:
        data.setdefault("audience", AUDIENCE)
    if not is_open or "team" in data or defaults.open_team is None:
        return False
    data["team"] = defaults.open_team
    return True


def _first(phrasings: Tree | None) -> str:
    first = phrasings[0] if isinstance(phrasings, list) and phrasings else ""
    return first if isinstance(first, str) else ""
