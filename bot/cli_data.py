"""`deskbell backup`, `export` and `erase`, which `bot.cli` adds to the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.running import embedded
from bot.settings import Settings
from storage.backup import Damaged, Refused, back_up, dump_command

DONE, FOUND, USAGE, UNAVAILABLE = 0, 1, 2, 3


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    backup = commands.add_parser("backup", help="copy the embedded database, also while the desk runs")
    backup.add_argument("file", type=Path, metavar="FILE")
    backup.add_argument("--force", action="store_true", help="overwrite an older copy")
    backup.set_defaults(run=_backup)
    for parser in (backup,):
        parser.add_argument("--config", type=Path, help="path of desk.yaml (default ./desk.yaml)")
        parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name, None) for name in ("config", "data")}
    return Settings.load(**given)


# --- backup ------------------------------------------------------------------------------------
def _backup(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if not embedded(settings.database):
        _say("PostgreSQL is backed up with its own program. Run this; it asks for the password or reads PGPASSWORD:")
        print(dump_command(settings.database, options.file))
        return USAGE
    try:
        size = back_up(settings.database, options.file, force=options.force)
    except Refused as error:
        _say(f"{error}.")
        return USAGE
    except Damaged as error:
        _say(f"{error}. `deskbell doctor` says what to do.")
        return FOUND
    print(f"{options.file}: {size:,} bytes, checked")
    return DONE


def _say(text: str) -> None:
    print(text, file=sys.stderr)
