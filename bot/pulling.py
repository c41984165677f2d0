"""`git pull` of a checkout of articles. Called by `bot.running` on the schedule that desk.yaml gives."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

LIMIT = 60.0
"""Seconds a pull may take."""
SHOWN = 300
"""Characters of git's last words that are kept."""

_CREDENTIALS = re.compile(r"://[^/\s'\"]*@")


async def pull(folder: Path, *, limit: float = LIMIT) -> str | None:
    """Fast-forward the checkout that `folder` is in; None when that went well, else why it did not.

    Git runs in a session of its own: it finds no terminal to ask for a password, and ends with
    whatever it started.
    """
    command = ("git", "-C", str(folder), "pull", "--ff-only", "--quiet")
    try:
        git = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
    except OSError as error:
        return f"git cannot be run: {(error.strerror or str(error)).lower()}"
    try:
        said, _ = await asyncio.wait_for(git.communicate(), limit)
    except TimeoutError:
        return f"git took longer than {limit:g} seconds"
    finally:
        await _end(git)
    return None if git.returncode == 0 else _last_words(said.decode(errors="replace"), git)


async def _end(git: Process) -> None:
    if git.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(git.pid, signal.SIGKILL)
        await git.wait()


def _last_words(said: str, git: Process) -> str:
    """Without a password that stands in an address."""
    text = " ".join(_CREDENTIALS.sub("://", said).split())
    return text[-SHOWN:] or f"git ended with {git.returncode}"


def is_checkout(folder: Path) -> bool:
    """Whether git has something to pull here."""
    return any((place / ".git").exists() for place in (folder, *folder.resolve().parents))
