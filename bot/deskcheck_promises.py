"""What can be wrong with promises: hours never reached, policies never taken, conditions that point nowhere.

Called by `bot.deskcheck`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from bot.deskcheck_finding import Finding, nobody
from bot.deskfile_names import channel_named, unlike
from bot.deskfile_schema import DeskEntry, PolicyEntry, RuleEntry, TeamEntry, WhenEntry
from bot.deskfile_terms import SLA, when_of
from bot.yamlfile import Severity, Where
from triage import calendars
from triage.calendars import ALWAYS, Calendar
from triage.model import Priority
from triage.policy import Metric, When

_SOME_DAY = datetime(2026, 1, 5, tzinfo=UTC)
_NEVER = "never comes: ten years of this calendar are too short for it"


def promises(desk: DeskEntry) -> Iterator[Finding]:
    """Spans that no calendar gives, and those that another one always outruns."""
    for key, team in desk.teams.items():
        for where, promising in sets(key, team):
            yield from _targets(where, promising)
            yield from _other_spans(where, promising)


def sets(key: str, team: TeamEntry) -> Iterator[tuple[Where, TeamEntry]]:
    """The team itself, and as it is for the tickets of each of its policies."""
    yield ("teams", key), team
    for index, rule in enumerate(team.policies):
        yield ("teams", key, "policies", index), team.under(rule)


def _targets(where: Where, team: TeamEntry) -> Iterator[Finding]:
    for priority, entry in team.sla.items():
        calendar = _calendar(team) if entry.hours == "business" else ALWAYS
        for metric, seconds in entry.build().seconds.items():
            here: Where = (*where, "sla", priority.value, metric.value)
            if not _reachable(calendar, seconds):
                yield Finding(here, _NEVER)
            elif _outrun(metric, seconds, entry):
                message = "is longer than resolution, which is always broken first: shorten it, or take it out"
                yield Finding(here, message, Severity.WARNING)


def _outrun(metric: Metric, seconds: int, entry: PolicyEntry) -> bool:
    """Whether the resolution clock, which may pause and start less often, is past due before this one."""
    if not entry.resolution or seconds <= entry.resolution or entry.reopen == "first_only":
        return False
    if metric in (Metric.NEXT_REPLY, Metric.PERIODIC_UPDATE, Metric.REQUESTER_WAIT):
        return not entry.pause_on_hold
    return metric is Metric.AGENT_WORK


def _other_spans(where: Where, team: TeamEntry) -> Iterator[Finding]:
    if any(entry.hours == "calendar" for entry in team.sla.values()):
        return
    spans: list[tuple[Where, int | None]] = [(("overdue",), team.overdue)]
    if team.escalation:
        spans.append((("escalation", "ack"), team.escalation.ack))
        spans += [(("escalation", "steps", i), step.wait) for i, step in enumerate(team.escalation.steps)]
    for inside, seconds in spans:
        if seconds and not _reachable(_calendar(team), seconds):
            yield Finding((*where, *inside), _NEVER)


def _calendar(team: TeamEntry) -> Calendar:
    return team.calendar.build() if team.calendar else ALWAYS


def _reachable(calendar: Calendar, seconds: int) -> bool:
    try:
        calendars.walk(calendar, _SOME_DAY, seconds)
    except calendars.Unreachable:
        return False
    return True


def working_hours(desk: DeskEntry) -> Iterator[Finding]:
    """Calendars that are missing, or lack holidays."""
    for key, team in desk.teams.items():
        for where, promising in sets(key, team):
            if not promising.calendar and any(entry.hours == "business" for entry in promising.sla.values()):
                message = "has no calendar: business hours are around the clock"
                yield Finding((*where, "sla"), message, Severity.WARNING)
                break
        yield from _holidays(("teams", key), team)
        for index, rule in enumerate(team.policies):
            yield from _holidays(("teams", key, "policies", index), rule)


def _holidays(where: Where, entry: TeamEntry | RuleEntry) -> Iterator[Finding]:
    for index, day in enumerate(entry.calendar.holidays if entry.calendar else ()):
        if day in ("GB", "UK"):
            message = f"'{day}' lacks Easter Monday and the August bank holiday: write GB-ENG, GB-SCT, GB-WLS or GB-NIR"
            yield Finding((*where, "calendar", "holidays", index), message, Severity.WARNING)


def policies(desk: DeskEntry) -> Iterator[Finding]:
    """Policies that cannot be told apart, or are never taken; conditions that nothing meets."""
    for key, team in desk.teams.items():
        yield from _names(key, team)
        yield from _shadowed(key, team, desk)
        for index, rule in enumerate(team.policies):
            where: Where = ("teams", key, "policies", index)
            if rule.when and rule.is_conditional:
                yield from _conditions((*where, "when"), rule.when, team, desk)
                yield from _beginning(where, rule)
            else:
                yield from _fallback(where, rule, team)


def _names(key: str, team: TeamEntry) -> Iterator[Finding]:
    seen = {SLA} if team.sla else set()
    for index, rule in enumerate(team.policies):
        if rule.name in seen:
            other = "the team's own sla" if rule.name == SLA else "another policy of this team"
            message = f"'{rule.name}' is the name of {other}: choose one of its own"
            yield Finding(("teams", key, "policies", index, "name"), message)
        seen.add(rule.name)


def _fallback(where: Where, rule: RuleEntry, team: TeamEntry) -> Iterator[Finding]:
    if rule is not team.policies[-1]:
        yield Finding(where, "fits every request, so no policy after it is ever taken: put it last, or give it a when")
    if team.sla:
        yield Finding(where, "fits every request, so the team's sla is never taken: give it a when, or take one out")
    if rule.priority:
        message = "needs a when: requests that fit no condition begin with normal; give it one, or take priority out"
        yield Finding((*where, "priority"), message)


def _beginning(where: Where, rule: RuleEntry) -> Iterator[Finding]:
    first = rule.priority or Priority.NORMAL
    if first not in rule.sla:
        message = f"promises nothing for {first}, with which its tickets begin: add {first}, or set priority"
        yield Finding((*where, "sla"), message, Severity.WARNING)


def _conditions(where: Where, when: WhenEntry, team: TeamEntry, desk: DeskEntry) -> Iterator[Finding]:
    for index, person in enumerate(when.requesters or ()):
        if person not in desk.people:
            yield Finding((*where, "requesters", index), nobody(person, desk))
    for index, written in enumerate(when.channels or ()):
        here: Where = (*where, "channels", index)
        try:
            channel = channel_named(written, desk)
        except ValueError as error:
            yield Finding(here, str(error))
            continue
        if reason := unlike(channel.platform, "channel", channel.id):
            yield Finding(here, reason, Severity.WARNING)
    if when.guests and not team.allow_guests:
        message = "guests may not open tickets of this team: set allow_guests, or take it out"
        yield Finding((*where, "guests"), message, Severity.WARNING)


def _shadowed(key: str, team: TeamEntry, desk: DeskEntry) -> Iterator[Finding]:
    before: list[tuple[str, When]] = []
    for index, rule in enumerate(team.policies):
        try:
            when = when_of(rule.when or WhenEntry(), desk)
        except ValueError:
            continue
        if other := next((name for name, earlier in before if _covers(earlier, when)), None):
            message = f"is never taken: '{other}' before it fits whatever it fits; put it before that"
            yield Finding(("teams", key, "policies", index), message, Severity.WARNING)
        if rule.is_conditional:
            before.append((rule.name, when))


def _covers(earlier: When, later: When) -> bool:
    """Whether each request that fits the later conditions fits the earlier ones."""
    return (
        _any_of(earlier.requesters, later.requesters)
        and _any_of(earlier.languages, later.languages)
        and _any_of(earlier.channels, later.channels)
        and earlier.guests in (None, later.guests)
        and (not earlier.words or _includes(earlier.words, later.words))
    )


def _any_of(earlier: frozenset[str], later: frozenset[str]) -> bool:
    return not earlier or (bool(later) and later <= earlier)


def _includes(earlier: tuple[str, ...], later: tuple[str, ...]) -> bool:
    """A request with one of the later words has one of the earlier: each is part of one."""
    found = {word for word, part in product(later, earlier) if part in word}
    return bool(later) and found == set(later)
