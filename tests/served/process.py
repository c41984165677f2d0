"""One `deskbell serve` as a process of its own that may be started, killed and stopped again and again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

INHERITED = ("PATH", "PYTHONPATH", "HOME", "LANG", "COVERAGE_PROCESS_START")
READY_SECONDS = 60.0
PAUSE = 0.02
LOOPBACK = "127.0.0.1"


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
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

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

    def start(self) -> None:
        """Returns at once; it inherits nothing of this process's environment but where to find things."""
        assert not self.alive
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*self.program, "serve", "--config", self.config, "--data", self.folder / "data"]
        kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*map(str, command), "--host", self.host, "--port", str(self.port)],
                cwd=self.folder,
                env={**kept, **self.environ},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    async def ready(self, seconds: float = READY_SECONDS) -> float:
        """Waits for GET /readyz to answer 200; the seconds that took. Raises NotReady."""
        started = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while self.alive and time.monotonic() - started < seconds:
                if await self._answers(session):
                    return time.monotonic() - started
                await asyncio.sleep(PAUSE)
        raise NotReady(f"{self.url} is not ready after {seconds:.0f} s:\n{self.log.read_text()[-4_000:]}")

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"{self.url}/readyz") as answer:
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
