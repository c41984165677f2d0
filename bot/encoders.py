"""Which sentence encoder is in use, why, and how it is loaded. Used by `bot.compose` and `bot.doctor`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from adapters.encoders import bundled
from adapters.encoders.cache import CachedEncoder, file_for
from adapters.encoders.endpoint import EndpointEncoder
from bot.settings import Settings
from triage.matching import Encoder, EncoderFailed


class Kind(StrEnum):
    BUNDLED = "bundled"
    ENDPOINT = "endpoint"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """`trouble` says what keeps the encoder from working well, None when nothing does."""

    kind: Kind
    told: str
    trouble: str | None = None


def choice(settings: Settings) -> Choice:
    """What the settings and what is installed come to; loads and asks nothing."""
    match settings.encoder:
        case "off":
            return Choice(kind=Kind.OFF, told="off (DESKBELL_ENCODER=off): articles are matched by words alone")
        case "bundled":
            return _bundled()
        case "endpoint":
            return _endpoint(settings)
        case "auto" if settings.embeddings_url:
            return _endpoint(settings)
        case "auto" if bundled.missing():
            return Choice(
                kind=Kind.OFF,
                told="off: articles are matched by words alone",
                trouble=f"{bundled.missing()}; or set DESKBELL_EMBEDDINGS_URL",
            )
        case "auto":
            return _bundled()


def loader(settings: Settings, *, keep: bool = True) -> Callable[[], CachedEncoder] | None:
    """Loads the encoder in use, behind the vectors kept in the data folder; None when it is off.

    Unless `keep`, nothing is added to those.

    Loading takes seconds, and raises EncoderFailed when it cannot be done.
    """
    match choice(settings).kind:
        case Kind.OFF:
            return None
        case Kind.BUNDLED:
            return lambda: _cached(bundled.load(), settings.data, keep=keep)
        case Kind.ENDPOINT:
            return lambda: _cached(_of(settings), settings.data, keep=keep)


def attempt(settings: Settings) -> str:
    """Ask the embeddings address for one vector and tell how that went. Raises EncoderFailed."""
    encoder = _of(settings)
    try:
        started = time.monotonic()
        (vector,) = encoder.encode(["How do I reset my password?"])
        return f"{len(vector)} dimensions in {(time.monotonic() - started) * 1000:.0f} ms"
    finally:
        encoder.close()


def _bundled() -> Choice:
    return Choice(kind=Kind.BUNDLED, told="bundled: nothing leaves this machine", trouble=_bundled_trouble())


def _bundled_trouble() -> str | None:
    if reason := bundled.missing():
        return reason
    lacking = bundled.lacking()
    return f"it works in part: {lacking}" if lacking else None


def _endpoint(settings: Settings) -> Choice:
    return Choice(kind=Kind.ENDPOINT, told=f"{settings.embeddings_model} at {settings.embeddings_url}")


def _of(settings: Settings) -> EndpointEncoder:
    if settings.embeddings_url is None or settings.embeddings_model is None:
        raise EncoderFailed("DESKBELL_EMBEDDINGS_URL is not set")
    key = settings.embeddings_key.get_secret_value() if settings.embeddings_key else None
    return EndpointEncoder(settings.embeddings_url, settings.embeddings_model, key)


def _cached(encoder: Encoder, folder: Path, *, keep: bool) -> CachedEncoder:
    return CachedEncoder(encoder, file_for(folder, encoder.name), keep=keep)
