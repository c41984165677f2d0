"""A model in 4 bits, read from its file and computed by onnxruntime, against the same with plain matrices."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf

from adapters.encoders import bundled

pytestmark = pytest.mark.skipif(bundled.lacking() is not None, reason="not every encoder has a wheel for this platform")

WIDTH, LAYERS, HEADS, INNER, WORDS, POSITIONS, EPSILON = 64, 2, 2, 128, 7, 9, 1e-6
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "a", "▁hi"]
SCORES = [0.0, 0.0, 0.0, 0.0, -1.0, -2.0, -1.5]
BLOCK = 32
MATRICES = [*((name, WIDTH, WIDTH) for name in ("q", "k", "v", "ao")), ("fi", INNER, WIDTH), ("fo", WIDTH, INNER)]

Floats = NDArray[np.float64]


class Written:
    """A file of such weights, drawn at random, and the weights as numbers."""

    def __init__(self) -> None:
        self._draw = np.random.default_rng(0)
        self.numbers: dict[str, Floats] = {}
        self._stored: dict[str, bytes] = {}
        self._matrix("emb.word", WORDS, WIDTH)
        for name, size in (("emb.pos", POSITIONS * WIDTH), ("emb.type", 2 * WIDTH)):
            self._plain(name, size)
        self._norm("emb.ln")
        for layer in range(LAYERS):
            for name, rows, columns in MATRICES:
                self._matrix(f"l{layer}.{name}.w", rows, columns)
                self._plain(f"l{layer}.{name}.b", rows)
            self._norm(f"l{layer}.aln")
            self._norm(f"l{layer}.oln")

    def file(self, path: Path, *, magic: bytes = b"E5S1", block: int = BLOCK) -> Path:
        letters = "".join(PIECES).encode()
        ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
        normal = struct.pack("<IBI", ord("Ａ"), 1, ord("a"))
        head = magic + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, WORDS, POSITIONS, 2, EPSILON, block)
        head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(letters))
        head += ends.astype(np.uint32).tobytes() + np.array(SCORES, np.float32).tobytes() + letters
        head += struct.pack("<iI", 1, len(normal)) + normal + struct.pack("<i", len(self._stored))
        at = len(head) + sum(2 + len(name) + 21 for name in self._stored)
        at += -at % 4
        start, entries = at, b""
        for name, stored in self._stored.items():
            entries += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, at, len(stored))
            at += len(stored)
        path.write_bytes((head + entries).ljust(start, b"\0") + b"".join(self._stored.values()))
        return path

    def _plain(self, name: str, size: int, middle: float = 0.0) -> None:
        drawn = self._draw.normal(middle, 0.2, size).astype(np.float32)
        self.numbers[name], self._stored[name] = drawn.astype(np.float64), drawn.tobytes()

    def _norm(self, name: str) -> None:
        self._plain(f"{name}.w", WIDTH, middle=1.0)
        self._plain(f"{name}.b", WIDTH)

    def _matrix(self, name: str, rows: int, columns: int) -> None:
        values = self._draw.integers(0, 16, (rows, columns // BLOCK, BLOCK))
        scales = self._draw.uniform(0.01, 0.05, (rows, columns // BLOCK)).astype(np.float16)
        numbers = (values - 8.0) * scales[..., np.newaxis]
        self.numbers[name] = np.asarray(numbers.reshape(rows, columns), np.float64)
        pairs = (values[..., :16] | values[..., 16:] << 4).astype(np.uint8)
        stored = np.empty(scales.shape, [("scale", "<f2"), ("pairs", "u1", 16)])
        stored["scale"], stored["pairs"] = scales, pairs
        self._stored[name] = stored.tobytes()


def normalised(x: Floats, weights: dict[str, Floats], name: str) -> Floats:
    middle, spread = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return np.asarray((x - middle) / np.sqrt(spread + EPSILON) * weights[f"{name}.w"] + weights[f"{name}.b"])


def vector(tokens: list[int], weights: dict[str, Floats]) -> Floats:
    """The mean of what the last layer makes of each token: Devlin 2019, Vaswani 2017, with plain matrices."""

    def product(x: Floats, name: str) -> Floats:
        return np.asarray(x @ weights[f"{name}.w"].T + weights[f"{name}.b"])

    start = weights["emb.pos"].reshape(-1, WIDTH)[: len(tokens)] + weights["emb.type"][:WIDTH]
    x: Floats = normalised(weights["emb.word"][tokens] + start, weights, "emb.ln")
    for layer in (f"l{number}" for number in range(LAYERS)):
        seen: list[Floats] = []
        q, k, v = (np.split(product(x, f"{layer}.{part}"), HEADS, axis=1) for part in "qkv")
        for head in range(HEADS):
            near = np.exp(q[head] @ k[head].T / np.sqrt(WIDTH / HEADS))
            seen.append(near / near.sum(axis=1, keepdims=True) @ v[head])
        x = normalised(x + product(np.hstack(seen), f"{layer}.ao"), weights, f"{layer}.aln")
        inner = product(x, f"{layer}.fi")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        x = normalised(x + product(inner, f"{layer}.fo"), weights, f"{layer}.oln")
    return np.asarray(x.mean(axis=0))


def test_a_texts_vector_is_that_of_plain_matrices(tmp_path: Path) -> None:
    """But for the 8 bits to which what goes into a product is rounded."""
    from adapters.encoders.e5file import E5File
    from adapters.encoders.e5graph import graph
    from adapters.encoders.engines import _session

    written = Written()
    file = E5File(written.file(tmp_path / "e5.bin"))
    tokens = file.tokens.ids("hia a")
    (found,) = _session(graph(file)).run(["vector"], {"text": file.embedded(tokens)})[0]
    expected = vector(tokens, written.numbers)
    assert np.dot(found, expected) / np.linalg.norm(found) / np.linalg.norm(expected) > 0.999
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_the_pieces_of_words_stand_in_the_file(tmp_path: Path) -> None:
    """With what is read in a letter's place."""
    from adapters.encoders.e5file import E5File

    assert E5File(Written().file(tmp_path / "e5.bin")).tokens.ids("hiＡ") == [0, 6, 5, 2]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """By its name, before anything is computed with it."""
    from adapters.encoders.e5file import E5File

    with pytest.raises(ValueError, match=r"e5\.bin is no file of e5 weights"):
        E5File(Written().file(tmp_path / "e5.bin", magic=b"GGUF"))
    with pytest.raises(ValueError, match=r"blocks of 64 weights"):
        E5File(Written().file(tmp_path / "e5.bin", block=64))
