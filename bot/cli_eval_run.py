"""What `deskbell eval` does (DESIGN.md, section 7): figures go to stdout, progress and messages to stderr.

Called by `bot.cli_eval`, which stays light, because every command of the program imports it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar

from bot import deskfile
from bot.evaluate import Figures, Outcome, ask, figures, peak_mb
from bot.evaluation_build import build, encoder_for
from bot.evaluation_files import read_kb, read_questions, read_replayed
from bot.knowing import EMPLOYEE
from bot.settings import Settings, SettingsError
from bot.yamlfile import Problem
from triage.knowledge import Article
from triage.learning import Case, labelled
from triage.matching import Encoder, EncoderFailed, Labelled, Matcher

DONE, FOUND = 0, 1
PROGRESS = 500
"""Questions between two lines of progress."""

DEFAULT_PRECISION = 0.95


def run(options: argparse.Namespace) -> int:
    """The exit code. Raises SettingsError for wrong usage and files, Unavailable without the database."""
    try:
        if options.feedback:
            return _feedback(options)
        if options.kb and options.queries:
            return _eval(options)
    except EncoderFailed as error:
        raise SettingsError((f"The encoder failed: {error}",)) from None
    raise SettingsError(("Name --kb and --queries, or --feedback to replay what people said.",))


# --- labelled questions ------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What stands in the files."""

    articles: tuple[Article, ...]
    questions: tuple[Labelled, ...]
    tuning: tuple[Labelled, ...]


def _eval(options: argparse.Namespace) -> int:
    given = _given(options)
    encoder = encoder_for(options.tier)
    precision = options.precision or DEFAULT_PRECISION
    with ExitStack() as files:
        out = _open(options.out, files)
        _open(options.plot, files, mode="ab")
        matcher, build_s = build(given.articles, precision=precision, encoder=encoder, labelled=given.tuning)
        asked = ask(matcher, given.questions, warm_up=_warm_up(given.articles))
        outcomes = list(_written(_told(asked, len(given.questions)), out))
    result = figures(outcomes, build_s=build_s, rss_mb=peak_mb())
    print(json.dumps(asdict(result)) if options.json else as_text(result))
    if options.plot:
        from bot.evaluation_plot import plot

        title = f"{options.kb.stem}, {options.queries.stem} · {options.tier} · {result.n} questions"
        plot(outcomes, precision=precision, title=title, file=options.plot)
    return DONE


