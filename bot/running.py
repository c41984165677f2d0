"""A desk at work: its parts, and its life from start to stop. Made by `bot.compose`, run by `bot.web`."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from starlette.routing import BaseRoute

from bot.clockwork import Clockwork
from bot.delivery import Delivery
from bot.knowing import Knowing
from bot.metrics import LATE, PENDING, PINGS, TICKETS
from bot.pulling import pull
from bot.reporting import Reporting
from bot.syncing import FolderSync
from bot.turns import Runner, Turns
from storage.bell import Topic
from storage.schema import migrate, pending_migrations
from storage.sql import SqlStorage
from triage.changes import Decision, Meet
from triage.desk import Desk
from triage.errors import DeskError
from triage.model import Account, Language, Person, Platform
from triage.policy import Member, Policy
from triage.ports import ChatPort, Now

SWEEP_SECONDS = 2.0
PURGE_SECONDS = 3_600.0
GAUGE_SECONDS = 15.0
REPORT_SECONDS = 60.0
WATCH_SECONDS = 30.0
LATE_AFTER = timedelta(seconds=60)
"""So long after its time something that was not done is reported."""

REST_SECONDS = 2.0
"""For messages that are being sent when the desk stops."""
SYNC_SECONDS = 1.0
FOLLOW_SECONDS = 1.0
LONGEST_PAUSE = 15.0

log = structlog.get_logger(__name__)


class Adapter(Protocol):
    """What `bot` needs of a platform besides its port."""

    @property
    def ready(self) -> bool: ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass(slots=True, kw_only=True)
class Running:
    """A desk with everything around it; `start` and `stop` are its life."""

    desk: Desk
    knowing: Knowing
    turns: Turns
    run: Runner
    hearing: Runner
    storage: SqlStorage
    policy: Policy
    now: Now
    delivery: Delivery
    ports: dict[Platform, ChatPort] = field(default_factory=dict)
    adapters: dict[Platform, Adapter] = field(default_factory=dict)
    routes: list[BaseRoute] = field(default_factory=list)
    clockwork: Clockwork = field(default_factory=Clockwork)
    database: str
    folder: FolderSync | None = None
    """The folder of articles; without one the library alone says what is in force."""
    pull_seconds: int | None = None
    """Between two pulls of the checkout that the folder is in."""
    keep_tickets: int | None = None
    keep_audit: int | None = None
    """Seconds for which ended tickets and the audit are kept; None for ever."""
    sweep_seconds: float = SWEEP_SECONDS
    problem: str | None = "starting"
    """Why the database is not ready, in words for an admin."""
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _aside: Runner = field(default_factory=lambda: Runner(2))
    """For articles, the sweep and figures: they take longer than a turn may wait."""

    @property
    def not_ready(self) -> Sequence[str]:
        """Why messages cannot be taken, a sentence each; empty when they can."""
        waiting = [f"{platform} is not connected yet" for platform, a in self.adapters.items() if not a.ready]
        reading = [] if self.knowing.ready else ["articles: they are still being read"]
        return ([f"database: {self.problem}"] if self.problem else []) + reading + waiting

    async def start(self) -> None:
        """Returns at once; what cannot be reached yet is tried again in the background."""
        self._tasks = [asyncio.create_task(self._open())]

    async def _open(self) -> None:
        """First the database and the articles, then whatever brings messages."""
        pause = 1.0
        while not await self._opened():
            log.error("database is not ready", problem=self.problem, next_try_s=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self.clockwork.every(self.sweep_seconds, "sweep", self.sweep)
        self.clockwork.every(PURGE_SECONDS, "purge", self._purge)
        self.clockwork.every(PURGE_SECONDS, "retention", self.forget)
        self.clockwork.every(GAUGE_SECONDS, "gauges", self._measure)
        self.clockwork.every(WATCH_SECONDS, "watchdog", self.watch)
        self.clockwork.every(REPORT_SECONDS, "report", self.report)
        self.clockwork.every(FOLLOW_SECONDS, "articles", self.follow)
        self.clockwork.every(SYNC_SECONDS, "folder", self.sync)
        if self.pull_seconds is not None:
            self.clockwork.every(self.pull_seconds, "pull", self.pull)
            self._tasks.append(asyncio.create_task(self.pull()))
        self.clockwork.start()
        while not await asyncio.to_thread(self.knowing.wait, 0.5):
            pass
        gc.collect()
        gc.freeze()  # what is there at the start stays: to look through it stops everything for a quarter of a second
        self._tasks.append(asyncio.create_task(self.delivery.serve()))
        self._listen()
        for adapter in self.adapters.values():
            await adapter.start()

    async def _opened(self) -> bool:
        try:
            await self.run(lambda: prepare(self.database))
            await self.run(lambda: introduce(self.storage, self.policy, self.now()))
            await self.sync()
            await self.follow()
        except (DeskError, NeedsMigration) as error:
            self.problem = str(error)
            return False
        except Exception as error:
            log.exception("the desk cannot be opened")
            self.problem = f"{type(error).__name__}, see the log"
            return False
        self.problem = None
        return True

    def _listen(self) -> None:
        """What other processes stored is looked at when they say so; polling is the net below."""
        loop = asyncio.get_running_loop()
        looks = {Topic.OUTBOX: self.delivery.overhear, Topic.ARTICLES: lambda: self.clockwork.soon("articles")}

        def heard(topic: Topic) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(looks[topic])

        self.storage.bell.listen(heard)

    async def stop(self) -> None:
        """Finish what is being sent, take nothing more, finish the turns under way, leave the rest in the outbox."""
        await self.delivery.rest(REST_SECONDS)
        for adapter in self.adapters.values():
            await adapter.stop()
        self.clockwork.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.knowing.close()
        self._aside.close()
        self.hearing.close()
        self.run.close()
        self.storage.close()

    async def sweep(self) -> None:
        """Do what is due; delivery is told when there was something."""
        swept = await self._aside(self.desk.sweep)
        for failure in swept.failed:
            log.error("set aside at the sweep", what=failure)
        PINGS.inc(swept.rung)
        if swept.any:
            self.delivery.nudge()

    async def watch(self) -> None:
        """Prove that all whose time has come was done, or say what was not (SLA.md, rule 11)."""
        late = await self._aside(lambda: self.storage.late(self.now() - LATE_AFTER))
        LATE.set(len(late))
        for each in late:
            log.error("not done in time", what=each.what, ticket=each.number, since=each.since.isoformat())

    async def report(self) -> None:
        """Post the reports of the day before that are due."""
        job = Reporting(self.storage, self.knowing, lambda: self.policy, now=self.now)
        if await self._aside(job.run):
            self.delivery.nudge()

    async def sync(self) -> None:
        """Bring the library up to date with the folder, if that changed. Raises Unavailable."""
        if self.folder is None:
            return
        changed = await self._aside(self.folder.sync)
        if changed:
            await self.follow()

    async def follow(self) -> None:
        """Begin to put the library's articles in force, if its revision moved. Raises Unavailable."""
        await self._aside(lambda: self.knowing.follow(self.storage.library))

    async def pull(self) -> None:
        """Pull the checkout of articles, and keep how that went for `doctor`. Raises Unavailable."""
        if self.folder is None:
            return
        folder = self.folder.folder.resolve()
        problem = await pull(folder)
        if problem:
            log.warning("articles could not be pulled", folder=str(folder), problem=problem)
        await self._aside(lambda: self.storage.library.pulled(str(folder), self.now(), problem))

    async def _purge(self) -> None:
        await self.run(lambda: self.storage.purge(self.now()))

    async def forget(self) -> None:
        """Delete what is kept no longer, a little at a time: turns go first. Raises Unavailable."""
        retention, now = self.storage.retention, self.now()
        jobs = ((self.keep_tickets, retention.forget_tickets), (self.keep_audit, retention.forget_audit))
        for seconds, forget in jobs:
            if seconds is not None:
                some = partial(forget, now, timedelta(seconds=seconds))
                while await self.run(some):
                    pass

    async def _measure(self) -> None:
        health = await self._aside(self.storage.health)
        PENDING.set(health.pending)
        for status, count in health.tickets.items():
            TICKETS.labels(status).set(count)


class NeedsMigration(Exception):
    """The database is of an older version."""


def embedded(database: str) -> bool:
    return database.startswith("sqlite")


def prepare(database: str) -> None:
    """Bring an embedded database up to date; one that others share is only checked.

    Raises NeedsMigration for a shared one that is behind, Unavailable when it cannot be reached.
    """
    if embedded(database):
        migrate(database)
    elif behind := pending_migrations(database):
        raise NeedsMigration(f"{len(behind)} migrations are pending: run `deskbell migrate`")


def introduce(storage: SqlStorage, policy: Policy, at: datetime) -> None:
    """Make the people of desk.yaml known, so that they can be pinged before they ever wrote."""
    with storage.writing() as work:
        look = work.look()
        met = tuple(
            Meet(person=_introduced(member, account, look.person(account)))
            for member in policy.people.values()
            for account in member.accounts
        )
        work.record(Decision(changes=met), at)
        work.commit()


def _introduced(member: Member, account: Account, known: Person | None) -> Person:
    """What a platform said of somebody since, such as their language, is kept."""
    if known is not None and known.id == member.id:
        return replace(known, name=member.name, account=account)
    return Person(id=member.id, name=member.name, language=member.language or Language.EN, account=account)
