"""The fixed jobs: they come again, also after they failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.clockwork import Clockwork
from triage.errors import Unavailable

OFTEN = 0.01


@pytest.fixture
async def clockwork() -> AsyncIterator[Clockwork]:
    clockwork = Clockwork()
    yield clockwork
    clockwork.stop()


class Job:
    """Counts its runs; raises the given errors first. `done` is set with the run after them."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.done = asyncio.Event()

    async def __call__(self) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self.done.set()


@pytest.mark.parametrize("error", [Unavailable("database is away"), KeyError("a bug")])
async def test_a_job_that_failed_comes_again(clockwork: Clockwork, error: Exception) -> None:
    """Neither an expected nor an unexpected error ends the sweep for good."""
    job = Job(error)
    clockwork.every(OFTEN, "sweep", job)
    clockwork.start()
    await asyncio.wait_for(job.done.wait(), 5)


async def test_one_broken_job_leaves_the_others_alone(clockwork: Clockwork) -> None:
    """The purge may fail for ever; the sweep still runs."""
    broken, sound = Job(*[KeyError("a bug")] * 1000), Job()
    clockwork.every(OFTEN, "purge", broken)
    clockwork.every(OFTEN, "sweep", sound)
    clockwork.start()
    await asyncio.wait_for(sound.done.wait(), 5)
    assert not broken.done.is_set()


async def test_stopping_twice_is_harmless(clockwork: Clockwork) -> None:
    """A process that is told to stop while it stops just stops."""
    clockwork.start()
    clockwork.stop()
    clockwork.stop()


async def test_a_job_cut_off_by_the_stop_is_no_error(clockwork: Clockwork, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody looks for a fault in the log of an orderly stop."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    clockwork.every(OFTEN, "folder", job)
    clockwork.start()
    await begun.wait()
    clockwork.stop()
    await ended.wait()
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
