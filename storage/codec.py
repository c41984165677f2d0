"""Domain values as columns: JSON text for structures, plain text for words, aware UTC for instants.

The column types do the translation, so a row's values are domain values already: `values` and
`build` only copy fields by name. Used by `storage.rows` and everything that queries it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter
from sqlalchemy import DateTime, String, Text
from sqlalchemy.engine import Dialect, Row
from sqlalchemy.types import TypeDecorator

from triage import document
from triage.document import Document
from triage.outgoing import Guard, Notice, StepGuard, Target

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

NOTICE = Annotated[Notice, Field(discriminator="kind")]
GUARD = Annotated[Guard | StepGuard, Field(discriminator="kind")]
TARGET = Annotated[Target, Field(discriminator="kind")]


class Stored(TypeDecorator[Any]):
    """A frozen value as JSON text, validated when it is read back."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._adapter: TypeAdapter[Any] = TypeAdapter(kind)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else self._adapter.dump_json(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._adapter.validate_json(value)


class Worded(TypeDecorator[StrEnum]):
    """A word of a closed vocabulary as plain text."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


class Instant(TypeDecorator[datetime]):
    """An aware instant, in UTC going in and coming out. SQLite keeps it as text without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Paged(TypeDecorator[Document]):
    """A `Document` as JSON text; each of its parts carries the name of its class."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Document | None, dialect: Dialect) -> str | None:
        return None if value is None else dump_document(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Document | None:
        return None if value is None else load_document(value)


def dump_document(page: Document) -> str:
    return json.dumps(_named(page), ensure_ascii=False)


def load_document(text: str) -> Document:
    page = _built(json.loads(text))
    if not isinstance(page, Document):
        raise ValueError("this is not a document")
    return page


def values(value: DataclassInstance) -> dict[str, Any]:
    """The fields of a dataclass by name, one level deep."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def build(kind: type[T], row: Row[*tuple[Any, ...]]) -> T:
    """The dataclass whose fields this row has columns for."""
    return kind(**{field.name: row._mapping[field.name] for field in fields(kind)})


def build_all(kind: type[T], rows: Iterable[Row[*tuple[Any, ...]]]) -> tuple[T, ...]:
    return tuple(build(kind, row) for row in rows)


_INSTANT, _PART = "instant", "part"


def _named(value: Any) -> Any:
    if is_dataclass(value):
        parts = {field.name: _named(getattr(value, field.name)) for field in fields(value)}
        return {_PART: type(value).__name__, **parts}
    if isinstance(value, datetime):
        return {_INSTANT: value.astimezone(UTC).isoformat()}
    if isinstance(value, tuple):
        return [_named(item) for item in value]
    return value


def _built(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_built(item) for item in value)
    if not isinstance(value, dict):
        return value
    if _INSTANT in value:
        return datetime.fromisoformat(value[_INSTANT])
    kind = getattr(document, value[_PART])
    return kind(**{name: _built(item) for name, item in value.items() if name != _PART})
