"""One `deskbell serve` as a process of its own that may be started, killed and stopped again and again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiohttp

INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH", "COVERAGE_PROCESS_START")
READY_SECONDS = 60.0
PAUSE = 0.02
LOOPBACK = "127.0.0.1"


class Process(Protocol):
    """What is asked of a process; a `subprocess.Popen` is one."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...

    def kill(self) -> None: ...

    def terminate(self) -> None: ...


Spawn = Callable[[Sequence[str], Path, Mapping[str, str], Path], Process]
"""Starts a command in a folder with an environment, its output added to a log."""


def popen(command: Sequence[str], folder: Path, environ: Mapping[str, str], log: Path) -> Process:
    with log.open("ab") as output:
        return subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT)


class NotReady(Exception):
    """The process ended, or did not become ready in time; the message ends with what it logged last."""


@dataclass(slots=True, kw_only=True)
class Served:
    """A process of Deskbell: the same command, folder, port and environment at every start."""

    config: Path
    folder: Path
    """Its working directory, data folder and log; made when it is missing."""
    port: int
    host: str = LOOPBACK
    environ: Mapping[str, str]
    program: Sequence[str] = (str(Path(sys.executable).with_name("deskbell")),)
    spawn: Spawn = popen
    _process: Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> Path:
        """All that every run of it printed."""
        return self.folder / "log.txt"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def code(self) -> int | None:
        """How its last run ended, None while it runs; negative after a signal."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Returns at once; it inherits nothing of this process's environment but where to find things."""
        assert not self.alive
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*self.program, "serve", "--config", self.config, "--data", self.folder / "data"]
        address = ["--host", self.host, "--port", str(self.port)]
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._process = self.spawn([*map(str, command), *address], self.folder, {**kept, **self.environ}, self.log)

    async def ready(self, seconds: float = READY_SECONDS, *, path: str = "/readyz") -> float:
        """Waits for GET `path` to answer 200; the seconds that took. Raises NotReady."""
        started = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while self.alive and time.monotonic() - started < seconds:
                if await self._answers(session, path):
                    return time.monotonic() - started
                await asyncio.sleep(PAUSE)
        raise NotReady(f"{self.url} is not ready after {seconds:.0f} s:\n{self.log.read_text()[-4_000:]}")

    async def _answers(self, session: aiohttp.ClientSession, path: str) -> bool:
        try:
            async with session.get(f"{self.url}{path}") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def pause(self) -> None:
        """SIGSTOP: it keeps what it holds, and does nothing until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: nothing of the process runs any more when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self, seconds: float = 30.0) -> float:
        """SIGTERM, and wait; the seconds until it ended. Raises TimeoutError, and then it was killed."""
        assert self._process is not None
        started = time.monotonic()
        self._process.terminate()
        while self._process.poll() is None:
            if time.monotonic() - started > seconds:
                self.kill()
                raise TimeoutError(f"{self.url} did not end within {seconds:.0f} s of SIGTERM")
            await asyncio.sleep(PAUSE)
        return time.monotonic() - started
