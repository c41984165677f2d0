"""Text as Slack's mrkdwn, in pieces that may be torn apart only between each other.

Pure; called by `adapters.slack.blocks`. User text is escaped and cannot become markup: Slack has no
escape for `*`, `_`, `~` and backticks, so a zero-width space on both sides takes their effect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from triage.document import Line, Link, Mention, Plain, Span, Strong, When

Pieces = tuple[str, ...]
"""Unbreakable bits of mrkdwn in reading order; their concatenation is the text."""

ZERO_WIDTH = "\u200b"
EDGE = "\ue000"
"""Stands at both edges of a styled run until `join`, where it becomes a zero-width space or nothing."""

LONGEST_STYLED = 300
LONGEST_LINK = 1_500

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ue000]")
_SPECIAL = re.compile(r"[*_~`&<>\x00-\x09\x0b-\x1f\x7f\ud800-\udfff\ue000]")
"""What a text must hold for it not to be shown as it is; few do."""
_MARKER = re.compile(r"(?<![A-Za-z0-9])[*_~`]|[*_~`](?![A-Za-z0-9])")
_WORD = re.compile(r"\n|[^\S\n]+|\S{1,100}")
_USER = re.compile(r"[UW][A-Z0-9]+")
_INVISIBLE = {ord(ZERO_WIDTH): None, ord(EDGE): None}
_ADDRESS = re.compile(r"(https?|mailto|slack):", re.IGNORECASE)


def plain(text: str) -> Pieces:
    """Text shown as it is."""
    if not _SPECIAL.search(text):
        return tuple(_WORD.findall(text))
    words = _WORD.findall(_UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return tuple(escape(word) for word in _neutral(words))


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def styled(marker: str, text: str) -> Pieces:
    """One run between two markers; what cannot be styled (too long, several lines, blank) stays plain."""
    inner = "".join(plain(text))
    if not text.strip() or "\n" in inner or len(inner) > LONGEST_STYLED or text != text.strip():
        return plain(text)
    return (f"{EDGE}{marker}{inner}{marker}{EDGE}",)


def link(url: str, label: str) -> Pieces:
    """A link, or the label alone when the address is not one for people."""
    words = " ".join(label.split()) or url
    address = re.sub(r"[\s<>|]", lambda match: f"%{ord(match.group()):02X}", url)
    if not _ADDRESS.match(address) or len(address) + len(words) > LONGEST_LINK:
        return plain(words)
    return (f"<{escape(address)}|{''.join(plain(words)).replace('|', '/')}>",)


def line(spans: Line) -> Pieces:
    return tuple(piece for span in spans for piece in _span(span))


def join(pieces: Pieces) -> str:
    """The text; around a styled run inside a word Slack needs a zero-width space to see the markers."""
    text = re.sub(rf"(?<=\S){EDGE}(?=\S)", ZERO_WIDTH, "".join(pieces))
    return text.replace(EDGE, "")


def split(pieces: Pieces, limit: int, *, lead: str = "") -> list[Pieces]:
    """Parts of at most `limit` characters, torn at a line's end, else between words.

    Every part but the first begins with `lead` (a quote stays a quote).
    """
    parts: list[Pieces] = []
    rest = pieces
    while rest:
        if parts and lead and rest[0] != lead:
            rest = (lead, *rest)
        end = max(_reach(rest, limit), 2 if lead else 1)
        if end < len(rest):
            end = _line_end(rest, end)
        parts.append(rest[:end])
        rest = _without_blank_start(rest[end:])
    return [part for part in parts if not _blank(part)]


def cut(pieces: Pieces, limit: int) -> str:
    """At most `limit` characters, with `…` where something is missing."""
    if _reach(pieces, limit) == len(pieces):
        return join(pieces).strip("\n")
    return join(pieces[: _reach(pieces, limit - 1)]).strip("\n").rstrip() + "…"


def shorten(text: str, limit: int) -> str:
    """Plain text (not mrkdwn) of at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _span(span: Span) -> Pieces:
    match span:
        case Plain(text):
            return plain(text)
        case Strong(text):
            return styled("*", text)
        case Link(url, label):
            return link(url, label)
        case When(at, fallback):
            words = "".join(plain(shorten(" ".join(fallback.split()), 200))).replace("|", "/")
            return (f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{words}>",)
        case Mention(user, name):
            return (f"<@{user}>",) if user and _USER.fullmatch(user) else plain(f"@{name}")


def _neutral(words: list[str]) -> Iterator[str]:
    """The words with their markers made harmless; a `>` quotes only at the start of a line."""
    starts_line = True
    for word in words:
        yield f"{ZERO_WIDTH}{_calm(word)}" if starts_line and word.startswith(">") else _calm(word)
        starts_line = word == "\n" or (starts_line and word.isspace())


def _calm(word: str) -> str:
    return _MARKER.sub(rf"{ZERO_WIDTH}\g<0>{ZERO_WIDTH}", word)


def _reach(pieces: Pieces, limit: int) -> int:
    """How many pieces fit."""
    length = 0
    for count, piece in enumerate(pieces):
        length += len(piece)
        if length > limit:
            return count
    return len(pieces)


def _line_end(pieces: Pieces, end: int) -> int:
    """The last line's end before `end`, unless that would waste more than half."""
    breaks = [index + 1 for index in range(end // 2, end) if pieces[index].endswith("\n")]
    return breaks[-1] if breaks else end


def _without_blank_start(pieces: Pieces) -> Pieces:
    start = next((index for index, piece in enumerate(pieces) if not piece.isspace()), len(pieces))
    return pieces[start:]


def _blank(pieces: Pieces) -> bool:
    return not "".join(pieces).translate(_INVISIBLE).strip()
