"""The desk that scenarios run on: the real composition over SQLite, with a virtual clock.

Only the platforms' servers are fake. `World` holds what survives a crash of the process (the
database and the time); `World.desk()` starts a process on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from bot.compose import composed, new_id
from bot.delivery import Delivery
from bot.knowing import EMPLOYEE, Knowing
from bot.running import Running, introduce
from storage.engine import make_engine
from storage.sql import SqlStorage
from triage.calendars import Calendar, Window
from triage.knowledge import Article, KnowledgeBase
from triage.model import Account, Channel, Platform, Priority
from triage.policy import Member, Metric, Policy, Targets, Team, Terms

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
HOUR = 3_600

ARTICLES = {
    "vpn-drops": ("VPN keeps dropping", "it", "Restart the client.", "my vpn keeps disconnecting"),
    "printer": ("The printer is offline", "it", "Press the green button.", "the printer does not print"),
    "password": ("Forgotten password", "it", "Use the reset page.", "i forgot my password"),
    "holiday": ("Book a day off", "hr", "Use the leave page.", "how do i book a day off"),
    "payslip": ("Find your payslip", "hr", "It is in the portal.", "where is my payslip"),
}


@cache
def knowing() -> Knowing:
    """A small knowledge base; fitted once for all scenarios."""
    articles = [
        Article(id=id, title=title, team=team, body=body, phrasings=(phrasing, f"{title} again", f"help: {title}"))
        for id, (title, team, body, phrasing) in ARTICLES.items()
    ]
    kept = Knowing(KnowledgeBase.of(articles), precision=0.95)
    kept.matcher(EMPLOYEE)
    return kept


def policy(platform: Platform, place: str, agents: dict[str, str], help: Channel, triage: Channel) -> Policy:
    """IT works Monday to Friday, 9 to 17 UTC; `agents` gives the platform's user id by key."""
    weekdays = tuple(Window(day=day, opens=9 * HOUR, closes=17 * HOUR) for day in range(5))
    targets = Targets(seconds={Metric.FIRST_RESPONSE: HOUR, Metric.RESOLUTION: 8 * HOUR})
    team = Team(
        id="it",
        name="IT",
        agents=tuple(agents),
        lead="lee",
        terms=Terms(calendar=Calendar(windows=weekdays), targets=dict.fromkeys(Priority, targets), warn=("-30m",)),
        help=(help,),
        triage={platform: triage},
    )
    people = {
        key: Member(id=key, name=key.title(), accounts=(Account(platform=platform, place=place, user=user),))
        for key, user in agents.items()
    }
    return Policy(teams={"it": team}, people=people, places=frozenset({(platform, place)}))


@dataclass(slots=True)
class World:
    """What a crash leaves behind. `pause` moves the desk's clock, `leases` the database's."""

    url: str
    policy: Policy
    at: datetime = MONDAY
    leases: float = 0.0
    storage_of: Callable[[SqlStorage], SqlStorage] = field(default=lambda storage: storage)

    def pause(self, **time: float) -> None:
        self.at += timedelta(**time)
        self.leases += timedelta(**time).total_seconds()

    def desk(self) -> Running:
        """A fresh process on the same database, without its own timers: the test says when."""
        storage = SqlStorage(make_engine(self.url), clock=lambda: self.leases, new_id=new_id)
        running = composed(self.storage_of(storage), self.url, knowing(), self.policy, {}, now=lambda: self.at)
        introduce(storage, self.policy, self.at)
        return running


async def settle(desk: Running) -> None:
    """Deliver until nothing is left that may go out now."""
    while await deliver_some(desk.delivery):
        pass


async def deliver_some(delivery: Delivery) -> int:
    """One pass over the outbox, and its end; how many rows were handled."""
    async with asyncio.TaskGroup() as sending:
        return await delivery.begin_some(sending)
