"""Files made to hurt: refused with file and reason, within seconds and without eating the machine."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
import zipfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bot.kbfiles.reading import read
from bot.syncing import FolderSync
from storage.memory import MemoryStorage
from tests.scenario.desk import MONDAY
from triage.policy import Policy

HEAD = "---\nid: a\nlang: en\ntitle: t\nteam: it\naudience: company\n"
ROW = "id,lang,title,team,audience,body\na,en,t,it,company,"
SECONDS = 40
"""For a file that takes five on an idle machine."""
MEGABYTES = 900

Make = Callable[[Path], object]


def text(name: str, content: str) -> Make:
    return lambda folder: (folder / name).write_text(content)


def sparse(name: str) -> Make:
    """A gigabyte that takes no room."""

    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(1 << 30)

    return make


def zipped(name: str) -> Make:
    """Ten megabytes of nothing in ten kilobytes."""

    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.md", b"\0" * 10_000_000)

    return make


LAUGHS = "".join(
    f"a{level}: &a{level} [{', '.join(['*a' + str(level - 1) if level else 'ha'] * 10)}]\n" for level in range(12)
)
FILES: dict[str, tuple[Make, str]] = {
    "a gigabyte of Markdown": (sparse("a.md"), "is larger than 20 MB"),
    "a gigabyte of CSV": (sparse("a.csv"), "is larger than 20 MB"),
    "a gigabyte of JSONL": (sparse("a.jsonl"), "is larger than 20 MB"),
    "a gigabyte of HTML": (sparse("a.html"), "is larger than 20 MB"),
    "aliases of aliases": (text("a.md", f"{HEAD}{LAUGHS}---\n"), "repeats itself too often"),
    "an alias of itself": (text("a.md", f"{HEAD}tags: &a [*a]\n---\n"), "stands inside the value it repeats"),
    "a hundred thousand brackets": (text("a.md", f"{HEAD}tags: {'[' * 100_000}\n---\n"), "nested too deeply"),
    "too much front matter": (text("a.md", f"{HEAD}tags:\n{'  - a b' * 500_000}\n---\n"), "front matter is too long"),
    "a line of megabytes": (text("a.md", f"{HEAD}owner: {'x' * 5_000_000}\n---\n"), "front matter is too long"),
    "a body of megabytes": (text("a.md", f"{HEAD}---\n{'x ' * 5_000_000}\n"), "the text is too long"),
    "a hundred thousand tags": (text("a.html", f"<body>{'<div>' * 100_000}"), "tags, too many"),
    "deep tags": (text("a.html", f"<body>{'<div>' * 40_000}"), "nested too deeply"),
    "a cell of megabytes": (text("a.csv", f'{ROW}"{"z" * 15_000_000}"\n'), "body: is too long"),
    "a quote never closed": (text("a.csv", f'{ROW}"' + "z\n" * 1_000_000), "never closed"),
    "a million columns": (text("a.csv", ",".join(["id"] * 1_000_000)), "is here twice"),
    "brackets of JSON": (text("a.jsonl", "[" * 5_000_000), "nested too deeply"),
    "a number of megabytes": (text("a.jsonl", f'{{"id": {"9" * 3_000_000}}}'), "is too long"),
    "an archive by another name": (zipped("a.md"), "is not UTF-8 text"),
}  # fmt: skip


def _measure(make: Make, folder: Path, tell: Connection) -> None:
    """In a process of its own, so that what it takes can be measured, and ended."""
    make(folder)
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    found = read(folder)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    tell.send((len(found.pages), [str(problem) for problem in found.problems], grown, time.monotonic() - started))


@pytest.mark.parametrize("name", FILES)
def test_a_file_made_to_hurt_is_refused(tmp_path: Path, name: str) -> None:
    """With its name and the reason, in bounded time and memory."""
    make, reason = FILES[name]
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_measure, args=(make, tmp_path, theirs))
    process.start()
    try:
        assert mine.poll(SECONDS), "it takes too long"
        pages, problems, kilobytes, _ = mine.recv()
    finally:
        process.kill()
        process.join()
    assert pages == 0
    assert any(reason in problem and f"{tmp_path}/a." in problem for problem in problems), problems
    assert all(len(problem) < 600 and problem.isprintable() for problem in problems)
    assert kilobytes < MEGABYTES * 1_024


@pytest.mark.parametrize("name", ["kb.zip", "kb.tar.gz", "a.md.gz", "a.docx", "a.pdf"])
def test_archives_are_not_opened(tmp_path: Path, name: str) -> None:
    """Nothing in a folder is unpacked, so nothing can explode; named by itself the file is refused."""
    zipped(name)(tmp_path)
    assert read(tmp_path).files == 0
    (problem,) = read(tmp_path / name).problems
    assert "is not UTF-8 text" in problem.message


def test_links_in_a_circle_do_not_stop_the_others(tmp_path: Path) -> None:
    """Two that point at each other, and one at itself."""
    (tmp_path / "a.md").symlink_to("b.md")
    (tmp_path / "b.md").symlink_to("a.md")
    (tmp_path / "c.md").symlink_to("c.md")
    (tmp_path / "d.md").write_text(f"{HEAD}---\n")
    found = read(tmp_path)
    assert len(found.articles) == 1
    assert sum("leads in a circle" in str(problem) for problem in found.problems) == 3


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "/proc/self/environ", "../outside.md"])
def test_a_checkout_cannot_read_the_machine(tmp_path: Path, target: str) -> None:
    """The folder that is pulled from git is somebody's push away."""
    (tmp_path / "outside.md").write_text(f"{HEAD}---\nsecret\n")
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "a.md").symlink_to(target)
    storage = MemoryStorage()
    sync = FolderSync(folder, storage.library, policy=Policy(teams={}), now=lambda: MONDAY)
    sync.sync()
    assert storage.library.articles()[1] == ()


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    """File systems take any bytes for a name."""
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff\x1b[2J.md", os.O_CREAT | os.O_WRONLY))
    (problem,) = read(tmp_path).problems
    assert "has no front matter" in problem.message
