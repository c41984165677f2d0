"""The few jobs that time starts: the sweep of due clocks and the purge of what is no longer needed.

The only module that knows APScheduler. Never a job a ticket: what is due stands in the database, so
nothing is lost while the process is down. Made and run by `bot.compose`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from triage.errors import DeskError

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


class Clockwork:
    """Runs each job every so many seconds; a run that is late is made up once, never twice at a time."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone="UTC",
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, seconds: float, name: str, job: Job) -> None:
        self._scheduler.add_job(_guarded(name, job), "interval", seconds=seconds, id=name)

    def soon(self, name: str) -> None:
        """Run the job now, and then as often as ever from here on; one that is running just now is left at that."""
        with suppress(JobLookupError):
            self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _guarded(name: str, job: Job) -> Job:
    """A job that fails says so and comes again."""

    async def run() -> None:
        try:
            await job()
        except asyncio.CancelledError:
            log.info("job cut off by the stop", job=name)
        except DeskError as error:
            log.warning("job put off", job=name, error=str(error))
        except Exception:
            log.exception("job failed", job=name)

    return run
