"""`deskbell sla explain`: every clock of a scenario, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from bot.scenario import Scenario, read
from triage.clocks import Clock, due_at, spans, used
from triage.timeline import Ping, Timeline, pings, seen_at

DONE, USAGE = 0, 2
HEADINGS = ("clock", "started", "due", "state", "ended", "used")


Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add(commands: Parsers) -> Parsers:
    """`sla` and below it `explain`; the commands below `sla`, for more of them."""
    sla = commands.add_parser("sla", help="what the promises mean").add_subparsers(required=True, metavar="COMMAND")
    explain = sla.add_parser("explain", help="every clock of a scenario: when it is due, and why then")
    explain.add_argument("scenario", type=Path, metavar="SCENARIO.yaml")
    explain.add_argument("--json", action="store_true")
    explain.set_defaults(run=_explain)
    return sla


def _explain(options: argparse.Namespace) -> int:
    scenario, problems = read(options.scenario)
    for problem in problems:
        print(problem, file=sys.stderr)
    if scenario is None:
        return USAGE
    timeline = seen_at(scenario.timeline, scenario.until)
    rung = pings(timeline, scenario.warn, scenario.until)
    if options.json:
        print(json.dumps(as_json(timeline, rung, scenario.until)))
    else:
        print("\n".join(_as_text(timeline, rung, scenario)))
    return DONE


def as_json(timeline: Timeline, rung: Sequence[Ping], until: datetime) -> dict[str, Any]:
    """The object of DESIGN.md, section 7."""
    return {
        "clocks": [_clock(clock, until) for clock in timeline.clocks],
        "pings": [
            {"at": z(ping.at), "metric": ping.metric, "instance": ping.instance, "stage": ping.stage, "to": ping.to}
            for ping in rung
        ],
    }


def _clock(clock: Clock, until: datetime) -> dict[str, Any]:
    return {
        "metric": clock.metric,
        "instance": clock.instance,
        "started_at": z(clock.started_at),
        "due_at": z(due_at(clock)),
        "state": clock.state,
        "ended_at": z(clock.ended_at),
        "elapsed_s": used(clock, until),
        "spans": [{"from": z(span.begins), "to": z(span.ends), "state": span.state} for span in spans(clock, until)],
    }


def z(at: datetime | None) -> str | None:
    """An instant in UTC, whole seconds, as JSON has it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


# --- for people --------------------------------------------------------------------------------
def _as_text(timeline: Timeline, rung: Sequence[Ping], scenario: Scenario) -> Iterator[str]:
    zone, until = ZoneInfo(scenario.timezone), scenario.until
    yield f"Seen at {_local(until, zone)} ({scenario.timezone})"
    if not timeline.clocks:
        yield "No clock: this priority is promised nothing."
        return
    yield ""
    first, *rows = columns([HEADINGS, *(_row(clock, until, zone) for clock in timeline.clocks)])
    yield first
    for row, clock in zip(rows, timeline.clocks, strict=True):
        yield row
        yield f"  {_spans(clock, until, zone)}"
    yield ""
    yield "Pings:" if rung else "No pings."
    lines = (
        (_local(ping.at, zone), f"{ping.metric} #{ping.instance}", ping.stage, f"to the {ping.to}") for ping in rung
    )
    yield from (f"  {line}" for line in columns(lines))


def _row(clock: Clock, until: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    return (
        f"{clock.metric} #{clock.instance}",
        _local(clock.started_at, zone),
        _local(due_at(clock), zone),
        _state(clock, zone),
        _local(clock.ended_at, zone),
        f"{_duration(used(clock, until))} of {_duration(clock.measure.seconds)}",
    )


def _state(clock: Clock, zone: ZoneInfo) -> str:
    if clock.breach and clock.breach.cause:
        return f"{clock.state} by {clock.breach.cause} at {_local(clock.breach.at, zone)}"
    return clock.state


def _spans(clock: Clock, until: datetime, zone: ZoneInfo) -> str:
    """Where the time went, as in `running to Fri 17:00, closed to Mon 09:00`."""
    found = [f"{span.state} to {_local(span.ends, zone)}" for span in spans(clock, until)]
    return ", ".join(found) or "no time passed"


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """The rows with their cells one below the other."""
    table = [tuple(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    if at is None:
        return "-"
    here = at.astimezone(zone)
    return f"{here:%a %Y-%m-%d %H:%M}{f':{here:%S}' if here.second else ''}"


def _duration(seconds: int) -> str:
    """`9h30m`, as it would be written in a policy but without days, which would be of 24 hours."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    parts = ((hours, "h"), (minute, "m"), (second, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
