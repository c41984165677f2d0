"""What only the whole desk.yaml can tell: names that point nowhere, channels claimed twice, hours never reached.

Called by `bot.deskfile` once every single value is sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from bot.deskfile_schema import ChannelsEntry, DeskEntry, PersonEntry, TeamEntry
from bot.forms import named
from bot.yamlfile import Problem, Severity, Source, Where, did_you_mean
from triage import calendars
from triage.model import Platform

SAMPLE = "SAMPLE"
"""Stands in every platform id of the sample desk that an admin has to replace."""

_FORMS = {
    (Platform.SLACK, "place"): ("[TE][A-Z0-9]+", "a Slack workspace id (it starts with T)"),
    (Platform.SLACK, "user"): (
        "[UW][A-Z0-9]+",
        "a Slack member id (it starts with U): open the profile, More, Copy member ID",
    ),
    (Platform.SLACK, "channel"): (
        "[CG][A-Z0-9]+",
        "a Slack channel id (it starts with C): it stands last in the channel's details",
    ),
    (Platform.TEAMS, "channel"): ("19:.+", "a Teams channel id (it starts with 19:): it stands in the channel's link"),
}
_SOME_DAY = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    where: Where
    message: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class _Claim:
    """A team's channel and where it is written."""

    where: Where
    team: str
    platform: Platform
    channel: str


def problems(desk: DeskEntry, source: Source) -> list[Problem]:
    """Errors and warnings that hold between the entries of a desk."""
    checks = (_people, _members, _channels, _places, _promises, _calendars, _ids, _left_over)
    findings = chain.from_iterable(check(desk) for check in checks)
    return [source.problem(found.where, named(found.where, found.message), found.severity) for found in findings]


def place_of(platform: Platform, written: str, places: list[str]) -> tuple[str, str] | None:
    """Place and id of `PLACE/ID`, or of a bare id in the first place; None when there is no such place."""
    place, slash, id = written.partition("/")
    if slash:
        return (place, id) if place in places else None
    return (places[0], written) if places else None


def listed(desk: DeskEntry, platform: Platform) -> list[str]:
    """The company's places on this platform."""
    return {Platform.SLACK: desk.places.slack, Platform.TEAMS: desk.places.teams}.get(platform, [])


def channels_of(team: TeamEntry) -> dict[Platform, ChannelsEntry]:
    return {Platform.SLACK: team.slack, Platform.TEAMS: team.teams, Platform.WEB: team.web}


def accounts_of(person: PersonEntry) -> dict[Platform, str]:
    """The platform ids a person has, as written."""
    written = {Platform.SLACK: person.slack, Platform.TEAMS: person.teams, Platform.WEB: person.web}
    return {platform: user for platform, user in written.items() if user}


def _people(desk: DeskEntry) -> Iterator[Finding]:
    accounts: dict[tuple[Platform, str], str] = {}
    emails: dict[str, str] = {}
    for key, person in desk.people.items():
        for platform, user in accounts_of(person).items():
            other = accounts.setdefault((platform, user), key)
            if other != key:
                message = f"'{user}' is already the account of '{other}'; an account belongs to one person"
                yield Finding(("people", key, platform.value), message)
        if person.email and (other := emails.setdefault(person.email.lower(), key)) != key:
            message = f"'{person.email}' is also the address of '{other}'"
            yield Finding(("people", key, "email"), message, Severity.WARNING)


def _members(desk: DeskEntry) -> Iterator[Finding]:
    for key, team in desk.teams.items():
        where: Where = ("teams", key)
        for index, agent in enumerate(team.agents):
            if agent not in desk.people:
                yield Finding((*where, "agents", index), _nobody(agent, desk))
        if team.lead and team.lead not in desk.people:
            yield Finding((*where, "lead"), _nobody(team.lead, desk))
        if not team.agents:
            yield Finding(where, "has no agents, so nobody can take its tickets", Severity.WARNING)


def _nobody(key: str, desk: DeskEntry) -> str:
    return f"'{key}' is not a key under people: {did_you_mean(key, desk.people)}"


def _claims(desk: DeskEntry, role: str) -> Iterator[_Claim]:
    for key, team in desk.teams.items():
        for platform, entry in channels_of(team).items():
            where: Where = ("teams", key, platform.value, role)
            if role == "help":
                yield from (_Claim((*where, i), key, platform, channel) for i, channel in enumerate(entry.help))
            elif entry.triage:
                yield _Claim(where, key, platform, entry.triage)


