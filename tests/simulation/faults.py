"""What each kind of fault does to the world; `pick` says where and for how long.

Kinds with `armed` wait for the next call or event of a platform.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.company import EDITS, HELP, HR_TRIAGE, IT_TRIAGE, SHELVES, direct_chat
from tests.simulation.plan import Fault
from tests.simulation.post import PAUSES
from triage.model import Platform

if TYPE_CHECKING:
    from tests.simulation.world import World

ON_THE_WAY_OUT = frozenset({"busy", "error", "hang", "lost", "cut", "slow"})
"""429; 500; no answer and no effect; an effect without an answer; one whose connection breaks; 12 s late."""

ON_THE_WAY_IN = frozenset({"repeat", "delay", "drop", "unacked"})

MOMENTS = ("now", "now", "transaction", "commit", "committed", "leased", "effect", "effect", "answered", "ended", "ran")
"""Where a crash waits to happen."""


def inject(world: World, fault: Fault) -> None:
    source = random.Random(fault.pick)
    if fault.kind in ON_THE_WAY_OUT:
        armed = world.workplaces[source.choice(list(Platform)[:2])].armed
        armed.extend([fault.kind] * source.choice((1, 1, 2, 4)))
    elif fault.kind in ON_THE_WAY_IN:
        world.post.armed.append(fault.kind)
    else:
        _OTHERS[fault.kind](world, source)


def _crash(world: World, source: random.Random) -> None:
    where = source.choice(MOMENTS)
    world.down_for = source.choice((0.1, 2.0, 20.0, 70.0))
    if where == "now":
        world.crash("just so")
    else:
        world.fuse = where


def _revoked(world: World, source: random.Random) -> None:
    person = source.choice(("kim", "lee", "ann"))
    channel = source.choice((HELP, IT_TRIAGE, HR_TRIAGE, direct_chat(person, Platform.SLACK)))
    revoked = world.workplaces[channel.platform].revoked
    revoked.add(channel.key)
    world.tell(f"the bot may not write to {channel.id}")
    asyncio.get_running_loop().call_later(source.choice((3, 30, 300)), revoked.discard, channel.key)


def _stall(world: World, source: random.Random) -> None:
    world.stalls += source.choice((1, 2, 4))


def _locked(world: World, source: random.Random) -> None:
    world.away += source.choice((1, 2, 5))


def _jump(world: World, source: random.Random) -> None:
    by = timedelta(seconds=source.choice((45, 70, 600, 3_600, 20_000, 100_000)))
    world.jump(by)
    world.tell(f"the clock was set {by} ahead")


def _crowd(world: World, source: random.Random) -> None:
    """Many write at once, and finding what to answer takes long; or only what they bring last gets through, at once."""
    count, late = source.randint(14, 20 if world.plan.sqlite else 40), source.random() < 0.5
    slowly = [source.choice((0.06, 0.15, 0.3))] * count
    world.tell(f"{count} people write at once")
    asyncio.get_running_loop().call_later(sum(PAUSES[Platform.SLACK]) if late else 0, world.dull.extend, slowly)
    world.people.crowd(source, count, late=late)


def _overlap(world: World, source: random.Random) -> None:
    """Two processes sweep at the same moment, when there is something to do."""
    world.overlaps += source.choice((5, 20, 60))


def _back(world: World, source: random.Random) -> None:
    world.jump(-timedelta(seconds=source.choice((1, 5, 20, 900))))
    world.tell("the clock was set back")


def _policy(world: World, source: random.Random) -> None:
    edit = source.choice(EDITS)
    world.policy = edit(world.policy)
    world.tell(f"desk.yaml: {edit.__name__.strip('_')}")


def _articles(world: World, source: random.Random) -> None:
    shelf = source.choice(SHELVES)
    world.knowing.put(shelf)
    world.tell(f"articles: {', '.join(article.id for article in shelf) or 'none'}")


_OTHERS: dict[str, Callable[[World, random.Random], None]] = {
    "crash": _crash,
    "revoked": _revoked,
    "stall": _stall,
    "locked": _locked,
    "jump": _jump,
    "back": _back,
    "policy": _policy,
    "articles": _articles,
    "crowd": _crowd,
    "overlap": _overlap,
}
