"""Rows that are written once per cause, several in one statement, without a look before and without a savepoint."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeVar

from django.db import connection, models
from psycopg.sql import SQL, Identifier, Placeholder

Row = TypeVar("Row", bound=models.Model)


def insert_new(rows: Sequence[Row], *unique: str, where: LiteralString = "true") -> list[Row]:
    """Insert those whose `unique` columns nobody has written yet, and return them with their keys.

    `where` is the condition of a unique index that has one. Django's `bulk_create(ignore_conflicts=True)` does not say
    which rows it wrote, nor with what key. A row that another transaction is just writing is waited for, as with any
    unique index.
    """
    names = [tuple(getattr(row, column) for column in unique) for row in rows]
    by_name = dict(zip(reversed(names), reversed(rows), strict=True))
    if not by_name:
        return []
    meta = rows[0]._meta
    fields = _fields(rows[0])
    one = SQL("({})").format(SQL(", ").join([Placeholder()] * len(fields)))
    statement = SQL("INSERT INTO {} ({}) VALUES {} ON CONFLICT ({}) WHERE {} DO NOTHING RETURNING {}, id").format(
        Identifier(meta.db_table),
        SQL(", ").join(Identifier(str(field.column)) for field in fields),
        SQL(", ").join([one] * len(rows)),
        SQL(", ").join(map(Identifier, unique)),
        SQL(where),
        SQL(", ").join(map(Identifier, unique)),
    )
    params = [value for row in rows for value in _values(row)]
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), params)
        written = cursor.fetchall()
    for *name, key in written:
        row = by_name[tuple(name)]
        row.pk, row._state.adding, row._state.db = key, False, connection.alias
    return [row for row, name in zip(rows, names, strict=True) if row.pk is not None and by_name[name] is row]


def _fields(row: models.Model) -> list[Any]:
    """All that are written; the key is made by the table."""
    return [field for field in row._meta.concrete_fields if not field.primary_key]


def _values(row: models.Model) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, True), connection) for field in _fields(row)]
