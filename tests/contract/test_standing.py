"""What is still said of a message when its time has come, on every storage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.storages import (
    AT,
    GUARD,
    Bench,
    clock,
    event,
    keep_clock,
    lease,
    open_ticket,
    record,
    reminder,
    words,
)
from triage.changes import KeepPosition
from triage.clocks import ClockEventKind, LogEvent, Measure
from triage.escalation import Position
from triage.model import Status
from triage.outgoing import Direct, Guard, Outgoing, Pings, StepGuard
from triage.policy import Metric

STEP = StepGuard(ticket="t1", run="r1")


def said(bench: Bench, outgoing: Outgoing) -> Outgoing | None:
    """What is left of it by the time it is delivered."""
    record(bench.storage, said=(outgoing,))
    standing = bench.storage.outbox.standing(lease(bench.storage.outbox)[outgoing.key])
    return standing.outgoing if standing else None


def guarded(guard: Guard | StepGuard = GUARD) -> Outgoing:
    return words("ping", guard=guard)


def bundle(*guards: Guard | StepGuard) -> Outgoing:
    return words("ping", to=Direct(person="lee"), notice=Pings(reminders=tuple(map(reminder, guards)), held=2))


def at_step(bench: Bench, position: Position, status: Status = Status.OPEN) -> None:
    open_ticket(bench.storage, status=status)
    record(bench.storage, KeepPosition(ticket="t1", position=position))


# --- guards on a clock ---------------------------------------------------------------------------
def test_without_a_guard_everything_stands(bench: Bench) -> None:
    """Only pings are guarded."""
    assert said(bench, words("o1")) == words("o1")


def test_a_ping_stands_while_its_clock_does(bench: Bench) -> None:
    """Also once the promise is broken: that is what the ping is about."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, kept=clock(event(ClockEventKind.BREACH)))
    assert said(bench, guarded()) == guarded()


RETARGETED = event(ClockEventKind.RETARGET, measure=Measure(seconds=60, calendar=clock().measure.calendar))


@pytest.mark.parametrize(
    "log",
    [
        pytest.param((event(ClockEventKind.MEET),), id="met"),
        pytest.param((event(ClockEventKind.CANCEL),), id="cancelled"),
        pytest.param((event(ClockEventKind.PAUSE),), id="paused"),
        pytest.param((RETARGETED,), id="another priority"),
        pytest.param((event(ClockEventKind.MEET), event(ClockEventKind.RESUME, 5)), id="reopened"),
    ],
)
def test_a_ping_falls_when_its_clock_went_on(log: tuple[LogEvent, ...], bench: Bench) -> None:
    """Nobody is reminded of what was answered or paused meanwhile, nor in words about another target."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, kept=clock(*log))
    assert said(bench, guarded()) is None


def test_a_ping_without_a_clock_falls(bench: Bench) -> None:
    """There is nothing to be reminded of."""
    assert said(bench, guarded()) is None


def test_the_revision_asked_for_is_the_clocks_own(bench: Bench) -> None:
    """A ping made after a change of priority stands."""
    open_ticket(bench.storage)
    keep_clock(bench.storage, kept=clock(RETARGETED))
    again = guarded(replace(GUARD, revision=2))
    assert said(bench, again) == again


# --- guards on an escalation ---------------------------------------------------------------------
def test_a_call_stands_while_nobody_reacts(bench: Bench) -> None:
    """The run it was made in goes on."""
    at_step(bench, Position(run="r1", step=2))
    assert said(bench, guarded(STEP)) == guarded(STEP)


@pytest.mark.parametrize(
    ("position", "status"),
    [
        pytest.param(Position(run="r1", acked_by="lee", next_at=AT), Status.OPEN, id="acknowledged"),
        pytest.param(Position(run="r2"), Status.OPEN, id="another run"),
        pytest.param(Position(), Status.OPEN, id="over"),
        pytest.param(Position(run="r1"), Status.RESOLVED, id="resolved"),
        pytest.param(Position(run="r1"), Status.CLOSED, id="closed"),
    ],
)
def test_a_call_falls_once_somebody_cares(position: Position, status: Status, bench: Bench) -> None:
    """Nobody is called about what somebody took, or what has ended."""
    at_step(bench, position, status)
    assert said(bench, guarded(STEP)) is None


def test_a_call_about_a_ticket_that_is_gone_falls(bench: Bench) -> None:
    """There is nothing to look after."""
    assert said(bench, guarded(STEP)) is None


# --- bundles -------------------------------------------------------------------------------------
def test_a_bundle_loses_only_what_is_over(bench: Bench) -> None:
    """Each reminder has a guard of its own; the rest of the message stays as it was."""
    at_step(bench, Position(run="r1"))
    keep_clock(bench.storage)
    over = replace(GUARD, metric=Metric.RESOLUTION)
    assert said(bench, bundle(over, GUARD, replace(STEP, run="r0"), STEP)) == bundle(GUARD, STEP)


def test_a_bundle_of_which_nothing_stands_falls(bench: Bench) -> None:
    """An empty message is none."""
    open_ticket(bench.storage, 2, status=Status.CLOSED)
    assert said(bench, bundle(GUARD, replace(STEP, ticket="t2"))) is None
