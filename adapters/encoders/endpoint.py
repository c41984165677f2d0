"""Vectors from any address that speaks OpenAI's embeddings API. `bot.encoders` makes it.

It is called off the event loop, while somebody waits for an answer: times are short, and a service
that is down is left alone (`CircuitBreaker`). Neither errors nor logs hold the key or a text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from numpy.typing import NDArray

from adapters.encoders.breaker import CircuitBreaker
from adapters.encoders.texts import readable
from triage.matching import Encoder, EncoderFailed
from triage.model import Language

Rows = NDArray[np.float32]

BATCH = 64
"""Inputs of one request."""
LETTERS = 1_000
"""Of a text that is sent (see `readable`); models that read 512 tokens refuse more."""
CONNECT_SECONDS = 2.0
QUESTION_SECONDS = 5.0
BATCH_SECONDS = 30.0
RETRY_SECONDS = 0.5
MAX_RETRY_SECONDS = 2.0
"""A service that asks for a longer pause is not asked again this time."""
MAX_BYTES = 32 * 1024 * 1024

_AGAIN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""A connection that was kept open may be closed the moment it is used."""


class _Declined(EncoderFailed):
    """The service is well and does not want this input."""


class EndpointEncoder:
    """Implements `triage.matching.Encoder`; a text without words is sent as a dash.

    `url` is the address before `/embeddings`: https, or http on this machine (`bot.settings` sees to it).
    `tick` gives monotonic seconds.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str | None = None,
        *,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.name = f"{model} at {url.rstrip('/')}"
        self.specialists: Mapping[Language, Encoder] = {}
        self._address = f"{url.rstrip('/')}/embeddings"
        self._host = urlsplit(url).netloc
        self._model = model
        self._tick, self._sleep = tick, sleep
        self._max_bytes = max_bytes
        self._breaker = CircuitBreaker(tick=tick)
        self._dimensions: int | None = None
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        # Proxies of the environment are for the way out: not to this machine.
        self._client = httpx.Client(headers=headers, trust_env=urlsplit(url).scheme == "https")

    def remember(self, texts: Sequence[str]) -> Rows:
        """Nothing is kept here: see `adapters.encoders.cache`."""
        return self.encode(texts)

    def encode(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimensions), rows of unit length. Raises EncoderFailed."""
        batches = [self._encode(texts[first : first + BATCH]) for first in range(0, len(texts), BATCH)]
        return np.vstack(batches) if batches else np.zeros((0, self._dimensions or 0), np.float32)

    def close(self) -> None:
        self._client.close()

    def _encode(self, texts: Sequence[str]) -> Rows:
        if not self._breaker.admits():
            raise EncoderFailed(f"{self._host} failed several times in a row and is left alone for a while")
        try:
            rows = self._checked(_vectors(self._asked(texts), len(texts)))
        except _Declined:
            self._breaker.worked()
            raise
        except EncoderFailed as error:
            self._breaker.failed()
            raise EncoderFailed(f"{self._host} {error}") from None
        self._breaker.worked()
        return rows

    def _checked(self, rows: Rows) -> Rows:
        if self._dimensions not in (None, rows.shape[1]):
            raise EncoderFailed(f"gave vectors of {rows.shape[1]} dimensions, before that {self._dimensions}")
        self._dimensions = rows.shape[1]
        return rows

    def _asked(self, texts: Sequence[str]) -> bytes:
        """The body of a good response; asks once more when that may help and there is time."""
        sendable = [readable(text, LETTERS).strip() or "-" for text in texts]
        body = json.dumps({"model": self._model, "input": sendable}).encode()
        seconds = QUESTION_SECONDS if len(texts) == 1 else BATCH_SECONDS
        deadline = self._tick() + seconds
        try:
            return self._post(body, seconds)
        except _TryAgain as error:
            if error.after > MAX_RETRY_SECONDS or self._tick() + error.after >= deadline:
                raise EncoderFailed(str(error)) from None
            self._sleep(error.after)
        try:
            return self._post(body, deadline - self._tick())
        except _TryAgain as error:
            raise EncoderFailed(str(error)) from None

    def _post(self, body: bytes, seconds: float) -> bytes:
        deadline = self._tick() + seconds
        timeout = httpx.Timeout(max(seconds, 0.1), connect=CONNECT_SECONDS)
        try:
            with self._client.stream("POST", self._address, content=body, timeout=timeout) as response:
                self._refuse(response)
                return self._read(response, deadline)
        except _AGAIN:
            raise _TryAgain("broke the connection off", after=0.0) from None
        except httpx.ConnectError:
            raise EncoderFailed("cannot be reached") from None
        except httpx.TimeoutException:
            raise EncoderFailed("took too long") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EncoderFailed(f"could not be asked ({type(error).__name__})") from None

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._max_bytes:
                raise EncoderFailed("answered with more than can be read")
            if self._tick() > deadline:
                raise EncoderFailed("took too long")
        return bytes(body)

    def _refuse(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == 429 or status >= 500:
            raise _TryAgain(f"answered {status}", after=_pause(response.headers.get("Retry-After")))
        if status in (400, 413, 422):
            raise _Declined(f"{self._host} does not want this input ({status})")
        if status in (401, 403):
            raise EncoderFailed(f"refused the key ({status}): check DESKBELL_EMBEDDINGS_KEY")
        if status == 404:
            raise EncoderFailed("answered 404: check DESKBELL_EMBEDDINGS_URL and DESKBELL_EMBEDDINGS_MODEL")
        if response.is_redirect:
            raise EncoderFailed(f"sends elsewhere ({status}): set DESKBELL_EMBEDDINGS_URL to where it leads")
        if status != 200:
            raise EncoderFailed(f"answered {status}")


class _TryAgain(Exception):
    """It may work `after` seconds later."""

    def __init__(self, told: str, *, after: float) -> None:
        super().__init__(told)
        self.after = after


def _pause(retry_after: str | None) -> float:
    try:
        return max(0.0, float(retry_after or RETRY_SECONDS))
    except ValueError:
        return RETRY_SECONDS


def _vectors(body: bytes, count: int) -> Rows:
    """The vectors of a response in the order of the texts, of unit length. Raises EncoderFailed."""
    try:
        given = json.loads(body)["data"]
        placed = {entry.get("index", place): entry["embedding"] for place, entry in enumerate(given)}
        rows = np.array([placed[place] for place in range(count)], np.float64)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        raise EncoderFailed("answered with something that is not a list of vectors") from None
    if len(given) != count or rows.ndim != 2 or not rows.shape[1]:
        raise EncoderFailed("did not answer with one vector for each text")
    return _unit(rows)


def _unit(rows: NDArray[Any]) -> Rows:
    with np.errstate(all="ignore"):
        units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        directed = np.abs(np.linalg.norm(units, axis=1) - 1) < 1e-3
    if not directed.all():
        raise EncoderFailed("answered with a vector that has no direction")
    return np.asarray(units, np.float32)
