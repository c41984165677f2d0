"""SCENARIO.yaml: one ticket's events and the promises it was made, for `deskbell sla explain`.

Every scalar is read as text. Nothing a file says makes `read` raise: whatever is wrong comes back as a
`Problem` with file and line. Called by `bot.cli_sla`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WrapValidator

from bot.deskfile_schema import CalendarEntry, PolicyEntry
from bot.deskfile_values import Hours, Instant, Stage, Text, distinct
from bot.forms import Entry, named, validate
from bot.yamlfile import Problem, Source, Where, did_you_mean, has_errors, parse, read_text
from triage.calendars import ALWAYS, Calendar
from triage.model import Priority
from triage.policy import Terms
from triage.timeline import Do, Event, NotAllowed, Timeline, follow

WRITTEN = [str(do) for do in Do if do is not Do.REAPPLY]
NEEDED = {Do.OPEN: {"priority"}, Do.PRIORITY: {"priority"}}
ALLOWED = {Do.ASSIGN: {"to"}, Do.MESSAGE: {"thanks"}, Do.TRANSFER: {"calendar"}} | NEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A sound scenario: `timeline` holds its events, `until` is the instant to look at it from."""

    timeline: Timeline
    warn: tuple[str, ...]
    until: datetime
    timezone: str


def _event(value: object) -> object:
    if isinstance(value, str) and value not in WRITTEN:
        raise ValueError(f"unknown event '{value}': {did_you_mean(value, WRITTEN)}")
    return value


def _or_never(value: Any, hours: Any) -> Any:
    return {} if value == {} else hours(value)


class ScenarioCalendar(CalendarEntry):
    """When a team works; with empty `hours` never, so that nothing is ever due."""

    hours: Annotated[Hours, WrapValidator(_or_never)]


class EventEntry(Entry):
    """One thing that happened to the ticket."""

    at: Instant
    do: Annotated[Do, BeforeValidator(_event)]
    priority: Priority | None = None
    calendar: Text | None = None
    to: Text | None = None
    thanks: bool = False


class ScenarioEntry(Entry):
    """A ticket's story."""

    calendar: ScenarioCalendar | None = None
    calendars: dict[Text, ScenarioCalendar] = Field(default_factory=dict)
    policies: dict[Priority, PolicyEntry]
    warn: Annotated[list[Stage], AfterValidator(distinct)] = Field(default_factory=list)
    events: Annotated[list[EventEntry], Field(min_length=1)]
    until: Instant | None = None


def read(file: Path) -> tuple[Scenario | None, list[Problem]]:
    """The scenario, None when anything in the file is an error; and everything there is to say about it."""
    text = read_text(file)
    if isinstance(text, Problem):
        return None, [text]
    source, problems = parse(text, file)
    if source.data is None:
        return None, problems or [source.problem((), "is empty")]
    form, mistakes = validate(source, ScenarioEntry)
    problems = sorted([*problems, *mistakes], key=lambda problem: problem.line)
    if form is None or has_errors(problems):
        return None, problems
    return _scenario(form, source)


def _scenario(form: ScenarioEntry, source: Source) -> tuple[Scenario | None, list[Problem]]:
    problems = [
        problem for index, entry in enumerate(form.events) for problem in _misplaced(form, entry, index, source)
    ]
    if problems:
        return None, problems
    calendar = form.calendar.build() if form.calendar else ALWAYS
    targets = {priority: entry.build() for priority, entry in form.policies.items()}
    terms = Terms(calendar=calendar, targets=targets)
    others = {name: replace(terms, calendar=entry.build()) for name, entry in form.calendars.items()}
    timeline = Timeline()
    for index, entry in enumerate(form.events):
        try:
            timeline = follow(timeline, _event_of(entry, terms, others))
        except NotAllowed as error:
            return None, [_problem(source, ("events", index), str(error))]
    last = timeline.events[-1].at
    until = _utc(form.until, calendar) if form.until else last
    if until < last:
        return None, [_problem(source, ("until",), "is earlier than the last event")]
    return Scenario(timeline=timeline, warn=tuple(form.warn), until=until, timezone=calendar.timezone), []


def _misplaced(form: ScenarioEntry, entry: EventEntry, index: int, source: Source) -> list[Problem]:
    """What an event says that it cannot say, and what it leaves out."""
    where: Where = ("events", index)
    given = entry.model_fields_set - {"at", "do"}
    wrong = [f"'{key}' does not go with '{entry.do}'" for key in sorted(given - ALLOWED.get(entry.do, set()))]
    wrong += [f"'{entry.do}' needs '{key}'" for key in sorted(NEEDED.get(entry.do, set()) - given)]
    found = [_problem(source, where, sentence) for sentence in wrong]
    if not wrong and entry.calendar and entry.calendar not in form.calendars:
        message = f"there is no calendar '{entry.calendar}': {did_you_mean(entry.calendar, form.calendars)}"
        found.append(_problem(source, (*where, "calendar"), message))
    return found


def _event_of(entry: EventEntry, terms: Terms, others: Mapping[str, Terms]) -> Event:
    own = others[entry.calendar] if entry.calendar else terms if entry.do is Do.OPEN else None
    at = _utc(entry.at, terms.calendar)
    return Event(at=at, do=entry.do, priority=entry.priority, terms=own, thanks=entry.thanks)


def _utc(at: datetime, calendar: Calendar) -> datetime:
    """A local time is the calendar's: in a DST gap moved forward, in an overlap the first."""
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(calendar.timezone))).astimezone(UTC)


def _problem(source: Source, where: Where, message: str) -> Problem:
    return source.problem(where, named(where, message))
