"""A database that is damaged, full, read-only or gone: nothing is acknowledged, the desk says so, and recovers."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DatabaseError

from bot.doctor import examine
from bot.running import Running
from bot.settings import Settings
from bot.web import application
from storage.schema import migrate
from tests.postgres import server
from tests.scenario.stages import SlackStage, slack_stage

QUESTION = "coffee grinder sparks"


async def ready(desk: Running) -> tuple[int, str]:
    """What `/readyz` answers, of a desk whose life the test leads itself."""
    desk.problem = None
    transport = httpx.ASGITransport(app=application(desk))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as web:
        answer = await web.get("/readyz")
    return answer.status_code, answer.text


async def refused(stage: SlackStage) -> bool:
    """Whether a question is not acknowledged, so that Slack delivers it again."""
    _, requests = stage.slack.posted("UDANA", "CHELP", QUESTION)
    return {(await stage.slack.deliver(request)).status for request in requests} == {503}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SlackStage]:
    async with slack_stage(tmp_path) as stage:
        assert isinstance(stage, SlackStage)
        await stage.ask("gnome in the server room")
        yield stage


def engine_of(desk: Running) -> Engine:
    return desk.storage._engine


def limit_pages(engine: Engine, pages: int) -> None:
    """As a full disk: not a page more than it has."""
    event.listen(engine, "connect", lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"))
    engine.dispose()


async def test_a_full_disk_stops_the_desk_until_there_is_room(stage: SlackStage) -> None:
    """What cannot be stored is not acknowledged; `/readyz` says why; with room it goes on by itself."""
    engine = engine_of(stage.desk)
    limit_pages(engine, 1)
    answers = [await refused(stage) for _ in range(15)]
    assert answers[-1]
    status, why = await ready(stage.desk)
    assert (status, "free space" in why) == (503, True)
    limit_pages(engine, 1_000_000)
    assert (await ready(stage.desk))[0] == 200
    assert not await refused(stage)


async def test_a_read_only_database_is_not_ready(stage: SlackStage) -> None:
    """Reading it works, and would look well."""
    engine = engine_of(stage.desk)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    engine.dispose()
    assert await refused(stage)
    status, why = await ready(stage.desk)
    assert (status, "cannot be written" in why) == (503, True)


async def test_a_damaged_database_acknowledges_nothing(stage: SlackStage) -> None:
    """The reason names the way out: the newest backup."""
    file = Path(engine_of(stage.desk).url.database or "")
    engine_of(stage.desk).dispose()
    damage(file)
    assert await refused(stage)
    status, why = await ready(stage.desk)
    assert (status, "restore the newest backup" in why) == (503, True)


async def test_a_file_that_is_gone_takes_nothing_more(stage: SlackStage) -> None:
    """Though the process still holds it, and could write where nobody would find it; put back, the desk goes on."""
    file = Path(engine_of(stage.desk).url.database or "")
    aside = file.with_name("aside.db")
    os.rename(file, aside)
    assert await refused(stage)
    status, why = await ready(stage.desk)
    assert (status, "is gone" in why, file.name in os.listdir(file.parent)) == (503, True, False)
    os.rename(aside, file)
    assert (await ready(stage.desk))[0] == 200
    assert not await refused(stage)


async def test_another_file_in_its_place_is_not_taken_for_it(stage: SlackStage) -> None:
    """Somebody restored a copy while the desk ran: what it knows is of the other one."""
    file = Path(engine_of(stage.desk).url.database or "")
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    os.replace(copy, file)
    assert await refused(stage)
    status, why = await ready(stage.desk)
    assert (status, "stop the desk" in why) == (503, True)


async def test_once_found_damaged_nothing_is_written_any_more(stage: SlackStage) -> None:
    """Other pages may still be sound, and would take a message."""
    engine = engine_of(stage.desk)
    with engine.connect() as db:
        event.listen(engine, "before_cursor_execute", _damaged, once=True)
        with pytest.raises(DatabaseError):
            db.execute(text("SELECT 1"))
    assert await refused(stage)
    status, why = await ready(stage.desk)
    assert (status, "restore the newest backup" in why) == (503, True)


def _damaged(*_: object) -> None:
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    raise error


async def test_a_lost_server_is_not_ready_and_is_found_again() -> None:
    """PostgreSQL is stopped under a desk at work."""
    with server() as url:
        migrate(url)
        async with slack_stage(Path("/unused"), database=url) as stage:
            assert isinstance(stage, SlackStage)
            await stage.ask(QUESTION)
            with engine_of(stage.desk).connect() as db:
                pid = int(str(db.scalar(text("SELECT pg_read_file('postmaster.pid')"))).split()[0])
            os.kill(pid, signal.SIGINT)
            _wait_until_gone(pid)
            assert await refused(stage)
            assert (await ready(stage.desk))[0] == 503


# --- doctor --------------------------------------------------------------------------------------
@pytest.mark.parametrize("what", ["damaged", "not a database", "read-only"])
def test_the_doctor_says_what_to_do(what: str, tmp_path: Path) -> None:
    """Exit 3, and a way out in the sentence."""
    file = tmp_path / "deskbell.db"
    migrate(f"sqlite:///{file}")
    spoil: dict[str, Callable[[], Any]] = {
        "damaged": lambda: damage(file),
        "not a database": lambda: file.write_bytes(b"garbage!" * 1_000),
        "read-only": lambda: file.chmod(0o400),
    }
    spoil[what]()
    if what == "read-only" and os.access(file, os.W_OK):
        pytest.skip("root writes to everything")
    (found,) = [each for each in examine(Settings.load({}, data=tmp_path), date(2026, 3, 9)) if each.database]
    assert "restore the newest backup" in found.text or "check who owns" in found.text


def damage(file: Path) -> None:
    """Every page but the first few begins with nonsense."""
    for side in ("-wal", "-shm"):
        Path(f"{file}{side}").unlink(missing_ok=True)
    pages = bytearray(file.read_bytes())
    for page in range(3, len(pages) // 4_096):
        pages[page * 4_096 : page * 4_096 + 64] = b"\xff" * 64
    file.write_bytes(pages)


def _wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
