"""Finding the files of a folder and reading them, when neither can be trusted.

Called by `bot.kbfiles.reading` and by whoever must know which files a folder of articles consists of.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bot.yamlfile import Problem, Severity

SUFFIXES = (".md", ".csv", ".jsonl", ".html", ".htm")
MAX_BYTES = 20_000_000
MAX_FILES = 100_000

_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def files_of(folder: Path) -> tuple[list[Path], list[Problem]]:
    """Every file of articles below `folder`, by name, and the ones that may not be read.

    Hidden files and folders (`.git`) are passed over; links that lead out of the folder are not followed.
    """
    root = folder.resolve()
    found: list[Path] = []
    problems: list[Problem] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for file in (Path(place, name) for name in names if _is_ours(name)):
            if message := _strange_link(file, root):
                problems.append(Problem(file=file, line=1, message=message, severity=Severity.WARNING))
            else:
                found.append(file)
    if len(found) > MAX_FILES:
        message = f"holds {len(found):,} files, at most {MAX_FILES:,}: name a folder further down"
        return [], [Problem(file=folder, line=1, message=message)]
    return sorted(found), problems


def _strange_link(file: Path, root: Path) -> str | None:
    """Why a link is not followed; None for files and for links within the folder."""
    if not file.is_symlink():
        return None
    try:
        inside = file.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # Python 3.11 and 3.12 raise RuntimeError for a loop
        return "is a link that leads in a circle: it is not read"
    return None if inside else "is a link that leads out of the folder: it is not read"


def _is_ours(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(SUFFIXES)


def read_text(file: Path) -> str | Problem:
    """The file's text with `\\n` line ends, or why it cannot be read."""
    raw = _read(file)
    if isinstance(raw, Problem):
        return raw
    encoding = next((name for mark, name in _BOMS if raw.startswith(mark)), "utf-8-sig")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = 'is not UTF-8 text: save the file in UTF-8 (in Excel: "CSV UTF-8")'
        return Problem(file=file, line=line, message=message)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return Problem(file=file, line=line, message="holds a NUL byte: it is not a text file, or is damaged")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read(file: Path) -> bytes | Problem:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return Problem(file=file, line=1, message="is not a file")
        with file.open("rb") as opened:
            raw = opened.read(MAX_BYTES + 1)
    except OSError as error:
        return Problem(file=file, line=1, message=f"cannot be read: {(error.strerror or str(error)).lower()}")
    if len(raw) > MAX_BYTES:
        return Problem(file=file, line=1, message=f"is larger than {MAX_BYTES // 1_000_000} MB: cut it into several")
    return raw
