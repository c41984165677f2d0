"""Markdown with YAML front matter: one article in one language a file.

Called by `bot.kbfiles.reading` and `bot.kbfiles.writing`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from bot.kbfiles.form import MAX_BODY, Defaults, FrontMatter, Page, Read, fields, page, tidy
from bot.yamlfile import Problem, Source, has_errors, parse
from triage.knowledge import Article

FENCE = "---"
KNOWN_FILES = 4_096
"""Files not read anew while their text is the same: reading YAML takes milliseconds a file."""

NOTHING = Defaults()
MAX_FRONT = 500_000
"""Characters of front matter: reading YAML takes about ten seconds for a million."""

_PLAIN = re.compile(r"(?!(?:null|true|false|yes|no|on|off|y|n)\Z)[^\W\d_][\w ().-]*(?<! )", re.IGNORECASE)
"""What may stand in YAML without quotes, and reads well so."""
_UNPRINTABLE = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")


ABOUT_THE_FOLDER = frozenset({"readme", "license", "contributing", "changelog"})
"""Names of files that a checkout holds beside articles."""


@lru_cache(maxsize=KNOWN_FILES)
def read(text: str, file: Path, defaults: Defaults = NOTHING) -> Read:
    """The article of a file's text; nothing when there is an error in it, or when it is about the folder."""
    parts = _split(text)
    if parts is None and file.stem.lower() in ABOUT_THE_FOLDER:
        return [], []
    if parts is None:
        message = (
            f"has no front matter: the file begins with a line {FENCE}, then id, lang, title and so on, then {FENCE}"
        )
        return [], [Problem(file=file, line=1, message=message)]
    front, body, below = parts
    if len(front) > MAX_FRONT:
        message = f"the front matter is too long: {len(front):,} characters, at most {MAX_FRONT:,}; use CSV or JSONL"
        return [], [Problem(file=file, line=2, message=message)]
    source, problems = parse(front, file, first_line=2)
    if has_errors(problems):
        return [], problems
    found, problems = page(_completed(source, defaults), FrontMatter)
    if found is None:
        return [], problems
    if len(body) > MAX_BODY:
        message = f"the text is too long: {len(body):,} characters, at most {MAX_BODY:,}"
        return [], [Problem(file=file, line=below, message=message)]
    return [Page(source, replace(found.article, body=body))], []


def _completed(source: Source, defaults: Defaults) -> Source:
    if not isinstance(source.data, dict):
        return source
    data = dict(source.data)
    defaults.fill(data)
    return replace(source, data=data)


def _split(text: str) -> tuple[str, str, int] | None:
    """Front matter, body, and the line after the front matter."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        return None
    end = next((index for index, line in enumerate(lines) if index and line.rstrip() == FENCE), None)
    if end is None:
        return None
    return "\n".join(lines[1:end]) + "\n", tidy("\n".join(lines[end + 1 :])), end + 2


def write(article: Article) -> str:
    """The text of an article's file."""
    front = fields(article)
    front.pop("body", None)
    lines = [line for key, value in front.items() for line in _entry(key, value)]
    return "\n".join([FENCE, *lines, FENCE, *([article.body] if article.body else []), ""])


def _entry(key: str, value: object) -> list[str]:
    if not isinstance(value, list):
        return [f"{key}: {_scalar(str(value))}"]
    if key == "tags":
        return [f"{key}: [{', '.join(map(_scalar, value))}]"]
    return [f"{key}:", *(f"  - {_scalar(item)}" for item in value)]


def _scalar(text: str) -> str:
    if (text.isdecimal() and text.isascii()) or re.fullmatch(r"\d{4}-\d\d-\d\d|team:\w+", text, re.ASCII):
        return text
    if text.isprintable() and _PLAIN.fullmatch(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
