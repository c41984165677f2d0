"""A message as neutral structure, which each adapter renders in its platform's own way.

User text only ever stands in `Plain`, so no adapter can mistake it for markup; `harmless` takes out of
every text what no reader sees and what turns around what stands beside it.
Made by `triage.layout`; read by `adapters.*.blocks / cards / page`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufff9-\uffff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
"""Controls, halves of pairs, and marks that reverse the order of the text after them; joiners of emoji stay."""
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Plain:
    """Text shown as it is, never parsed as markup."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class When:
    """An instant, shown in the reader's own zone where the platform can do that.

    `fallback` is the same instant in words, with its zone's name.
    """

    at: datetime
    fallback: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person; `user` is the platform's user id, None when the person has no account there."""

    user: str | None
    name: str


Span = Plain | Strong | Link | When | Mention
Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    line: Line


@dataclass(frozen=True, slots=True)
class Markdown:
    """The body of a knowledge-base article: CommonMark written by the company's own editors."""

    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's own words, possibly long, possibly several lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Label and value pairs, shown side by side where there is room."""

    pairs: tuple[tuple[str, Line], ...]


@dataclass(frozen=True, slots=True)
class Small:
    """A footnote: source, hint, reason."""

    line: Line


@dataclass(frozen=True, slots=True)
class Button:
    """`command` is command text of `triage.commands`, the same a person could type."""

    label: str
    command: str
    style: str = "default"
    """`default`, `primary` or `danger`."""


@dataclass(frozen=True, slots=True)
class Buttons:
    buttons: tuple[Button, ...]


Block = Heading | Paragraph | Markdown | Quote | Facts | Small | Buttons


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Blocks in reading order, and the same as one line of text for notifications and screen readers."""

    blocks: tuple[Block, ...]
    summary: str
    language: str = "en"
    accent: str | None = None
    """For tickets only, where a platform can colour a card: the priority, or `ended`."""


def text_of(line: Line) -> str:
    """The line as plain text; instants as their fallback, mentions as `@name`."""
    return "".join(_words(line))


def _words(line: Line) -> Iterator[str]:
    for span in line:
        match span:
            case Plain(text) | Strong(text):
                yield text
            case Link(_, label):
                yield label
            case When(_, fallback):
                yield fallback
            case Mention(_, name):
                yield f"@{name}"


def harmless(document: Document) -> Document:
    """The same without characters that deceive a reader or break a platform; addresses of links stay as they are."""
    return replace(
        document, blocks=tuple(_harmless(block) for block in document.blocks), summary=visible(document.summary)
    )


def visible(text: str) -> str:
    """The text without control characters and without marks that turn its direction; every line break is `\\n`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))


def _harmless(block: Block) -> Block:
    match block:
        case Heading(text) | Markdown(text) | Quote(text):
            return replace(block, text=visible(text))
        case Paragraph(line) | Small(line):
            return replace(block, line=_seen(line))
        case Facts(pairs):
            return Facts(tuple((visible(label), _seen(line)) for label, line in pairs))
        case Buttons(buttons):
            shown = (replace(each, label=visible(each.label), command=visible(each.command)) for each in buttons)
            return Buttons(tuple(shown))


def _seen(line: Line) -> Line:
    return tuple(_seen_span(span) for span in line)


def _seen_span(span: Span) -> Span:
    match span:
        case Plain(text) | Strong(text):
            return replace(span, text=visible(text))
        case Link(url, label):
            return Link(url, visible(label))
        case When(at, fallback):
            return When(at, visible(fallback))
        case Mention(user, name):
            return Mention(user, visible(name))
