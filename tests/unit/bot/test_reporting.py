"""The morning report: when it is due, what stands in it, and proposals that waited for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.reporting import Reporting, day_of
from storage.memory import MemoryStorage
from tests.builders import HR_TRIAGE, LONDON, POLICY, TRIAGE, Known, hr_ticket
from triage.changes import Change, Count, Decision, KeepCase, OpenTicket, Propose, Settle
from triage.learning import ENOUGH, PROPOSALS_A_DAY, CaseKind, Event, Proposal, ProposalKind, ProposalState, case
from triage.model import Language
from triage.outgoing import Direct, InThread, Outgoing, Report, Say
from triage.policy import Policy

SEVEN = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
"""A Tuesday in London, before summer time."""
YESTERDAY = SEVEN - timedelta(hours=10)


@dataclass
class Office:
    """A desk's storage, and the report job with a clock that the test sets."""

    now: datetime = SEVEN
    policy: Policy = POLICY
    storage: MemoryStorage = field(default_factory=MemoryStorage)

    def run(self) -> list[Outgoing]:
        Reporting(self.storage, Known(), lambda: self.policy, now=lambda: self.now).run()
        return [parcel.outgoing for parcel in self.storage.outbox.lease(100)]

    def record(self, *changes: Change, at: datetime = YESTERDAY) -> None:
        with self.storage.writing() as work:
            work.record(Decision(changes=changes), at)
            work.commit()

    def asked(self, count: int = 1, *, team: str = "it", at: datetime = YESTERDAY) -> None:
        self.record(*(Count(id=f"{team}{n}{at}", team=team, event=Event.ANSWER) for n in range(count)), at=at)

    def learned(self, count: int, *, audience: str = "public", start: int = 0) -> None:
        """So many questions: half of them answered rightly by title, half that nothing answers."""
        for n in range(start, start + count):
            right = n % 2 == 0
            text = f"{'VPN keeps dropping' if right else 'Mail on the phone'} {'abcdefghijklmnopqrstuvwxyz'[n]}"
            kind = CaseKind.CONFIRMED if right else CaseKind.CONTRADICTED
            kept = case(at=YESTERDAY, text=text, article="vpn", kind=kind, person="ann", audience=audience)
            self.record(KeepCase(case=kept))


@pytest.fixture
def office() -> Office:
    return Office()


def reports(out: Sequence[Outgoing]) -> list[Report]:
    return [item.notice for item in out if isinstance(item.notice, Report)]


def proposal(id: str, **changes: Any) -> Proposal:
    known: dict[str, Any] = {
        "id": id,
        "kind": ProposalKind.PHRASING,
        "article": "vpn",
        "title": "VPN",
        "text": "the tunnel breaks",
        "language": Language.EN,
        "team": "it",
        "person": "lee",
        "made_at": YESTERDAY,
    }
    return Proposal(**(known | changes))


# --- when ----------------------------------------------------------------------------------------
def test_it_comes_at_seven_in_the_teams_own_zone(office: Office) -> None:
    """Not a second earlier, and in its triage channel."""
    office.asked()
    office.now = SEVEN - timedelta(seconds=1)
    assert office.run() == []
    office.now = SEVEN
    (item,) = office.run()
    assert isinstance(item.to, InThread)
    assert (item.to.thread.channel, item.key) == (TRIAGE, "report:it:2026-03-10")


def test_it_comes_late_rather_than_never(office: Office) -> None:
    """The process was down at seven; the day in it is the same."""
    office.asked()
    office.now = SEVEN + timedelta(hours=9)
    (report,) = reports(office.run())
    assert (report.since.at, report.until.at) == (SEVEN - timedelta(days=1), SEVEN)


def test_it_comes_once_a_day(office: Office) -> None:
    """Whatever is asked after it belongs to the next one."""
    office.asked()
    assert len(reports(office.run())) == 1
    office.asked(at=SEVEN + timedelta(hours=1))
    office.now = SEVEN + timedelta(hours=2)
    assert office.run() == []
    office.now = SEVEN + timedelta(days=1)
    assert [report.figures.asked for report in reports(office.run())] == [1]


def test_nothing_asked_is_no_report(office: Office) -> None:
    """Nobody is told that there is nothing to tell."""
    assert office.run() == []


