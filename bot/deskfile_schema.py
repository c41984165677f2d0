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
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import CoreSchema

from bot.deskfile_calling import EscalationEntry, OncallEntry, QuietEntry
from bot.deskfile_values import (
    Duration,
    Email,
    Holiday,
    Hours,
    Id,
    Spans,
    Stage,
    Text,
    Tongue,
    Zone,
    dated,
    distinct,
    every_day,
    text_duration,
    windows,
)
from bot.forms import Entry
from triage.calendars import Calendar
from triage.model import Language, Priority
from triage.policy import Metric, Targets


class CalendarEntry(Entry):
    """When a team works."""

    timezone: Zone
    """IANA name of the team's time zone."""
    hours: Hours
    """Windows by day or range of days, as in mon-fri: ["09:00-12:30", "13:30-18:00"].

    Under a date (2026-12-24) stand its own windows, instead of those of its weekday or of a holiday.
    """
    holidays: list[Holiday] = Field(default_factory=list)
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
            raise ValueError(f"promises nothing: set at least one of {', '.join(Metric)}")
        if self.first_response and self.resolution and self.first_response > self.resolution:
            raise ValueError("first_response is longer than resolution; the first answer comes first")
        return self

    def _seconds(self) -> dict[Metric, int]:
        return {metric: seconds for metric in Metric if (seconds := getattr(self, metric.value)) is not None}

    def build(self) -> Targets:
        return Targets(seconds=self._seconds(), hours=self.hours, pause_on_hold=self.pause_on_hold, reopen=self.reopen)


Promises = dict[Priority, PolicyEntry]
Stages = Annotated[list[Stage], AfterValidator(distinct)]


class _Or:
    """In the JSON Schema: this short form will do, too."""

    def __init__(self, short: Any):
        self._short = TypeAdapter(short)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self._short.json_schema(), handler(core)]}


OFF = "off"


