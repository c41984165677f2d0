"""Terms and calendars, each kept once under the hash of what it says.

Thousands of tickets run under the same few. What a key stands for never changes, unless somebody named in it is
erased, so that what was read once is remembered for the life of the process. Used by `storage.unit_of_work` and
`storage.clocking`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import count

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
        for key in _keys("t" if isinstance(value, Terms) else "c", text):
            if (there := self._known.get(key, new.get(key))) is not None:
                if there == value:
                    return key
            elif insert_new(db, agreements, {"key": key, "text": text}, "key") or _stands(db, key) == text:
                new[key] = value
                return key
        raise AssertionError("there is always another key")

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


def _keys(kind: str, text: str) -> Iterator[str]:
    """The one to keep it under, and those for when it stands there no more: an erasure took somebody's name out."""
    for times in count():
        yield f"{kind}{sha256((text + ' ' * times).encode()).hexdigest()[:KEY]}"


def _stands(db: Db, key: str) -> str | None:
    return db.scalar(select(agreements.c.text).where(agreements.c.key == key))
