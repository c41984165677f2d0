"""`deskbell doctor`: what is set up, what is missing, what went wrong lately. Called by `bot.cli`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot import deskfile, encoders
from bot.running import LATE_AFTER
from bot.settings import Settings
from bot.yamlfile import Severity
from storage.engine import DAMAGED, make_engine
from storage.schema import pending_migrations
from storage.sql import SqlStorage
from triage.errors import Unavailable
from triage.matching import EncoderFailed
from triage.model import Platform

A_MONTH = timedelta(days=30)


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    state: State
    text: str
    database: bool = False
    """Whether the database is what fails (exit code 3)."""

    def __str__(self) -> str:
        return f"{self.state:<4}  {self.text}"


def examine(settings: Settings, today: date) -> Iterator[Finding]:
    """Everything worth knowing, most basic first."""
    yield from _desk(settings, today)
    yield from _platforms(settings)
    yield from _encoder(settings)
    yield from _database(settings)


def _desk(settings: Settings, today: date) -> Iterator[Finding]:
    problems = deskfile.check(settings.config, today=today)
    for problem in problems:
        yield Finding(state=State.FAIL if problem.severity is Severity.ERROR else State.WARN, text=str(problem))
    if not problems:
        yield Finding(state=State.OK, text=f"{settings.config} and its articles are sound")


def _platforms(settings: Settings) -> Iterator[Finding]:
    for platform in (Platform.SLACK, Platform.TEAMS):
        reason = settings.why_off(platform)
        yield (
            Finding(state=State.WARN, text=reason)
            if reason
            else Finding(state=State.OK, text=f"{platform}: credentials are set")
        )
    for complaint in settings.complaints():
        yield Finding(state=State.WARN, text=complaint)


def _encoder(settings: Settings) -> Iterator[Finding]:
    """An encoder that fails is no more than a warning: articles are matched by words meanwhile."""
    chosen = encoders.choice(settings)
    text = f"encoder: {chosen.told}"
    if chosen.trouble:
        yield Finding(state=State.WARN, text=f"{text}; {chosen.trouble}")
    elif chosen.kind is encoders.Kind.ENDPOINT:
        try:
            yield Finding(state=State.OK, text=f"{text}: {encoders.attempt(settings)}")
        except EncoderFailed as error:
            yield Finding(state=State.WARN, text=f"{text}: {error}")
    else:
        yield Finding(state=State.OK, text=text)


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None and not settings.data.exists():
        yield Finding(state=State.WARN, text=f"database: none in {settings.data} yet; `deskbell serve` makes it")
        return
    try:
        behind = pending_migrations(settings.database)
        if behind:
            yield Finding(
                state=State.WARN, text=f"database: {len(behind)} migrations pending; `deskbell migrate` applies them"
            )
            return
        yield _soundness(settings)
        yield from _health(settings)
        yield from _pulls(settings)
    except Unavailable as error:
        yield Finding(state=State.FAIL, text=f"database: {error}", database=True)


def _soundness(settings: Settings) -> Finding:
    storage = SqlStorage(make_engine(settings.database))
    try:
        if damage := storage.damage():
            return Finding(state=State.FAIL, text=f"database: {damage}: {DAMAGED}", database=True)
        storage.prove()
    finally:
        storage.close()
    return Finding(state=State.OK, text="database: reachable, sound and up to date")


def _pulls(settings: Settings) -> Iterator[Finding]:
    desk, _ = deskfile.read(settings.config)
    if desk is None or desk.pull is None:
        return
    storage = SqlStorage(make_engine(settings.database))
    try:
        last = storage.library.pulls().get(str(desk.kb.resolve()))
    finally:
        storage.close()
    if last is None:
        yield Finding(state=State.WARN, text=f"articles: {desk.kb} was never pulled yet; `deskbell serve` does it")
        return
    at, problem = last
    when = f"{desk.kb} at {at:%Y-%m-%d %H:%M}Z"
    yield (
        Finding(state=State.WARN, text=f"articles: could not pull {when}: {problem}")
        if problem
        else Finding(state=State.OK, text=f"articles: pulled {when}")
    )


def _health(settings: Settings) -> Iterator[Finding]:
    storage = SqlStorage(make_engine(settings.database))
    try:
        health, unreachable = storage.health(), storage.unreachable()
        late = storage.late(datetime.now(UTC) - LATE_AFTER)
        downtimes = storage.downtimes(datetime.now(UTC) - A_MONTH)
        with storage.reading() as reading:
            names = {id: person.name for id, person in reading.people(sorted(unreachable)).items()}
    finally:
        storage.close()
    yield Finding(state=State.OK, text=f"outbox: {health.pending} messages wait")
    for each in late:
        text = f"ticket {each.number}: a {each.what} was due {each.since:%Y-%m-%d %H:%M}Z; is `deskbell serve` running?"
        yield Finding(state=State.WARN, text=text)
    for down in downtimes:
        text = f"nothing ran from {down.since:%Y-%m-%d %H:%M}Z to {down.until:%Y-%m-%d %H:%M}Z"
        yield Finding(state=State.WARN, text=f"{text}; promises broken by that are not counted against agents")
    for turn in health.failed_turns:
        yield Finding(state=State.WARN, text=f"failed turn {turn.id} at {turn.at:%Y-%m-%d %H:%M}Z: {turn.error}")
    for row in health.failed_rows:
        yield Finding(state=State.WARN, text=f"not delivered to {row.bucket}: {row.reason}")
    for person, reason in unreachable.items():
        yield Finding(state=State.WARN, text=f"cannot be written to directly: {names.get(person, person)}: {reason}")
