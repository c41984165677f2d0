"""The questions that one message asks. Called by `triage.match`, which matches each on its own."""

from __future__ import annotations

import re

from triage.text import MAX_TEXT, ends, is_small_talk, normalise, sentences

_ITEM = re.compile(r"^(?:\(?\d{1,2}[.)]|[-*•‣]|[①-⑳])\s*", re.MULTILINE)
_FURTHER = re.compile(
    r"^(?:and also|also|and another thing|another (?:thing|question)|second(?:ly)?|one more (?:thing|question)|"
    r"by the way|btw|그리고|또한|또|추가로|하나 더|두번째로|두 번째로|另外|還有|順便|第二)[,:\s]*",
    re.IGNORECASE,
)

MIN_LETTERS = 4


def questions(text: str) -> list[str]:
    """The parts of a message that each ask something, with the sentences that lead up to them.

    A part ends with a question mark, or is an item of a list, or begins like a further question. One
    part, or none, when the message does not show that it asks more than once.
    """
    lines = ends(text, MAX_TEXT).replace("？", "?")
    items = [item.strip() for item in _ITEM.split(lines) if item and item.strip()]
    if len(_ITEM.findall(lines)) > 1:
        listed = items if _ITEM.match(lines.lstrip()) else items[1:]
        return _distinct(listed)
    said = sentences(lines)
    if len(said) < 2:
        return said
    return _distinct(_parts([one for one in said if not is_small_talk(one)]))


def _parts(said: list[str]) -> list[str]:
    parts: list[str] = []
    current: list[str] = []
    for sentence in said:
        if _FURTHER.match(sentence) and current:
            parts.append(" ".join(current))
            current = []
        current.append(_FURTHER.sub("", sentence))
        if sentence.rstrip().endswith("?"):
            parts.append(" ".join(current))
            current = []
    if current and parts:
        parts[-1] = " ".join([parts[-1], *current])
    elif current:
        parts.append(" ".join(current))
    return parts


def _distinct(parts: list[str]) -> list[str]:
    return [part for part in dict.fromkeys(parts) if _asks_anything(part)]


def _asks_anything(part: str) -> bool:
    return sum(map(str.isalnum, normalise(part))) >= MIN_LETTERS
