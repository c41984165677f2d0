"""What `deskbell sla replay` and `deskbell sla reapply` do. Called by `bot.cli_sla_desk`, where their options are."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot import deskfile
from bot.cli_sla import columns, z
from bot.replaying import Difference, Reapplied, Replay, Stand, reapply, replay
from bot.settings import Settings
from bot.yamlfile import Problem
from storage.bell import Topic
from storage.engine import make_engine
from storage.schema import pending_migrations
from storage.sql import SqlStorage
from triage.figures import Outcome
from triage.policy import Metric, Policy

DONE, USAGE, UNAVAILABLE = 0, 2, 3
SHOWN = (Outcome.MET, Outcome.MISSED, Outcome.EXCUSED, Outcome.OPEN)


def run_replay(options: argparse.Namespace) -> int:
    opened = _opened(options)
    if isinstance(opened, int):
        return opened
    storage, policy = opened
    try:
        found = replay(storage, policy, options.since, datetime.now(UTC))
    finally:
        storage.close()
    print(json.dumps(as_json(found, options.since)) if options.json else "\n".join(_as_text(found, policy)))
    return DONE


def run_reapply(options: argparse.Namespace) -> int:
    opened = _opened(options)
    if isinstance(opened, int):
        return opened
    storage, policy = opened
    changed = 0
    try:
        for each in reapply(storage, policy, datetime.now(UTC), dry=options.dry_run):
            changed += 1
            print("\n".join(_change(each, policy)))
        if changed and not options.dry_run:
            storage.bell.ring_now(Topic.OUTBOX)
    finally:
        storage.close()
    _say(f"{changed} open ticket{'' if changed == 1 else 's'} {'would change' if options.dry_run else 'changed'}.")
    return DONE


def _opened(options: argparse.Namespace) -> tuple[SqlStorage, Policy] | int:
    """The database and the policy, or the exit code when one of them cannot be used."""
    given = {name: getattr(options, name, None) for name in ("config", "data")}
    settings = Settings.load(**given)
    desk, problems = deskfile.read(settings.config)
    _report(problems)
    if desk is None:
        return USAGE
    if settings.database_url is None and not settings.data.exists():
        _say(f"There is no database in {settings.data} yet: --data names another folder.")
        return UNAVAILABLE
    if pending_migrations(settings.database):
        _say("The database is of an older version: run `deskbell migrate`.")
        return UNAVAILABLE
    return SqlStorage(make_engine(settings.database)), desk.policy


# --- replay ------------------------------------------------------------------------------------
def as_json(found: Replay, since: datetime) -> dict[str, Any]:
    """One object: counts by team and metric before and after, and every promise that comes out otherwise."""
    return {
        "since": z(since),
        "tickets": found.tickets,
        "promises": [
            {
                "team": team,
                "metric": metric,
                "before": {str(name): found.before.get((team, metric, name), 0) for name in SHOWN},
                "after": {str(name): found.after.get((team, metric, name), 0) for name in SHOWN},
            }
            for team, metric in _kinds(found)
        ],
        "changed": [
            {
                "ticket": each.ticket.number,
                "team": each.ticket.team,
                "metric": each.metric,
                "instance": each.instance,
                "before": _stand_json(each.before),
                "after": _stand_json(each.after),
            }
            for each in found.differences
        ],
    }


def _stand_json(stand: Stand | None) -> dict[str, Any] | None:
    return {"outcome": stand.outcome, "due_at": z(stand.due_at)} if stand else None


def _kinds(found: Replay) -> list[tuple[str, Metric]]:
    return list(dict.fromkeys((team, metric) for team, metric, _ in (*found.before, *found.after)))


def _as_text(found: Replay, policy: Policy) -> Iterator[str]:
    yield f"{found.tickets} tickets. Each cell: as it was -> under this desk.yaml."
    if not found.tickets:
        return
    yield ""
    head = ("team", "promise", *map(str, SHOWN))
    rows = [(team, metric, *(_cell(found, team, metric, name) for name in SHOWN)) for team, metric in _kinds(found)]
    yield from columns([head, *rows])
    yield ""
    yield "excused: broken by a change of terms, or while the desk was down; not counted against agents."
    if not found.differences:
        yield "No promise comes out otherwise."
        return
    yield ""
    yield from columns([_difference(each, policy) for each in found.differences])


def _cell(found: Replay, team: str, metric: Metric, name: Outcome) -> str:
    return f"{found.before.get((team, metric, name), 0)} -> {found.after.get((team, metric, name), 0)}"


def _difference(each: Difference, policy: Policy) -> tuple[str, ...]:
    zone = _zone(each.ticket.team, policy)
    return (
        f"#{each.ticket.number}",
        f"{each.metric} #{each.instance}",
        f"{_stand(each.before, zone)} -> {_stand(each.after, zone)}",
        each.ticket.subject,
    )


def _stand(stand: Stand | None, zone: ZoneInfo) -> str:
    if stand is None:
        return "not promised"
    return f"{stand.outcome} (due {_local(stand.due_at, zone)})" if stand.due_at else str(stand.outcome)


# --- reapply -----------------------------------------------------------------------------------
def _change(each: Reapplied, policy: Policy) -> Iterator[str]:
    zone = _zone(each.ticket.team, policy)
    yield f"#{each.ticket.number} {each.ticket.subject} ({each.ticket.team}, policy {each.policy})"
    for metric, before, after in each.dues:
        yield f"  {metric}: due {_local(before, zone)} -> {_local(after, zone)}"
    if not each.dues:
        yield "  no due time changes"


def _zone(team: str, policy: Policy) -> ZoneInfo:
    found = policy.teams.get(team)
    return ZoneInfo(found.terms.calendar.timezone if found else "UTC")


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M}" if at else "-"


def _report(problems: list[Problem]) -> None:
    for problem in problems:
        _say(str(problem))


def _say(text: str) -> None:
    print(text, file=sys.stderr)
