"""The benchmarks of clocks and pings run, at a size that takes seconds; what they measure is not judged here."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bot import deskfile
from storage.engine import make_engine
from storage.sql import SqlStorage
from tests.benchmarks import calendars, datejobs, lateness, sweeps, turns
from tests.benchmarks.databases import SQLITE, fresh
from triage.sweeping import sweep

GRACE = 1.5
"""Seconds; a scheduler with default settings drops what is more than one second late."""


def test_a_sweep_is_measured(tmp_path: Path) -> None:
    """Seeds are opened, copied, read back and swept: a row for each variety of what is due."""
    lines = list(sweeps.report([SQLITE], None, tmp_path, [20], due=5, count=1))
    assert [line.split("|")[1].strip() for line in lines[2:6]] == [SQLITE] * 4


def test_one_more_event_is_measured() -> None:
    """Each kind of event on a ticket with a past of 20."""
    with turns.shelf() as shelf:
        lines = list(turns.report(shelf, turns.past(20), repeats=2))
    assert any("message while pending" in line for line in lines)


def test_jobs_run_while_their_process_is_there_and_are_dropped_otherwise() -> None:
    """The common design: what became due while no scheduler ran is missed."""
    with fresh(SQLITE, None) as url:
        assert datejobs.add(url, jobs=50, due=5)["ran"] == 5
        left = datejobs.leave(url, due=5, within=timedelta(seconds=1))
        time.sleep(max(0.0, left["at"] + GRACE - time.time()))
        assert datejobs.come_back(url, due=5)["ran"] == 0


def test_the_pings_whose_lateness_is_measured_come_due(tmp_path: Path) -> None:
    """The tickets that are stored ring once each at the instants asked for."""
    config, now = tmp_path / "desk.yaml", datetime.now(UTC)
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "vpn.md").write_text(lateness.ARTICLE, encoding="utf-8")
    config.write_text(json.dumps(lateness.desk_yaml(50)), encoding="utf-8")
    desk, problems = deskfile.read(config)
    assert desk is not None
    assert not problems
    with fresh(SQLITE, None) as url:
        lateness.put(url, config, 50, now, timedelta(seconds=1))
        storage = SqlStorage(make_engine(url))
        rung = [sweep(storage, desk.policy, partial(_later, now, at)).rung for at in (0, 9, 60)]
        storage.close()
    assert rung == [1, 9, 40]


def _later(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def test_walks_are_measured() -> None:
    """Every question to a calendar is answered."""
    assert all(ask() for _, ask in calendars.questions(calendars.ENGLAND))
