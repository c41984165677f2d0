"""`column IN (some values)` as one statement, however many values there are.

SQLAlchemy writes a parameter for each value, so that statements differ by their number: neither it nor the database
knows one again, which costs both more than the look-up itself. Used by `storage` for what every turn asks.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, Boolean, Column, Dialect, FunctionElement, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine


class Values(TypeDecorator[Collection[Any]]):
    """Some values as one parameter: an array, or JSON where the database has none."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Collection[Any] | None, dialect: Dialect) -> Any:
        """SQLite ends a string in JSON at NUL: a value with one would be taken for another, and is left out."""
        given = list(value or ())
        return given if dialect.name == "postgresql" else json.dumps([one for one in given if "\0" not in str(one)])


class Among(FunctionElement[bool]):
    """Whether the column is one of the values given as the parameter `name`."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Column[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=Values(column.type)))


@compiles(Among, "postgresql")
def _array(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({values})"


@compiles(Among, "sqlite")
def _json(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are SQL already
