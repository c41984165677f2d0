"""Terms and calendars, each kept once under the hash of what it says.

Thousands of tickets run under the same few. What a key stands for never changes, so that what was read once
is remembered for the life of the process. Used by `storage.unit_of_work` and `storage.clocking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from pydantic import TypeAdapter
from sqlalchemy import select

from storage.engine import insert_new
from storage.pen import Db
from storage.rows import agreements
from triage.calendars import Calendar
from triage.policy import Terms

Agreement = Terms | Calendar

_TERMS: TypeAdapter[Terms] = TypeAdapter(Terms)
_CALENDAR: TypeAdapter[Calendar] = TypeAdapter(Calendar)
KEY = 32
"""Hex digits of a key: 128 bits."""


class Agreements:
    """One for each engine. `keep` and `read` belong to one transaction; `remember` follows its commit."""

    def __init__(self) -> None:
        self._known: dict[str, Agreement] = {}
        self._calendars: dict[Calendar, str] = {}

    def keep(self, db: Db, value: Agreement, new: dict[str, Agreement]) -> str:
        """The key of this value, written if need be; `new` collects what this transaction wrote."""
        if isinstance(value, Calendar) and (known := self._calendars.get(value)) in self._known:
            return known or ""
        adapter = _TERMS if isinstance(value, Terms) else _CALENDAR
        text = adapter.dump_json(value).decode()  # type: ignore[arg-type]
        key = f"{'t' if isinstance(value, Terms) else 'c'}{sha256(text.encode()).hexdigest()[:KEY]}"
        if key not in self._known and key not in new:
            insert_new(db, agreements, {"key": key, "text": text}, "key")
            new[key] = value
        return key

    def read(self, db: Db, keys: Iterable[str], new: Mapping[str, Agreement]) -> Mapping[str, Agreement]:
        """What these keys stand for."""
        wanted = set(keys)
        missing = [key for key in wanted if key not in self._known and key not in new]
        if missing:
            for row in db.execute(select(agreements).where(agreements.c.key.in_(missing))):
                adapter = _TERMS if row.key.startswith("t") else _CALENDAR
                self.remember({row.key: adapter.validate_json(row.text)})
        return {key: self._known[key] if key in self._known else new[key] for key in wanted}

    def remember(self, new: Mapping[str, Agreement]) -> None:
        """These stand in the database for certain."""
        self._known |= new
        self._calendars |= {value: key for key, value in new.items() if isinstance(value, Calendar)}
