"""`deskbell` as `tests.crash.nursery` runs it: as it is, with a defect planted, or with shorter leases.

Arguments: `[--defect NAME] [--lease SECONDS] serve …`
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from bot import cli
from tests.crash.defects import DEFECTS, shorten_leases

IMPORTED_BY_SERVE = (
    "bot.compose",
    "bot.web",
    "uvicorn.protocols.http.auto",
    "uvicorn.loops.auto",
    "storage.migrations",
)


def prepare() -> None:
    """Import what `serve` imports only when it starts."""
    for name in IMPORTED_BY_SERVE:
        importlib.import_module(name)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=list(DEFECTS))
    parser.add_argument("--lease", type=int)
    options, rest = parser.parse_known_args(arguments)
    if options.defect:
        DEFECTS[options.defect]()
    if options.lease:
        shorten_leases(options.lease)
    return cli.main(rest)
