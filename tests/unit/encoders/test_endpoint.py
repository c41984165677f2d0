"""Vectors from an OpenAI-compatible address, against a server on a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from adapters.encoders import endpoint
from adapters.encoders.breaker import REST_SECONDS
from adapters.encoders.endpoint import EndpointEncoder
from tests.fakes.embeddings_server import KEY, EmbeddingsServer, Reply, embeddings_server, listed, vector
from tests.unit.encoders.clock import Clock
from triage.matching import Encoder, EncoderFailed

Make = Callable[..., EndpointEncoder]


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(server: EmbeddingsServer, clock: Clock) -> Iterator[Make]:
    made: list[EndpointEncoder] = []

    def one(key: str | None = None, **options: int) -> EndpointEncoder:
        made.append(EndpointEncoder(server.url, "small", key, tick=clock.tick, sleep=clock.sleep, **options))
        return made[-1]

    yield one
    for encoder in made:
        encoder.close()


def direction(text: str) -> list[float]:
    made = np.array(vector(text, 8))
    return [float(part) for part in made / np.linalg.norm(made)]


def test_rows_have_unit_length_and_the_order_of_the_texts(make: Make, server: EmbeddingsServer) -> None:
    """Whatever length the service gives, and in whatever order: the index counts."""
    data = [{"index": 1, "embedding": [0, 5]}, {"index": 0, "embedding": [3, 4]}]
    server.replies.append(Reply(body=json.dumps({"data": data}).encode()))
    rows = make().encode(["a", "b"])
    assert rows.dtype == np.float32
    assert np.allclose(rows, [[0.6, 0.8], [0.0, 1.0]])


def test_model_and_address_name_the_vectors(make: Make, server: EmbeddingsServer) -> None:
    """Vectors of another model, or of the same name elsewhere, cannot be compared."""
    encoder: Encoder = make()
    assert encoder.name == f"small at {server.url}"


def test_many_texts_are_sent_64_at_a_time(make: Make, server: EmbeddingsServer) -> None:
    """Services bound the number of inputs; the rows come back as if it had been one request."""
    texts = [f"text {number}" for number in range(130)]
    rows = make().encode(texts)
    assert [len(inputs) for inputs in server.inputs] == [64, 64, 2]
    assert np.allclose(rows, [direction(text) for text in texts], atol=1e-6)


def test_nothing_to_encode_asks_nothing(make: Make, server: EmbeddingsServer) -> None:
    """An empty list is no request."""
    assert make().encode([]).shape[0] == 0
    assert server.asked == []


def test_texts_that_no_service_takes_are_made_sendable(make: Make, server: EmbeddingsServer) -> None:
    """Empty ones, half a surrogate pair, NUL and 40,000 characters: each has a vector."""
    rows = make().encode(["", "\ud800", "a\0b", "x" * 40_000, "密" * 40_000])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert server.inputs[0][:3] == ["-", "?", "a b"]
    assert [len(text) for text in server.inputs[0][3:]] == [1_000, 500]


def test_the_key_is_sent_and_never_told(make: Make, server: EmbeddingsServer) -> None:
    """A service may repeat the key in its refusal; we do not."""
    server.key = KEY
    make(KEY).encode(["a"])
    with pytest.raises(EncoderFailed, match="DESKBELL_EMBEDDINGS_KEY") as refusal:
        make("sk-wrong").encode(["a"])
    assert "sk-wrong" not in f"{refusal.value!r} {refusal.value.__context__!r} {refusal.value.__cause__!r}"


def test_a_key_that_cannot_be_sent_is_never_told(make: Make) -> None:
    """The line break that came with a pasted key: libraries quote the header they refuse."""
    with pytest.raises(EncoderFailed) as refusal:
        make("sk-secret\nx").encode(["a"])
    assert "sk-secret" not in f"{refusal.value!r} {refusal.value.__cause__!r}"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_asked_once_more(make: Make, server: EmbeddingsServer, clock: Clock, status: int) -> None:
    """After the pause it asks for."""
    server.replies.append(Reply(status=status, headers={"Retry-After": "1.5"}))
    assert np.allclose(make().encode(["a"]), [direction("a")], atol=1e-6)
    assert clock.slept == [1.5]


def test_it_is_not_asked_a_third_time(make: Make, server: EmbeddingsServer) -> None:
    """Somebody waits for the answer."""
    server.replies += [Reply(status=503)] * 2
    with pytest.raises(EncoderFailed, match="503"):
        make().encode(["a"])
    assert len(server.asked) == 2


@pytest.mark.parametrize("pause", ["3600", "inf"])
def test_a_long_pause_is_not_waited_for(make: Make, server: EmbeddingsServer, clock: Clock, pause: str) -> None:
    """Words answer meanwhile."""
    server.replies.append(Reply(status=429, headers={"Retry-After": pause}))
    with pytest.raises(EncoderFailed, match="429"):
        make().encode(["a"])
    assert clock.slept == []


@pytest.mark.parametrize("pause", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", ""])
def test_a_pause_that_is_no_number_of_seconds_is_short(make: Make, server: EmbeddingsServer, pause: str) -> None:
    """Dates and nonsense too."""
    server.replies.append(Reply(status=429, headers={"Retry-After": pause}))
    assert make().encode(["a"]).shape == (1, 8)


def test_a_service_that_is_down_is_left_alone(make: Make, server: EmbeddingsServer, clock: Clock) -> None:
    """After three failures in a row nobody waits for it; half a minute later one question tries."""
    encoder = make()
    server.replies += [Reply(status=404)] * 3
    for _ in range(3):
        with pytest.raises(EncoderFailed, match="404"):
            encoder.encode(["a"])
    with pytest.raises(EncoderFailed, match="left alone"):
        encoder.encode(["a"])
    assert len(server.asked) == 3
    clock.seconds += REST_SECONDS
    assert encoder.encode(["a"]).shape == (1, 8)


def test_an_input_it_does_not_want_is_no_sign_of_weakness(make: Make, server: EmbeddingsServer) -> None:
    """One odd message must not take everybody's answers away."""
    encoder = make()
    server.replies += [Reply(status=413)] * 5
    for _ in range(5):
        with pytest.raises(EncoderFailed, match="413"):
            encoder.encode(["a"])
    assert encoder.encode(["a"]).shape == (1, 8)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"data": 3}',
        b'{"data": [[]]}',
        b'{"data": [{"index": 0}]}',
        b'{"data": [{"index": [], "embedding": [1]}]}',
        b'{"data": ' + b"[" * 100_000,
        listed([]),
        listed([[]]),
        listed([[1, 2], [3, 4]]),
        listed([1.0]),
        listed([["x"]]),
        listed([[None, 1]]),
        listed([[0, 0]]),
        listed([[float("nan"), 1]]),
        listed([[float("inf"), 1]]),
        listed([[1e308, 1e308]]),
        listed([[10**400, 1]]),
    ],
)
def test_whatever_is_no_vector_is_refused(make: Make, server: EmbeddingsServer, body: bytes) -> None:
    """A sentence says so; nothing of it comes near a matcher."""
    server.replies.append(Reply(body=body))
    with pytest.raises(EncoderFailed, match=r"127\.0\.0\.1"):
        make().encode(["a"])


