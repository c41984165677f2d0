"""A neutral `Document` as Block Kit, within every limit of Slack. Pure; called by `adapters.slack.port`.

Long text is continued in further sections. Where a message would be too big as a whole its text is
cut with `…`; buttons are kept, since without them nothing can be done about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any

from adapters.slack.articles import article
from adapters.slack.mrkdwn import Pieces, cut, line, plain, shorten, split, styled
from triage.document import Block, Button, Buttons, Document, Facts, Heading, Line, Markdown, Paragraph, Quote, Small

SlackBlock = dict[str, Any]

BLOCKS = 50
CHARACTERS = 13_000
"""Of all blocks as JSON; beyond about 13,200 Slack answers `msg_blocks_too_long`."""
LONGEST = 4 * CHARACTERS
"""Of one text that are looked at: what lies behind could not be shown, and laying it out takes seconds."""
SECTION = 3_000
HEADER = 150
FIELD, FIELDS = 600, 10
"""Slack allows 2,000 a field; ten of those would leave no room for anything else."""
LABEL, VALUE, BUTTONS = 75, 2_000, 25
FALLBACK = 3_000
QUOTE = "> "

ROOM_FOR_BUTTONS = 9_000
"""Of `CHARACTERS`: so that a message of many buttons still says what they are about."""
ROWS_OF_BUTTONS = 20


def to_blocks(document: Document) -> list[SlackBlock]:
    """The blocks in reading order; empty when the document holds nothing that Slack could show."""
    actions = _actions(document)
    room = _Room(
        blocks=BLOCKS - len(actions),
        characters=CHARACTERS - 2 - sum(size(block) for block in actions.values()),
    )
    shown: list[SlackBlock] = []
    for index, block in enumerate(document.blocks):
        if isinstance(block, Buttons):
            shown += [actions[index]] if index in actions else []
        else:
            shown += room.take(_texts(block))
    return shown


def to_text(document: Document) -> str:
    """The one-line fallback, for notifications and screen readers."""
    return cut(plain(document.summary), FALLBACK) or "…"


def size(block: SlackBlock) -> int:
    """Characters of a block in the message, with the comma after it."""
    return len(json.dumps(block, ensure_ascii=False)) + 2


@dataclass(slots=True)
class _Room:
    """What is left of the message for text. Once something was cut nothing follows it."""

    blocks: int
    characters: int

    def take(self, texts: Iterator[_Text]) -> list[SlackBlock]:
        taken: list[SlackBlock] = []
        for text in texts:
            if not self.blocks or text.size > self.characters:
                part = text.shortened(self.characters) if self.blocks else None
                self.blocks = 0
                return [*taken, part] if part else taken
            self.blocks -= 1
            self.characters -= text.size
            taken.append(text.whole)
        return taken


class _Text:
    """A block to be built around a text of at most `limit` characters; `whole` is the one that holds all of it."""

    def __init__(self, build: Callable[[str], SlackBlock], pieces: Pieces, limit: int) -> None:
        self._build = build
        self._pieces = pieces
        self._limit = limit
        self.whole = build(cut(pieces, limit))
        self.size = size(self.whole)

    def shortened(self, characters: int) -> SlackBlock | None:
        """The block with as much of the text as fits; None when none does."""
        block, limit = self.whole, self._limit
        while (excess := size(block) - characters) > 0:
            limit = min(limit, len("".join(self._pieces))) - excess
            if limit < 1:
                return None
            block = self._build(cut(self._pieces, limit))
        return block


def _texts(block: Block) -> Iterator[_Text]:
    match block:
        case Heading(text):
            if title := " ".join(text.split()):
                yield _Text(_header, tuple(title), HEADER)
        case Paragraph(spans):
            yield from (_Text(_section, part, SECTION) for part in split(line(spans), SECTION))
        case Markdown(text):
            yield from _article(text[:LONGEST])
        case Quote(text):
            yield from (_Text(_section, part, SECTION) for part in split(_quoted(text[:LONGEST]), SECTION, lead=QUOTE))
        case Small(spans):
            yield from (_Text(_context, part, SECTION) for part in split(line(spans), SECTION))
        case Facts(pairs):
            yield from (_facts(pairs[at : at + FIELDS]) for at in range(0, len(pairs), FIELDS))
        case Buttons():
            """Not text: `_actions` makes these."""


@lru_cache(maxsize=512)
def _article(text: str) -> tuple[_Text, ...]:
    """Remembered: an article is shown many times."""
    return tuple(_Text(_section, part, SECTION) for part in split(article(text), SECTION))


def _header(text: str) -> SlackBlock:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _section(text: str) -> SlackBlock:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(text: str) -> SlackBlock:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _facts(pairs: tuple[tuple[str, Line], ...]) -> _Text:
    fields = [_mrkdwn(cut((*styled("*", label), "\n", *line(spans)), FIELD) or "…") for label, spans in pairs]
    return _Text(lambda _: {"type": "section", "fields": fields}, (), 0)


def _mrkdwn(text: str) -> SlackBlock:
    """`verbatim`: Slack is not to look for channels, people or addresses in what people wrote."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _quoted(text: str) -> Pieces:
    if not text.strip():
        return ()
    return (QUOTE, *(part for piece in plain(text.strip()) for part in ((piece, QUOTE) if piece == "\n" else (piece,))))


def _actions(document: Document) -> dict[int, SlackBlock]:
    """An `actions` block for each `Buttons` of the document, by its index there."""
    numbers, left = count(1), ROOM_FOR_BUTTONS
    rows: dict[int, SlackBlock] = {}
    for index, block in enumerate(document.blocks):
        if not isinstance(block, Buttons) or len(rows) == ROWS_OF_BUTTONS:
            continue
        elements = []
        for button in (_button(button, next(numbers)) for button in block.buttons[:BUTTONS] if button.command):
            left -= size(button)
            elements += [button] if left > 0 else []
        if elements:
            rows[index] = {"type": "actions", "elements": elements}
            left -= size({"type": "actions", "elements": []})
    return rows


def _button(button: Button, number: int) -> SlackBlock:
    label = shorten(" ".join(button.label.split()), LABEL) or "…"
    style = {"style": button.style} if button.style in ("primary", "danger") else {}
    return {
        "type": "button",
        "action_id": f"desk:{number}",
        "text": {"type": "plain_text", "text": label, "emoji": False},
        "value": button.command[:VALUE],
        **style,
    }
