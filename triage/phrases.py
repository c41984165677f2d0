"""The one catalogue of everything a person reads, in English, Korean and Traditional Chinese.

The texts live in `locales/<part>.<language>.toml`. `{name}` is a placeholder, `*…*` is strong.
Used by `triage.layout` to build documents, by the web page for its labels, and for reasons.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from types import MappingProxyType
from zoneinfo import ZoneInfo

from triage.document import Line, Plain, Span, Strong
from triage.model import Language

_STRONG = re.compile(r"(\*[^*]+\*)")
_EMPTY: Mapping[str, object] = MappingProxyType({})


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
    return catalogue(language)[key].format(**values).replace("*", "")


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
    return tuple(spans)


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


def language_of_locale(locale: str | None) -> Language:
    """The language for a platform's locale tag; English for everything the catalogue lacks."""
    tag = (locale or "").replace("_", "-").lower()
    if tag.startswith("ko"):
        return Language.KO
    if tag.startswith("zh") and not any(part in tag for part in ("hans", "-cn", "-sg")):
        return Language.ZH_HANT
    return Language.EN