def test_vectors_of_another_size_are_refused(make: Make, server: EmbeddingsServer) -> None:
    """Somebody changed the model behind the address: what is built cannot be compared any more."""
    encoder = make()
    encoder.encode(["a"])
    server.dimensions = 4
    with pytest.raises(EncoderFailed, match="4 dimensions, before that 8"):
        encoder.encode(["a"])


def test_redirects_are_not_followed(make: Make, server: EmbeddingsServer) -> None:
    """Questions and key go where the admin said, nowhere else."""
    server.replies.append(Reply(status=307, headers={"Location": f"{server.url}/elsewhere"}))
    with pytest.raises(EncoderFailed, match="elsewhere"):
        make().encode(["a"])
    assert len(server.asked) == 1


def test_an_endless_response_is_not_read(make: Make, server: EmbeddingsServer) -> None:
    """A bound on bytes, whatever the server promises."""
    server.replies.append(Reply(body=b"x" * 3_000))
    with pytest.raises(EncoderFailed, match="more than can be read"):
        make(max_bytes=2_000).encode(["a"])


def test_a_response_that_stops_is_not_waited_for(server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest never comes; the question is answered by words instead."""
    monkeypatch.setattr(endpoint, "QUESTION_SECONDS", 1.0)
    server.replies.append(Reply(body=b"{", rest=100))
    encoder = EndpointEncoder(server.url, "small")
    with pytest.raises(EncoderFailed, match="took too long"):
        encoder.encode(["a"])
    encoder.close()


def test_nobody_there(clock: Clock) -> None:
    """A sentence, at once."""
    with embeddings_server() as gone:
        url = gone.url
    encoder = EndpointEncoder(url, "small", tick=clock.tick, sleep=clock.sleep)
    with pytest.raises(EncoderFailed, match="cannot be reached"):
        encoder.encode(["a"])
    encoder.close()


def test_proxies_are_not_for_this_machine(
    make: Make, server: EmbeddingsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is set in many offices."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert make().encode(["a"]).shape == (1, 8)
