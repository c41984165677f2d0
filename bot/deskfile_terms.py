"""What a team promises and whom it calls, built from its entries in a sound desk.yaml.

Called by `bot.deskfile`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.deskfile_calling import EscalationEntry, OncallEntry, QuietEntry, StepEntry
from bot.deskfile_names import called, channel_named
from bot.deskfile_schema import DeskEntry, TeamEntry, WhenEntry
from bot.deskfile_values import dated, windows
from triage.calendars import ALWAYS, Calendar
from triage.chain import Chain, ChainStep, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.model import Channel, Priority
from triage.policy import Quiet, Rule, Terms, When
from triage.rota import Override, Rota

SLA = "sla"
"""Name of the policy that a team's own promises are."""


def terms_of(team: TeamEntry, desk: DeskEntry) -> Terms:
    """The promises for tickets that fit no policy with a condition."""
    fallback = next((rule for rule in team.policies if not rule.is_conditional), None)
    if fallback:
        return _terms(team.under(fallback), fallback.name, desk)
    return _terms(team, SLA, desk)


def rules_of(team: TeamEntry, desk: DeskEntry) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            when=when_of(rule.when, desk),
            terms=_terms(team.under(rule), rule.name, desk),
            priority=rule.priority or Priority.NORMAL,
        )
        for rule in team.policies
        if rule.when and rule.is_conditional
    )


def when_of(entry: WhenEntry, desk: DeskEntry) -> When:
    """Raises ValueError when it names a channel that cannot be found."""
    return When(
        requesters=frozenset(entry.requesters or ()),
        guests=entry.guests,
        languages=frozenset(entry.languages or ()),
        channels=frozenset(channel_named(written, desk).key for written in entry.channels or ()),
        words=tuple(word.casefold() for word in entry.words or ()),
    )


def _terms(team: TeamEntry, policy: str, desk: DeskEntry) -> Terms:
    return Terms(
        policy=policy,
        calendar=team.calendar.build() if team.calendar else ALWAYS,
        targets={priority: entry.build() for priority, entry in team.sla.items()},
        warn=tuple(team.warn),
        overdue=team.overdue or None,
        chain=_chain(team.escalation, desk) if team.escalation else Chain(),
    )


def _chain(entry: EscalationEntry, desk: DeskEntry) -> Chain:
    if not entry.says_steps:
        return Chain(ack=entry.ack)
    return Chain(steps=tuple(_step(step, desk) for step in entry.steps), ack=entry.ack)


def _step(entry: StepEntry, desk: DeskEntry) -> ChainStep:
    if entry.notify:
        return _notify(called(entry.notify, desk))
    if entry.reassign:
        found = called(entry.reassign, desk)
        return Reassign(whom=found) if isinstance(found, Whom) else Reassign(person=entry.reassign)
    if entry.raise_to:
        return Raise(priority=entry.raise_to)
    return Wait(seconds=entry.wait) if entry.wait else Repeat(times=entry.repeat or 1)


def _notify(found: Whom | Channel | str) -> Notify:
    match found:
        case Whom():
            return Notify(whom=found)
        case Channel():
            return Notify(channel=found)
        case str():
            return Notify(person=found)


def rota_of(team: TeamEntry) -> Rota:
    """With local times in the rota's zone, which is the team's unless it says another."""
    entry, usual = team.oncall, Rota()
    if not entry:
        return usual
    timezone = entry.timezone or (team.calendar.timezone if team.calendar else usual.timezone)
    return Rota(
        people=tuple(entry.people),
        start=entry.start or usual.start,
        at=entry.at or usual.at,
        timezone=timezone,
        overrides=_overrides(entry, timezone),
    )


def _overrides(entry: OncallEntry, timezone: str) -> tuple[Override, ...]:
    return tuple(
        Override(since=_utc(item.since, timezone), until=_utc(item.until, timezone), person=item.person)
        for item in entry.overrides
    )


def _utc(at: datetime, timezone: str) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)


def quiet_of(entry: QuietEntry) -> Quiet:
    hours = Calendar(timezone=entry.timezone or "UTC", windows=windows(entry.hours), dated=dated(entry.hours))
    return Quiet(hours=hours, zoned=entry.timezone is not None)
