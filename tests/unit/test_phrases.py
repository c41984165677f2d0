"""The catalogue: the same texts in every language, all of them used, none missing."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import triage
from triage.document import Mention, Plain, Strong
from triage.model import Language
from triage.outgoing import Term, Who
from triage.phrases import catalogue, language_of_locale, line, moment, noted, say, spoken

TRIAGE = Path(triage.__file__).parent
ROOT = TRIAGE.parent
LOCALES = TRIAGE / "locales"
PARTS = sorted({path.name.partition(".")[0] for path in LOCALES.glob("*.toml")})


def texts(part: str, language: Language) -> dict[str, str]:
    return tomllib.loads((LOCALES / f"{part}.{language}.toml").read_text(encoding="utf-8"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def strong(text: str) -> int:
    return len(re.findall(r"\*[^*]+\*", text))


# --- parity ------------------------------------------------------------------------------------
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", Language)
def test_every_part_has_the_same_keys_in_every_language(part: str, language: Language) -> None:
    """Nobody gets half a sentence, or an English one."""
    assert list(texts(part, language)) == list(texts(part, Language.EN))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", Language)
def test_every_text_has_the_same_placeholders_in_every_language(part: str, language: Language) -> None:
    """A value left out in one language is something its readers never learn."""
    english = {key: placeholders(text) for key, text in texts(part, Language.EN).items()}
    assert {key: placeholders(text) for key, text in texts(part, language).items()} == english


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", Language)
def test_bold_markers_are_whole(part: str, language: Language) -> None:
    """Every asterisk belongs to a pair, or it would be shown."""
    odd = [key for key, text in texts(part, language).items() if text.count("*") != 2 * strong(text)]
    assert odd == []


@pytest.mark.parametrize("language", Language)
def test_no_text_is_empty_and_none_stands_in_two_parts(language: Language) -> None:
    """One key, one text."""
    found = [(key, text) for part in PARTS for key, text in texts(part, language).items()]
    assert all(text.strip() for _, text in found)
    assert len(found) == len({key for key, _ in found}) == len(catalogue(language))


# --- used and known ----------------------------------------------------------------------------
@cache
def sources() -> str:
    files = (path for top in ("triage", "bot", "adapters") for path in (ROOT / top).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def prefixes() -> set[str]:
    """Beginnings of keys that the program completes: `f"status.{ticket.status}"`."""
    return set(re.findall(r'f"([a-z_]+(?:\.[a-z_]+)*\.)\{', sources()))


def test_no_key_is_unused() -> None:
    """What nobody reads need not be translated."""
    ours, beginnings, titles = sources(), prefixes(), {"title", "empty"}
    unused = [
        key
        for key in catalogue(Language.EN)
        if f'"{key}"' not in ours
        and not any(key.startswith(beginning) for beginning in beginnings)
        and not (key.partition(".")[2] in titles and f'"{key.partition(".")[0]}"' in ours)
    ]
    assert unused == []


def keys_in_code() -> Iterator[str]:
    """Every string of the core that is written like a key of a known family."""
    families = {key.partition(".")[0] for key in catalogue(Language.EN) if "." in key}
    written = re.compile(rf"(?:{'|'.join(sorted(families))})\.[a-z0-9_.]+")
    for path in TRIAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and written.fullmatch(node.value):
                yield node.value


def test_every_key_in_the_code_exists() -> None:
    """A key that the catalogue lacks would fail when the message is sent."""
    partial = prefixes()
    found = {key for key in keys_in_code() if not any(prefix.startswith(key) or key == prefix for prefix in partial)}
    assert found
    assert {key for key in found if key not in catalogue(Language.EN)} == set()


# --- saying --------------------------------------------------------------------------------------
def test_a_key_is_said_in_plain_words() -> None:
    """Without the markers of the template, with those of the value as they are."""
    assert say("card.heading", Language.EN, {"number": 7, "subject": "*bold* {move}"}) == "#7 *bold* {move}"
    assert say("done.claimed", Language.EN, {"number": 7}) == "Ticket #7 is yours."


def test_a_line_keeps_what_is_strong_and_puts_spans_in_place() -> None:
    """A mention stays one, also where the template is bold."""
    spans = line("event.assigned", Language.EN, {"actor": Plain("Lee*"), "owner": Mention("U1", "Kim")})
    assert spans == (Strong("Lee*"), Plain(" assigned this to "), Mention("U1", "Kim"), Plain("."))
    taken = line("error.taken", Language.EN, {"owner": Mention("U1", "Kim"), "number": Plain("7")})
    assert taken[0] == Mention("U1", "Kim")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.EN, "Monday 9 March, 09:30 (London)"),
        (Language.KO, "3월 9일 월요일 09:30 (London)"),
        (Language.ZH_HANT, "3月9日 週一 09:30（London）"),
    ],
)
def test_an_instant_is_said_with_its_zone(language: Language, words: str) -> None:
    """Where a platform cannot show the reader's own time."""
    assert moment(datetime(2026, 3, 9, 9, 30, tzinfo=UTC), "Europe/London", language) == words


def test_a_zone_of_two_words_is_readable() -> None:
    """`America/New_York` is New York."""
    assert moment(datetime(2026, 7, 1, 12, 0, tzinfo=UTC), "America/New_York", Language.EN).endswith("08:00 (New York)")


# --- kept sentences ------------------------------------------------------------------------------
def test_a_noted_sentence_is_spoken_in_any_language() -> None:
    """Its values travel with it: names as names, terms in the reader's language."""
    values = {"actor": Who(person="lee", name='Lee "L" \n*'), "priority": Term(term="priority.high")}
    kept = noted("event.priority", Language.KO, values)
    assert "\n" not in kept
    assert spoken(kept, Language.EN) == 'Lee "L" \n* set the priority to high.'
    assert "높음" in spoken(kept, Language.KO)


@pytest.mark.parametrize(
    "text", ["because", "[draft]", "[]", "[1, 2]", '["no.such.key", {}]', '["event.claimed", {}]', ""]
)
def test_any_other_text_is_spoken_as_it_is(text: str) -> None:
    """Sentences of the matcher, and whatever only looks like a kept one."""
    assert spoken(text, Language.KO) == text


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("ko-KR", Language.KO),
        ("ko", Language.KO),
        ("zh-TW", Language.ZH_HANT),
        ("zh_HK", Language.ZH_HANT),
        ("zh-Hant-TW", Language.ZH_HANT),
        ("zh", Language.ZH_HANT),
        ("zh-CN", Language.EN),
        ("zh-Hans", Language.EN),
        ("en-GB", Language.EN),
        ("fr-FR", Language.EN),
        ("", Language.EN),
        (None, Language.EN),
    ],
)
def test_a_locale_finds_its_language(tag: str | None, language: Language) -> None:
    """English for everything the catalogue lacks."""
    assert language_of_locale(tag) is language
