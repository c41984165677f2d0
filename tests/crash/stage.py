"""Where a story of kills takes place: one `deskbell serve`, its database, and Slack on real sockets.

Made by `tests.crash.story`. Slack is the fake server in this process; its answers take a moment, so that
kills fall between a post and its answer.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, make_url, text

from bot import sample
from storage.engine import make_engine
from storage.schema import migrate
from tests import postgres
from tests.conformance.programs import CHECKOUT, free_port
from tests.crash.nursery import Nursery
from tests.fakes.slack_server import FakeSlack
from tests.postgres import Server
from tests.served.process import Served

HELP, TRIAGE, RANDOM = "CHELP", "CTRIAGE", "CRANDOM"
AGENTS = tuple(f"UAGENT{n}" for n in range(6))
ARTICLES = ("vpn-drops", "printer-offline", "forgotten-password", "book-holiday", "guest-wifi")
ANSWER_SECONDS = 0.1
"""That Slack takes to answer, as the real one does."""


class Setting(StrEnum):
    """A database, and how Slack's events come."""

    SQLITE_HTTP = "sqlite-http"
    POSTGRES_SOCKET = "postgres-socket"
    SQLITE_SOCKET = "sqlite-socket"
    POSTGRES_HTTP = "postgres-http"

    @property
    def postgres(self) -> bool:
        return self.value.startswith("postgres")

    @property
    def socket(self) -> bool:
        return self.value.endswith("socket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`server` is the PostgreSQL server that this stage has for itself, None on SQLite."""

    setting: Setting
    slack: FakeSlack
    served: Served
    url: str
    server: Server | None

    @contextmanager
    def looking(self) -> Iterator[Engine]:
        """The desk's database, to be read."""
        engine = make_engine(self.url)
        try:
            yield engine
        finally:
            engine.dispose()

    def cut(self) -> int:
        """End every connection to the database from outside; how many there were."""
        found = text(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self.looking() as engine, engine.connect() as db:
            return int(db.scalar(found) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How the desk is started: from `nursery`, with a defect or shorter leases; without one as `deskbell` itself."""

    nursery: Nursery | None = None
    defect: str | None = None
    lease: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What `Served` needs to know of it."""
        if self.nursery is None:
            return {}
        defect = ["--defect", self.defect] if self.defect else []
        lease = ["--lease", str(self.lease)] if self.lease else []
        return {"spawn": self.nursery.spawn, "program": (*defect, *lease)}


AS_IT_IS = How()


@asynccontextmanager
async def staged(setting: Setting, folder: Path, how: How = AS_IT_IS) -> AsyncIterator[Stage]:
    """The stage with nothing running on it yet but Slack and the database."""
    async with FakeSlack() as slack:
        with _database(setting, folder) as (url, server):
            _people(slack)
            slack.takes = ANSWER_SECONDS
            served = Served(
                config=_desk(slack, folder),
                folder=folder / "desk",
                port=free_port(),
                environ=_environ(setting, slack, url),
                **how.given,
            )
            if not setting.socket:
                slack.deliver_to(served.url)
            try:
                yield Stage(setting=setting, slack=slack, served=served, url=url, server=server)
            finally:
                served.kill()


@contextmanager
def _database(setting: Setting, folder: Path) -> Iterator[tuple[str, Server | None]]:
    if not setting.postgres:
        yield f"sqlite:///{folder / 'desk' / 'data' / 'deskbell.db'}", None
        return
    name = f"crash_{uuid.uuid4().hex[:12]}"
    with postgres.restartable() as server:
        admin = create_engine(make_url(server.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with admin.connect() as db:
            if server.restart:
                db.execute(text("ALTER SYSTEM SET fsync = on"))
                db.execute(text("SELECT pg_reload_conf()"))
            db.execute(text(f"CREATE DATABASE {name}"))
        url = make_url(server.url).set(database=name).render_as_string(hide_password=False)
        migrate(url)
        admin.dispose()  # its connections do not outlive a restart
        try:
            yield url, server
        finally:
            with admin.connect() as db:
                db.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
            admin.dispose()


def _environ(setting: Setting, slack: FakeSlack, url: str) -> dict[str, str]:
    incoming = (
        {"SLACK_APP_TOKEN": slack.app_token} if setting.socket else {"SLACK_SIGNING_SECRET": slack.signing_secret}
    )
    database = {"DESKBELL_DATABASE_URL": url} if setting.postgres else {}
    slack_api = {"SLACK_BOT_TOKEN": slack.token, "SLACK_API_URL": slack.url}
    return {"PYTHONPATH": str(CHECKOUT), "DESKBELL_ENCODER": "off", **slack_api, **incoming, **database}


def _people(slack: FakeSlack) -> None:
    for agent in AGENTS:
        slack.add_user(agent, name=agent.title())
    slack.add_channel(HELP, members=set(AGENTS))
    slack.add_channel(TRIAGE, members=set(AGENTS))
    slack.add_channel(RANDOM, members=set(AGENTS))


def _desk(slack: FakeSlack, folder: Path) -> Path:
    """desk.yaml and a few articles; promises are long, so that no clock rings meanwhile."""
    articles = folder / "kb"
    articles.mkdir(parents=True)
    for name in ARTICLES:
        shutil.copy(sample.files() / "kb" / "en" / f"{name}.md", articles)
    it = {
        "name": "IT",
        "agents": [agent.lower() for agent in AGENTS],
        "lead": AGENTS[0].lower(),
        "calendar": {"timezone": "Europe/London", "hours": {"mon-sun": ["00:00-24:00"]}},
        "sla": {"normal": {"first_response": "48h", "hours": "calendar"}},
        "slack": {"help": [HELP], "triage": TRIAGE},
    }
    desk = {
        "kb": "kb/",
        "places": {"slack": [slack.team]},
        "people": {agent.lower(): {"name": agent.title(), "slack": agent} for agent in AGENTS},
        "messages": {"per_minute": 1_000},
        "teams": {"it": it, "hr": {"name": "HR", "agents": [AGENTS[0].lower()]}},
    }
    config = folder / "desk.yaml"
    config.write_text(json.dumps(desk), encoding="utf-8")
    return config


async def restart(stage: Stage, mode: postgres.Mode) -> None:
    """Restart PostgreSQL, if it is ours."""
    if stage.server and stage.server.restart:
        await asyncio.to_thread(stage.server.restart, mode)