def _channels(desk: DeskEntry) -> Iterator[Finding]:
    helps: dict[object, str] = {}
    for claim in _claims(desk, "help"):
        other = helps.setdefault(_identity(desk, claim), claim.team)
        if other != claim.team:
            yield Finding(
                claim.where, f"'{claim.channel}' is already a help channel of '{other}'; it belongs to one team"
            )
    triages: dict[object, str] = {}
    for claim in _claims(desk, "triage"):
        identity = _identity(desk, claim)
        if identity in helps:
            message = f"'{claim.channel}' is also a help channel of '{helps[identity]}'; use two channels"
            yield Finding(claim.where, message)
        other = triages.setdefault(identity, claim.team)
        if other != claim.team:
            message = f"'{claim.channel}' is also the triage channel of '{other}'; each team sees the other's tickets"
            yield Finding(claim.where, message, Severity.WARNING)


def _identity(desk: DeskEntry, claim: _Claim) -> tuple[Platform, object]:
    if claim.platform is Platform.WEB:
        return claim.platform, claim.channel
    return claim.platform, place_of(claim.platform, claim.channel, listed(desk, claim.platform)) or claim.channel


def _places(desk: DeskEntry) -> Iterator[Finding]:
    for platform in (Platform.SLACK, Platform.TEAMS):
        places = listed(desk, platform)
        written = [(where, id) for where, id, _ in _written(desk, platform) if where[0] != "places"]
        if written and not places:
            message = (
                f"'{written[0][1]}' has no place: list your own under places.{platform}, or everybody is a stranger"
            )
            yield Finding(written[0][0], message, Severity.WARNING)
            continue
        for where, id in written:
            if not place_of(platform, id, places):
                place = id.partition("/")[0]
                yield Finding(where, f"'{place}' is not listed under places.{platform}: {did_you_mean(place, places)}")


def _promises(desk: DeskEntry) -> Iterator[Finding]:
    for key, team in desk.teams.items():
        terms = team.terms()
        for priority, targets in terms.targets.items():
            where: Where = ("teams", key, "sla", priority.value)
            calendar = terms.calendar if targets.hours == "business" else calendars.ALWAYS
            for metric, seconds in targets.seconds.items():
                if not _reachable(calendar, seconds):
                    yield Finding(
                        (*where, metric.value), "never comes: ten years of this calendar are too short for it"
                    )


def _reachable(calendar: calendars.Calendar, seconds: int) -> bool:
    try:
        calendars.walk(calendar, _SOME_DAY, seconds)
    except calendars.Unreachable:
        return False
    return True


def _calendars(desk: DeskEntry) -> Iterator[Finding]:
    for key, team in desk.teams.items():
        where: Where = ("teams", key)
        if not team.calendar and any(policy.hours == "business" for policy in team.sla.values()):
            yield Finding((*where, "sla"), "has no calendar: business hours are around the clock", Severity.WARNING)
        for index, day in enumerate(team.calendar.holidays if team.calendar else ()):
            if day in ("GB", "UK"):
                message = (
                    f"'{day}' lacks Easter Monday and the August bank holiday: write GB-ENG, GB-SCT, GB-WLS or GB-NIR"
                )
                yield Finding((*where, "calendar", "holidays", index), message, Severity.WARNING)
        triage = any(entry.triage for entry in channels_of(team).values())
        if not triage and any(entry.help for entry in channels_of(team).values()):
            yield Finding(where, "has no triage channel, so its agents see no tickets", Severity.WARNING)


def _written(desk: DeskEntry, platform: Platform) -> Iterator[tuple[Where, str, str]]:
    """Every id of a platform: where it stands, as written, and what it names."""
    for index, place in enumerate(listed(desk, platform)):
        yield ("places", platform.value, index), place, "place"
    for key, person in desk.people.items():
        if user := accounts_of(person).get(platform):
            yield ("people", key, platform.value), user, "user"
    for claim in chain(_claims(desk, "help"), _claims(desk, "triage")):
        if claim.platform is platform:
            yield claim.where, claim.channel, "channel"


def _ids(desk: DeskEntry) -> Iterator[Finding]:
    for platform in (Platform.SLACK, Platform.TEAMS):
        for where, written, names in _written(desk, platform):
            form, meaning = _FORMS.get((platform, names), (".*", ""))
            if not re.fullmatch(form, written.rpartition("/")[2]):
                yield Finding(where, f"'{written}' does not look like {meaning}", Severity.WARNING)


def _left_over(desk: DeskEntry) -> Iterator[Finding]:
    left = [
        (where, written)
        for platform in (Platform.SLACK, Platform.TEAMS)
        for where, written, _ in _written(desk, platform)
        if SAMPLE in written
    ]
    if left:
        where, written = left[0]
        message = f"'{written}' and every other id with {SAMPLE} in it are placeholders: put your own, or take them out"
        yield Finding(where, message, Severity.WARNING)
