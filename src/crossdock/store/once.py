"""Rows that are written once per cause, several in one statement, without a look before and without a savepoint."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeVar

from django.db import connection, models
from psycopg.sql import SQL, Composed, Identifier, Placeholder

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
    # The key is made by the table.
    insert, params = insertion(rows, [field for field in meta.concrete_fields if not field.primary_key])
    columns = SQL(", ").join(map(Identifier, unique))
    statement = SQL("{} ON CONFLICT ({}) WHERE {} DO NOTHING RETURNING {}, id").format(
        insert, columns, SQL(where), columns
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), params)
        written = cursor.fetchall()
    for *name, key in written:
        row = by_name[tuple(name)]
        row.pk, row._state.adding, row._state.db = key, False, connection.alias
    return [row for row, name in zip(rows, names, strict=True) if row.pk is not None and by_name[name] is row]


def insertion(rows: Sequence[models.Model], fields: Sequence[Any]) -> tuple[Composed, list[Any]]:
    """INSERT of these fields of rows of one table, and its values."""
    one = SQL("({})").format(SQL(", ").join([Placeholder()] * len(fields)))
    statement = SQL("INSERT INTO {} ({}) VALUES {}").format(
        Identifier(rows[0]._meta.db_table),
        SQL(", ").join(Identifier(str(field.column)) for field in fields),
        SQL(", ").join([one] * len(rows)),
    )
    return statement, [
        field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields
    ]
