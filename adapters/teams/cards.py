"""From a `Document` to the activity that shows it in Teams. Pure; called by `port`.

Words alone are sent as text, which Teams can search, quote and copy; everything else is an Adaptive
Card 1.5. Either can replace the other in place.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from adapters.teams import article
from adapters.teams.markup import Mentions, escaped, followable, line_text, unarmed
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
    text_of,
)

Element = dict[str, Any]

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
VERB = "deskbell"
SIZE_LIMIT = 28 * 1024
"""Bytes of a whole activity, in UTF-8 and in UTF-16: Teams has been counting both ways."""
ACTIONS_LIMIT = 6
SUMMARY_LIMIT = 250
COMMAND_LIMIT = 2_000
STYLES = {"primary": "positive", "danger": "destructive"}


def activity(document: Document, *, nonce: str) -> dict[str, Any]:
    """The message activity. `nonce` marks the presses of this card's buttons."""
    body = _fitting(document, nonce)
    return {"type": "message", "summary": _cut(document.summary, SUMMARY_LIMIT), **body}


def spoken(document: Document) -> str:
    """The document as the one text that the answer to a button may have."""
    return _cut(document.summary, SUMMARY_LIMIT)


# --- size ----------------------------------------------------------------------------------------
def _fitting(document: Document, nonce: str) -> dict[str, Any]:
    """The longest texts are cut first, a fifth at a time; then blocks are left out, the last ones first.

    Of a text that could not be shown even alone, the rest is not laid out at all: that takes seconds.
    """
    limit = min(SIZE_LIMIT, max((len(text) for text in _texts(document)), default=0))
    body = _body(_shortened(document, limit), nonce)
    while _too_large(body) and limit > 200:
        limit = limit * 4 // 5
        body = _body(_shortened(document, limit), nonce)
    document = _shortened(document, limit)
    while _too_large(body) and document.blocks:
        document = _halved(document)
        body = _body(document, nonce)
    return body


def _too_large(body: dict[str, Any]) -> bool:
    text = json.dumps(body, ensure_ascii=False)
    slack = 4 * SUMMARY_LIMIT
    return max(len(text.encode("utf-16-le", "replace")), len(text.encode(errors="replace"))) > SIZE_LIMIT - slack


def _halved(document: Document) -> Document:
    """Fewer blocks; buttons are kept as long as there is anything else to leave out."""
    words = [block for block in document.blocks if not isinstance(block, Buttons)]
    left = len(words) // 2
    kept = frozenset(id(block) for block in words[:left])
    blocks = tuple(b for b in document.blocks if id(b) in kept or (isinstance(b, Buttons) and words))
    return replace(document, blocks=blocks)


def _texts(document: Document) -> Iterator[str]:
    for block in document.blocks:
        match block:
            case Heading(text) | Markdown(text) | Quote(text):
                yield text
            case Paragraph(line) | Small(line):
                yield from _words(line)
            case Facts(pairs):
                for label, line in pairs:
                    yield label
                    yield from _words(line)
            case Buttons(buttons):
                yield from (button.label for button in buttons)


def _words(line: Line) -> Iterator[str]:
    return (text_of((span,)) for span in line)


def _shortened(document: Document, limit: int) -> Document:
    return replace(document, blocks=tuple(_short_block(block, limit) for block in document.blocks))


def _short_block(block: Block, limit: int) -> Block:
    match block:
        case Heading(text) | Markdown(text) | Quote(text):
            return replace(block, text=_cut(text, limit))
        case Paragraph(line) | Small(line):
            return replace(block, line=_short_line(line, limit))
        case Facts(pairs):
            return Facts(tuple((_cut(label, limit), _short_line(line, limit)) for label, line in pairs))
        case Buttons(buttons):
            return Buttons(tuple(replace(button, label=_cut(button.label, limit)) for button in buttons))


def _short_line(line: Line, limit: int) -> Line:
    return tuple(_short_span(span, limit) for span in line)


def _short_span(span: Span, limit: int) -> Span:
    match span:
        case Plain(text) | Strong(text):
            return replace(span, text=_cut(text, limit))
        case Link(url, label):
            return Link(url, _cut(label, limit))
        case Mention(user, name):
            return Mention(user, _cut(name, limit))
        case _:
            return span


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


# --- text ----------------------------------------------------------------------------------------
def _body(document: Document, nonce: str) -> dict[str, Any]:
    if document.blocks and all(_is_words(block) for block in document.blocks):
        text = "<br>".join(_html(block) for block in document.blocks).strip() or html.escape(document.summary)
        return {"text": text, "textFormat": "xml", "attachments": []}
    return {"attachments": [{"contentType": CARD_TYPE, "content": _card(document, nonce)}]}


def _is_words(block: Block) -> bool:
    if not isinstance(block, Paragraph):
        return False
    return all(
        isinstance(span, Plain | Strong | Link) or (isinstance(span, Mention) and span.user is None)
        for span in block.line
    )


def _html(block: Block) -> str:
    return "".join(_html_span(span) for span in block.line) if isinstance(block, Paragraph) else ""


def _html_span(span: Span) -> str:
    words = html.escape(text_of((span,)), quote=False).replace("\n", "<br>")
    match span:
        case Strong():
            return f"<b>{words}</b>"
        case Link(url) if followable(url):
            return f'<a href="{html.escape(url)}">{words}</a>'
        case _:
            return words


# --- cards ---------------------------------------------------------------------------------------
def _card(document: Document, nonce: str) -> dict[str, Any]:
    mentions = Mentions()
    body = [element for block in document.blocks for element in _elements(block, mentions, nonce)]
    extras: dict[str, Any] = {"width": "Full"}
    if mentions.users:
        extras["entities"] = mentions.entities()
    return {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "lang": document.language.partition("-")[0],
        "fallbackText": _cut(document.summary, SUMMARY_LIMIT),
        "body": body,
        "msteams": extras,
    }


def _elements(block: Block, mentions: Mentions, nonce: str) -> Iterator[Element]:
    match block:
        case Heading(text):
            yield _text(escaped(text), weight="Bolder", size="Medium", style="heading")
        case Paragraph(line):
            yield _text(line_text(line, mentions))
        case Small(line):
            yield _text(line_text(line, mentions), isSubtle=True, size="Small")
        case Markdown(text):
            yield from article.elements(text)
        case Quote(text):
            yield {"type": "Container", "style": "emphasis", "items": [_text(escaped(text))]}
        case Facts(pairs):
            facts = [{"title": escaped(label), "value": line_text(line, mentions)} for label, line in pairs]
            yield {"type": "FactSet", "facts": facts}
        case Buttons(buttons):
            yield from _action_sets(buttons, nonce)


def _text(text: str, **style: Any) -> Element:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def _action_sets(buttons: tuple[Button, ...], nonce: str) -> Iterator[Element]:
    actions = [_action(button, nonce) for button in buttons if len(button.command) <= COMMAND_LIMIT]
    for start in range(0, len(actions), ACTIONS_LIMIT):
        yield {"type": "ActionSet", "actions": actions[start : start + ACTIONS_LIMIT]}


def _action(button: Button, nonce: str) -> Element:
    """Executed where the client can, else submitted: both carry the same data."""
    shown: Element = {"title": unarmed(button.label), "data": {"command": button.command, "nonce": nonce}}
    if button.style in STYLES:
        shown["style"] = STYLES[button.style]
    return {"type": "Action.Execute", "verb": VERB, **shown, "fallback": {"type": "Action.Submit", **shown}}
