"""A knowledge-base article's Markdown as TextBlocks, in the subset that Teams' cards can show.

Cards know bold, italic, links and lists. Headings become larger blocks, code a monospace block,
images links, tables lines. Called by `cards`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adapters.teams.markup import escaped, inline, link, unarmed

Element = dict[str, Any]

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"^ {0,3}([*_=])( *\1){2,} *$")
_ITEM = re.compile(r"^\s*([-*+]|\d{1,9}[.)])\s+")
_ROW = re.compile(r"^\s*\|(.*)\|\s*$")
_INLINE = re.compile(
    r"(?P<image>!\[(?P<alt>[^\]]*)\]\((?P<source>[^)\s]*)[^)]*\))"
    r"|(?P<link>\[(?P<label>[^\]]*)\]\((?P<url>[^)\s]*)[^)]*\))"
    r"|(?P<code>`+)(?P<content>.+?)(?P=code)"
    r"|(?P<auto><(?P<address>https?://[^>\s]+)>)"
    r"|(?P<html></?[a-zA-Z][^>]*>|<!--.*?-->)"
    r"|(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<strike>~~)"
)


def elements(source: str) -> list[Element]:
    """One element for each paragraph, list, heading and code block, in order; never empty text."""
    return [element for element in _blocks(source.replace("\r\n", "\n").split("\n")) if element["text"].strip()]


def _blocks(lines: list[str]) -> Iterator[Element]:
    paragraph: list[str] = []
    fence, code = "", list[str]()
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            if mark and mark.group(1).startswith(fence):
                yield _code(code)
                fence, code = "", []
            else:
                code.append(line)
            continue
        heading = _HEADING.match(line)
        if mark or heading or not line.strip() or _is_rule(line):
            yield _paragraph(paragraph)
            paragraph = []
            fence = mark.group(1) if mark else ""
            if heading:
                yield _text(_rich(heading.group(1)), weight="Bolder")
        else:
            paragraph.append(line)
    yield _code(code)
    yield _paragraph(paragraph)


def _is_rule(line: str) -> bool:
    """A line of signs: a rule, the underline of a heading, or what parts a table's head from its rows."""
    return bool(_RULE.match(line)) or ("---" in line and not line.strip("-:| "))


def _paragraph(lines: list[str]) -> Element:
    """Soft line breaks become spaces, items of a list stay lines of their own."""
    text = ""
    for line in lines:
        row = _ROW.match(line)
        if row:
            text += "\n\n" + " · ".join(_rich(cell.strip()) for cell in row.group(1).split("|"))
        elif item := _ITEM.match(line):
            text += f"\n{item.group()}{_rich(line[item.end() :].strip())}"
        else:
            text += " " + _rich(re.sub(r"^\s*>\s?", "", line).strip())
    return _text(text.strip())


def _code(lines: list[str]) -> Element:
    return _text(escaped("\n".join(lines)), fontType="Monospace")


def _text(text: str, **style: str) -> Element:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def _rich(text: str) -> str:
    """Inline Markdown that a card can show; emphasis passes through, the rest is reduced to words."""
    parts, end = [], 0
    for found in _INLINE.finditer(text):
        parts += [_words(text[end : found.start()]), _reduced(found)]
        end = found.end()
    return "".join([*parts, _words(text[end:])])


def _words(text: str) -> str:
    """What is no link here shall be none for the card either: it pairs brackets in ways of its own."""
    return unarmed(re.sub(r"[\[\]]", r"\\\g<0>", text))


def _reduced(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "image":
            return link(found["source"], found["alt"] or found["source"])
        case "link":
            return link(found["url"], re.sub(r"\*\*|__|`", "", found["label"]))
        case "content":
            return inline(found["content"])
        case "auto":
            return link(found["address"], found["address"])
        case "escape":
            return found.group() if found.group()[1] in "\\`*_[]" else unarmed(found.group()[1])
        case _:
            return ""
