"""What `deskbell kb import`, `export` and `lint` do: articles brought in, written out, examined.

Called by `bot.cli_kb`, where their options are. What was done goes to stdout, progress and messages to stderr.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence, Sized
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot import deskfile, sample
from bot.deskfile import Desk
from bot.kbfiles.form import Defaults
from bot.kbfiles.reading import Reading, read
from bot.kbfiles.writing import CannotWrite, format_of, write
from bot.settings import Settings, SettingsError
from bot.syncing import SOURCE, foreseen
from bot.yamlfile import Problem, Severity, has_errors
from storage.engine import is_new
from storage.library import SqlLibrary
from triage.errors import AlreadyHeld, Unavailable
from triage.knowledge import Article
from triage.phrases import noted
from triage.ports import Replaced

DONE, FOUND, USAGE, UNAVAILABLE = 0, 1, 2, 3

PRECISION = 0.95


class _CannotDo(Exception):
    """The command stops here: the message and the exit code say why."""

    def __init__(self, message: str, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code


def run(options: argparse.Namespace) -> int:
    commands = {"import": _import, "export": _export, "lint": _lint}
    try:
        return commands[options.command](options)
    except _CannotDo as error:
        _say(str(error))
        return error.code


# --- import ------------------------------------------------------------------------------------
def _import(options: argparse.Namespace) -> int:
    settings = _settings(options)
    desk = _desk(settings)
    reading = _read(options, desk)
    _report(reading.problems)
    if not reading.articles:
        _say(f"{options.path} holds no sound article: nothing was changed.")
        return USAGE
    source = options.source or _source(options.path, desk)
    whole = not reading.broken and (options.source is not None or not _is_part(options.path, desk))
    replaced = _stored(reading, source, settings, dry=options.dry_run, retire=whole)
    for line in _changes(replaced, reading.articles, verbose=options.verbose, dry=options.dry_run):
        print(line)
    if reading.broken:
        _say(f"Left out, with errors: {_count(reading.broken, 'file')}; so nothing was retired.")
    return USAGE if reading.broken else DONE


def _source(path: Path, desk: Desk) -> str:
    """The desk's own folder for what lies in it, else the path, from here if it lies below, without its ending."""
    whole, here = path.resolve(), Path.cwd().resolve()
    if whole.is_relative_to(desk.kb.resolve()):
        return SOURCE
    named = whole.relative_to(here) if whole.is_relative_to(here) and whole != here else whole
    return str(named.with_suffix("") if path.is_file() else named)


def _is_part(path: Path, desk: Desk) -> bool:
    """Whether the path is only a part of the desk's folder, which then has articles that are not below it."""
    whole, folder = path.resolve(), desk.kb.resolve()
    return whole != folder and whole.is_relative_to(folder)


def _stored(reading: Reading, source: str, settings: Settings, *, dry: bool, retire: bool) -> Replaced:
    """What changed, or would; with `retire` false what the source does not bring now stays as it is."""
    if dry and is_new(settings.database):
        return Replaced(added=tuple(sorted({article.id for article in reading.articles})))
    at = datetime.now(UTC)
    with _library(settings) as library:
        try:
            change = library.rehearse if dry else library.replace
            return change(source, reading.articles, at, retire=retire)
        except AlreadyHeld as error:
            raise _CannotDo(_held(error)) from None


def _held(error: AlreadyHeld) -> str:
    (id, language), other = next(iter(error.held.items()))
    more = f" (and {len(error.held) - 1:,} more)" if len(error.held) > 1 else ""
    return (
        f"'{error.source}' brings '{id}' ({language}){more}, which belongs to '{other}': give other ids, or "
        f"--source {other} to replace what it has. Nothing was imported."
    )


def _changes(replaced: Replaced, articles: Sequence[Article], *, verbose: bool, dry: bool) -> Iterator[str]:
    same = {article.id for article in articles}.difference(replaced.added, replaced.changed)
    counts = {
        "added": replaced.added,
        "changed": replaced.changed,
        "retired": replaced.retired,
        "unchanged": tuple(sorted(same)),
    }
    yield ", ".join(f"{len(ids)} {name}" for name, ids in counts.items()) + (
        " (dry run: nothing stored)" if dry else ""
    )
    if verbose:
        yield from (f"{name}: {id}" for name, ids in counts.items() for id in ids)


# --- export ------------------------------------------------------------------------------------
def _export(options: argparse.Namespace) -> int:
    settings = _settings(options)
    articles = _in_force(settings)
    try:
        files = write(articles, options.path, options.format or format_of(options.path))
    except CannotWrite as error:
        raise _CannotDo(str(error)) from None
    except OSError as error:
        raise _CannotDo(f"{options.path}: {error.strerror}") from None
    print(f"{_count(articles, 'article')} written to {options.path} ({_count(files, 'file')})")
    return DONE


