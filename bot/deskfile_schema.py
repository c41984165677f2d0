"""The form of desk.yaml, as pydantic models: what `bot.deskfile` validates and editors complete.

The models look at one entry at a time; what needs the whole file (does this person exist?) is checked
in `bot.deskcheck`. `CalendarEntry` and `PolicyEntry` are also the form of an SLA scenario.
`bot/sample/desk.schema.json` holds `json_schema_text()`; its descriptions are the docstrings below.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema

from bot.deskfile_values import Duration, Email, Holiday, Hours, Id, Stage, Text, Tongue, Zone, dated, distinct, windows
from triage.calendars import ALWAYS, Calendar
from triage.model import Language, Priority
from triage.policy import Metric, Targets, Terms


class Entry(BaseModel):
    """What all entries share: keys nobody knows are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class CalendarEntry(Entry):
    """When a team works."""

    timezone: Zone
    """IANA name of the team's time zone."""
    hours: Hours
    """Windows by day or range of days, as in mon-fri: ["09:00-12:30", "13:30-18:00"].

    Under a date (2026-12-24) stand its own windows, instead of those of its weekday or of a holiday.
    """
    holidays: list[Holiday] = []
    """Days off: dates, and country codes with region where it matters (GB-ENG)."""

    @model_validator(mode="after")
    def _one_meaning(self) -> CalendarEntry:
        if both := sorted(set(self.hours) & set(self.holidays)):
            raise ValueError(f"{both[0]} stands under hours and under holidays; take it out of one")
        return self

    def build(self) -> Calendar:
        return Calendar(
            timezone=self.timezone,
            windows=windows(self.hours),
            holidays=tuple(self.holidays),
            dated=dated(self.hours),
        )


class PolicyEntry(Entry):
    """What is promised for one priority."""

    first_response: Duration | None = None
    """Until an agent first answers the requester."""
    next_reply: Duration | None = None
    """Until an agent answers the requester's next message."""
    periodic_update: Duration | None = None
    """Between two messages of an agent to the requester."""
    requester_wait: Duration | None = None
    """How long the requester waits in all."""
    agent_work: Duration | None = None
    """How long agents work on it, without any waiting."""
    resolution: Duration | None = None
    """Until it is resolved."""
    ownership: Duration | None = None
    """How long one team may keep it."""
    hours: Literal["business", "calendar"] = "business"
    """Counted in the team's working hours, or around the clock."""
    pause_on_hold: bool = False
    """Whether waiting for a third party stops the resolution clock."""
    reopen: Literal["exclude", "from_opening", "first_only"] = "exclude"
    """A reopened ticket: leave out the resolved time, count from the opening, or stay met."""

    @model_validator(mode="after")
    def _sensible(self) -> PolicyEntry:
        if not self._seconds():
            raise ValueError("promises nothing: set first_response, resolution or both")
        if self.first_response and self.resolution and self.first_response > self.resolution:
            raise ValueError("first_response is longer than resolution; the first answer comes first")
        return self

    def _seconds(self) -> dict[Metric, int]:
        return {metric: seconds for metric in Metric if (seconds := getattr(self, metric.value)) is not None}

    def build(self) -> Targets:
        return Targets(seconds=self._seconds(), hours=self.hours, pause_on_hold=self.pause_on_hold, reopen=self.reopen)


class ChannelsEntry(Entry):
    """A team's channels on one platform, by id; write PLACE/ID where there are several places."""

    help: list[Text] = []
    """Channels in which requesters ask this team."""
    triage: Text | None = None
    """The channel in which this team sees its tickets."""


class TeamEntry(Entry):
    """Agents with a queue, working hours and promises."""

    name: Text | None = None
    """What people read; the key when left out."""
    agents: list[Text] = []
    """Keys of people who work this team's tickets."""
    lead: Text | None = None
    """Key of the person who owns the team and is called before a promise is broken."""
    language: Tongue = Language.EN
    """The language of the team's triage channel."""
    restricted: bool = False
    """Answer privately, and hide this team's tickets from everybody else."""
    allow_guests: bool = False
    """Let guests of another organisation open tickets."""
    calendar: CalendarEntry | None = None
    """Working hours; around the clock when left out."""
    sla: dict[Priority, PolicyEntry] = {}
    """Promises by priority."""
    warn: Annotated[list[Stage], AfterValidator(distinct)] = []
    """When to warn ahead: a share of the target (50%), or a time before due (-30m)."""
    slack: ChannelsEntry = ChannelsEntry()
    """Slack channels."""
    teams: ChannelsEntry = ChannelsEntry()
    """Microsoft Teams channels."""
    web: ChannelsEntry = ChannelsEntry()
    """Channels of the web chat."""

    def terms(self) -> Terms:
        return Terms(
            calendar=self.calendar.build() if self.calendar else ALWAYS,
            targets={priority: entry.build() for priority, entry in self.sla.items()},
            warn=tuple(self.warn),
        )


class PersonEntry(Entry):
    """An agent, a lead or an admin, known by platform ids."""

    name: Text | None = None
    """What people read; the key when left out."""
    slack: Text | None = None
    """Slack member id (U...)."""
    teams: Text | None = None
    """Microsoft Entra object id."""
    web: Text | None = None
    """User of the web chat."""
    email: Email | None = None
    """E-mail address; never used to recognise anybody."""
    language: Tongue | None = None
    """The language to write to them in, before their platform says one."""
    admin: bool = False
    """Configures the desk, and sees every team that is not restricted."""


class PlacesEntry(Entry):
    """The Slack workspaces and Teams tenants of your company; people of others are strangers."""

    slack: list[Id] = []
    """Workspace ids (T...)."""
    teams: list[Id] = []
    """Tenant ids."""


class AnswersEntry(Entry):
    """How sure the bot must be."""

    precision: Annotated[float, Field(ge=0.5, le=1)] = 0.95
    """The share of its own answers that must be right; below it, it suggests or opens a ticket."""


class KbEntry(Entry):
    """The folder of articles, and how it is kept up to date."""

    folder: Text
    """Folder of articles, relative to this file."""
    pull: Duration | None = None
    """How often to `git pull` the checkout that the folder is in; never when left out."""


class _OrFolder:
    """In the JSON Schema: the folder alone, as text, will do."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(core)]}


def _kb(written: object) -> object:
    return {"folder": written} if isinstance(written, str) else written


class DeskEntry(Entry):
    """A Deskbell desk: people, teams, promises."""

    kb: Annotated[KbEntry, BeforeValidator(_kb), _OrFolder()] = KbEntry(folder="kb/")
    """Folder of articles, relative to this file; or a mapping with folder and pull, as in {folder: kb/, pull: 15m}."""
    places: PlacesEntry = PlacesEntry()
    """Slack workspaces and Teams tenants."""
    people: dict[Id, PersonEntry] = {}
    """Agents, leads and admins, under keys of your choice."""
    answers: AnswersEntry = AnswersEntry()
    """How answers from the articles are given."""
    teams: Annotated[dict[Id, TeamEntry], Field(min_length=1)]
    """Teams, under keys of your choice."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of desk.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **DeskEntry.model_json_schema()}


def json_schema_text() -> str:
    """What belongs into `bot/sample/desk.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
