"""A neutral Document as elements of the page; called by `adapters.web.chat` inside a post.

User text only ever becomes text. The Markdown of articles is sanitised in the browser, and the
page's content policy keeps it from loading anything from elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import urlsplit

from nicegui import ui

from adapters.web.elements import Text, box
from adapters.web.words import Words
from triage.document import (
    Block,
    Button,
    Buttons,
    Document,
    Facts,
    Heading,
    Line,
    Link,
    Markdown,
    Mention,
    Paragraph,
    Plain,
    Quote,
    Small,
    Span,
    Strong,
    When,
)

Press = Callable[[str], Awaitable[None]]
"""Hands in the command text of a button."""

SCHEMES = ("http", "https", "mailto")
MARKDOWN = ["fenced-code-blocks", "tables", "cuddled-lists", "strike"]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at the document: their words, their user id, and what their button presses do."""

    words: Words
    user: str
    press: Press


def draw(document: Document, reader: Reader) -> None:
    """Add the document to the current slot; tickets and titled documents become cards."""
    card = document.accent is not None or any(isinstance(block, Heading) for block in document.blocks)
    accent = f"db-accent-{document.accent}" if document.accent else ""
    with box("div", f"db-doc db-card {accent}" if card else "db-doc", lang=document.language):
        for block in document.blocks:
            _block(block, reader)


def _block(block: Block, reader: Reader) -> None:
    match block:
        case Heading(text):
            Text(text, "h3", classes="db-heading")
        case Paragraph(line):
            _line(line, reader, "p", "db-paragraph")
        case Markdown(text):
            ui.markdown(text, extras=MARKDOWN, sanitize=True).classes("db-markdown")
        case Quote(text):
            Text(text, "blockquote", classes="db-quote")
        case Facts(pairs):
            _facts(pairs, reader)
        case Small(line):
            _line(line, reader, "p", "db-small")
        case Buttons(buttons):
            with box("div", "db-buttons"):
                for button in buttons:
                    _button(button, reader)
        case _:
            assert_never(block)


def _facts(pairs: tuple[tuple[str, Line], ...], reader: Reader) -> None:
    with box("dl", "db-facts"):
        for label, line in pairs:
            with box("div"):
                Text(label, "dt")
                _line(line, reader, "dd", "")


def _line(line: Line, reader: Reader, tag: str, classes: str) -> None:
    with box(tag, classes):
        for span in line:
            _span(span, reader)


def _span(span: Span, reader: Reader) -> None:
    match span:
        case Plain(text):
            Text(text)
        case Strong(text):
            Text(text, "strong")
        case Link(url, label) if followable(url):
            ui.link(label, url, new_tab=True).props('rel="noopener noreferrer"')
        case Link(_, label):
            Text(label)
        case When(at, fallback):
            time = Text(reader.words.moment(at), "time", classes="db-when")
            time.props["datetime"] = at.isoformat()
            time.props["title"] = fallback
        case Mention(user, name):
            Text(f"@{name}", classes="db-mention db-mention-me" if user == reader.user else "db-mention")
        case _:
            assert_never(span)


def followable(url: str) -> bool:
    """Whether an address is one for people: never `javascript:` or `data:`."""
    try:
        return urlsplit(url).scheme in SCHEMES
    except ValueError:
        return False


def _button(button: Button, reader: Reader) -> None:
    async def press() -> None:
        element.props("loading")
        try:
            await reader.press(button.command)
        finally:
            if not element.is_deleted:
                element.props(remove="loading")

    element = ui.button(button.label, on_click=press, color=None)
    element.props("no-caps unelevated").classes(f"db-button db-button-{button.style}")
