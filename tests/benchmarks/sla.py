"""`make bench SLA=1`: the tables of docs/benchmarks.md, on stdout as Markdown; progress goes to stderr.

Each part is a process of its own, one after the other on the same machine. Called by `tests.benchmarks.__main__`.
"""

from __future__ import annotations

import subprocess
import sys

PARTS = {
    "calendars": "Working hours",
    "turns": "One more event on a long ticket",
    "sweeps": "The sweep",
    "datejobs": "Beside one scheduler job a ticket",
    "lateness": "How late pings are",
}


def main(seconds: int | None = None) -> int:
    """`seconds` is how long pings are sent in the last part; the exit code is that of the worst part."""
    worst = 0
    for module, title in PARTS.items():
        print(f"## {title}\n", flush=True)
        further = ["--seconds", str(seconds)] if seconds and module == "lateness" else []
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{module}", *further], check=False)
        worst = max(worst, done.returncode)
        print(flush=True)
    return worst
