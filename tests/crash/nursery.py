"""Processes of the desk without the seconds that its imports take: forked from one that has made them.

From `main` on they are `deskbell serve` as it is, each a process of its own that is killed for good. Used
by `tests.crash.stage`; the process that forks is `python -m tests.crash.nursery`, told what to do by lines
of JSON on its stdin.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.conformance.programs import CHECKOUT


@dataclass(frozen=True, slots=True)
class Forked:
    """What `tests.served.process.Process` asks for."""

    nursery: Nursery
    pid: int

    def poll(self) -> int | None:
        code = self.nursery.ask({"poll": self.pid})
        return None if code is None else int(code)

    def wait(self) -> int:
        return int(self.nursery.ask({"wait": self.pid}))

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """The process that forks; `with` ends it, and all that it forked."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "OPENBLAS_NUM_THREADS": "1"},
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.communicate()

    def spawn(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], log: Path) -> Forked:
        order = {"fork": list(command), "folder": str(folder), "environ": dict(environ), "log": str(log)}
        return Forked(self, int(self.ask(order)))

    def ask(self, order: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


# --- the process that forks --------------------------------------------------------------------
def serve() -> int:
    """Until stdin ends; in a child this returns the exit code of `deskbell`."""
    from tests.crash.program import main, prepare

    prepare()
    codes: dict[int, int | None] = {}
    for line in sys.stdin.buffer:
        order = json.loads(line)
        if "fork" in order:
            child = os.fork()
            if child == 0:
                _settle(order)
                return main(order["fork"])
            codes[child] = None
            _answer(child)
        else:
            _answer(_code(order, codes))
    for child in (child for child, code in codes.items() if code is None):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    return 0


def _settle(order: Mapping[str, Any]) -> None:
    """A folder, an environment and a log of its own."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


def _code(order: Mapping[str, Any], codes: dict[int, int | None]) -> int | None:
    """How a child ended; None where it lives and that is not waited for."""
    child = order.get("wait") or order["poll"]
    if codes[child] is None:
        found, status = os.waitpid(child, 0 if "wait" in order else os.WNOHANG)
        codes[child] = os.waitstatus_to_exitcode(status) if found else None
    return codes[child]


def _answer(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(serve())
