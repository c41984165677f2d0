"""desk.yaml's policies, escalation chains, rotas and quiet hours arrive in the core as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from tests.unit.deskfile_cases import DESK, policy_of, team
from triage.calendars import Window
from triage.chain import Chain, Notify, Raise, Reassign, Repeat, Wait, Whom
from triage.model import Channel, Language, Platform, Priority
from triage.policy import Metric, Targets, When
from triage.rota import Override, Rota


def test_policy_s_conditions_are_what_a_request_is_held_against(tmp_path: Path) -> None:
    """Words are folded, channels are the keys of the places' own."""
    rule = policy_of(tmp_path, DESK).teams["it"].rules[0]
    assert rule.priority is Priority.HIGH
    assert rule.when == When(
        words=("payslip", "salary"),
        requesters=frozenset({"sato"}),
        guests=True,
        channels=frozenset({"slack:T2:C2", "web:demo:it-help"}),
        languages=frozenset({Language.KO, Language.ZH_HANT}),
    )


def test_policy_has_terms_of_its_own(tmp_path: Path) -> None:
    """Whatever it says stands instead of the team's."""
    terms = policy_of(tmp_path, DESK).teams["it"].rules[0].terms
    assert (terms.policy, terms.calendar.timezone, terms.warn, terms.overdue) == (
        "payroll day",
        "Asia/Taipei",
        (),
        1800,
    )
    assert terms.targets[Priority.HIGH] == Targets(seconds={Metric.FIRST_RESPONSE: 900}, hours="calendar")
    assert terms.chain == Chain(steps=(Notify(whom=Whom.TEAM),))


def test_a_policy_can_switch_its_teams_reminders_off(tmp_path: Path) -> None:
    """`overdue: off`, where the team's own would else be in force; for a whole team the same as leaving it out."""
    text = DESK.replace("overdue: 30m", "overdue: off")
    teams = policy_of(tmp_path, text).teams
    assert (teams["it"].terms.overdue, teams["it"].rules[0].terms.overdue) == (3_600, None)
    assert policy_of(tmp_path, text.replace("overdue: 1h", "overdue: off")).teams["it"].terms.overdue is None


def test_policy_leaves_the_rest_to_the_team(tmp_path: Path) -> None:
    """Only name, when and sla need to be said."""
    team = policy_of(tmp_path, DESK).teams["it"]
    own = replace(team.terms, policy="others", targets=team.rules[1].terms.targets)
    assert team.rules[1].terms == own
    assert team.rules[1].priority is Priority.NORMAL


def test_team_s_own_promises_are_for_all_other_requests(tmp_path: Path) -> None:
    """They go by the name of their key."""
    terms = policy_of(tmp_path, DESK).teams["it"].terms
    assert (terms.policy, terms.overdue) == ("sla", 3_600)


def test_last_policy_may_be_for_all_other_requests(tmp_path: Path) -> None:
    """A team without sla has its fallback there."""
    text = team(
        "agents: [lee]\npolicies:\n"
        "  - {name: guests, when: {guests: false}, sla: {normal: {resolution: 1h, hours: calendar}}}\n"
        "  - {name: others, sla: {normal: {resolution: 8h, hours: calendar}}}"
    )
    found = policy_of(tmp_path, text).teams["it"]
    assert [rule.terms.policy for rule in found.rules] == ["guests"]
    assert found.terms.policy == "others"
    assert found.terms.targets[Priority.NORMAL].seconds == {Metric.RESOLUTION: 28_800}


def test_chain_is_read_step_by_step(tmp_path: Path) -> None:
    """Roles, people and channels, in order."""
    assert policy_of(tmp_path, DESK).teams["it"].terms.chain == Chain(
        ack=1_800,
        steps=(
            Notify(whom=Whom.OWNER),
            Wait(seconds=600),
            Raise(priority=Priority.HIGH),
            Reassign(whom=Whom.ON_CALL),
            Reassign(person="kim"),
            Notify(person="kim"),
            Notify(channel=Channel(platform=Platform.SLACK, place="T1", id="C3")),
            Wait(seconds=3_600),
            Repeat(times=2),
        ),
    )


def test_chain_without_steps_is_the_usual_one(tmp_path: Path) -> None:
    """Somebody may only want to say how long an acknowledgement holds."""
    text = team("agents: [lee]\nescalation: {ack: 2h}")
    assert policy_of(tmp_path, text).teams["it"].terms.chain == Chain(ack=7_200)


@pytest.mark.parametrize(
    ("written", "place", "id"),
    [
        ("C9", "slack:T1", "C9"),
        ("T2/C9", "slack:T2", "C9"),
        ("slack:T2/C9", "slack:T2", "C9"),
        ("19:other@thread.tacv2", "teams:tenant-guid", "19:other@thread.tacv2"),
        ("it-help", "web:demo", "it-help"),
        ("web:lobby", "web:demo", "lobby"),
    ],
)
def test_channel_is_found_by_what_teams_call_their_own_or_by_its_form(
    tmp_path: Path, written: str, place: str, id: str
) -> None:
    """An id tells its platform, unless two have it."""
    found = policy_of(tmp_path, DESK.replace("channel:C3", f"channel:{written}")).teams["it"].terms.chain.steps[6]
    assert isinstance(found, Notify)
    assert found.channel is not None
    assert found.channel.key == f"{place}:{id}"


def test_rota_is_in_the_team_s_zone(tmp_path: Path) -> None:
    """Local times of exceptions, too; one with an offset is what it says."""
    assert policy_of(tmp_path, DESK).teams["it"].rota == Rota(
        people=("kim", "lee"),
        start=date(2026, 1, 6),
        at=time(8, 30),
        timezone="Asia/Seoul",
        overrides=(
            Override(
                person="lee",
                since=datetime(2026, 12, 24, 0, 0, tzinfo=UTC),
                until=datetime(2026, 12, 27, 9, 0, tzinfo=UTC),
            ),
        ),
    )


def test_rota_that_says_little_hands_over_on_mondays_at_nine(tmp_path: Path) -> None:
    """A list of people is enough."""
    text = team("agents: [lee]\noncall: {people: [lee], timezone: Asia/Taipei}")
    found = policy_of(tmp_path, text).teams["it"].rota
    assert found == Rota(people=("lee",), timezone="Asia/Taipei")
    assert (found.start.weekday(), found.at) == (0, time(9))


def test_quiet_hours_as_a_list_hold_every_day(tmp_path: Path) -> None:
    """In the zone that the person's platform tells."""
    quiet = policy_of(tmp_path, DESK).people["kim"].quiet
    assert quiet is not None
    assert not quiet.zoned
    assert quiet.hours.windows == tuple(Window(day=day, opens=72_000, closes=115_200) for day in range(7))


def test_quiet_hours_may_differ_by_day_and_name_a_zone(tmp_path: Path) -> None:
    """The form of a calendar's hours."""
    quiet = policy_of(tmp_path, DESK).people["sato"].quiet
    assert quiet is not None
    assert (quiet.zoned, quiet.hours.timezone) == (True, "Asia/Tokyo")
    assert quiet.hours.windows[-1] == Window(day=5, opens=32_400, closes=86_400)


def test_nobody_is_left_alone_unless_desk_yaml_says_so(tmp_path: Path) -> None:
    """And messages about promises are capped as it says."""
    policy = policy_of(tmp_path, DESK)
    assert policy.people["lee"].quiet is None
    assert policy.pings_an_hour == 4
