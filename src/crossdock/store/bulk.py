"""Many rows of one table in one statement, whatever their number: Django's `bulk_update` compares each field with each
key, which takes longer than reading the page they came from.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

Row = TypeVar("Row", bound=models.Model)
# What psycopg writes as it is.
_PLAIN = (str, int, bool, datetime, type(None))


def lock_in_order(rows: models.QuerySet[Any]) -> None:
    """Lock these rows by key, before an UPDATE that would lock them in the order in which it finds them: two that write
    the same rows then wait for each other instead of both being refused. Inside a transaction.
    """
    keys = rows.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True)
    deque(keys.iterator(chunk_size=2000), maxlen=0)


def copy_in(rows: Sequence[Row], *, keys: bool = True) -> Sequence[Row]:
    """Write new rows by COPY, and give those their keys whose table makes them, unless nobody asks for `keys`."""
    if not rows:
        return rows
    meta = rows[0]._meta
    made_there = isinstance(meta.pk, models.AutoField)
    if made_there and keys:
        for row, key in zip(rows, _keys(meta.db_table, str(meta.pk.column), len(rows)), strict=True):
            row.pk = key
    fields = [field for field in meta.concrete_fields if keys or not made_there or field is not meta.pk]
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(_copy(meta.db_table, fields)) as copy,
    ):
        for row in rows:
            copy.write_row([_value(field, row) for field in fields])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return rows


def update_rows(rows: Sequence[models.Model], names: Iterable[str]) -> None:
    """Write these fields of rows that are locked."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = [meta.get_field(name) for name in names]
    assert all(isinstance(field, models.Field) for field in fields)
    columns = [[row.pk for row in rows], *([_cell(field, row) for row in rows] for field in fields)]
    with connection.cursor() as cursor:
        cursor.execute(_update(meta, fields).as_string(), columns)


def _keys(table: str, column: str, many: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [table, column, many]
        )
        return [key for (key,) in cursor.fetchall()]


def _copy(table: str, fields: Iterable[Any]) -> str:
    columns = SQL(", ").join(Identifier(str(field.column)) for field in fields)
    return SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), columns).as_string()


def _update(meta: Any, fields: Sequence[Any]) -> Composed:
    names = [Identifier(str(field.column)) for field in fields]
    kinds = [SQL("%s::{}[]").format(SQL(_kind(field))) for field in (meta.pk, *fields)]
    return SQL("UPDATE {} r SET {} FROM unnest({}) AS n(key_, {}) WHERE r.{} = n.key_").format(
        Identifier(meta.db_table),
        SQL(", ").join(
            SQL(_TAKEN if isinstance(field, ArrayField) else "{} = n.{}").format(name, name)
            for field, name in zip(fields, names, strict=True)
        ),
        SQL(", ").join(kinds),
        SQL(", ").join(names),
        Identifier(str(meta.pk.column)),
    )


# unnest would take lists of lists apart to the last element: a list of texts travels as JSON.
_TAKEN = "{} = ARRAY(SELECT jsonb_array_elements_text(n.{}))"


def _cell(field: Any, row: models.Model) -> Any:
    return Jsonb(getattr(row, field.attname)) if isinstance(field, ArrayField) else _value(field, row)


def _kind(field: Any) -> Any:
    """The column's type, without its length: a cast to it would cut the text instead of refusing it."""
    if isinstance(field, ArrayField):
        return "jsonb"
    return (field.rel_db_type(connection) if field.is_relation else field.db_type(connection)).partition("(")[0]


def _value(field: Any, row: models.Model) -> Any:
    value = getattr(row, field.attname)
    plain = type(value) in _PLAIN and not isinstance(field, models.JSONField)
    return value if plain else field.get_db_prep_save(value, connection)
