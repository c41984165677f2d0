"""`deskbell sla replay` and `deskbell sla reapply`: their options, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime


def add(sla: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The two commands below `deskbell sla`."""
    replaying = sla.add_parser("replay", help="what other promises would have made of past tickets; changes nothing")
    replaying.add_argument("--since", required=True, type=day, help="tickets opened on this day or later (2026-07-01)")
    replaying.add_argument("--json", action="store_true")
    replaying.set_defaults(run=_replay)
    reapplying = sla.add_parser("reapply", help="put open tickets under the promises that desk.yaml makes now")
    reapplying.add_argument("--dry-run", action="store_true", help="only list what would change")
    reapplying.set_defaults(run=_reapply)
    for parser in (replaying, reapplying):
        parser.add_argument("--config", help="path of desk.yaml (default ./desk.yaml)")
        parser.add_argument("--data", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def day(text: str) -> datetime:
    """Its beginning in UTC, for argparse."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day: write it like 2026-07-01") from None


def _replay(options: argparse.Namespace) -> int:
    from bot.cli_sla_desk_run import run_replay

    return run_replay(options)


def _reapply(options: argparse.Namespace) -> int:
    from bot.cli_sla_desk_run import run_reapply

    return run_reapply(options)
