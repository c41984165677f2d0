"""Tickets under other promises, on a real database: replay changes nothing, reapply only what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.cli import main
from bot.replaying import reapply, replay
from bot.running import Running
from storage.schema import migrate
from tests.scenario.desk import HOUR, MONDAY, World, policy
from triage.figures import Outcome
from triage.model import Account, Channel, Kind, Message, Platform, Priority, Sender
from triage.policy import Metric, Policy, Rule, Targets, When

HELP = Channel(platform=Platform.WEB, place="demo", id="help")
TRIAGE = Channel(platform=Platform.WEB, place="demo", id="triage")
POLICY = policy(Platform.WEB, "demo", {"lee": "lee", "kim": "kim"}, HELP, TRIAGE)

DESK = """
kb: kb/
people: {lee: {name: Lee, web: lee}}
teams:
  it:
    name: IT
    agents: [lee]
    lead: lee
    calendar: {timezone: UTC, hours: {mon-fri: ["09:00-17:00"]}}
    sla: {normal: {first_response: FIRST, resolution: 8h}}
    warn: ["-30m"]
    web: {help: [help], triage: triage}
"""


def promising(first_response: int, base: Policy = POLICY) -> Policy:
    """The same desk with another first response, in seconds."""
    team = base.teams["it"]
    targets = Targets(seconds={Metric.FIRST_RESPONSE: first_response, Metric.RESOLUTION: 8 * HOUR})
    terms = replace(team.terms, targets=dict.fromkeys(Priority, targets))
    return replace(base, teams={"it": replace(team, terms=terms)})


def says(world: World, desk: Running, user: str, text: str, kind: Kind = Kind.POST) -> None:
    account = Account(platform=Platform.WEB, place="demo", user=user)
    key = f"web:{world.at.isoformat()}:{user}:{text}"
    channel = TRIAGE if kind is Kind.COMMAND else HELP
    sender = Sender(account=account, name=user.title())
    said = Message(key=key, kind=kind, sender=sender, channel=channel, id=key, text=text)
    assert desk.desk.take(said).failure is None


@pytest.fixture
def world(tmp_path: Path) -> World:
    url = f"sqlite:///{tmp_path / 'deskbell.db'}"
    migrate(url)
    return World(url, POLICY)


@pytest.fixture
def desk(world: World) -> Iterator[Running]:
    running = world.desk()
    yield running
    running.storage.close()


def answered_after(world: World, desk: Running, minutes: int) -> None:
    """One ticket, answered by Lee after so many minutes of working time."""
    says(world, desk, "dana", "coffee grinder sparks")
    world.pause(minutes=minutes)
    says(world, desk, "lee", "reply 1 on my way", Kind.COMMAND)


def test_a_replay_under_the_same_promises_changes_nothing(world: World, desk: Running) -> None:
    """Computed anew from the events, every clock comes out as it stands."""
    answered_after(world, desk, 40)
    found = replay(desk.storage, POLICY, MONDAY - timedelta(days=1), world.at)
    assert found.tickets == 1
    assert (
        found.before
        == found.after
        == {("it", Metric.FIRST_RESPONSE, Outcome.MET): 1, ("it", Metric.RESOLUTION, Outcome.OPEN): 1}
    )
    assert found.differences == ()


def test_a_replay_shows_what_a_shorter_promise_would_have_broken(world: World, desk: Running) -> None:
    """Answered after 40 minutes: kept under one hour, broken under half an hour."""
    answered_after(world, desk, 40)
    (difference,) = replay(desk.storage, promising(HOUR // 2), MONDAY - timedelta(days=1), world.at).differences
    assert (difference.ticket.number, difference.metric) == (1, Metric.FIRST_RESPONSE)
    assert difference.before is not None
    assert difference.before.outcome is Outcome.MET
    assert difference.after is not None
    assert difference.after.outcome is Outcome.MISSED
    assert difference.after.due_at == MONDAY + timedelta(minutes=30)


def test_a_replay_looks_at_tickets_opened_since_then(world: World, desk: Running) -> None:
    """A ticket of the day before the day asked for is left out."""
    answered_after(world, desk, 40)
    assert replay(desk.storage, POLICY, MONDAY + timedelta(days=1), world.at).tickets == 0


def test_a_replay_takes_the_first_policy_that_fits(world: World, desk: Running) -> None:
    """The words of the request decide, as they would have when it was opened."""
    answered_after(world, desk, 40)
    sharp = promising(HOUR // 2).teams["it"].terms
    team = replace(POLICY.teams["it"], rules=(Rule(when=When(words=("sparks",)), terms=sharp),))
    found = replay(desk.storage, replace(POLICY, teams={"it": team}), MONDAY - timedelta(days=1), world.at)
    assert [each.metric for each in found.differences] == [Metric.FIRST_RESPONSE]


def test_a_dry_reapply_lists_and_changes_nothing(world: World, desk: Running) -> None:
    """The due time before and after, and the next look says the same again."""
    says(world, desk, "dana", "coffee grinder sparks")
    for _ in range(2):
        (found,) = reapply(desk.storage, promising(2 * HOUR), world.at, dry=True)
        assert found.dues == ((Metric.FIRST_RESPONSE, MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)),)


def test_a_reapply_puts_open_tickets_under_the_new_promises(world: World, desk: Running) -> None:
    """Doing it again finds nothing to do; the promise to the requester and the card are edited."""
    says(world, desk, "dana", "coffee grinder sparks")
    before = desk.storage.outbox.pending()
    assert len(list(reapply(desk.storage, promising(2 * HOUR), world.at, dry=False))) == 1
    assert list(reapply(desk.storage, promising(2 * HOUR), world.at, dry=False)) == []
    with desk.storage.reading() as reading:
        (ticket,), _ = reading.queue(["it"], 10)
        assert reading.due_of([ticket.id]) == {ticket.id: MONDAY + timedelta(hours=2)}
    assert desk.storage.outbox.pending() == before + 2


def test_a_reapply_leaves_what_has_ended_alone(world: World, desk: Running) -> None:
    """A resolved ticket keeps the terms it was worked under."""
    answered_after(world, desk, 10)
    says(world, desk, "lee", "resolve 1 done", Kind.COMMAND)
    assert list(reapply(desk.storage, promising(2 * HOUR), world.at, dry=False)) == []


# --- the command line --------------------------------------------------------------------------
@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kb").mkdir()
    (tmp_path / "desk.yaml").write_text(DESK.replace("FIRST", "30m"))
    return tmp_path


def test_replay_prints_one_object(
    world: World, desk: Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts before and after by team and promise, and the tickets that come out otherwise."""
    answered_after(world, desk, 40)
    arguments = ["sla", "replay", "--config", str(folder / "desk.yaml"), "--data", str(folder)]
    assert main([*arguments, "--since", "2026-03-01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    first = next(each for each in found["promises"] if each["metric"] == "first_response")
    assert first["before"]["met"] == 1
    assert first["after"]["missed"] == 1
    assert [each["ticket"] for each in found["changed"] if each["metric"] == "first_response"] == [1]


def test_replay_reads_well_for_people(
    world: World, desk: Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table, and a line for each promise that comes out otherwise with both due times."""
    answered_after(world, desk, 40)
    arguments = ["sla", "replay", "--config", str(folder / "desk.yaml"), "--data", str(folder)]
    assert main([*arguments, "--since", "2026-03-01"]) == 0
    told = capsys.readouterr().out
    assert "1 -> 0" in told
    assert "met (due Mon 2026-03-09 10:00) -> missed (due Mon 2026-03-09 09:30)" in told


def test_a_day_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The message shows how to write it."""
    with pytest.raises(SystemExit) as stopped:
        main(["sla", "replay", "--since", "July"])
    assert stopped.value.code == 2
    assert "2026-07-01" in capsys.readouterr().err


def test_a_desk_without_a_database_has_nothing_to_replay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where it looked, and makes no database."""
    missing = folder / "nowhere"
    arguments = ["sla", "reapply", "--dry-run", "--config", str(folder / "desk.yaml"), "--data", str(missing)]
    assert main(arguments) == 3
    assert "nowhere" in capsys.readouterr().err
    assert not missing.exists()


def test_reapply_counts_what_changed(
    world: World, desk: Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dry run says that it would; the real one that it did."""
    says(world, desk, "dana", "coffee grinder sparks")
    arguments = ["sla", "reapply", "--config", str(folder / "desk.yaml"), "--data", str(folder)]
    assert main([*arguments, "--dry-run"]) == 0
    would = capsys.readouterr()
    assert "#1 coffee grinder sparks" in would.out
    assert "1 open ticket would change." in would.err
    assert main(arguments) == 0
    assert "1 open ticket changed." in capsys.readouterr().err


# --- what was not done in time -----------------------------------------------------------------
async def test_the_watchdog_names_a_ping_whose_time_passed(world: World, desk: Running) -> None:
    """Nobody swept for two minutes after the warning was due."""
    says(world, desk, "dana", "coffee grinder sparks")
    world.pause(minutes=32)
    (late,) = desk.storage.late(world.at - timedelta(minutes=1))
    assert (late.number, late.what, late.since) == (1, "ping for first_response", MONDAY + timedelta(minutes=30))
    desk.desk.sweep()
    assert desk.storage.late(world.at - timedelta(minutes=1)) == []


async def test_the_watchdog_names_a_step_whose_time_passed(world: World, desk: Running) -> None:
    """The chain waits ten minutes after a broken promise; twelve minutes later nobody has swept."""
    says(world, desk, "dana", "coffee grinder sparks")
    world.pause(minutes=60)
    desk.desk.sweep()
    world.pause(minutes=12)
    assert "step of the escalation" in [late.what for late in desk.storage.late(world.at - timedelta(minutes=1))]


def test_a_silence_is_kept_as_downtime(world: World, desk: Running) -> None:
    """Two sweeps half an hour apart: nothing ran between them."""
    desk.desk.sweep()
    world.pause(minutes=30)
    desk.desk.sweep()
    (down,) = desk.storage.downtimes(datetime(2026, 1, 1, tzinfo=UTC))
    assert (down.since, down.until) == (MONDAY, MONDAY + timedelta(minutes=30))
