"""A copy of the embedded database while a desk runs on it. Called by `deskbell backup`.

SQLite's own online copy: one reading transaction, so that the copy is the database of one moment, and
writers go on meanwhile. It is made beside its name and moved there only once it was checked.
"""

from __future__ import annotations

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL

from storage.engine import database_url
from triage.errors import DeskError, Unavailable

SHOWN = 5
"""Lines of what is wrong that are told."""
SECRETS = frozenset({"password", "sslpassword", "passfile"})


class Refused(DeskError):
    """The copy cannot be put where it was wanted."""


class Damaged(DeskError):
    """The copy is not sound, and was not kept."""


def back_up(url: str, file: Path, *, force: bool = False) -> int:
    """Copy the SQLite database to `file`, readable by its owner only; returns its bytes.

    Raises Refused, Damaged, and Unavailable when the database cannot be read. `force` overwrites an older
    copy, never the database itself or one that is in use.
    """
    source = Path(database_url(url).database or "")
    if not source.is_file():
        raise Unavailable(f"there is no database {source}")
    _may_be_written(file, source, force=force)
    with _beside(file) as part:
        _copy(source, part)
        os.replace(part, file)
    return file.stat().st_size


def dump_command(url: str, file: Path) -> str:
    """What backs up this PostgreSQL database, without its password (pg_dump asks for it, or reads PGPASSWORD)."""
    known = database_url(url)
    query = {name: value for name, value in known.query.items() if name not in SECRETS}
    open_one = URL.create(
        "postgresql", known.username, host=known.host, port=known.port, database=known.database, query=query
    )
    return shlex.join(["pg_dump", "--format=custom", f"--file={file}", f"--dbname={open_one.render_as_string()}"])


def _may_be_written(file: Path, source: Path, *, force: bool) -> None:
    if file.exists() and file.samefile(source):
        raise Refused(f"{file} is the database itself")
    if file.exists() and not file.is_file():
        raise Refused(f"{file} is no file")
    if file.exists() and not force:
        raise Refused(f"{file} is there already: name another file, or overwrite it with --force")
    if any(Path(f"{file}{end}").exists() for end in ("-wal", "-journal")):
        raise Refused(f"{file} is a database in use (there is {file}-wal or -journal beside it)")
    if not file.absolute().parent.is_dir():
        raise Refused(f"there is no folder {file.absolute().parent}")


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A new empty file in the same folder, gone at the end unless it was moved."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _copy(source: Path, part: Path) -> None:
    with closing(_opened(source)) as live, closing(sqlite3.connect(part)) as copy:
        try:
            live.backup(copy)
        except sqlite3.Error as error:
            raise Unavailable(f"{source} cannot be copied: {error}") from error
        try:
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            found = [line for (line,) in copy.execute("PRAGMA integrity_check").fetchmany(SHOWN)]
        except sqlite3.Error as error:
            found = [str(error)]
        if found != ["ok"]:
            raise Damaged(f"{source} is damaged, its copy was not kept: {'; '.join(found)}")
    with part.open("rb") as written:
        os.fsync(written.fileno())


def _opened(source: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"file:{source.absolute().as_posix()}?mode=ro", uri=True, timeout=5.0)
    except sqlite3.Error as error:
        raise Unavailable(f"{source}: {error}") from error
