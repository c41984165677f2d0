"""One row of any table without a person: their ids replaced, their names and texts gone. Pure.

`storage.erasing` runs every row of the database through it, and `storage.exporting` takes what it would
change for what is kept about somebody. Rows are as the database holds them: JSON is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from storage.codec import dump_document
from storage.needles import Needles
from storage.sources import LEARNED
from triage.document import Document, Paragraph, Plain
from triage.model import Language
from triage.phrases import catalogue

ERASED = "[erased]"
Row = dict[str, Any]

FREE = frozenset(
    {"text", "subject", "question", "title", "body", "fallback", "error"}
    | {"name", "summary", "quote", "reasons", "label", "problem"}
)
"""Columns and fields in which people write; an id that might be a word is left alone there."""
NAMING = frozenset({"requester", "owner", "author"})
"""Fields of JSON, not columns, that hold a name. Anybody may call themselves `open` or `slack:T1:C1`, so that a
name is looked for only where names stand: here, where people write, among the values of phrases, in `called`."""
WORDS = frozenset(
    {"team", "language", "priority", "status", "platform", "place", "kind", "metric", "state", "article", "audience"}
    | {"policy", "phrase", "term", "what", "do", "event", "source", "rating", "style", "reason", "verbs"}
)
"""Columns and fields of a closed vocabulary, of teams and of articles: no id of a person stands there."""
ABOUT = ("subject", "text", "quote", "title", "requester")
"""What is blanked beside the number of a person's ticket."""
TELLING = 12
"""Letters from which a text is looked for inside others, and a one-word name or id in what people write; a
Korean or Chinese one counts for two."""
HEAD = 6
"""Letters by which texts are found: no telling one is shorter."""
LONG = 2 * TELLING
"""The same in rows that have nothing to do with the person."""
LEARNED_FROM = frozenset({"kb_case", "proposal", "phrasing", "article"})
"""They hold copies of questions, and do not always say whose."""
_ID = re.compile(r"[\w.:/+-]*", re.ASCII)
_SIGN = re.compile(r"[A-Z0-9]{5,}")
"""An id of Slack's, which nobody writes for another reason."""
_FIGURE = re.compile(r"[\d.,% ]*")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LETTER = r"[0-9A-Za-z\u00c0-\u024f]"
"""What continues a word; Korean particles do not, and Chinese has no words to continue."""