def _in_force(settings: Settings) -> Sequence[Article]:
    """What is in the database with the folder over it, as at a start; without a desk.yaml the database alone."""
    desk = None if _no_desk(settings) else _desk(settings)
    if not is_new(settings.database):
        with _library(settings) as library:
            articles, problems = _foreseen(library, desk)
        if articles:
            _report(problems)
            return articles
    desk = desk or _desk(settings)
    reading = read(desk.kb, policy=desk.policy)
    _report(reading.problems)
    _say(f"The database holds no article yet: these are the ones in {desk.kb}.")
    return reading.articles


def _foreseen(library: SqlLibrary, desk: Desk | None) -> tuple[Sequence[Article], Sequence[Problem]]:
    if desk is None:
        return library.articles()[1], ()
    return foreseen(desk.kb, library, policy=desk.policy, at=datetime.now(UTC))


# --- lint --------------------------------------------------------------------------------------
def _lint(options: argparse.Namespace) -> int:
    from bot.kbfiles.lint import lint
    from triage.match import TextMatcher, build_matcher

    settings = _settings(options)
    desk = None if options.path and _no_desk(settings) else _desk(settings)
    options.team = options.team or next(iter(desk.policy.teams) if desk else iter(["any"]), None)
    options.path = options.path or (desk.kb if desk else None)
    reading = _read(options, desk, today=datetime.now(UTC))
    matcher = build_matcher(reading.kb, precision=desk.policy.precision if desk else PRECISION, say=noted)
    confusions = matcher.confusions() if isinstance(matcher, TextMatcher) else ()
    problems = lint(reading, options.path, confusions)
    for problem in problems:
        print(problem)
    if not problems:
        _say(f"{options.path} is sound.")
    return FOUND if has_errors(problems) else DONE


# --- common ------------------------------------------------------------------------------------
def _settings(options: argparse.Namespace) -> Settings:
    return Settings.load(**{name: getattr(options, name, None) for name in ("config", "data")})


def _no_desk(settings: Settings) -> bool:
    return "config" not in settings.model_fields_set and not settings.config.exists()


def _desk(settings: Settings) -> Desk:
    """The desk of desk.yaml; the sample's where there is none and none was named."""
    file = sample.files() / "desk.yaml" if _no_desk(settings) else settings.config
    desk, problems = deskfile.read(file)
    if desk is None:
        raise _CannotDo("\n".join(map(str, problems)))
    return desk


def _read(options: argparse.Namespace, desk: Desk | None, *, today: datetime | None = None) -> Reading:
    path: Path = options.path
    try:
        path.stat()
    except OSError as error:
        raise _CannotDo(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return read(
        path,
        policy=desk.policy if desk else None,
        today=today.date() if today else None,
        defaults=Defaults(team=options.team, audience=options.audience, lang=options.lang, open_team=_open_team(desk)),
        progress=_Progress(),
    )


def _open_team(desk: Desk | None) -> str | None:
    """The first team of desk.yaml that is not restricted."""
    teams = desk.policy.teams.values() if desk else ()
    return next((team.id for team in teams if not team.restricted), None)


@contextmanager
def _library(settings: Settings) -> Iterator[SqlLibrary]:
    """The articles in the database, brought up to date as `serve` does it."""
    from bot.running import NeedsMigration, prepare
    from storage.bell import Bell
    from storage.engine import make_engine

    if not settings.database_url:
        _make_folder(settings.data)
    try:
        prepare(settings.database)
    except NeedsMigration as error:
        raise _CannotDo(str(error), UNAVAILABLE) from None
    engine = make_engine(settings.database)
    try:
        yield SqlLibrary(engine, Bell(engine).ring_now)
    except Unavailable as error:
        raise _CannotDo(f"The database cannot be used: {error}", UNAVAILABLE) from None
    finally:
        engine.dispose()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError((f"--data {folder}: {error.strerror}",)) from None


class _Progress:
    """Says on stderr how far reading is: on a terminal in one line that changes, else in a line now and then."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._pause = 0.1 if self._live else 5.0
        self._said = time.monotonic() if not self._live else 0.0

    def __call__(self, files: int, of: int, articles: int) -> None:
        last = files == of
        if not last and time.monotonic() - self._said < self._pause:
            return
        self._said = time.monotonic()
        start, end = ("\r", "\n" if last else "") if self._live else ("", "\n")
        print(
            f"{start}{files} of {of} files read, {articles} articles and translations",
            end=end,
            file=sys.stderr,
            flush=True,
        )


def _report(problems: Sequence[Problem]) -> None:
    """Errors one by one, and whose team was guessed; of other warnings only that there are some."""
    told = [problem for problem in problems if problem.severity is Severity.ERROR or _is_about_team(problem)]
    for problem in told:
        _say(str(problem))
    warnings = [problem for problem in problems if problem not in told]
    if warnings:
        _say(f"{_count(warnings, 'warning')}: `deskbell kb lint` shows them.")


def _is_about_team(problem: Problem) -> bool:
    return problem.message.startswith("team: ")


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
