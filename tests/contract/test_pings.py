"""Pings that wait until their person can be told, on every storage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.contract.storages import AT, Bench, minutes, ping, record, reminder
from triage.changes import HoldPings, KeepPing, SayPings
from triage.outgoing import Ping, StepGuard
from triage.ports import Waiting


def keep(bench: Bench, *pings: Ping) -> None:
    record(bench.storage, *(KeepPing(ping=each) for each in pings))


def say(bench: Bench, *keys: str, at: datetime = AT) -> None:
    record(bench.storage, SayPings(keys=keys, at=at), at=at)


def hold(bench: Bench, person: str = "lee", *, until: datetime, capped: bool = True, at: datetime = AT) -> None:
    record(bench.storage, HoldPings(person=person, until=until, capped=capped), at=at)


def waiting(bench: Bench, at: datetime = AT, limit: int = 9) -> list[Waiting]:
    with bench.storage.writing() as work:
        return list(work.waiting(at, limit))


def keys(bench: Bench, at: datetime = AT, **about: Any) -> Mapping[str, list[str]]:
    """What waits, by person."""
    return {each.person: [found.key for found in each.pings] for each in waiting(bench, at, **about)}


# --- keeping -------------------------------------------------------------------------------------
def test_a_ping_comes_back_as_it_was(bench: Bench) -> None:
    """With its words, its guard and when it was due."""
    kept = (ping(), ping("p2", at=minutes(1), urgent=True, reminder=reminder(StepGuard(ticket="t1", run="r1"))))
    keep(bench, *kept)
    assert waiting(bench) == [Waiting(person="lee", pings=kept)]


def test_a_key_kept_twice_is_kept_once(bench: Bench) -> None:
    """Two sweeps at once make one ping: the first one stays."""
    keep(bench, ping())
    keep(bench, ping(at=minutes(5), urgent=True))
    assert waiting(bench) == [Waiting(person="lee", pings=(ping(),))]


def test_a_ping_that_was_said_is_never_said_again(bench: Bench) -> None:
    """Keeping its key once more does not bring it back."""
    keep(bench, ping())
    say(bench, "p1")
    keep(bench, ping())
    assert waiting(bench, minutes(99)) == []


def test_pings_are_grouped_by_person(bench: Bench) -> None:
    """Each one's oldest first; who waits longest comes first, as many people as asked for."""
    due = {"p1": ("kim", 5), "p2": ("lee", 9), "p3": ("lee", 1), "p4": ("ann", 7), "p5": ("kim", 5)}
    keep(bench, *(ping(key, person=person, at=minutes(n)) for key, (person, n) in due.items()))
    assert list(keys(bench).items()) == [("lee", ["p3", "p2"]), ("kim", ["p1", "p5"]), ("ann", ["p4"])]
    assert list(keys(bench, limit=2)) == ["lee", "kim"]


# --- holding -------------------------------------------------------------------------------------
def test_held_pings_wait_for_their_time(bench: Bench) -> None:
    """Until then nobody looks at them; a ping kept meanwhile is not held."""
    keep(bench, ping())
    hold(bench, until=minutes(30))
    keep(bench, ping("p2", at=minutes(1)))
    assert keys(bench, minutes(29)) == {"lee": ["p2"]}
    assert keys(bench, minutes(30)) == {"lee": ["p1", "p2"]}


def test_what_the_cap_held_back_is_counted(bench: Bench) -> None:
    """Pings that came later, or waited for quiet hours to end, are not; what was counted once stays so."""
    keep(bench, ping("p1"), ping("p2"))
    hold(bench, until=minutes(30))
    keep(bench, ping("p3"))
    hold(bench, until=minutes(30), capped=False)
    keep(bench, ping("p4"))
    hold(bench, until=minutes(60), capped=False, at=minutes(30))
    assert [(len(each.pings), each.held) for each in waiting(bench, minutes(60))] == [(4, 2)]


def test_a_hold_is_for_one_person(bench: Bench) -> None:
    """The rest is told."""
    keep(bench, ping(), ping("p2", person="kim"))
    hold(bench, until=minutes(30))
    assert keys(bench) == {"kim": ["p2"]}


def test_an_urgent_ping_is_never_held(bench: Bench) -> None:
    """It waits neither for quiet hours nor for the cap, even when it came while the others were being held."""
    keep(bench, ping(), ping("p2", urgent=True))
    hold(bench, until=minutes(30))
    assert keys(bench) == {"lee": ["p2"]}


def test_a_hold_leaves_alone_what_was_said(bench: Bench) -> None:
    """And what is held until later already."""
    keep(bench, ping("p1"))
    hold(bench, until=minutes(60))
    keep(bench, ping("p2"))
    say(bench, "p2")
    hold(bench, until=minutes(5))
    assert keys(bench, minutes(59)) == {}
    assert keys(bench, minutes(60)) == {"lee": ["p1"]}


# --- what was said lately ------------------------------------------------------------------------
def test_messages_of_the_last_hour_are_counted(bench: Bench) -> None:
    """One for each message, however many pings were in it; one of an hour ago counts no more."""
    keep(bench, *(ping(f"p{n}") for n in range(6)), ping("other", person="kim"))
    say(bench, "p0", "p1", at=minutes(0))
    say(bench, "p3", at=minutes(40))
    say(bench, "p2", "p4", at=minutes(20))
    say(bench, "other", at=minutes(30))
    assert [each.said for each in waiting(bench, minutes(59))] == [(minutes(0), minutes(20), minutes(40))]
    assert [each.said for each in waiting(bench, minutes(60))] == [(minutes(20), minutes(40))]


def test_what_is_left_of_a_bundle_waits_on(bench: Bench) -> None:
    """Where only the urgent ones were said."""
    keep(bench, ping(), ping("p2", urgent=True))
    say(bench, "p2")
    assert waiting(bench) == [Waiting(person="lee", pings=(ping(),), said=(AT,))]