class Scrubber:
    """What is to be replaced, ready to be looked for."""

    def __init__(self, needles: Needles) -> None:
        self._ids = needles.ids
        self._names = frozenset(needles.names)
        self._numbers = frozenset(needles.tickets)
        self._tickets = frozenset(needles.tickets.values())
        self._conversations = frozenset(needles.conversations)
        self._own = frozenset(needles.ids) | frozenset(needles.ids.values())
        texts = {_flat(text) for text in needles.texts} - {""}
        self._whole = frozenset(texts)
        self._begins: dict[str, list[tuple[str, int]]] = {}
        for part in texts:
            if (weight := _weight(part)) >= TELLING:
                self._begins.setdefault(part[:HEAD], []).append((part, weight))
        self._quotes = tuple(text for text in needles.texts if _weight(text) >= TELLING)
        self._close = False
        telling = [id for id in needles.ids if _is_telling(id) or _SIGN.fullmatch(id)]
        self._known = _pattern(telling)
        self._sure = _pattern(telling, filter(_is_telling, self._names))
        self._near = _pattern(telling, self._names)
        self._salt = "".join(needles.ids.values())

    def row(self, table: str, row: Row) -> Row | None:
        """The row as it may stay; None when it must go altogether."""
        self._close = self._is_close(table, row)
        after = {name: self._column(name, value) for name, value in row.items()}
        match table:
            case "ticket" if row["id"] in self._tickets:
                after["subject"] = ERASED
            case "ticket" if row["called"] in self._names:
                after["called"] = ERASED
            case "entry":
                after["text"] = self._entry(row, after["text"])
            case "conversation" if row["requester"] in self._own:
                after |= {"question": ERASED, "reasons": "[]"}
            case "kb_case" if self._asked(row) or after["text"] == ERASED:
                after |= {"text": "", "id": row["id"] if row["text"] == "" else self._other(row["id"])}
            case "proposal" if row["ticket"] in self._tickets or ERASED in (after["title"], after["text"]):
                after |= {"title": ERASED, "text": ERASED, "body": ERASED}
                after["state"] = "declined" if row["state"] == "waiting" else row["state"]
            case "phrasing" if after["text"] == ERASED:
                return None
            case "article":
                self._article(row, after)
            case "outbox":
                self._outbox(row, after)
            case "ping" if row["person"] in self._own and row["said_at"] is None:
                return None
            case "web_post" if {row["author"], row["only_for"]} & self._own:
                after["document"] = dump_document(Document(blocks=(Paragraph((Plain(ERASED),)),), summary=ERASED))
            case "failed_turn" if after["error"] != row["error"]:
                after["error"] = ERASED
        return after

    def _is_close(self, table: str, row: Row) -> bool:
        """Whether a text that others may write too ("It works again") can only be this person's here."""
        if table in LEARNED_FROM:
            return True
        whose = {row.get("requester"), row.get("author"), str(row.get("lane")).removeprefix("person:")}
        about = row.get("ticket") in self._tickets or row.get("conversation") in self._conversations
        return about or bool(whose & self._own)

    # --- tables with rules of their own ---
    def _entry(self, row: Row, text: str) -> str:
        """What they wrote; in their tickets also what the desk noted of their words."""
        if row["author"] in self._own and row["kind"] != "event":
            return ERASED if row["text"] else ""
        near = row["ticket"] in self._tickets
        if row["kind"] == "event":
            lines = (self._column("text", line) for line in row["text"].splitlines())
            return "\n".join(_bare(line) if near else line for line in lines)
        return self._of_others(row["text"], near=near)

    def _of_others(self, text: str, *, near: bool) -> str:
        """What somebody else wrote, without name and ids; and in the person's tickets without quoting them."""
        for quoted in self._quotes if near else ():
            text = text.replace(quoted, ERASED)
        return (self._near if near else self._sure).sub(self._instead, text)

    def _asked(self, row: Row) -> bool:
        by_agent = row["kind"] in ("linked", "corrected")
        return row["ticket"] in self._tickets or (row["person"] in self._own and not by_agent)

    def _article(self, row: Row, after: Row) -> None:
        """Only what was learned here is changed: other articles are the company's, and would come again."""
        if row["source"] != LEARNED:
            after |= {name: row[name] for name in ("title", "body", "phrasings", "against", "tags")}
            return
        for name in ("phrasings", "against"):
            kept = [text for text in json.loads(after[name]) if text != ERASED]
            after[name] = after[name] if ERASED not in after[name] else json.dumps(kept, ensure_ascii=False)
        if ERASED in (after["title"], after["body"]) and row["retired_at"] is None:
            after["retired_at"] = row["changed_at"]

    def _outbox(self, row: Row, after: Row) -> None:
        """What was said is forgotten; what waits is said without them, and to them nothing any more."""
        near = row["ticket"] in self._tickets or row["conversation"] in self._conversations
        if not near and all(after[name] == row[name] for name in ("to", "notice", "lane", "fallback")):
            return
        if near:
            after["notice"] = _without_reasons(after["notice"])
        after["fallback"] = ERASED if row["fallback"] else ""
        to_them = str(row["lane"]).partition(":")[2] in self._own and str(row["lane"]).startswith("person:")
        if row["state"] != "pending" or to_them:
            after |= {"notice": None, "fallback": ""}
        if row["state"] == "pending" and to_them:
            after |= {"state": "dropped", "reason": "erased"}

    def _other(self, id: str) -> str:
        """An id that does not follow from the text any more; the same each time."""
        return sha256(f"{self._salt}{id}".encode()).hexdigest()

    # --- any column ---
    def _column(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value[:1] in ("{", "["):
            try:
                found = json.loads(value)
                after = self._noted(found) if name == "text" else self._json(name, found)
                return value if after == found else json.dumps(after, ensure_ascii=False, separators=(",", ":"))
            except (ValueError, RecursionError):  # somebody's words that look like JSON, or are it, endlessly nested
                return self._leaf(name, value)
        return self._leaf(name, value)

    def _noted(self, value: Any) -> Any:
        """A sentence as `triage.phrases.noted` keeps it, key and values; or whatever else it is."""
        match value:
            case [str(key), dict(values)]:
                return [key, self._values(values)]
            case _:
                return self._json("text", value)

    def _values(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands in a phrase: names among it."""
        return {
            key: ERASED if isinstance(value, str) and value in self._names else self._json(key, value)
            for key, value in values.items()
        }

    def _json(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return ERASED if name in NAMING and value in self._names else self._leaf(name, value)
        if isinstance(value, list):
            return [self._json(name, item) for item in value]
        if not isinstance(value, dict):
            return value
        if name == "values":
            return self._values(value)
        after = {self._leaf("key", key): self._json(key, item) for key, item in value.items()}
        if value.get("person") in self._own and "name" in value:
            after["name"] = ERASED
        if value.get("number") in self._numbers:
            after |= {key: ERASED for key in ABOUT if isinstance(value.get(key), str)}
        return after

    def _leaf(self, name: str, text: str) -> str:
        if name in WORDS or (name == "label" and text in catalogue(Language.EN)):
            return text
        if text in self._ids:
            return self._ids[text]
        if name in FREE and text in self._names:
            return ERASED
        if (name in FREE or not _ID.fullmatch(text)) and self._theirs(text):
            return ERASED
        if name in FREE or (" " in text and name != "command"):
            return self._sure.sub(self._instead, text)
        parts = re.split(r"([:/;\s])", text)
        pattern = self._sure if name == "command" else self._known
        return pattern.sub(self._instead, "".join(self._ids.get(part, part) for part in parts))

    def _instead(self, found: re.Match[str]) -> str:
        return self._ids.get(found[0], ERASED)

    def _theirs(self, text: str) -> bool:
        """Whether somebody wrote it, or it holds what they wrote, or the beginning of that."""
        flat, least = _flat(text), TELLING if self._close else LONG
        if self._close and flat in self._whole:
            return True
        for start in range(len(flat) - HEAD + 1):
            for part, weight in self._begins.get(flat[start : start + HEAD], ()):
                if weight >= least and flat.startswith(part, start):
                    return True
        begun = flat[:-1].rstrip()
        if not flat.endswith("…") or _weight(begun) < least:
            return False
        return any(part.startswith(begun) for part, _ in self._begins.get(begun[:HEAD], ()))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _weight(text: str) -> int:
    return len(text) + len(_DENSE.findall(text))


def _is_telling(word: str) -> bool:
    """Whether it can hardly be a word that others write for another reason."""
    numbered = len(word) >= 5 and any(sign.isdigit() for sign in word)
    return _weight(word) >= TELLING or " " in word or numbered or len(_DENSE.findall(word)) >= 3


def _pattern(ids: Iterable[str], names: Iterable[str] = ()) -> re.Pattern[str]:
    """Either, as words of their own; names however they are written."""
    either = "|".join(filter(None, (_either(ids), f"(?i:{found})" if (found := _either(names)) else ""))) or r"(?!)"
    return re.compile(f"(?<!{_LETTER})(?:{either})(?!{_LETTER})")


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(filter(None, words), key=len, reverse=True)))


def _bare(line: str) -> str:
    """A reason or an event with its key and figures, without words."""
    try:
        key, values = json.loads(line)
    except (ValueError, TypeError):
        return line
    if not isinstance(values, Mapping):
        return line
    kept = {name: value if _is_figure(value) else ERASED for name, value in values.items()}
    return json.dumps([key, kept], ensure_ascii=False)


def _without_reasons(notice: str | None) -> str | None:
    """Why something was done repeats words of the question."""
    found = json.loads(notice) if notice else {}
    if not found.get("reasons"):
        return notice
    return json.dumps(found | {"reasons": [ERASED]}, ensure_ascii=False, separators=(",", ":"))


def _is_figure(value: Any) -> bool:
    return not isinstance(value, str) or _FIGURE.fullmatch(value) is not None
