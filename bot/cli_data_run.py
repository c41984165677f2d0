"""What `deskbell backup`, `export` and `erase` do. Called by `bot.cli_data`, where their options are."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

from bot import deskfile
from bot.running import embedded
from bot.settings import Settings
from storage.backup import Damaged, Refused, back_up, dump_command
from storage.bell import Bell, Topic
from storage.engine import is_new, make_engine
from storage.erasing import Erased, Erasing, Named
from storage.exporting import Exporting
from storage.schema import pending_migrations
from storage.sql import fresh_id as new_id

DONE, FOUND, USAGE, UNAVAILABLE = 0, 1, 2, 3


def _settings(options: argparse.Namespace) -> Settings:
    given = {name: getattr(options, name, None) for name in ("config", "data")}
    return Settings.load(**given)


# --- backup ------------------------------------------------------------------------------------
def backup(options: argparse.Namespace) -> int:
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


# --- export and erase --------------------------------------------------------------------------
def export(options: argparse.Namespace) -> int:
    settings = _settings(options)
    engine = _opened(settings)
    if engine is None:
        return UNAVAILABLE
    at, exporting, count = datetime.now(UTC), Exporting(engine), 0
    try:
        with _out(options.file) as out:
            found = exporting.person(_named(settings, options.person), at, new_id) if options.person else None
            for line in exporting.tickets(options.since, at) if found is None else found:
                count += 1
                print(json.dumps(line, ensure_ascii=False, default=_plain), file=out)
    except OSError as error:
        _say(f"{options.file}: {error.strerror}.")
        return USAGE
    finally:
        engine.dispose()
    if options.person and not count:
        _say(f"Nothing is kept about {options.person!r}.")
    _say(f"{count} lines.")
    return DONE


@contextmanager
def _out(file: Path) -> Iterator[IO[str]]:
    """Readable by its owner only: people's words are in it."""
    if str(file) == "-":
        yield sys.stdout
        return
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        if file.is_file():
            os.fchmod(out.fileno(), 0o600)  # one that was there may be everybody's
        yield out


def erase(options: argparse.Namespace) -> int:
    settings = _settings(options)
    engine = _opened(settings)
    if engine is None:
        return UNAVAILABLE
    named = _named(settings, options.person)
    try:
        done = Erasing(engine, new_id).erase(named, datetime.now(UTC), dry=options.dry_run)
        if not options.dry_run:
            Bell(engine).ring_now(Topic.ARTICLES)
    finally:
        engine.dispose()
    if not done.found:
        _say(f"Nothing is kept about {options.person!r}: name a key or an e-mail of desk.yaml, or a platform id.")
        return DONE
    for name, rows in sorted(done.rows.items()):
        print(f"{name}: {rows} row{'' if rows == 1 else 's'}")
    for sentence in _out_of_reach(done, named, settings):
        _say(sentence)
    return DONE


def _out_of_reach(done: Erased, named: Named, settings: Settings) -> Iterator[str]:
    """What the answer must not keep silent about."""
    if done.open_tickets:
        numbers = ", ".join(f"#{number}" for number in done.open_tickets)
        yield f"Open still, without anybody to answer to: {numbers}."
    if done.owned_tickets:
        numbers = ", ".join(f"#{number}" for number in done.owned_tickets)
        yield f"Open still, and theirs to answer: {numbers}. Assign them to somebody else."
    yield "Out of reach from here:"
    yield "- what Slack, Microsoft Teams and people's own devices keep of the conversations: erase it there;"
    yield "- backups made until now: they hold everything until you delete them; erase again after restoring one;"
    if not embedded(settings.database):
        yield "- PostgreSQL's old row versions until the next VACUUM, its archived log and its replicas' backups;"
    yield "- log files: they hold platform ids of channels and messages, no texts and no names;"
    yield "- files in git checkouts and folders of articles, and whatever was exported;"
    if named.names:
        yield f"- {settings.config} names them: take the entry out, or the next start makes them known again."
    else:
        yield f"- {settings.config}, if it names them."


def _named(settings: Settings, given: str) -> Named:
    """With what desk.yaml says of them, when it can be read."""
    desk, _ = deskfile.read(settings.config) if settings.config.exists() else (None, [])
    members = desk.policy.people.values() if desk else ()
    for member in members:
        users = {account.user for account in member.accounts}
        keys = {account.key for account in member.accounts}
        if given == member.id or given in users | keys or given.casefold() == (member.email or "").casefold():
            names = {member.name, member.email or member.name}
            return Named(person=member.id, ids=frozenset(users), names=frozenset(names))
    return Named(person=given)


def _opened(settings: Settings) -> Any:
    if is_new(settings.database):
        _say(f"There is no database in {settings.data}: --data names another folder.")
        return None
    if pending_migrations(settings.database):
        _say("The database is of an older version: run `deskbell migrate`.")
        return None
    return make_engine(settings.database)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not plain")


def _say(text: str) -> None:
    print(text, file=sys.stderr)