def as_text(result: Figures) -> str:
    """The figures for people."""
    rows = [
        ("questions", f"{result.n}  ({result.n_in} in scope, {result.n_out} out of scope)"),
        ("right article first", _share(result.top1)),
        ("right article in the first three", _share(result.recall3)),
        ("in scope told from out of scope (AUROC)", _share(result.auroc)),
        ("answered", f"{result.answered}"),
        ("of the answers right (25 % out of scope)", _share(result.answer_precision)),
        ("of the questions in scope answered", _share(result.coverage)),
        ("out of scope not answered", _share(result.out_rejected)),
        ("time a question", f"{_number(result.p50_ms)} ms median, {_number(result.p99_ms)} ms 99th percentile"),
        ("time to build", f"{result.build_s:.2f} s"),
        ("memory at most", f"{_number(result.rss_mb)} MB"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _given(options: argparse.Namespace) -> _Given:
    articles, problems = read_kb(options.kb)
    questions, wrong = read_questions(options.queries)
    tuning, more = read_questions(options.tune) if options.tune else ((), [])
    _refuse([*problems, *wrong, *more])
    _warn_of_strangers(articles, questions, options.queries, "never right")
    _warn_of_strangers(articles, tuning, options.tune, "its answers count as wrong")
    return _Given(articles=articles, questions=questions, tuning=tuning)


def _warn_of_strangers(articles: Sequence[Article], questions: Sequence[Labelled], file: Path, so: str) -> None:
    strangers = sorted({q.article for q in questions if q.article} - {article.id for article in articles})
    if strangers:
        more = f" (and {len(strangers) - 1:,} more)" if len(strangers) > 1 else ""
        _say(f"{file}: warning: no article of the KB has the id '{strangers[0]}'{more}: {so}")


def _warm_up(articles: Sequence[Article]) -> list[str]:
    return [text for article in articles for text in article.phrasings or (article.title,)]


# --- what people said --------------------------------------------------------------------------
def _feedback(options: argparse.Namespace) -> int:
    """Exit code 1 when a case that was right is wrong now."""
    from bot.evaluation_replay import replay

    before, problems = read_replayed(options.before) if options.before else ({}, [])
    _refuse(problems)
    settings = _settings(options)
    precision = options.precision or _desk_precision(settings)
    articles, cases = _stored(settings)
    matcher_of = _Matchers(articles, cases, encoder_for(options.tier), precision)
    with ExitStack() as files:
        out = _open(options.out, files)
        result = replay(cases, matcher_of, before)
        list(_written(result.cases, out))
    print(json.dumps(result.as_json(), ensure_ascii=False) if options.json else result.as_text())
    return FOUND if result.broken else DONE


class _Matchers:
    """For each audience a matcher of the articles that its people read, built when first asked for."""

    def __init__(
        self, articles: Sequence[Article], cases: Sequence[Case], encoder: Encoder | None, precision: float
    ) -> None:
        self._articles, self._cases = articles, cases
        self._encoder, self._precision = encoder, precision
        self._built: dict[str, Matcher] = {}

    def __call__(self, audience: str) -> Matcher:
        if audience not in self._built:
            readable = EMPLOYEE | {audience}
            self._built[audience], _ = build(
                [article for article in self._articles if article.audience in readable],
                precision=self._precision,
                encoder=self._encoder,
                labelled=labelled(self._cases, readable),
            )
        return self._built[audience]


def _stored(settings: Settings) -> tuple[Sequence[Article], Sequence[Case]]:
    """The articles in force and all cases. Raises Unavailable."""
    from bot.running import NeedsMigration, prepare
    from storage.engine import make_engine
    from storage.sql import SqlStorage

    if not settings.database_url and not (settings.data / "deskbell.db").exists():
        raise SettingsError(
            (f"{settings.data} holds no database, so nobody has said anything yet: name the folder with --data.",)
        )
    try:
        prepare(settings.database)
    except NeedsMigration as error:
        raise SettingsError((f"The database is not used: {error}",)) from None
    storage = SqlStorage(make_engine(settings.database))
    try:
        return storage.library.articles()[1], storage.cases()
    finally:
        storage.close()


def _settings(options: argparse.Namespace) -> Settings:
    return Settings.load(config=options.config, data=getattr(options, "data", None))


def _desk_precision(settings: Settings) -> float:
    """What desk.yaml states, if there is one."""
    if not settings.config.exists():
        return DEFAULT_PRECISION
    desk, problems = deskfile.read(settings.config)
    if desk is None:
        raise SettingsError(tuple(map(str, problems)))
    return desk.policy.precision


# --- common ------------------------------------------------------------------------------------
class _Line(Protocol):
    def as_json(self) -> dict[str, Any]: ...


_Written = TypeVar("_Written", bound=_Line)


def _written(lines: Iterable[_Written], out: IO[str] | None) -> Iterator[_Written]:
    """The same, each as one line of `--out`."""
    for line in lines:
        if out is not None:
            out.write(json.dumps(line.as_json(), ensure_ascii=False) + "\n")
        yield line


def _told(outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
    for number, outcome in enumerate(outcomes, start=1):
        if number % PROGRESS == 0:
            _say(f"{number} of {total} questions asked")
        yield outcome


def _open(file: Path | None, files: ExitStack, mode: str = "w") -> IO[Any] | None:
    """Open before the work begins, so that a wrong path does not cost it."""
    if file is None:
        return None
    try:
        return files.enter_context(file.open(mode, encoding=None if "b" in mode else "utf-8"))
    except OSError as error:
        raise SettingsError((f"{file}: {error.strerror}",)) from None


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise SettingsError(tuple(map(str, problems)))


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
