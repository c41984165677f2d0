"""How long a sweep takes, by how many tickets are open: `python -m tests.benchmarks.sweeps`, Markdown on stdout.

Each round records the pings of so many tickets, all due at once, with `triage.sweeping.sweep`; all other
tickets are open, and not due. What a sweep takes may depend on the number due, not on the number open.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Engine, func, select, update

from storage.engine import make_engine
from storage.rows import outbox, pings
from storage.sql import SqlStorage
from tests.benchmarks.databases import POSTGRES, SQLITE, fresh, server, versions
from tests.benchmarks.filling import fill
from tests.benchmarks.office import Group, Office, Seed, Variety, agents, rounds
from tests.benchmarks.table import machine
from triage.sweeping import sweep
