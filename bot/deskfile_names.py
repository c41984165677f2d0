"""What the ids and names in desk.yaml stand for: places, accounts, channels, people to call.

Called by `bot.deskfile` and `bot.deskfile_terms`, which build values of them, and by the checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.deskfile_schema import ChannelsEntry, DeskEntry, PersonEntry, TeamEntry
from bot.yamlfile import did_you_mean
from triage.chain import Whom
from triage.model import Channel, Platform

WEB_PLACE = "demo"
"""The one place of the web chat."""

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
_CHANNEL = "channel:"


def unlike(platform: Platform, names: str, written: str) -> str | None:
    """Why this cannot well be the id of a `place`, `user` or `channel` of the platform; None when it can."""
    form, meaning = _FORMS.get((platform, names), (".*", ""))
    return None if re.fullmatch(form, written.rpartition("/")[2]) else f"'{written}' does not look like {meaning}"


def listed(desk: DeskEntry, platform: Platform) -> list[str]:
    """The company's places on this platform."""
    own = {Platform.SLACK: desk.places.slack, Platform.TEAMS: desk.places.teams, Platform.WEB: [WEB_PLACE]}
    return own[platform]


def place_of(platform: Platform, written: str, places: list[str]) -> tuple[str, str] | None:
    """Place and id of `PLACE/ID`, or of a bare id in the first place; None when there is no such place."""
    place, slash, id = written.partition("/")
    if slash and platform is not Platform.WEB:
        return (place, id) if place in places else None
    return (places[0], written) if places else None


def channels_of(team: TeamEntry) -> dict[Platform, ChannelsEntry]:
    return {Platform.SLACK: team.slack, Platform.TEAMS: team.teams, Platform.WEB: team.web}


def accounts_of(person: PersonEntry) -> dict[Platform, str]:
    """The platform ids a person has, as written."""
    written = {Platform.SLACK: person.slack, Platform.TEAMS: person.teams, Platform.WEB: person.web}
    return {platform: user for platform, user in written.items() if user}


def channel_on(platform: Platform, written: str, desk: DeskEntry) -> Channel | None:
    """The channel that a team calls its own on this platform; None when its place is not listed."""
    found = place_of(platform, written, listed(desk, platform))
    return Channel(platform=platform, place=found[0], id=found[1]) if found else None


def channel_named(written: str, desk: DeskEntry) -> Channel:
    """The channel of `ID`, `PLACE/ID`, or either with its platform before it, as in `slack:C0123`.

    Raises ValueError with what to write instead.
    """
    first, _, rest = written.partition(":")
    if first in set(Platform):
        platform, id = Platform(first), rest
    else:
        platform, id = _platform_of(written, desk), written
    if not id or id.endswith("/"):
        raise ValueError(f"'{written}' names no channel: write its id")
    if found := channel_on(platform, id, desk):
        return found
    places, place = listed(desk, platform), id.partition("/")[0]
    if not places:
        raise ValueError(f"'{written}' has no place: list your own under places.{platform}")
    raise ValueError(f"'{place}' is not listed under places.{platform}: {did_you_mean(place, places)}")


def _platform_of(written: str, desk: DeskEntry) -> Platform:
    """Where a team has a channel of this id; else the platform whose ids look like it."""
    id = written.rpartition("/")[2]
    known = {platform for platform, other in _own_channels(desk) if other.rpartition("/")[2] == id}
    alike = {on for (on, names), (form, _) in _FORMS.items() if names == "channel" and re.fullmatch(form, id)}
    candidates = known or alike
    if len(candidates) == 1:
        return candidates.pop()
    ways = " or ".join(f"{platform}:{written}" for platform in sorted(candidates or Platform))
    reason = "is a channel on more than one platform" if candidates else "does not tell its platform"
    raise ValueError(f"'{written}' {reason}: write {ways}")


def _own_channels(desk: DeskEntry) -> Iterator[tuple[Platform, str]]:
    for team in desk.teams.values():
        for platform, entry in channels_of(team).items():
            yield from ((platform, channel) for channel in entry.help)
            if entry.triage:
                yield platform, entry.triage


def called(written: str, desk: DeskEntry) -> Whom | Channel | str:
    """Whom an escalation step calls: a role, a channel, or a key under people.

    Raises ValueError with what to write instead.
    """
    if written in set(Whom):
        return Whom(written)
    if written == _CHANNEL:
        raise ValueError("the id of the channel is missing: write channel:ID")
    if written.startswith(_CHANNEL):
        return channel_named(written.removeprefix(_CHANNEL), desk)
    if written in desk.people:
        return written
    raise ValueError(f"'{written}' is nobody to call: {did_you_mean(written, [*Whom, *desk.people, _CHANNEL + 'ID'])}")
