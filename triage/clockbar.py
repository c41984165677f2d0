"""A clock's life as one line of block characters, so that a pause or a weekend is seen before it is read.

Called by `triage.clockstory`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from triage.clockpieces import Kind, Piece

WIDTH = 24
SIGNS = {
    Kind.COUNTED: "▓",
    Kind.AHEAD: "▒",
    Kind.OVER: "█",
    Kind.CLOSED: "░",
    Kind.PENDING: "·",
    Kind.ON_HOLD: "·",
    Kind.PAUSED: "·",
    Kind.RESOLVED: "○",
}


def bar(pieces: Sequence[Piece], until: datetime) -> str:
    """At most 24 signs for the time up to `until`; empty for a clock that had no time.

    Widths follow the wall clock, but every piece is seen: half an hour before a weekend has its own sign.
    Where there are more pieces than signs, each shows what fills most of its share of the time, and
    closed hours only where there is nothing else: months of working days look worked, not closed.
    """
    lived = [replace(piece, ends=min(piece.ends, until)) for piece in pieces if piece.begins < until]
    if not lived:
        return ""
    signs = [(sign, _length(group)) for sign, group in groupby(lived, key=lambda piece: SIGNS[piece.kind])]
    if len(signs) > WIDTH:
        return _sampled(lived)
    return "".join(sign * width for (sign, _), width in zip(signs, _widths([s for _, s in signs]), strict=True))


def _length(group: Iterable[Piece]) -> float:
    return sum((piece.ends - piece.begins).total_seconds() for piece in group)


def _widths(lengths: Sequence[float]) -> list[int]:
    """One sign each, and the rest by length; what rounding leaves over goes to the largest fractions."""
    spare = WIDTH - len(lengths)
    shares = [spare * length / sum(lengths) for length in lengths]
    widths = [1 + int(share) for share in shares]
    by_fraction = sorted(range(len(shares)), key=lambda index: int(shares[index]) - shares[index])
    for index in by_fraction[: WIDTH - sum(widths)]:
        widths[index] += 1
    return widths


def _sampled(lived: Sequence[Piece]) -> str:
    first, step = lived[0].begins, (lived[-1].ends - lived[0].begins) / WIDTH
    return "".join(_most(lived, first + count * step, first + (count + 1) * step) for count in range(WIDTH))


def _most(lived: Sequence[Piece], begins: datetime, ends: datetime) -> str:
    shares: dict[str, timedelta] = {}
    for piece in lived:
        share = min(piece.ends, ends) - max(piece.begins, begins)
        if share > timedelta():
            sign = SIGNS[piece.kind]
            shares[sign] = shares.get(sign, timedelta()) + share
    seen = [sign for sign in shares if sign != SIGNS[Kind.CLOSED]] or list(shares)
    return max(seen, key=lambda sign: shares[sign])
