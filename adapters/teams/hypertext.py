"""The words of a post of rich content, as plain text. Pure; called by `adapters.teams.inbound`.

The standard library's parser takes ten seconds for twenty kilobytes of `<a <a <a`, on the event loop; this one
looks at each character once or twice, whatever they are.
"""

from __future__ import annotations

import html
import re

BREAKS = frozenset({"br", "p", "div", "li", "tr", "blockquote", "pre", "h1", "h2", "h3"})
"""Elements that begin a line."""
LARGEST_DIGITS = 7
"""Of a character's number; no character has a higher one."""

_MARKUP = re.compile(
    r"""<!--.*?(?:-->|\Z)"""
    r"""|<[!?][^<>]*>"""
    r"""|<(?P<end>/)?(?P<name>[A-Za-z][^\s<>/"']*+)(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""",
    re.DOTALL,
)
_NUMBERED = re.compile(r"&#([0-9]{8,}+);?")


def words(source: str) -> str:
    """What a reader of the HTML would see, a line for each block; never raises."""
    found, said, at = [], False, 0
    for markup in _MARKUP.finditer(source):
        text = characters(source[at : markup.start()])
        said, at = said or bool(text.strip()), markup.end()
        begins_line = not markup["end"] and (markup["name"] or "").lower() in BREAKS
        found += [text, "\n"] if said and begins_line else [text]
    return "".join([*found, characters(source[at:])])


def characters(text: str) -> str:
    """The text with its references (`&lt;`, `&#38;`) read; Python refuses numbers of thousands of digits."""
    return html.unescape(_NUMBERED.sub(_short, text))


def _short(reference: re.Match[str]) -> str:
    digits = reference[1].lstrip("0")
    return f"&#{digits or 0};" if len(digits) <= LARGEST_DIGITS else "\N{REPLACEMENT CHARACTER}"