def test_what_was_said_of_an_older_answer_is_reported(office: Office) -> None:
    """Asked on Friday, confirmed on Saturday, when nobody asked anything: it is in one of the reports."""
    office.record(Count(id="late", team="it", event=Event.CONFIRMED))
    assert [(report.figures.asked, report.figures.confirmed) for report in reports(office.run())] == [(0, 1)]


def test_the_day_that_lost_an_hour_is_whole() -> None:
    """Summer time begins on 29 March 2026: seven to seven are 23 hours."""
    team = replace(POLICY.teams["it"], terms=replace(POLICY.teams["it"].terms, calendar=LONDON))
    day = day_of(team, datetime(2026, 3, 29, 6, 0, tzinfo=UTC))
    assert day is not None
    assert (day.until.astimezone(UTC) - day.since.astimezone(UTC)) == timedelta(hours=23)


def test_a_team_without_a_triage_channel_gets_none(office: Office) -> None:
    """There is nowhere to post it."""
    teams = {id: replace(team, triage={}) for id, team in POLICY.teams.items()}
    office.policy = replace(POLICY, teams=teams)
    office.asked()
    assert office.run() == []


# --- what ----------------------------------------------------------------------------------------
def test_few_cases_say_so(office: Office) -> None:
    """A curve over a handful would mislead."""
    office.asked()
    office.learned(ENOUGH - 1)
    (report,) = reports(office.run())
    assert (report.cases, report.points) == (ENOUGH - 1, ())


def test_the_trade_off_has_the_threshold_in_force(office: Office) -> None:
    """Five thresholds, each with what it would have answered and how much of that rightly."""
    office.asked()
    office.learned(ENOUGH)
    (report,) = reports(office.run())
    assert report.cases == ENOUGH
    assert report.in_force in [point.threshold for point in report.points]
    by_threshold = {point.threshold: point for point in report.points}
    assert (by_threshold[0.7].coverage, by_threshold[0.7].precision) == (1.0, 0.5)


def test_cases_of_articles_for_another_team_take_no_part(office: Office) -> None:
    """What IT may not read leaves no trace in its report."""
    office.asked()
    office.learned(ENOUGH)
    office.learned(4, audience="team:hr", start=ENOUGH)
    (report,) = reports(office.run())
    assert report.cases == ENOUGH


def test_a_restricted_team_reads_figures_only(office: Office) -> None:
    """No case of its own is kept, and others' are none of its business."""
    office.asked(3, team="hr")
    office.learned(ENOUGH)
    (item,) = office.run()
    assert isinstance(item.notice, Report)
    assert (item.notice.figures.asked, item.notice.cases, item.notice.points) == (3, None, ())
    assert item.to == InThread(thread=item.to.thread, order=item.key) if isinstance(item.to, InThread) else False
    assert item.to.bucket == HR_TRIAGE.key
    assert item.language is Language.KO


# --- proposals that waited -------------------------------------------------------------------------
def test_what_waited_is_offered_in_the_morning(office: Office) -> None:
    """Also when nothing was asked; at most so many a person, the rest the morning after."""
    held = [proposal(f"p{n}") for n in range(PROPOSALS_A_DAY + 2)]
    office.record(*(Propose(proposal=each) for each in held))
    first = office.run()
    assert len(first) == 1  # one lane a person: the others follow as each is sent
    assert isinstance(first[0].to, Direct)
    assert isinstance(first[0].notice, Say)
    with office.storage.reading() as reading:
        assert reading.lessons.offered(SEVEN - timedelta(hours=1)) == {"lee": PROPOSALS_A_DAY}
        assert len(reading.lessons.held("it")) == 2
    office.now = SEVEN + timedelta(days=1, minutes=1)
    office.run()
    with office.storage.reading() as reading:
        assert list(reading.lessons.held("it")) == []


def test_what_was_settled_meanwhile_is_not_offered(office: Office) -> None:
    """Nor what is for somebody who left the team."""
    office.record(Propose(proposal=proposal("p1")), Propose(proposal=proposal("p2", person="gone")))
    office.record(Settle(proposal="p1", state=ProposalState.ACCEPTED, by="kim"))
    assert office.run() == []


def test_what_became_private_meanwhile_is_not_offered(office: Office) -> None:
    """The ticket moved to a restricted team, or the team works privately by now."""
    office.record(OpenTicket(ticket=hr_ticket()), Propose(proposal=proposal("p1", ticket="t8")))
    office.record(Propose(proposal=proposal("p2", team="hr", person="park")))
    assert office.run() == []
