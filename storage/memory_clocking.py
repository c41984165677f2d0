"""Clocks, pings and on-call swaps in memory: the twin of `storage.clocking`. Used by `storage.memory`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from storage.clocking import BEAT, CAP_PERIOD, DOWN
from storage.memory_tables import HeldPing, Tables
from triage.changes import ClockChange, HoldPings, KeepClock, KeepEvent, KeepPing, SayPings, SwapOnCall
from triage.ports import Waiting

LAST = "last"


def clocked(tables: Tables, change: ClockChange, at: datetime) -> None:
    match change:
        case KeepClock():
            _keep_clock(tables, change)
        case KeepEvent(ticket=ticket, event=event):
            tables.put(tables.events, ticket, (*tables.events.get(ticket, ()), event))
        case KeepPing(ping=ping):
            if ping.key not in tables.pings:
                tables.put(tables.pings, ping.key, HeldPing(ping=ping))
        case SayPings(keys=keys, at=said):
            for key in keys:
                tables.put(tables.pings, key, replace(tables.pings[key], said_at=said))
        case HoldPings(person=person, until=until, capped=capped):
            for key, held in list(tables.pings.items()):
                if held.ping.person == person and held.may_be_said(at) and not held.ping.urgent:
                    tables.put(tables.pings, key, replace(held, not_before=until, capped=held.capped or capped))
        case SwapOnCall(team=team, override=override):
            tables.put(tables.swaps, team, (*tables.swaps.get(team, ()), override))


def _keep_clock(tables: Tables, change: KeepClock) -> None:
    key = (change.ticket, change.clock.metric, change.clock.instance)
    tables.put(tables.clocks, change.ticket, {**tables.clocks.get(change.ticket, {}), key: change})
    if change.next_at is None:
        tables.drop(tables.upcoming, key)
    else:
        tables.put(tables.upcoming, key, change.next_at)


def waiting(tables: Tables, at: datetime, limit: int) -> Sequence[Waiting]:
    held = sorted(
        (held for held in tables.pings.values() if held.may_be_said(at)), key=lambda held: (held.ping.at, held.ping.key)
    )
    people = list(dict.fromkeys(held.ping.person for held in held))[:limit]
    return [
        Waiting(
            person=person,
            pings=tuple(each.ping for each in held if each.ping.person == person),
            said=_said(tables, person, at),
            held=sum(each.capped for each in held if each.ping.person == person),
        )
        for person in people
    ]


def _said(tables: Tables, person: str, at: datetime) -> tuple[datetime, ...]:
    found = {held.said_at for held in tables.pings.values() if held.ping.person == person and held.said_at}
    return tuple(sorted(said for said in found if said > at - CAP_PERIOD))


def beat(tables: Tables, at: datetime) -> None:
    last = tables.beats.get(LAST)
    if last is not None and at - last < BEAT:
        return
    if last is not None and at - last > DOWN:
        tables.put(tables.downtimes, last, at)
    tables.put(tables.beats, LAST, at)
