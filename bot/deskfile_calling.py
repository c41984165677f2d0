"""The part of desk.yaml's form that says who is called, and when not: escalation, on-call, quiet hours.

`bot.deskfile_schema` puts these entries into the form of a team and of a person.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator

from bot.deskfile_values import WEEK, Day, Duration, Hours, Instant, Text, TimeOfDay, Zone, windows
from bot.forms import Entry
from triage.model import Priority


def _above_low(priority: Priority) -> Priority:
    if priority is Priority.LOW:
        raise ValueError("'low' is the lowest priority, nothing is raised to it: write normal, high or urgent")
    return priority


Raised = Annotated[Priority, AfterValidator(_above_low), WithJsonSchema({"enum": ["normal", "high", "urgent"]})]


class StepEntry(Entry):
    """One step of an escalation chain: exactly one of its keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    notify: Text | None = None
    """Who is called: owner, lead, on-call, team, a key under people, or channel:ID."""
    wait: Duration | None = None
    """Time in the promises' own hours before the next step."""
    raise_to: Raised | None = Field(default=None, alias="raise")
    """Priority to give the ticket, if its own is lower."""
    reassign: Text | None = None
    """Who owns the ticket from now on: lead, on-call, or a key under people."""
    repeat: Annotated[int, Field(ge=1, le=100)] | None = None
    """Begin again, so many times."""

    @model_validator(mode="after")
    def _one_thing(self) -> StepEntry:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step does one thing: notify, wait, raise, reassign or repeat")
        return self


class EscalationEntry(Entry):
    """Who is called one after the other when nobody reacts."""

    ack: Duration = 3_600
    """How long "I'm on it" keeps the chain from going on, in the promises' own hours; 1h when left out."""
    steps: list[StepEntry] = Field(default_factory=list)
    """In order; when left out the owner, the lead, who is on call and the team, ten minutes apart."""

    @property
    def says_steps(self) -> bool:
        return "steps" in self.model_fields_set


class OverrideEntry(Entry):
    """Somebody is on call whoever's week it is."""

    person: Text
    """Key of the person."""
    since: Instant = Field(alias="from")
    """Local time of the rota, or with an offset."""
    until: Instant
    """The same; a day without a time is its beginning."""


class OncallEntry(Entry):
    """People who take turns week by week."""

    people: Annotated[list[Text], Field(min_length=1)]
    """Keys of people, in order."""
    start: Day | None = None
    """A day on which the first of them begins; they hand over on this weekday. Monday 2026-01-05 when left out."""
    at: TimeOfDay | None = None
    """Time of day at which they hand over; 09:00 when left out."""
    timezone: Zone | None = None
    """IANA name; the zone of the team's calendar when left out."""
    overrides: list[OverrideEntry] = Field(default_factory=list)
    """Exceptions, such as holidays; of two at the same time the later in the list counts."""


class QuietEntry(Entry):
    """Hours in which a person is left alone."""

    hours: Hours
    """Windows by day or range of days, as in a calendar: mon-fri: ["20:00-08:00"]."""
    timezone: Zone | None = None
    """IANA name; what the person's platform says when left out."""

    @model_validator(mode="after")
    def _ends(self) -> QuietEntry:
        if sum(window.closes - window.opens for window in windows(self.hours)) >= WEEK:
            raise ValueError("quiet hours around the clock: nobody could ever be called; leave some hours out")
        return self
