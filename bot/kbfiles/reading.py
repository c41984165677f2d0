"""A file or a folder of articles in any format, read as a whole.

Called by `bot.kb` for the desk's own folder and by `bot.cli_kb_run`. A file with an error is left out whole:
an audience is never guessed, and half a file is nobody's intention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from bot.kbfiles import checks, jsonl, markdown, table, textfile, webpage
from bot.kbfiles.form import Defaults, Page, Read, abridged
from bot.yamlfile import Problem, Severity
from triage.knowledge import Article, KnowledgeBase
from triage.policy import Policy

MAX_ARTICLES = 100_000

Progress = Callable[[int, int, int], None]
"""Told after each file: files read, files in all, articles so far."""


@dataclass(frozen=True)
class Reading:
    """What was read: the pages without an error, how many files they are of, and what there is to say."""

    pages: tuple[Page, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0

    @property
    def articles(self) -> tuple[Article, ...]:
        return tuple(page.article for page in self.pages)

    @cached_property
    def kb(self) -> KnowledgeBase:
        return KnowledgeBase.of(self.articles)

    @cached_property
    def broken(self) -> frozenset[Path]:
        """Files of which nothing was taken."""
        return frozenset(problem.file for problem in self.problems if problem.severity is Severity.ERROR)


def read(
    path: Path,
    *,
    policy: Policy | None = None,
    today: date | None = None,
    defaults: Defaults | None = None,
    progress: Progress | None = None,
) -> Reading:
    """All sound articles of a file, or of the files below a folder, in the order of their names.

    `policy` tells which teams and people exist; `today` which review dates are overdue. Without them
    that is not checked.
    """
    files, problems = textfile.files_of(path) if path.is_dir() else ([path], [])
    pages: list[Page] = []
    for count, file in enumerate(files, start=1):
        found, said = _file(file, defaults or Defaults(), room=MAX_ARTICLES - len(pages))
        pages += found
        problems += said
        if progress:
            progress(count, len(files), len(pages))
    problems += checks.problems(pages, policy, today)
    return _reading(pages, problems, len(files))


def read_file(text: str, file: Path, defaults: Defaults) -> Read:
    """The articles of one file's text in the format that its name ends on."""
    match file.suffix.lower():
        case ".md":
            return markdown.read(text, file, defaults)
        case ".csv":
            return table.read(text, file, defaults)
        case ".jsonl":
            return jsonl.read(text, file, defaults)
        case ".html" | ".htm":
            return webpage.read(text, file, defaults)
    message = f"is not a file of articles: its name ends on one of {', '.join(textfile.SUFFIXES)}"
    return [], [Problem(file=file, line=1, message=message)]


def _file(file: Path, defaults: Defaults, *, room: int) -> Read:
    text = textfile.read_text(file)
    if isinstance(text, Problem):
        return [], [text]
    pages, problems = read_file(text, file, defaults)
    if len(pages) > room:
        message = f"too many articles: at most {MAX_ARTICLES:,} at a time"
        return [], [Problem(file=file, line=1, message=message)]
    return pages, problems


def _reading(pages: Sequence[Page], problems: Sequence[Problem], files: int) -> Reading:
    by_file: dict[Path, list[Problem]] = {}
    for problem in sorted(problems, key=lambda problem: (str(problem.file), problem.line)):
        by_file.setdefault(problem.file, []).append(problem)
    told = [problem for found in by_file.values() for problem in abridged(found)]
    reading = Reading(problems=tuple(told), files=files)
    kept = tuple(page for page in pages if page.source.file not in reading.broken)
    return Reading(pages=kept, problems=tuple(told), files=files)
