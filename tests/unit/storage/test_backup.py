"""A copy made while others write is the database of one moment, checked, and never put over something else."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.backup import Damaged, Refused, back_up, dump_command
from storage.engine import make_engine
from storage.schema import migrate
from storage.sql import SqlStorage
from tests.contract.storages import open_ticket
from triage.errors import Unavailable


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A desk's database with one ticket."""
    file = tmp_path / "desk.db"
    migrate(f"sqlite:///{file}")
    _with(file, open_ticket)
    return file


def test_under_writes_the_copy_is_one_moment(file: Path, tmp_path: Path) -> None:
    """Each turn of the writer opens a ticket with its first message: the copy has both or neither of each."""
    writer, going = SqlStorage(make_engine(f"sqlite:///{file}")), threading.Event()
    opened = [1]

    def write() -> None:
        while not going.is_set():
            opened.append(open_ticket(writer, len(opened) + 1).number)

    thread = threading.Thread(target=write)
    thread.start()
    copies = []
    try:
        for number in range(5):
            before = len(opened)
            back_up(_url(file), tmp_path / f"copy{number}.db")
            copies.append((before, tmp_path / f"copy{number}.db"))
    finally:
        going.set()
        thread.join()
        writer.close()
    for before, copy in copies:
        tickets, entries = _count(copy, "ticket"), _count(copy, "entry")
        assert tickets == entries
        assert before <= tickets <= len(opened)
    assert len(opened) > 6


def test_the_copy_is_one_file_for_its_owner(file: Path, tmp_path: Path) -> None:
    """Nothing has to be carried along with it, and nobody else may read what people wrote."""
    copy = tmp_path / "safe" / "copy.db"
    copy.parent.mkdir()
    assert back_up(_url(file), copy) == copy.stat().st_size
    assert list(copy.parent.iterdir()) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_what_is_there_is_not_overwritten_unless_wanted(file: Path, tmp_path: Path) -> None:
    """Yesterday's copy may be the only good one."""
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"yesterday")
    with pytest.raises(Refused, match="--force"):
        back_up(_url(file), copy)
    assert copy.read_bytes() == b"yesterday"
    back_up(_url(file), copy, force=True)
    assert _count(copy, "ticket") == 1


def test_the_database_is_never_its_own_copy(file: Path, tmp_path: Path) -> None:
    """Not even by another name, and not with --force."""
    link = tmp_path / "link.db"
    link.symlink_to(file)
    with pytest.raises(Refused, match="the database itself"):
        back_up(_url(file), link, force=True)


def test_a_device_is_not_replaced(file: Path) -> None:
    """The copy is moved to its name, and would take the device's place."""
    with pytest.raises(Refused, match="no file"):
        back_up(_url(file), Path("/dev/null"), force=True)


def test_a_database_in_use_is_not_overwritten(file: Path, tmp_path: Path) -> None:
    """Its log would be read into the copy and ruin it."""
    other = tmp_path / "other.db"
    other.touch()
    Path(f"{other}-wal").touch()
    with pytest.raises(Refused, match="in use"):
        back_up(_url(file), other, force=True)


def test_a_damaged_database_gives_no_copy(file: Path, tmp_path: Path) -> None:
    """Better none than one that is trusted; the older copy stays."""
    pages = bytearray(file.read_bytes())
    for page in range(4, len(pages) // 4_096):
        pages[page * 4_096 : page * 4_096 + 64] = b"\xff" * 64
    file.write_bytes(pages)
    copy = tmp_path / "copy.db"
    copy.write_bytes(b"yesterday")
    with pytest.raises((Damaged, Unavailable)):
        back_up(_url(file), copy, force=True)
    assert copy.read_bytes() == b"yesterday"
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]


def test_no_database_is_no_copy(tmp_path: Path) -> None:
    """A wrong --data is told, and makes no empty database."""
    with pytest.raises(Unavailable, match="no database"):
        back_up(_url(tmp_path / "desk.db"), tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(file: Path, tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(Refused, match="no folder"):
        back_up(_url(file), tmp_path / "missing" / "copy.db")


@pytest.mark.parametrize(
    ("url", "command"),
    [
        (
            "postgresql://desk:hunter2@db.example:5433/desk?sslmode=require&sslpassword=hunter3",
            "pg_dump --format=custom '--file=a copy.dump' "
            "'--dbname=postgresql://desk@db.example:5433/desk?sslmode=require'",
        ),
        (
            "postgresql://desk@/desk?host=/run/pg",
            "pg_dump --format=custom '--file=a copy.dump' '--dbname=postgresql://desk@/desk?host=%2Frun%2Fpg'",
        ),
    ],
)
def test_for_postgres_it_is_pg_dump_without_the_password(url: str, command: str) -> None:
    """To be pasted into a shell."""
    assert dump_command(url, Path("a copy.dump")) == command


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


def _with(file: Path, use: Callable[[SqlStorage], object]) -> None:
    storage = SqlStorage(make_engine(_url(file)))
    use(storage)
    storage.close()


def _count(file: Path, table: str) -> int:
    db = sqlite3.connect(file)
    try:
        return int(db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])
    finally:
        db.close()
