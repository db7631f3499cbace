"""Statements that do not wait for one another's answers, sent together: one round trip instead of one for each.

They are carried out in their order, and each sees what was committed when it began, as if it had been sent alone: what
is asked after a lock sees what the lock was waited for.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import QuerySet
from psycopg.sql import SQL, Identifier

from crossdock.store.once import insertion
from crossdock.store.plans import Bound, read

Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
Question = QuerySet[Any] | Bound
# Stands between two of them; a test splits there.
BETWEEN = ";\n\n"


def ask(*questions: Question | Statement) -> list[Any]:
    """The rows of each: what the QuerySet gives, or the tuples of a statement."""
    asked = [_Asked(question) if isinstance(question, QuerySet) else question for question in questions]
    answers = _sent([one if isinstance(one, tuple) else one.statement for one in asked])
    return [rows if isinstance(one, tuple) else one.read(rows) for one, rows in zip(asked, answers, strict=True)]


def send(statements: Sequence[Statement]) -> None:
    """Writes, whose answers nobody reads."""
    if statements:
        _sent(statements)


def insert_of(rows: Sequence[models.Model]) -> Statement:
    """One statement for rows of one table. Those without a key get theirs from the table, and are not told it."""
    meta = rows[0]._meta
    fields: list[Any] = [field for field in meta.concrete_fields if rows[0].pk is not None or not field.primary_key]
    statement, values = insertion(rows, fields)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias
    return statement.as_string(), values


def update_of(row: models.Model, *names: str) -> Statement:
    """These fields of one row, by its key."""
    meta = row._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    statement = SQL("UPDATE {} SET {} WHERE {} = %s").format(
        Identifier(meta.db_table),
        SQL(", ").join(SQL("{} = %s").format(Identifier(str(field.column))) for field in fields),
        Identifier(str(meta.pk.column)),
    )
    values = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
    return statement.as_string(), [*values, row.pk]


def keys_of(wanted: Mapping[type[models.Model], int]) -> Statement:
    """A question for so many fresh keys of each table; its one row has a list for each."""
    one = "ARRAY(SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s))"
    columns = ", ".join([one] * len(wanted))
    named = [value for model, many in wanted.items() for value in (model._meta.db_table, many)]
    return f"SELECT {columns}", named


def _sent(statements: Sequence[Statement]) -> list[list[Any]]:
    answers = list[list[Any]]()
    with connection.cursor() as cursor:
        if cast(Any, connection.features).uses_server_side_binding:
            # Prepared statements are sent one by one.
            for statement in statements:
                cursor.execute(*statement)
                answers.append(_rows(cursor))
            return answers
        compose = cast(Any, connection.ops).compose_sql
        cursor.execute(BETWEEN.join(compose(*statement) for statement in statements))
        answers.append(_rows(cursor))
        while cast(Any, cursor).nextset():
            answers.append(_rows(cursor))
        return answers


def _rows(cursor: Any) -> list[Any]:
    return cursor.fetchall() if cursor.description else []


class _Asked:
    """A QuerySet whose rows come with other statements' rows. Its compiler is kept between asking and reading."""

    def __init__(self, question: QuerySet[Any]) -> None:
        self.question = question.all()
        self.compiler: Any = self.question.query.get_compiler(self.question.db)
        try:
            self.statement: Statement = self.compiler.as_sql()
        except EmptyResultSet:
            # Django knows without asking that nothing fits: a list of none to choose from.
            self.statement = ("SELECT 1 WHERE false", ())

    def read(self, rows: list[Any]) -> list[Any]:
        return read(self.question, self.compiler, rows)
