"""`deskbell` with a defect planted, or with shorter leases: what `tests.crash` starts instead of the real one.

`python -m tests.crash.program [--defect NAME] [--lease SECONDS] serve …`
"""

from __future__ import annotations

import argparse
import sys

from bot.cli import main
from tests.crash.defects import DEFECTS, shorten_leases

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--defect", choices=list(DEFECTS))
    parser.add_argument("--lease", type=int)
    options, rest = parser.parse_known_args()
    if options.defect:
        DEFECTS[options.defect]()
    if options.lease:
        shorten_leases(options.lease)
    sys.exit(main(rest))
