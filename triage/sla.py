"""Clocks as pure functions over their event log (SLA.md).

A clock's truth is its log; due times are computed from it by walking the calendar, never shifted.
Called by `triage.decide` when something happens to a ticket, and by `triage.desk` at the sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from triage.policy import Metric

DUE = "due"
"""The stage that fires when the promise is broken."""

KEPT = (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
"""The metrics that have a clock today."""


class ClockState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class ClockEventKind(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    MEET = "meet"
    BREACH = "breach"
    RETARGET = "retarget"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """`target` (seconds of policy time) stands with `start` and `retarget` only."""

    at: datetime
    kind: ClockEventKind
    target: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One running target of one ticket. `due_at`, `next_at` follow from the log; storage indexes them.

    `next_at` is when the next stage fires, None when none is left or the clock does not run.
    `fired` are the stages done in this `revision`, in order.
    """

    ticket: str
    metric: Metric
    instance: int
    log: tuple[ClockEvent, ...]
    hours: str = "business"
    state: ClockState = ClockState.RUNNING
    due_at: datetime | None = None
    next_at: datetime | None = None
    fired: tuple[str, ...] = ()
    revision: int = 1

    @property
    def started_at(self) -> datetime:
        return self.log[0].at

    @property
    def target(self) -> int:
        return next(event.target for event in reversed(self.log) if event.target is not None)

    @property
    def live(self) -> bool:
        return self.state in (ClockState.RUNNING, ClockState.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """A stage whose time has come, and the clock after ringing it."""

    stage: str
    clock: Clock
