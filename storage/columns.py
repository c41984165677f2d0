"""What the tables of `storage.rows` and `storage.rows_knowledge` are made with."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, Table
from sqlmodel import Field, SQLModel

METADATA = SQLModel.metadata


def serial() -> Any:
    return Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, nullable=False)
    )


def partial(name: str, *columns: str, where: Any, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def table_of(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]
