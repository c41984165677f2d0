"""The folder of articles, kept in step with the library.

`bot.running` calls `FolderSync.sync` at the start and every two seconds, off the event loop. Nothing is
read while nothing changed. `foreseen` tells `bot.answering` and `bot.cli_kb_run` what that comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from bot.kbfiles.reading import Reading, read
from bot.kbfiles.textfile import files_of
from bot.yamlfile import Problem, Severity
from triage.errors import AlreadyHeld
from triage.knowledge import Article
from triage.policy import Policy
from triage.ports import Library, Now, Replaced

SOURCE = "folder"

Problems = Sequence[Problem]

Fingerprint = tuple[tuple[str, int, int], ...]
"""Name, size and time of change, in nanoseconds, of each file."""

log = structlog.get_logger(__name__)


class FolderSync:
    """One folder and the library it fills; to be called from one thread at a time."""

    def __init__(self, folder: Path, library: Library, *, policy: Policy, now: Now) -> None:
        self.folder = folder
        self._library = library
        self._policy = policy
        self._now = now
        self._seen: Fingerprint | None = None
        self._ids: dict[Path, frozenset[str]] = {}
        """What each file brought when it was last sound."""
        self._told: frozenset[str] = frozenset()

    def sync(self) -> Replaced | None:
        """Put the folder's articles in force when it changed since the last time; None when nothing was done.

        A file with an error leaves its articles as they are; the others count. Raises Unavailable, and
        then does it all again the next time.
        """
        seen = fingerprint(self.folder)
        if seen == self._seen:
            return None
        found = _read(self.folder, self._policy)
        if fingerprint(self.folder) != seen:
            return None  # somebody is writing to it just now
        replaced, refused = self._replace(found)
        self._seen = seen
        self._tell([str(problem) for problem in found.problems if problem.severity is Severity.ERROR] + refused)
        if replaced:
            log.info("articles synced", **{name: len(getattr(replaced, name)) for name in Replaced.__slots__})
        return replaced

    def _replace(self, found: Reading) -> tuple[Replaced, list[str]]:
        """What changed, and what the library refused. Nothing is retired while a file could bring anything."""
        unknown = found.broken - self._ids.keys()
        keep = frozenset(id for file in found.broken for id in self._ids.get(file, ()))

        def replace(articles: Iterable[Article]) -> Replaced:
            return self._library.replace(SOURCE, tuple(articles), self._now(), keep=keep, retire=not unknown)

        try:
            done, refused = replace(found.articles), []
        except AlreadyHeld as error:
            done, refused = replace(_free(found, error)), [str(error)]
        self._remember(found)
        return done, refused

    def _remember(self, found: Reading) -> None:
        ids: dict[Path, set[str]] = {}
        for page in found.pages:
            ids.setdefault(page.source.file, set()).add(page.article.id)
        before = {file: self._ids[file] for file in found.broken if file in self._ids}
        self._ids = before | {file: frozenset(theirs) for file, theirs in ids.items()}

    def _tell(self, problems: list[str]) -> None:
        """Each once, until it is gone."""
        for problem in problems:
            if problem not in self._told:
                log.warning("articles are left as they were", problem=problem)
        self._told = frozenset(problems)


class Foresight(Protocol):
    """What a library must be able to tell without changing."""

    def foresee(
        self, source: str, articles: Sequence[Article], at: datetime, *, retire: bool = True
    ) -> tuple[Article, ...]: ...


def foreseen(folder: Path, library: Foresight, *, policy: Policy, at: datetime) -> tuple[tuple[Article, ...], Problems]:
    """The articles that a desk started now would have in force, and what is wrong with the folder's; writes nothing.

    Raises Unavailable.
    """
    found = _read(folder, policy)
    try:
        return library.foresee(SOURCE, found.articles, at, retire=not found.broken), found.problems
    except AlreadyHeld as error:
        held = Problem(file=folder, line=1, message=str(error))
        return library.foresee(SOURCE, _free(found, error), at, retire=not found.broken), (*found.problems, held)


def _read(folder: Path, policy: Policy) -> Reading:
    if not folder.is_dir():
        missing = Problem(file=folder, line=1, message="the folder of articles does not exist")
        return Reading(problems=(missing,))
    return read(folder, policy=policy)


def _free(found: Reading, error: AlreadyHeld) -> tuple[Article, ...]:
    """The articles that no other source has."""
    return tuple(article for article in found.articles if (article.id, article.language) not in error.held)


def fingerprint(folder: Path) -> Fingerprint:
    """Changes with every edit of a file of articles; empty when there is none."""
    files, _ = files_of(folder)
    return tuple(_mark(file) for file in files)


def _mark(file: Path) -> tuple[str, int, int]:
    try:
        found = file.stat()
    except OSError:
        return str(file), -1, -1
    return str(file), found.st_size, found.st_mtime_ns
