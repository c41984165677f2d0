"""The web server's own pages: alive, ready and measured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bot.compose import serving
from bot.deskfile import Desk
from bot.knowing import EMPLOYEE
from bot.running import Running
from bot.settings import Settings
from bot.web import application
from storage.schema import migrate
from triage.model import Account, Channel, ChannelKind, Kind, Message, Platform, Sender
from triage.policy import Policy, Team

POLICY = Policy(teams={"it": Team(id="it", name="IT")})


def _desk(folder: Path) -> Desk:
    """A desk.yaml whose folder of articles has one in it."""
    kb = folder / "kb"
    kb.mkdir()
    head = "id: vpn\nlang: en\ntitle: VPN drops\nteam: it\naudience: company\nphrasings: [my vpn keeps dropping]\n"
    (kb / "vpn.md").write_text(f"---\n{head}---\nRestart the client.\n")
    return Desk(file=folder / "desk.yaml", policy=POLICY, kb=kb)


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, Running]]:
    """`deskbell serve` without its socket."""
    running = serving(settings, _desk(settings.data))
    app = application(running)
    transport = httpx.ASGITransport(app=app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://desk") as web:
        yield web, running


async def _until_ready(web: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.timeout(20):
        while (answer := await web.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.02)
    return answer


def _settings(folder: Path, **environ: str) -> Settings:
    return Settings.load(environ, data=folder)


async def test_ready_once_database_and_matcher_are_there(tmp_path: Path) -> None:
    """Ready without any platform: the embedded database was made and migrated."""
    async with serve(_settings(tmp_path)) as (web, _):
        assert (await _until_ready(web)).json() == {"ready": True, "reasons": []}


async def test_alive_before_it_is_ready(tmp_path: Path) -> None:
    """`/healthz` says only that the process lives; no orchestrator should kill one that waits."""
    unreachable = "postgresql://desk:pw@127.0.0.1:9/desk"
    async with serve(_settings(tmp_path, DESKBELL_DATABASE_URL=unreachable)) as (web, _):
        assert (await web.get("/healthz")).status_code == 200


async def test_an_unreachable_database_means_not_ready_and_says_so(tmp_path: Path) -> None:
    """503 with the reason, without the password, and the process goes on trying."""
    unreachable = "postgresql://desk:hunter2@127.0.0.1:9/desk"
    async with serve(_settings(tmp_path, DESKBELL_DATABASE_URL=unreachable)) as (web, running):
        async with asyncio.timeout(20):
            while running.problem == "starting":
                await asyncio.sleep(0.02)
        answer = await web.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"]
    assert "hunter2" not in answer.text


async def test_a_shared_database_is_migrated_by_hand_and_waited_for(tmp_path: Path, new_postgres: str) -> None:
    """PostgreSQL that is behind: not ready, and the command is named; once it was run, ready without a restart."""
    async with serve(_settings(tmp_path, DESKBELL_DATABASE_URL=new_postgres)) as (web, running):
        async with asyncio.timeout(20):
            while running.problem == "starting":
                await asyncio.sleep(0.02)
        assert "deskbell migrate" in (await web.get("/readyz")).text
        migrate(new_postgres)
        assert (await _until_ready(web)).json()["ready"] is True


async def test_not_ready_before_the_articles_are_in_force(tmp_path: Path) -> None:
    """Whoever asked earlier would get a ticket for what an article answers."""
    async with serve(_settings(tmp_path)) as (web, running):
        assert "articles: they are still being read" in (await web.get("/readyz")).json()["reasons"]
        await _until_ready(web)
        assert [article.id for article in running.knowing.base(EMPLOYEE).articles] == ["vpn"]


async def test_pages_do_not_exist_in_serve(tmp_path: Path) -> None:
    """Until sign-in is configured there is no page to be found."""
    async with serve(_settings(tmp_path)) as (web, _):
        found = {path: (await web.get(path)).status_code for path in ("/", "/console", "/api/v1/tickets")}
    assert set(found.values()) == {404}


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    """Counters of turns and deliveries are there, and no name of a person is."""
    async with serve(_settings(tmp_path)) as (web, _):
        text = (await web.get("/metrics")).text
    assert "# TYPE deskbell_turns_total counter" in text
    assert "deskbell_outbox_pending" in text


async def test_metrics_name_nobody(tmp_path: Path) -> None:
    """After a turn they count it, without who it was, where, or what about."""
    async with serve(_settings(tmp_path)) as (web, running):
        await _until_ready(web)
        await running.turns(_message())
        text = (await web.get("/metrics")).text
    assert 'deskbell_turns_total{outcome="done"}' in text
    assert not [word for word in ("zenobia", "Zenobia", "dm-", "leaks") if word in text]


def _message() -> Message:
    account = Account(platform=Platform.WEB, place="demo", user="zenobia")
    channel = Channel(platform=Platform.WEB, place="demo", id="dm-zenobia", kind=ChannelKind.DM)
    sender = Sender(account=account, name="Zenobia")
    return Message(key="web:zenobia:1", kind=Kind.POST, sender=sender, channel=channel, id="1", text="the roof leaks")


async def test_it_stops_at_once_though_it_was_nudged_in_the_same_moment(tmp_path: Path) -> None:
    """A message taken right before the end must not keep the process alive."""
    async with asyncio.timeout(10), serve(_settings(tmp_path)) as (web, running):
        await _until_ready(web)
        await asyncio.sleep(0.1)
        running.delivery.nudge()
