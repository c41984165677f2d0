"""What only the whole desk.yaml can tell: names that point nowhere, channels claimed twice.

Called by `bot.deskfile` once every single value is sound; `bot.deskcheck_promises` and
`bot.deskcheck_calling` look at what is promised and who is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from bot.deskcheck_calling import chains, rotas
from bot.deskcheck_finding import Finding, nobody
from bot.deskcheck_promises import policies, promises, working_hours
from bot.deskfile_names import accounts_of, channels_of, listed, place_of, unlike
from bot.deskfile_schema import DeskEntry
from bot.forms import named
from bot.yamlfile import Problem, Severity, Source, Where, did_you_mean
from triage.model import Platform

SAMPLE = "SAMPLE"
"""Stands in every platform id of the sample desk that an admin has to replace."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A team's channel and where it is written."""

    where: Where
    team: str
    platform: Platform
    channel: str


def problems(desk: DeskEntry, source: Source) -> list[Problem]:
    """Errors and warnings that hold between the entries of a desk."""
    checks = (
        _people,
        _members,
        _channels,
        _places,
        policies,
        promises,
        working_hours,
        chains,
        rotas,
        _triage,
        _ids,
        _left_over,
    )
    findings = chain.from_iterable(check(desk) for check in checks)
    return [source.problem(found.where, named(found.where, found.message), found.severity) for found in findings]


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
                yield Finding((*where, "agents", index), nobody(agent, desk))
        if team.lead and team.lead not in desk.people:
            yield Finding((*where, "lead"), nobody(team.lead, desk))
        if not team.agents:
            yield Finding(where, "has no agents, so nobody can take its tickets", Severity.WARNING)


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


def _triage(desk: DeskEntry) -> Iterator[Finding]:
    for key, team in desk.teams.items():
        triage = any(entry.triage for entry in channels_of(team).values())
        if not triage and any(entry.help for entry in channels_of(team).values()):
            yield Finding(("teams", key), "has no triage channel, so its agents see no tickets", Severity.WARNING)


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
            if reason := unlike(platform, names, written):
                yield Finding(where, reason, Severity.WARNING)


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
