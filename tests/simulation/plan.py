"""What a seed stands for: who does what and what goes wrong, as an explicit list.

The list is drawn before anything runs, so that a failing story can be told again with fewer faults.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

SQLITE_EVERY = 12
"""One seed in so many runs on SQLite, and tells less: every statement costs a hundred times as much there."""

TWO_EVERY = 3
"""One seed in so many has two processes, if it is not one of SQLite's."""

FAULTS = {
    "busy": 4,
    "error": 4,
    "hang": 2,
    "lost": 5,
    "cut": 4,
    "slow": 2,
    "revoked": 2,
    "repeat": 5,
    "delay": 4,
    "drop": 3,
    "unacked": 4,
    "crash": 8,
    "stall": 3,
    "locked": 3,
    "jump": 3,
    "back": 1,
    "policy": 3,
    "articles": 2,
    "crowd": 2,
    "overlap": 3,
}
"""Kinds of faults and how often each is drawn; what each does stands in `tests.simulation.faults`."""

REQUESTS = {
    "ask": 8,
    "ask_known": 4,
    "chat": 2,
    "talk": 3,
    "thanks": 4,
    "more": 6,
    "mention": 4,
    "edit": 3,
    "delete": 1,
    "press": 6,
    "direct": 3,
    "bystand": 2,
    "mine": 1,
}
WORK = {
    "claim": 6,
    "race": 3,
    "answer": 6,
    "answer_there": 3,
    "note": 4,
    "order": 14,
    "press": 8,
    "twice": 3,
    "on_it": 4,
    "swap": 2,
    "read": 2,
    "chat": 1,
    "edit": 2,
}
REQUESTERS = ("ann", "bob", "dan", "eve", "max")
AGENTS = ("kim", "lee", "park", "chen", "kim", "lee")


@dataclass(frozen=True, slots=True)
class Step:
    """Somebody does something at an instant of the story; `pick` decides all that is open about it."""

    at: float
    who: str
    what: str
    pick: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something goes wrong from an instant on; `pick` decides where and for how long."""

    at: float
    kind: str
    pick: int

    def __str__(self) -> str:
        return f"{self.at:7.2f} {self.kind} ({self.pick % 1_000})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    seed: int
    sqlite: bool
    processes: int
    """That share the storage; SQLite has one."""
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]

    def without(self, *left_out: Fault) -> Plan:
        return replace(self, faults=tuple(fault for fault in self.faults if fault not in left_out))

    def only(self, faults: tuple[Fault, ...]) -> Plan:
        return replace(self, faults=faults)


def plan_of(seed: int) -> Plan:
    """The same plan for the same seed, on any machine."""
    source = random.Random(seed)
    steps: list[Step] = []
    at = 0.0
    sqlite = seed % SQLITE_EVERY == 0
    for _ in range(2 if sqlite else source.randint(2, 5)):
        for _ in range(source.randint(4, 10)):
            at += source.choice((0.0, 0.01, 0.3, 1.0, 2.5, 6.0))
            steps.append(_step(source, at))
        at += source.uniform(0.5, 8)
        steps.append(Step(round(at, 3), "", "idle", source.getrandbits(30)))
    count = source.choice((0, 2, 4, 8, 12, 20))
    kinds, weights = list(FAULTS), list(FAULTS.values())
    faults = [
        Fault(round(source.uniform(0, at), 3), kind, source.getrandbits(30))
        for kind in source.choices(kinds, weights, k=count)
    ]
    return Plan(
        seed=seed,
        sqlite=sqlite,
        processes=2 if seed % TWO_EVERY == 1 and not sqlite else 1,
        steps=tuple(steps),
        faults=tuple(sorted(faults, key=lambda fault: fault.at)),
    )


def _step(source: random.Random, at: float) -> Step:
    asking = source.random() < 0.5
    who = source.choice(REQUESTERS if asking else AGENTS)
    acts = REQUESTS if asking else WORK
    (what,) = source.choices(list(acts), list(acts.values()))
    return Step(round(at, 3), who, what, source.getrandbits(30))
