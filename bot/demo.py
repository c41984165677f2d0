"""The demo: the sample desk on an embedded database, its web page, and a clock that runs fast.

Called by `bot.cli` for `deskbell demo`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from adapters.web.desk import DemoDesk, DemoPerson, DemoTeam, direct_channel
from adapters.web.news import News
from adapters.web.page import mount
from adapters.web.sessions import Sessions
from bot.compose import LoadEncoder, demonstrating, new_id
from bot.deskfile import Desk
from bot.running import Running
from bot.web import Pages, application
from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from triage.calendars import Calendar, next_open, walk
from triage.model import Language, Platform
from triage.phrases import say
from triage.policy import Policy

SPEED = 120
"""Minutes of the desk's working time in a minute: the first reminder comes after one."""

REQUESTERS = (
    DemoPerson(user="dana", name="Dana", language=Language.EN),
    DemoPerson(user="minji", name="민지", language=Language.KO),
    DemoPerson(user="yijun", name="怡君", language=Language.ZH_HANT),
)


class FastClock:
    """Working time only, `speed` times faster: nights, weekends and holidays are skipped.

    Begins at `start`, or at the next opening when nobody works then.
    """

    def __init__(
        self, calendar: Calendar, start: datetime, speed: int, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._calendar = calendar
        self._start = next_open(calendar, start)
        self._speed = speed
        self._tick = tick
        self._began = tick()

    def __call__(self) -> datetime:
        passed = (self._tick() - self._began) * self._speed
        return walk(self._calendar, self._start, int(passed))


def database(data: Path) -> Path:
    return data / "demo.db"


def forget(data: Path) -> None:
    """Delete the demo's own file, and nothing else."""
    file = database(data)
    for name in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        name.unlink(missing_ok=True)


def demo_app(desk: Desk, data: Path, *, encoder: LoadEncoder = None) -> Starlette:
    """The demo as one ASGI app."""
    data.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{database(data)}"
    migrate(url)
    policy = desk.policy
    first = next(iter(policy.teams.values()))
    clock = FastClock(first.terms.calendar, _resumed(url, policy), SPEED)
    running, news = demonstrating(url, desk, now=clock, encoder=encoder)
    page = demo_desk(running, news, policy, first.terms.calendar.timezone)
    sessions = Sessions([secrets.token_urlsafe(32)])
    return application(running, pages=Pages(mount=lambda app: mount(app, page), sessions=sessions))


def _resumed(url: str, policy: Policy) -> datetime:
    """Now, or the demo's own last moment when an earlier run got further: time never runs backwards."""
    channels = [team.triage[Platform.WEB].key for team in policy.teams.values() if Platform.WEB in team.triage]
    channels += [direct_channel(person.user).key for person in REQUESTERS]
    storage = SqlStorage(make_engine(url))
    try:
        newest = [post.at for channel in channels for post in storage.transcript.read([channel], "", 1)]
    finally:
        storage.close()
    return max([datetime.now(UTC), *newest])


def demo_desk(running: Running, news: News, policy: Policy, timezone: str) -> DemoDesk:
    web = Platform.WEB
    teams = tuple(
        DemoTeam(id=team.id, name=team.name, channel=team.triage[web], private=team.restricted)
        for team in policy.teams.values()
        if web in team.triage
    )
    agents = tuple(
        DemoPerson(user=account.user, name=policy.people[agent].name, team=team.id)
        for team in policy.teams.values()
        for agent in team.agents
        for account in policy.people[agent].accounts
        if account.platform is web
    )
    return DemoDesk(
        intake=running.turns,
        transcript=running.storage.transcript,
        news=news,
        requesters=REQUESTERS,
        agents=agents,
        teams=teams,
        now=running.now,
        new_id=new_id,
        say=say,
        speed=SPEED,
        timezone=timezone,
    )
