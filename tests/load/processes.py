"""Processor time and memory of processes, from Linux's /proc. Used by `tests.load.__main__`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT = 1
PAGE = os.sysconf("SC_PAGE_SIZE")
USER, SYSTEM, ENDED_USER, ENDED_SYSTEM, RESIDENT = 11, 12, 13, 14, 21
"""Fields of /proc/PID/stat after the name; see proc(5)."""


def processor_seconds(pids: Iterable[int]) -> float:
    """Spent so far by those that still run, together."""
    return sum(int(stat[USER]) + int(stat[SYSTEM]) for pid in pids if (stat := _stat(pid))) / TICKS


def family_seconds(pid: int) -> float:
    """Spent by the parent of this process and all its children, also by those that ended."""
    stat = _stat(pid)
    parent = int(stat[PARENT]) if stat else 0
    head = _stat(parent)
    if head is None:
        return 0.0
    ended = (int(head[ENDED_USER]) + int(head[ENDED_SYSTEM])) / TICKS
    children = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return ended + processor_seconds([parent, *(each for each in children if _parent(each) == parent)])


def _parent(pid: int) -> int | None:
    stat = _stat(pid)
    return int(stat[PARENT]) if stat else None


def megabytes(pid: int) -> float:
    """Resident memory."""
    stat = _stat(pid)
    return int(stat[RESIDENT]) * PAGE / 1e6 if stat else 0.0


def spent(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> Mapping[str, float]:
    """Share of one core that each used in between."""
    return {name: (after[name] - before[name]) / seconds for name in before}


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