def _often(value: object, _: ValidatorFunctionWrapHandler) -> int:
    """Seconds between two reminders, 0 for none."""
    if value == OFF:
        return 0
    try:
        seconds = text_duration(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {OFF}") from None
    if seconds < 60:
        raise ValueError(f"is shorter than 1m; write a minute or more, or {OFF}")
    return seconds


Often = Annotated[Duration, WrapValidator(_often), _Or(Literal["off"])]
Some = Annotated[list[Text], Field(min_length=1)]


class WhenEntry(Entry):
    """What holds for a request; all that is given must hold, of several in one list any."""

    words: Some | None = None
    """Words or parts of words of the request, large or small."""
    requesters: Some | None = None
    """Keys of people who ask."""
    guests: bool | None = None
    """Whether a guest asks."""
    channels: Some | None = None
    """Channels in which it is asked, by id; or with the platform, as in slack:C0123."""
    languages: Annotated[list[Tongue], Field(min_length=1)] | None = None
    """Languages of the request."""


class RuleEntry(Entry):
    """A policy: promises for the requests that it fits."""

    name: Text
    """What agents read; each policy of a team has its own."""
    when: WhenEntry | None = None
    """What the request must be; left out only in the last policy of a team without sla, for all other requests."""
    priority: Priority | None = None
    """The priority that these tickets begin with; normal when left out."""
    sla: Annotated[Promises, Field(min_length=1)]
    """Promises by priority."""
    calendar: CalendarEntry | None = None
    """Working hours; the team's when left out."""
    warn: Stages | None = None
    """When to warn ahead; as the team says when left out."""
    overdue: Often | None = None
    """How often to ring again after a broken promise, or off; as the team says when left out."""
    escalation: EscalationEntry | None = None
    """Who is called when nobody reacts; as the team says when left out."""

    @property
    def is_conditional(self) -> bool:
        return self.when is not None and self.when != WhenEntry()


class ChannelsEntry(Entry):
    """A team's channels on one platform, by id; write PLACE/ID where there are several places."""

    help: list[Text] = Field(default_factory=list)
    """Channels in which requesters ask this team."""
    triage: Text | None = None
    """The channel in which this team sees its tickets."""


class TeamEntry(Entry):
    """Agents with a queue, working hours and promises."""

    name: Text | None = None
    """What people read; the key when left out."""
    agents: list[Text] = Field(default_factory=list)
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
    sla: Promises = Field(default_factory=dict)
    """Promises by priority; for the requests that none of the policies fits."""
    warn: Stages = Field(default_factory=list)
    """When to warn ahead: a share of the target (50%), or a time before due (-30m)."""
    overdue: Often | None = None
    """How often to ring again after a broken promise, in the promise's own hours; never when off or left out."""
    escalation: EscalationEntry | None = None
    """Who is called when nobody reacts; the owner, the lead, who is on call and the team when left out."""
    oncall: OncallEntry | None = None
    """Who is on call; nobody when left out."""
    policies: list[RuleEntry] = Field(default_factory=list)
    """Other promises for some requests: the first policy that fits is taken."""
    slack: ChannelsEntry = ChannelsEntry()
    """Slack channels."""
    teams: ChannelsEntry = ChannelsEntry()
    """Microsoft Teams channels."""
    web: ChannelsEntry = ChannelsEntry()
    """Channels of the web chat."""

    def under(self, rule: RuleEntry) -> TeamEntry:
        """The team as it is for the tickets of one of its policies: what that does not say is the team's."""
        own = {"sla": rule.sla, "calendar": rule.calendar, "warn": rule.warn, "overdue": rule.overdue}
        given = {name: value for name, value in {**own, "escalation": rule.escalation}.items() if value is not None}
        return self.model_copy(update=given)


def _quiet(written: object) -> object:
    return {"hours": every_day(written)} if isinstance(written, list) else written


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
    quiet: Annotated[QuietEntry, BeforeValidator(_quiet), _Or(Spans)] | None = None
    """Hours without pings, on every day (["20:00-08:00"]); or a mapping with hours, as in a calendar, and timezone."""


class PlacesEntry(Entry):
    """The Slack workspaces and Teams tenants of your company; people of others are strangers."""

    slack: list[Id] = Field(default_factory=list)
    """Workspace ids (T...)."""
    teams: list[Id] = Field(default_factory=list)
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


class PingsEntry(Entry):
    """Messages about promises."""

    per_hour: Annotated[int, Field(ge=1)] = 6
    """How many one person gets in an hour; the rest is held back and counted in the next."""


def _days(least: int) -> AfterValidator:
    def check(seconds: int) -> int:
        if seconds < least * 86_400:
            raise ValueError(f"is shorter than {least}d; write {least}d or more")
        return seconds

    return AfterValidator(check)


class RetentionEntry(Entry):
    """How long things are kept; for ever when left out."""

    closed_tickets: Annotated[Duration, _days(1)] | None = None
    """Tickets that are resolved or closed, after the last that happened to them, with all that hangs on them."""
    audit: Annotated[Duration, _days(30)] | None = None
    """Lines of the audit; 30d at least."""


class MessagesEntry(Entry):
    """What people write to the desk."""

    per_minute: Annotated[int, Field(ge=1)] = 20
    """How many posts of one person are read in a minute; who writes more is told once, and read again when calm."""


def _kb(written: object) -> object:
    return {"folder": written} if isinstance(written, str) else written


class DeskEntry(Entry):
    """A Deskbell desk: people, teams, promises."""

    kb: Annotated[KbEntry, BeforeValidator(_kb), _Or(Text)] = KbEntry(folder="kb/")
    """Folder of articles, relative to this file; or a mapping with folder and pull, as in {folder: kb/, pull: 15m}."""
    places: PlacesEntry = PlacesEntry()
    """Slack workspaces and Teams tenants."""
    people: dict[Id, PersonEntry] = Field(default_factory=dict)
    """Agents, leads and admins, under keys of your choice."""
    answers: AnswersEntry = AnswersEntry()
    """How answers from the articles are given."""
    pings: PingsEntry = PingsEntry()
    """How many messages about promises people get."""
    messages: MessagesEntry = MessagesEntry()
    """How much one person may write."""
    retention: RetentionEntry = RetentionEntry()
    """How long things are kept."""
    teams: Annotated[dict[Id, TeamEntry], Field(min_length=1)]
    """Teams, under keys of your choice."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of desk.yaml, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **DeskEntry.model_json_schema()}


def json_schema_text() -> str:
    """What belongs into `bot/sample/desk.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
