"""The matcher with one part of its design left out at a time: what does each part buy? `make bench ABLATE=1`.

A design is further options of `triage.match.build_matcher`, by the name under which the table shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WHOLE = "whole"

DESIGNS: dict[str, Mapping[str, Any]] = {WHOLE: {}}
