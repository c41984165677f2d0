"""The one catalogue of everything a person reads, in English, Korean and Traditional Chinese.

The texts live in `locales/<part>.<language>.toml`. `{name}` is a placeholder, `*…*` is strong.
Used by `triage.layout` to build documents, by the web page for its labels, and for reasons, which are
kept as `noted` and `spoken` when somebody asks.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from string import Formatter
from types import MappingProxyType
from zoneinfo import ZoneInfo

from triage.document import Line, Plain, Span, Strong
from triage.model import Language
from triage.outgoing import Term, Who

_STRONG = re.compile(r"(\*[^*]+\*)")
_EMPTY: Mapping[str, object] = MappingProxyType({})
_AS_JSON = json.JSONEncoder(ensure_ascii=False)


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """All texts of one language by key."""
    texts: dict[str, str] = {}
    for entry in sorted(files("triage.locales").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(f".{language}.toml"):
            texts.update(tomllib.loads(entry.read_text(encoding="utf-8")))
    return MappingProxyType(texts)


def say(key: str, language: Language, values: Mapping[str, object] = _EMPTY) -> str:
    """The text of a key as one plain string. Raises KeyError for a key the catalogue lacks."""
    return catalogue(language)[key].replace("*", "").format(**values)


def noted(key: str, language: Language, values: Mapping[str, object] = _EMPTY) -> str:
    """A sentence to be kept: its key and values, for `spoken` to put into whatever language it is read in.

    Has the form of `say`; `language` has no part in it.
    """
    return _AS_JSON.encode([key, {name: _kept(value) for name, value in values.items()}])


def spoken(text: str, language: Language) -> str:
    """What `noted` kept, as a sentence; any other text as it is."""
    if not text.startswith("["):
        return text
    try:
        key, values = json.loads(text)
        told = {
            name: say(value["term"], language) if isinstance(value, dict) else value for name, value in values.items()
        }
        return say(key, language, told)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return text


def _kept(value: object) -> object:
    match value:
        case Who(name=name):
            return name
        case Term(term=term):
            return {"term": term}
        case int():
            return value
        case _:
            return str(value)


def line(key: str, language: Language, values: Mapping[str, Span]) -> Line:
    """The text of a key with spans put in for its placeholders."""
    spans: list[Span] = []
    for part in _STRONG.split(catalogue(language)[key]):
        strong = len(part) > 2 and part.startswith("*")
        for literal, name, _, _ in Formatter().parse(part.strip("*") if strong else part):
            if literal:
                spans.append(Strong(literal) if strong else Plain(literal))
            if name is not None:
                spans.append(_emphasised(values[name], strong=strong))
    return tuple(_joined(spans))


def _joined(spans: list[Span]) -> Iterator[Span]:
    """Neighbours of one kind as one: `*#{number}*` is one strong word on every platform.

    A sign alone stays plain: after a date Markdown would show its stars.
    """
    for kind, group in groupby(spans, key=type):
        if kind is Plain or kind is Strong:
            text = "".join(span.text for span in group if isinstance(span, Plain | Strong))
            yield kind(text) if any(map(str.isalnum, text)) else Plain(text)
        else:
            yield from group


def _emphasised(span: Span, *, strong: bool) -> Span:
    return Strong(span.text) if strong and isinstance(span, Plain) else span


def moment(at: datetime, zone: str, language: Language) -> str:
    """An instant in words with its zone's name: `Mon 9 March, 09:30 (London)`."""
    local = at.astimezone(ZoneInfo(zone))
    texts = catalogue(language)
    return texts["time.moment"].format(
        weekday=texts[f"time.day.{local.weekday()}"],
        day=local.day,
        month=texts[f"time.month.{local.month}"],
        time=f"{local:%H:%M}",
        zone=zone.rpartition("/")[2].replace("_", " "),
    )


def known_zone(name: str | None) -> str | None:
    """The IANA zone a client says it is in; None for what nobody knows, whatever it tries to be."""
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, ValueError, OSError):  # unknown; no path within the zones; a folder of theirs, or too long
        return None


def language_of_locale(locale: str | None) -> Language:
    """The language for a platform's locale tag; English for everything the catalogue lacks."""
    tag = (locale or "").replace("_", "-").lower()
    if tag.startswith("ko"):
        return Language.KO
    if tag.startswith("zh") and not any(part in tag for part in ("hans", "-cn", "-sg")):
        return Language.ZH_HANT
    return Language.EN
