"""`deskbell backup`, `export` and `erase`: their options, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.cli_sla_desk import day


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser("backup", help="copy the embedded database, also while the desk runs")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument("--force", action="store_true", help="overwrite an older copy")
    backup.set_defaults(run=_backup)
    export = commands.add_parser("export", help="tickets with history, clocks and audit as JSON lines")
    export.add_argument("file", type=Path, metavar="OUT.jsonl", help="- for stdout")
    export.add_argument("--since", type=day, metavar="DAY", help="tickets opened on this day or later (2026-07-01)")
    export.add_argument("--person", type=_nonblank, metavar="PERSON", help="instead: everything kept about this person")
    export.set_defaults(run=_export)
    erase = commands.add_parser("erase", help="forget a person: names, ids and all that they wrote")
    erase.add_argument("person", type=_nonblank, metavar="PERSON", help="key in desk.yaml, e-mail or platform id")
    erase.add_argument("--dry-run", action="store_true", help="only count what would be replaced")
    erase.set_defaults(run=_erase)
    for parser in (backup, export, erase):
        parser.add_argument("--config", type=Path, help="path of desk.yaml (default ./desk.yaml)")
        parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _nonblank(text: str) -> str:
    """An empty variable of a script is nobody, and no reason to answer that all is well."""
    if not text.strip():
        raise argparse.ArgumentTypeError("names nobody")
    return text.strip()


def _backup(options: argparse.Namespace) -> int:
    from bot.cli_data_run import backup

    return backup(options)


def _export(options: argparse.Namespace) -> int:
    from bot.cli_data_run import export

    return export(options)


def _erase(options: argparse.Namespace) -> int:
    from bot.cli_data_run import erase

    return erase(options)
