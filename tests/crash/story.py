"""One story: load, kills and troubles on one stage, calm at the end, and the verdict.

Told by `make crash` and, shorter, by the tests of this package.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.crash.author import Author
from tests.crash.judge import Shown, Tables, Verdict, judge, still_waiting
from tests.crash.letters import Letter
from tests.crash.stage import How, Setting, Stage, staged
from tests.crash.trouble import Reaper, Troubles, befall_database, befall_slack

CALM_LIMIT = 240.0
"""Seconds for everything to go out at the end: a lease that a kill left behind lasts 60."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    setting: Setting
    seed: int
    letters: Sequence[Letter]
    troubles: Troubles
    verdict: Verdict
    looked: int
    """Calls that looked a post up by its metadata."""
    seconds: float

    @property
    def violations(self) -> Sequence[str]:
        return [*self.verdict.violations, *(f"stop: {what}" for what in self.troubles.bad_stops)]

    def __str__(self) -> str:
        return "\n".join(f"  {line}" for line in (*self._figures(), *self.violations))

    def _figures(self) -> tuple[str, ...]:
        troubles, verdict, letters = self.troubles, self.verdict, self.letters
        slowest = max(troubles.stops, default=0.0)
        return (
            f"{troubles.kills.total()} kills ({_counts(troubles.kills)}); {len(troubles.stops)} stops, slowest "
            f"{slowest:.1f} s; {_counts(troubles.restarts)} restarts of PostgreSQL, {troubles.cuts} connections cut; "
            f"Slack: {_counts(troubles.slack)}",
            f"{len(letters)} letters ({_counts(Counter(each.act for each in letters))})",
            f"acknowledged {sum(each.acknowledged for each in letters)}, in {sum(each.tries for each in letters)} "
            f"deliveries; refused {verdict.refused}, given up by Slack {sum(each.given_up for each in letters)}",
            f"outbox: {_counts(verdict.outbox)}; looked up {self.looked}; repeated: {_counts(verdict.again)}",
            f"lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, other laws broken {len(verdict.broken)}; "
            f"{self.seconds:.0f} s",
        )


async def tell(setting: Setting, seed: int, kills: int, folder: Path, how: How) -> Told:
    """Raises NotReady when the desk does not come up at the end."""
    begun, random, troubles = time.monotonic(), Random(f"{seed}/{setting}"), Troubles()
    async with staged(setting, folder, how) as stage:
        author = Author(stage.slack, Random(random.random()))
        reaper = Reaper(stage, author.postman, Random(random.random()), troubles)
        befalling = [author.write(), befall_slack(stage, Random(random.random()), troubles)]
        if setting.postgres:
            befalling.append(befall_database(stage, Random(random.random()), troubles))
        async with beside(befalling):
            await reaper.reign(kills)
        await calm(stage, author)
        await reaper.stop()
        return Told(
            setting=setting,
            seed=seed,
            letters=author.letters,
            troubles=troubles,
            verdict=verdict(stage, author),
            looked=len(stage.slack.called("conversations.history") + stage.slack.called("conversations.replies")),
            seconds=time.monotonic() - begun,
        )


@asynccontextmanager
async def beside(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Each goes on until the block ends; what one of them raised comes out then."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


async def calm(stage: Stage, author: Author, seconds: float = CALM_LIMIT) -> None:
    """Until Slack brings nothing more and the outbox is empty; after `seconds` the verdict says what is left."""
    await author.postman.rest()
    deadline = time.monotonic() + seconds
    with stage.looking() as engine:
        while still_waiting(engine) and time.monotonic() < deadline:
            await asyncio.sleep(0.5)


def verdict(stage: Stage, author: Author) -> Verdict:
    with stage.looking() as engine:
        return judge(author.letters, Shown.by(stage.slack), Tables.read(engine))


def _counts(counted: Counter[Any]) -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counted.items())) or "0"
