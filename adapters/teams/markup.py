"""Text for an Adaptive Card: what a TextBlock reads as Markdown, commands and mentions is made harmless.

Called by `cards` for lines of spans, and by `article` for the bodies of knowledge-base articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any
from urllib.parse import quote, urlsplit

from triage.document import Line, Link, Mention, Plain, Span, Strong, When

BREAK = "\u200b"
"""Zero-width: parts what a card would read as `{{DATE(…)}}` or `<at>…</at>`, unseen by the reader."""

URL_LIMIT = 2_000
LINK_SCHEMES = frozenset({"http", "https", "mailto"})

_SPECIAL = re.compile(r"[\\`*_\[\]~]|&(?=#?\w+;)|<(?=[a-zA-Z/!?])")
_COMMAND = re.compile(r"\{(?=\{|$)|<(?=/?at\b|$)", re.IGNORECASE)
_MARKER = re.compile(r"^([ \t]*)(\d{1,9}(?=[.)])|(?=[-+#>=]))", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def escaped(text: str) -> str:
    """The text so that a TextBlock shows it as it is; line breaks become the card's own."""
    return finished(inline(text))


def inline(text: str) -> str:
    """A part of a line, safe beside any other part; the whole must go through `finished`."""
    return unarmed(_SPECIAL.sub(r"\\\g<0>", text))


def unarmed(text: str) -> str:
    """The text without the two things a card acts upon in any text: instants and mentions."""
    return _COMMAND.sub(lambda found: f"{found.group()}{BREAK}", text)


def finished(text: str) -> str:
    """A whole text: no line begins like a list, a heading or a block of code; breaks are doubled."""
    text = _MARKER.sub(r"\1\2\\", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INDENT.sub(lambda found: "\u00a0" * len(found.group()), text)
    return re.sub(r"\n+", "\n\n", text.strip("\n"))


@dataclass(slots=True)
class Mentions:
    """Collects who a card mentions. A card finds the person by the text alone, so each has their own."""

    users: dict[str, str] = field(default_factory=dict)

    def tag(self, mention: Mention) -> str:
        if mention.user is None:
            return inline(f"@{mention.name}")
        name = " ".join(re.sub(r"[^\w .,'()-]|_", " ", mention.name).split()) or "?"
        while self.users.setdefault(f"<at>{name}</at>", mention.user) != mention.user:
            name += BREAK
        return f"<at>{name}</at>"

    def entities(self) -> list[dict[str, Any]]:
        """As `msteams.entities` wants them."""
        return [
            {"type": "mention", "text": text, "mentioned": {"id": user, "name": text[4:-5].replace(BREAK, "")}}
            for text, user in self.users.items()
        ]


def line_text(line: Line, mentions: Mentions) -> str:
    return finished("".join(_parts(line, mentions)))


def _parts(line: Line, mentions: Mentions) -> Iterator[str]:
    before = ""
    for span, following in zip(line, (*line[1:], None), strict=False):
        part = _part(span, mentions, before, _first_character(following))
        before = part[-1:] or before
        yield part


def _part(span: Span, mentions: Mentions, before: str, after: str) -> str:
    match span:
        case Plain(text):
            return inline(text)
        case Strong(text):
            return bold(text, before, after)
        case Link(url, label):
            return link(url, label)
        case When(at):
            instant = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            return f"{{{{DATE({instant},SHORT)}}}} {{{{TIME({instant})}}}}"
        case Mention():
            return mentions.tag(span)


def bold(text: str, before: str = "", after: str = "") -> str:
    """Bold where Markdown can show it: a run that begins or ends with a sign cannot touch a letter."""
    words = text.strip()
    opens = words[:1].isalnum() or not before.isalnum()
    closes = words[-1:].isalnum() or not after.isalnum()
    if not words or "\n" in words or not (opens and closes):
        return inline(text)
    lead = text[: len(text) - len(text.lstrip())]
    trail = text[len(text.rstrip()) :]
    return f"{lead}**{inline(words)}**{trail}"


def link(url: str, label: str) -> str:
    if not followable(url):
        return inline(label)
    return f"[{inline(' '.join(label.split())) or inline(url)}]({quote(url, safe=':/?#@!$&+,=%~-.')})"


def followable(url: str) -> bool:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme in LINK_SCHEMES and len(url) <= URL_LIMIT


def _first_character(span: Span | None) -> str:
    match span:
        case Plain(text) | Strong(text):
            return text[:1]
        case Link() | When() | Mention() | None:
            return ""
