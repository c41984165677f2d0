"""Vectors of the knowledge base's texts on disk, so that a restart or a refit encodes only what is new.

`bot.encoders` puts it before the encoder in use. Only what a matcher is built from is kept: a message
is looked up (it may be the very phrasing of an article) and never written, not even as a hash.
"""

from __future__ import annotations

import os
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

import numpy as np
import structlog
from numpy.typing import NDArray

from triage.matching import Encoder, EncoderFailed
from triage.model import Language

Rows = NDArray[np.float32]

KEPT_DAYS = 90
"""Without being used."""
BATCH = 64
"""Texts encoded before the clock is looked at."""
BETWEEN_WRITES = 30.0
"""Seconds of encoding that a process which is killed loses at most."""

DAY_SECONDS = 86_400

_UNREADABLE = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, MemoryError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
"""What reading a damaged .npz was seen to raise."""

log = structlog.get_logger(__name__)


class CachedEncoder:
    """Implements `triage.matching.Encoder`: a message is looked up and never kept, an article's text is kept.

    `file` belongs to one encoder (see `file_for`) and may be shared by processes. `now` gives seconds
    since 1970. Unless `keep`, what the file has is used and nothing is added to it.
    """

    def __init__(self, inner: Encoder, file: Path, *, now: Callable[[], float] = time.time, keep: bool = True) -> None:
        self.name = inner.name
        self._keep = keep
        self._inner = inner
        self._store = _Store(file, inner.name, now=now)
        self.specialists: Mapping[Language, Encoder] = {
            language: CachedEncoder(one, file_for(file.parent, one.name), now=now, keep=keep)
            for language, one in inner.specialists.items()
        }

    def encode(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimensions), rows of unit length. Raises EncoderFailed."""
        known = self._store.find(texts)
        fresh = self._encoded([text for text in dict.fromkeys(texts) if text not in known])
        return self._rows(texts, known | fresh)

    def remember(self, texts: Sequence[str]) -> Rows:
        """As `encode`, and keeps what it had to encode, also when it fails half-way."""
        if not self._keep:
            return self.encode(texts)
        self._store.refresh()
        known = self._store.find(texts)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        try:
            for first in range(0, len(new), BATCH):
                fresh = self._encoded(new[first : first + BATCH])
                self._store.add(fresh)
                known |= fresh
        finally:
            self._store.used(texts)
            self._store.write()
        return self._rows(texts, known)

    def _encoded(self, texts: list[str]) -> dict[str, Rows]:
        if not texts:
            return {}
        rows = self._inner.encode(texts)
        self._store.expect(rows.shape[1])
        return dict(zip(texts, rows, strict=True))

    def _rows(self, texts: Sequence[str], known: dict[str, Rows]) -> Rows:
        return np.stack([known[text] for text in texts]) if texts else self._inner.encode(())


def file_for(folder: Path, encoder: str) -> Path:
    """The file of the encoder of that name in a data folder."""
    return folder / f"vectors-{sha256(encoder.encode()).hexdigest()[:16]}.npz"


@dataclass(slots=True)
class _Kept:
    vector: Rows
    day: int
    """It was last used, in days since 1970."""


class _Store:
    """The file and what it holds. Whoever writes adds what others wrote meanwhile, and replaces it whole.

    Of two processes that write at the very same time one may lose its new vectors: they are encoded again.
    """

    def __init__(self, file: Path, encoder: str, *, now: Callable[[], float]) -> None:
        self._file = file
        self._encoder = encoder
        self._now = now
        self._lock, self._writing = Lock(), Lock()
        self._kept: dict[bytes, _Kept] = {}
        self._seen: tuple[int, int, int] | None = None
        self._written = now()
        self._changed = False
        self.refresh()

    def find(self, texts: Sequence[str]) -> dict[str, Rows]:
        with self._lock:
            kept = ((text, self._kept.get(_key(text))) for text in dict.fromkeys(texts))
            return {text: found.vector for text, found in kept if found is not None}

    def expect(self, dimensions: int) -> None:
        """Forget vectors of another size. Raises EncoderFailed when there were any: the encoder is not what it was."""
        with self._lock:
            stale = [key for key, kept in self._kept.items() if kept.vector.size != dimensions]
            for key in stale:
                del self._kept[key]
        if stale:
            with suppress(OSError):
                self._file.unlink()
            raise EncoderFailed(f"{self._encoder}: its vectors have another size now; they are encoded anew")

    def add(self, vectors: dict[str, Rows]) -> None:
        with self._lock:
            for text, vector in vectors.items():
                self._kept[_key(text)] = _Kept(vector, self._today())
            self._changed |= bool(vectors)
        if self._now() - self._written >= BETWEEN_WRITES:
            self.write()

    def used(self, texts: Sequence[str]) -> None:
        """Note that these are in use today."""
        today = self._today()
        with self._lock:
            for kept in map(self._kept.get, map(_key, texts)):
                if kept is not None and kept.day != today:
                    kept.day = today
                    self._changed = True

    def refresh(self) -> None:
        """Take over what another process wrote."""
        with self._lock:
            self._merge()

    def _today(self) -> int:
        return int(self._now() // DAY_SECONDS)

    def _merge(self) -> None:
        try:
            seen = _identity(self._file)
            if seen == self._seen:
                return
            held = _read(self._file, self._encoder)
        except FileNotFoundError:
            return
        except _UNREADABLE as error:
            log.warning("stored vectors cannot be used and are made anew", file=str(self._file), error=str(error))
            with suppress(OSError):
                self._file.unlink()
            return
        self._seen = seen
        sizes = {kept.vector.size for kept in self._kept.values()}
        for key, kept in held.items():
            if sizes and kept.vector.size not in sizes:
                continue
            mine = self._kept.setdefault(key, kept)
            mine.day = max(mine.day, kept.day)

    def write(self) -> None:
        """When there is anything new; a file that cannot be written costs no more than time."""
        with self._writing:
            with self._lock:
                if not self._changed:
                    return
                self._merge()
                oldest = self._today() - KEPT_DAYS
                self._kept = {key: kept for key, kept in self._kept.items() if kept.day >= oldest}
                self._written, self._changed = self._now(), False
                kept = dict(self._kept)
            try:
                _replace(self._file, self._encoder, kept)
                self._seen = _identity(self._file)
                _drop_old(self._file, self._now() - KEPT_DAYS * DAY_SECONDS)
            except OSError as error:
                log.warning("vectors could not be stored", file=str(self._file), error=str(error))


def _key(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _identity(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(file: Path, encoder: str) -> dict[bytes, _Kept]:
    """Raises ValueError when it holds anything else than vectors of this encoder."""
    with file.open("rb") as source, np.load(source, allow_pickle=False) as held:
        name, keys, days, vectors = str(held["encoder"]), held["keys"], held["days"], held["vectors"]
    if name != encoder:
        raise ValueError(f"they are of {name}")
    if vectors.dtype != np.float32 or vectors.ndim != 2 or keys.dtype != np.uint8 or days.dtype.kind != "i":
        raise ValueError("they have another form")
    if keys.shape != (len(vectors), 32) or days.shape != (len(vectors),) or not _unit(vectors):
        raise ValueError("they are damaged")
    return {key.tobytes(): _Kept(vector, int(day)) for key, vector, day in zip(keys, vectors, days, strict=True)}


def _unit(vectors: Rows) -> bool:
    with np.errstate(all="ignore"):
        return bool((np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3).all())


def _replace(file: Path, encoder: str, kept: dict[bytes, _Kept]) -> None:
    """Readable for the owner alone: from a vector one may guess at its text."""
    columns = {
        "encoder": np.array(encoder),
        "keys": np.frombuffer(b"".join(kept), np.uint8).reshape(len(kept), 32),
        "days": np.array([one.day for one in kept.values()], np.int32),
        "vectors": np.array([one.vector for one in kept.values()], np.float32),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            np.savez(out, allow_pickle=False, **columns)
        os.replace(unfinished, file)
    except BaseException:
        os.unlink(unfinished)
        raise


def _drop_old(file: Path, before: float) -> None:
    """Remove the files of encoders that nobody uses any more, and what a killed process left unfinished."""
    for other in file.parent.glob("vectors-*"):
        if other != file and other.stat().st_mtime < before:
            other.unlink(missing_ok=True)
