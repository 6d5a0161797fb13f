"""Rows that refer to a member or a mandate, made for every table that there is, with a word of its own in each of their columns."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, LargeBinary, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import UtcDateTime
from models.tables import metadata

UNSAID = {"drafts.ballot"}  # filled, the draft would be a published ballot


def referring_to(table: str) -> list[Column[Any]]:
    """The columns, everywhere, that refer to rows of this table."""
    return [
        column
        for one in metadata.sorted_tables
        for column in one.columns
        if any(key.column.table.name == table for key in column.foreign_keys)
    ]


def name_of(column: Column[Any]) -> str:
    return f"{column.table.name}.{column.name}"


async def fill(
    session: AsyncSession, columns: Iterable[Column[Any]], number: int, now: datetime
) -> Mapping[str, str]:
    """One more row for each of these columns, which refers to row `number`. Returns which word stands where."""
    words: dict[str, str] = {}
    for column in columns:
        row = await _row(session, column.table, now, words)
        await session.execute(insert(column.table).values({**row, column.name: number}))
    return words


async def _row(session: AsyncSession, table: Table, now: datetime, words: dict[str, str]) -> dict[str, Any]:
    """What a row needs: a word wherever one fits, else an instant, a number or a reference to some row that is there."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.foreign_keys:
            (key,) = column.foreign_keys
            if not column.nullable:
                row[column.name] = await session.scalar(select(key.column).limit(1))
        elif name_of(column) in UNSAID:
            continue
        elif isinstance(column.type, String) and 0 < (column.type.length or 0) < 6:
            row[column.name] = "in"  # no room for a word
        elif isinstance(column.type, String | LargeBinary | JSON):
            word = f"zq{len(words):03}q"
            words[word] = name_of(column)
            row[column.name] = _said(column, word)
        elif not column.nullable and not column.primary_key:
            row[column.name] = now if isinstance(column.type, UtcDateTime) else False
    return row


def _said(column: Column[Any], word: str) -> Any:
    if isinstance(column.type, LargeBinary):
        return word.encode()
    return [word] if isinstance(column.type, JSON) else word


async def everywhere(session: AsyncSession) -> list[tuple[str, str]]:
    """Everything that the database holds, as text, with where it stands."""
    found = []
    for table in metadata.sorted_tables:
        for row in await session.execute(select(table)):
            for column, value in zip(table.columns, row, strict=True):
                text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                found.append((name_of(column), text))
    return found
