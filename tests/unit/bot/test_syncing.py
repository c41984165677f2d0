"""The folder of articles and the library: in step, whatever stands in the files."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.pulling import is_checkout, pull
from bot.syncing import FolderSync, fingerprint
from storage.memory import MemoryStorage
from triage.knowledge import Article
from triage.policy import Policy, Team
from triage.ports import Library, Replaced

AT = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)
POLICY = Policy(teams={"it": Team(id="it", name="IT")})


def write(folder: Path, id: str, title: str = "", **front: str) -> Path:
    """A sound file of one article, or with `front` one that may not be."""
    fields = {"id": id, "lang": "en", "title": title or id, "team": "it", "audience": "company"} | front
    head = "".join(f"{key}: {value}\n" for key, value in fields.items())
    file = folder / f"{id}.md"
    file.write_text(f"---\n{head}phrasings: [a {id}, my {id}, the {id}]\n---\nText.\n", encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kb").mkdir()
    return tmp_path / "kb"


@pytest.fixture
def library() -> Library:
    return MemoryStorage().library


@pytest.fixture
def syncing(folder: Path, library: Library) -> FolderSync:
    return FolderSync(folder, library, policy=POLICY, now=lambda: AT)


def titles(library: Library) -> dict[str, str]:
    return {article.id: article.title for article in library.articles()[1]}


def test_the_first_sync_brings_everything(folder: Path, syncing: FolderSync, library: Library) -> None:
    """What it brought is told."""
    write(folder, "vpn")
    write(folder, "phone")
    assert syncing.sync() == Replaced(added=("phone", "vpn"))
    assert titles(library) == {"phone": "phone", "vpn": "vpn"}


def test_an_unchanged_folder_is_not_read_again(folder: Path, syncing: FolderSync) -> None:
    """Every two seconds, for years."""
    write(folder, "vpn")
    syncing.sync()
    assert syncing.sync() is None


def test_edits_and_deleted_files_follow(folder: Path, syncing: FolderSync, library: Library) -> None:
    """A file that is gone retires its article."""
    write(folder, "vpn")
    phone = write(folder, "phone")
    syncing.sync()
    write(folder, "vpn", "VPN drops")
    phone.unlink()
    assert syncing.sync() == Replaced(changed=("vpn",), retired=("phone",))
    assert titles(library) == {"vpn": "VPN drops"}


def test_an_edit_that_breaks_a_file_retires_nothing(folder: Path, syncing: FolderSync, library: Library) -> None:
    """Its article stays as it was; the others are synced, also the ones that are gone."""
    write(folder, "vpn")
    write(folder, "phone")
    gone = write(folder, "gone")
    syncing.sync()
    write(folder, "vpn", "half an edit", team="nobody")
    write(folder, "phone", "New phone")
    gone.unlink()
    assert syncing.sync() == Replaced(changed=("phone",), retired=("gone",))
    assert titles(library) == {"phone": "New phone", "vpn": "vpn"}


def test_a_file_broken_before_the_start_retires_nothing(folder: Path, library: Library) -> None:
    """A new process does not know what the file brought, so it retires nothing until the file is mended."""
    write(folder, "vpn")
    gone = write(folder, "gone")
    FolderSync(folder, library, policy=POLICY, now=lambda: AT).sync()
    write(folder, "vpn", team="nobody")
    gone.unlink()
    fresh = FolderSync(folder, library, policy=POLICY, now=lambda: AT)
    fresh.sync()
    assert titles(library) == {"vpn": "vpn", "gone": "gone"}
    write(folder, "vpn", "VPN")
    fresh.sync()
    assert titles(library) == {"vpn": "VPN"}


def test_a_broken_file_is_told_once_with_its_line(folder: Path, syncing: FolderSync) -> None:
    """Not every time that another file changes; again when it was mended and broken anew."""
    broken = write(folder, "vpn", team="nobody")
    with capture_logs() as logs:
        syncing.sync()
        write(folder, "phone")
        syncing.sync()
    told = [entry["problem"] for entry in logs if "problem" in entry]
    assert len(told) == 1
    assert told[0].startswith(f"{broken}:5: ")


def test_a_folder_that_vanished_retires_nothing(folder: Path, syncing: FolderSync, library: Library) -> None:
    """A volume that is not mounted is no reason to forget everything."""
    write(folder, "vpn")
    syncing.sync()
    folder.rename(folder.parent / "elsewhere")
    with capture_logs() as logs:
        syncing.sync()
    assert titles(library) == {"vpn": "vpn"}
    assert "does not exist" in logs[0]["problem"]


def test_what_another_source_holds_is_left_to_it(folder: Path, syncing: FolderSync, library: Library) -> None:
    """The rest of the folder is synced, and the log names both sources."""
    library.replace("import", [Article(id="vpn", title="Imported")], AT)
    write(folder, "vpn")
    write(folder, "phone")
    with capture_logs() as logs:
        assert syncing.sync() == Replaced(added=("phone",))
    assert titles(library) == {"phone": "phone", "vpn": "Imported"}
    assert "'vpn' (en) belongs to 'import'" in logs[0]["problem"]


def test_hidden_files_and_other_files_do_not_count(folder: Path) -> None:
    """Git's own files change all the time."""
    write(folder, "vpn")
    before = fingerprint(folder)
    (folder / ".git").mkdir()
    (folder / ".git" / "index.md").write_text("x")
    (folder / "notes.txt").write_text("x")
    assert fingerprint(folder) == before


