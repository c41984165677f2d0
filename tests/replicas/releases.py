"""The last release, as CHANGELOG.md names it and git has it."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.conformance.programs import CHECKOUT

HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)


def last_release() -> tuple[str, str]:
    """Its version, and the commit in which its heading first stood; skips where git does not have it."""
    changelog = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = HEADING.findall(changelog)[0]
    found = _git("log", f"-S## [{version}]", "--format=%H", "--", "CHANGELOG.md")
    commits = found.stdout.decode().split()
    if found.returncode or not commits or _git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
        pytest.skip(f"the history of git does not reach back to version {version}")
    return version, commits[-1]


def unpacked(commit: str, folder: Path) -> Path:
    """The files of this commit."""
    archive = _git("archive", "--format=tar", commit)
    archive.check_returncode()
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, check=False)
