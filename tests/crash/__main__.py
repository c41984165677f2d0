"""`make crash`: kills by the hundred, per database and per way in, and what came of it.

`--on` tells one setting only, `--defect` plants a defect that must be found, `--defects` each of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.crash.defects import DEFECTS
from tests.crash.nursery import Nursery
from tests.crash.stage import How, Setting
from tests.crash.story import Told, tell

AT_ONCE = 2
"""Stories told side by side."""
DEFECT_KILLS = 12
"""In which a defect must be found."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    seed = options.seed if options.seed is not None else int(time.time())
    settings = [Setting(options.on)] if options.on else list(Setting)
    if options.defects or options.defect:
        return _hunt(seed, options)
    kills = -(-options.kills // len(settings))
    with Nursery() as nursery:
        told = asyncio.run(_tell_all(settings, seed, kills, How(nursery=nursery)))
    broken = [each for each in told if each.violations]
    print(f"\n{sum(each.troubles.kills.total() for each in told)} kills, seed {seed}: ", end="")
    print("every law held" if not broken else f"laws broken on {', '.join(each.setting for each in broken)}")
    for each in broken:
        print(f"again: make crash ON={each.setting} KILLS={kills} SEED={seed} (the same draws; races are real)")
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=104, help="in all, shared by the settings")
    parser.add_argument("--seed", type=int, help="of what is drawn: moments, letters, troubles (default: the time)")
    parser.add_argument("--on", choices=[str(setting) for setting in Setting], help="only this setting")
    parser.add_argument("--defects", action="store_true", help="plant each defect, and find it")
    parser.add_argument("--defect", choices=list(DEFECTS), help="plant only this one")
    return parser


async def _tell_all(settings: Sequence[Setting], seed: int, kills: int, how: How) -> Sequence[Told]:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(setting: Setting) -> Told:
        async with free:
            told = await _one(setting, seed, kills, how)
        print(f"{setting}:\n{told}", flush=True)
        return told

    return await asyncio.gather(*map(one, settings))


async def _one(setting: Setting, seed: int, kills: int, how: How) -> Told:
    with TemporaryDirectory(prefix="crash-", ignore_cleanup_errors=True) as folder:
        return await tell(setting, seed, kills, Path(folder), how)


def _hunt(seed: int, options: argparse.Namespace) -> int:
    """Each defect alone; 1 when one of them broke no law."""
    setting = Setting(options.on or Setting.SQLITE_HTTP)
    unfound = 0
    for defect in [options.defect] if options.defect else list(DEFECTS):
        with Nursery() as nursery:
            how = How(nursery=nursery, defect=defect)
            told = asyncio.run(_one(setting, seed, min(options.kills, DEFECT_KILLS), how))
        found = told.violations
        unfound += not found
        print(f"{defect}: {len(found)} violations in {told.troubles.kills.total()} kills, such as", flush=True)
        print("\n".join(f"  {each}" for each in found[:3]) or "  none: NOT FOUND", flush=True)
    return 1 if unfound else 0


if __name__ == "__main__":
    sys.exit(main())
