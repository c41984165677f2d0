"""The demo's own parts: its fast clock and its file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
from nicegui.testing.general import nicegui_reset_globals

from bot import deskfile, sample
from bot.demo import FastClock, database, demo_app, forget
from triage.calendars import Calendar, Window

HOUR = 3_600
CALENDAR = Calendar(windows=tuple(Window(day=day, opens=9 * HOUR, closes=17 * HOUR) for day in range(5)))
FRIDAY_AFTERNOON = datetime(2026, 3, 6, 16, 59, tzinfo=UTC)


def test_the_clock_skips_what_nobody_works() -> None:
    """One minute before closing on Friday, two minutes of work later it is Monday, 09:01."""
    ticks = iter([0.0, 2.0])
    clock = FastClock(CALENDAR, FRIDAY_AFTERNOON, 60, tick=lambda: next(ticks))
    assert clock() == datetime(2026, 3, 9, 9, 1, tzinfo=UTC)


def test_the_clock_begins_when_somebody_works() -> None:
    """Started on a Saturday it is Monday, 09:00."""
    clock = FastClock(CALENDAR, datetime(2026, 3, 7, 3, 0, tzinfo=UTC), 60, tick=lambda: 5.0)
    assert clock() == datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


def test_forgetting_touches_the_demos_own_file_only(tmp_path: Path) -> None:
    """`--fresh` never deletes what `serve` stored."""
    (tmp_path / "deskbell.db").write_text("precious")
    database(tmp_path).write_text("demo")
    forget(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["deskbell.db"]


async def test_other_names_and_other_sites_get_nothing_of_the_demo(tmp_path: Path) -> None:
    """Whoever opens a hostile page while the demo runs: it can neither read the page nor drive it. Monitors can."""
    desk, _ = deskfile.read(sample.files() / "desk.yaml")
    assert desk is not None
    with nicegui_reset_globals():
        transport = httpx.ASGITransport(app=demo_app(desk, tmp_path))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000") as web:
            rebound = await web.get("/", headers={"Host": "evil.example"})
            posted = await web.post("/_nicegui_ws/socket.io/", headers={"Origin": "https://evil.example"})
            alive = await web.get("/healthz", headers={"Host": "10.0.0.7"})
    assert (rebound.status_code, posted.status_code, alive.status_code) == (421, 403, 200)
