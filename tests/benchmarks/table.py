"""Rows of figures as Markdown, with the machine they were measured on. Pure; called by `tests.benchmarks.__main__`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

Row = Mapping[str, Any]

QUALITY = {
    "top-1": ("top1", 3),
    "recall@3": ("recall3", 3),
    "AUROC": ("auroc", 3),
    "cov95 (oracle)": ("cov95", 2),
    "precision": ("answer_precision", 3),
    "coverage": ("coverage", 2),
    "out rejected": ("out_rejected", 3),
}
SPEED = {
    "p50 ms": ("p50_ms", 2),
    "p99 ms": ("p99_ms", 2),
    "build s": ("build_s", 2),
    "MB": ("rss_mb", 0),
}


def mean(rows: Sequence[Row]) -> Row:
    """Figure by figure over knowledge bases, of those in which it is defined."""
    values = {key: [row[key] for row in rows if row[key] is not None] for key in rows[0]}
    return {key: fmean(found) if found else None for key, found in values.items()}


def table(title: str, rows: Mapping[str, Row], *, columns: Mapping[str, tuple[str, int]]) -> Iterator[str]:
    """One line a method; `p50 ratio` is its median time as a multiple of the first method's."""
    yield f"### {title}"
    yield ""
    yield f"| method | {' | '.join(columns)} | p50 ratio |"
    yield f"|---|{'---:|' * (len(columns) + 1)}"
    first = next(iter(rows.values()), None)
    for name, row in rows.items():
        cells = [_number(row[key], digits) for key, digits in columns.values()]
        ratio = row["p50_ms"] / first["p50_ms"] if first and row["p50_ms"] and first["p50_ms"] else None
        yield f"| {name} | {' | '.join(cells)} | {_number(ratio, 2)} |"
    yield ""


def machine() -> str:
    """Processor, cores, Python; no date, so that a page which keeps it changes only with the figures."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").split("\n") if info.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
