"""Real programs as subprocesses: started, waited for, killed, and their logs kept for failures.

Used by the fixtures of `conftest` for `deskbell serve` and for the local Slack and Teams clients.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

CHECKOUT = Path(__file__).parents[2]
MODULES = Path(os.environ.get("DESKBELL_NODE_MODULES") or CHECKOUT / "node_modules")
PICTURES = CHECKOUT / "docs" / "images" if os.environ.get("PICTURES") else Path(tempfile.mkdtemp(prefix="pictures-"))
"""Where screenshots go: into the documentation only when asked to (`make conformance PICTURES=1`)."""
INHERITED = ("PATH", "PYTHONPATH", "HOME", "LANG", "COVERAGE_PROCESS_START")
START_SECONDS = 120.0
LOOK_SECONDS = 20.0
PAUSE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A running program; `log` holds all it printed."""

    name: str
    url: str
    log: Path


def module(path: str) -> Path:
    """A file of an installed npm package; fails the test when it is missing."""
    found = MODULES / path
    if not found.exists():
        pytest.fail(f"{path.partition('/bin')[0]} is not in {MODULES}: `make conformance` installs it.", pytrace=False)
    return found


def chromium() -> Path:
    """Chromium's executable; fails the test when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("Chromium is missing: install it (apt-get install chromium), then run `make conformance`.", False)
    return Path(found)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[object], *, url: str, ready: str, folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """The program from the moment GET `url` + `ready` answers 200; killed at the end.

    It inherits nothing of this process's environment but where to find things.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = Program(name=Path(str(command[0])).name, url=url, log=folder / "log.txt")
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    with program.log.open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**kept, **(environ or {})},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_ready(process, program, url + ready)
        yield program
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], program: Program, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(PAUSE)
    pytest.fail(f"{program.name} did not become ready at {url}:\n{program.log.read_text()[-8_000:]}", pytrace=False)


async def eventually(
    look: Callable[[], Awaitable[T | None]],
    what: str,
    *,
    seen: Callable[[], Awaitable[Sequence[object]]],
    seconds: float = LOOK_SECONDS,
) -> T:
    """The first result of `look` that is not None; when time is up, fails with what was waited for and `seen`."""
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found is not None:
            return found
        if time.monotonic() > deadline:
            lines = "\n".join(str(line) for line in await seen())
            pytest.fail(f"waited {seconds:.0f} s for {what}; seen were:\n{lines}", pytrace=False)
        await asyncio.sleep(PAUSE)
