"""The morning report: once a day each team's figures in its triage channel, and proposals that had to wait.

`run` is a fixed job of `bot.running`, called every few minutes. At 07:00 in a team's own zone, or at the
first run after that, its day is claimed in the inbox; so several processes, and a restart, make one report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.knowing import EMPLOYEE
from triage.briefing import A_DAY
from triage.casework import unmet
from triage.changes import Decision, Offer
from triage.desk import Knowing
from triage.learning import ENOUGH, PROPOSALS_A_DAY, Case, Point, Proposal, labelled, trade_off
from triage.matching import Matcher
from triage.model import Person, Thread
from triage.outgoing import At, InThread, Outgoing, Report
from triage.policy import Policy, Team
from triage.ports import Now, Reading, Storage
from triage.proposing import offered

SEVEN = time(7)
THRESHOLDS = (0.5, 0.7, 0.8, 0.9)
"""Shown beside the one in force."""

MOST_CASES = 1_000
"""The newest cases, matched anew for the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One team's day, which ends at seven in the morning of `until`."""

    team: Team
    since: datetime
    until: datetime

    @property
    def key(self) -> str:
        return f"report:{self.team.id}:{self.until.astimezone(_zone(self.team)).date()}"


class Reporting:
    """Synchronous: to be run off the event loop. Matching is done outside any transaction."""

    def __init__(self, storage: Storage, knowing: Knowing, policy: Callable[[], Policy], *, now: Now) -> None:
        self._storage = storage
        self._knowing = knowing
        self._policy = policy
        self._now = now

    def run(self) -> int:
        """Write what is due; returns how many messages that were. Raises TurnError."""
        policy, now = self._policy(), self._now()
        days = (day_of(team, now) for team in policy.teams.values())
        return sum(self._report(day, policy, now) for day in days if day)

    def _report(self, day: Day, policy: Policy, now: datetime) -> int:
        with self._storage.reading() as reading:
            if reading.seen(day.key):
                return 0
            figures = reading.lessons.figures(day.team.id, day.since, day.until)
            cases = reading.lessons.cases(MOST_CASES) if figures.eventful and not day.team.restricted else ()
        zone = day.team.terms.calendar.timezone
        since, until = At(at=day.since, zone=zone), At(at=day.until, zone=zone)
        report = Report(team=day.team.name, since=since, until=until, figures=figures)
        if figures.eventful and not day.team.restricted:
            report = self._with_curve(report, day.team, cases)
        with self._storage.writing() as work:
            if not work.claim(day.key, now):
                return 0
            told = _posted(report, day) if figures.eventful else ()
            decision = Decision(outgoing=told) + _offers(day.team, policy, work.look(), now)
            work.record(decision, now)
            work.commit()
        return len(decision.outgoing)

    def _with_curve(self, report: Report, team: Team, cases: Sequence[Case]) -> Report:
        audience = EMPLOYEE | {f"team:{team.id}"}
        known = labelled(cases, audience)
        if len(known) < ENOUGH:
            return replace(report, cases=len(known))
        matcher = self._knowing.matcher(audience)
        scored = [_scored(matcher, each.text, each.article) for each in known]
        in_force = matcher.match(known[0].text).answer
        points: tuple[Point, ...] = trade_off(scored, (*THRESHOLDS, in_force))
        return replace(report, cases=len(known), points=points, in_force=in_force)


def day_of(team: Team, now: datetime) -> Day | None:
    """The day that ended at the last seven o'clock of the team's zone; None before seven."""
    local = now.astimezone(_zone(team))
    until = datetime.combine(local.date(), SEVEN, _zone(team))
    if local < until:
        return None
    since = datetime.combine(local.date() - timedelta(days=1), SEVEN, _zone(team))
    return Day(team=team, since=since, until=until)


def _zone(team: Team) -> ZoneInfo:
    return ZoneInfo(team.terms.calendar.timezone)


def _scored(matcher: Matcher, text: str, article: str | None) -> tuple[float, bool]:
    best = matcher.match(text).best
    return (best.confidence, best.article.id == article) if best else (0.0, False)


def _posted(report: Report, day: Day) -> tuple[Outgoing, ...]:
    channel = day.team.triage_channel
    if channel is None:
        return ()
    to = InThread(thread=Thread(channel=channel), order=day.key)
    return (Outgoing(key=day.key, to=to, notice=report, language=day.team.language, rank=1),)


def _offers(team: Team, policy: Policy, reading: Reading, now: datetime) -> Decision:
    """What waited for a day on which its person got fewer proposals; nothing that became private meanwhile."""
    counts = dict(reading.lessons.offered(now - A_DAY))
    held = [each for each in reading.lessons.held(team.id) if not team.restricted and not _is_private(each, reading)]
    people = reading.people(sorted({each.person for each in held}))
    decision = Decision()
    for proposal in held:
        counts[proposal.person] = counts.get(proposal.person, 0) + 1
        if counts[proposal.person] <= PROPOSALS_A_DAY and policy.serves(proposal.person, team.id):
            decision += _offer(proposal, people.get(proposal.person) or unmet(proposal.person, policy))
    return decision


def _is_private(proposal: Proposal, reading: Reading) -> bool:
    ticket = reading.ticket(proposal.ticket) if proposal.ticket else None
    return ticket is not None and ticket.restricted


def _offer(proposal: Proposal, person: Person) -> Decision:
    return Decision(changes=(Offer(proposal=proposal.id),), outgoing=(offered(proposal, person),))