# --- git pull ------------------------------------------------------------------------------------
def git(folder: Path, *command: str) -> None:
    identity = ("-c", "user.name=Lee", "-c", "user.email=lee@example.com", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *command], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository of articles."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init")
    write(origin, "vpn")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "First")
    return origin


@pytest.fixture
def checkout(tmp_path: Path, origin: Path) -> Path:
    git(tmp_path, "clone", str(origin), "checkout")
    return tmp_path / "checkout"


async def test_a_pull_brings_what_others_committed(origin: Path, checkout: Path, library: Library) -> None:
    """The next sync puts it in force."""
    syncing = FolderSync(checkout, library, policy=POLICY, now=lambda: AT)
    syncing.sync()
    write(origin, "vpn", "VPN drops")
    git(origin, "commit", "-am", "Better title")
    assert await pull(checkout) is None
    syncing.sync()
    assert titles(library) == {"vpn": "VPN drops"}


async def test_a_pull_that_fails_says_why(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In git's own words."""
    monkeypatch.setenv("LC_ALL", "C")
    git(checkout, "remote", "set-url", "origin", str(checkout / "away"))
    assert "does not appear to be a git repository" in str(await pull(checkout))


async def test_no_password_is_kept(checkout: Path) -> None:
    """It may stand in the address that git complains of."""
    git(checkout, "remote", "set-url", "origin", "nosuch://lee:hunter2@example.invalid/kb")
    problem = str(await pull(checkout))
    assert "nosuch" in problem
    assert "hunter2" not in problem


async def test_a_pull_that_hangs_is_ended(checkout: Path) -> None:
    """With everything that git started."""
    git(checkout, "config", "core.sshCommand", "sleep 600 #")
    git(checkout, "remote", "set-url", "origin", "ssh://git@localhost/kb")
    async with asyncio.timeout(20):
        assert await pull(checkout, limit=0.5) == "git took longer than 0.5 seconds"


async def test_an_empty_path_has_no_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing program is a sentence, not a traceback."""
    monkeypatch.setenv("PATH", str(checkout))
    assert str(await pull(checkout)).startswith("git cannot be run")


def test_a_folder_inside_a_checkout_can_be_pulled(tmp_path: Path, checkout: Path) -> None:
    """Git looks upward, and so do we."""
    (checkout / "kb").mkdir()
    assert is_checkout(checkout / "kb")
    (tmp_path / "plain").mkdir()
    assert not is_checkout(tmp_path / "plain")
