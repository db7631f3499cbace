"""QuerySets whose SQL is made once: building one and turning it into text takes Django longer than PostgreSQL needs to
answer it, and an order asks twenty.

`prepared` stands above a function that gives a QuerySet for plain values (text, whole numbers, lists of them). The
first call puts marks in the place of the values and remembers where they stand in the statement; the others put theirs
there.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.db import connection
from django.db.models import QuerySet

# No value of ours: a fitting one would be found in the statement's place of another.
_TEXT, _NUMBER = "\x02mark\x03", 0x4D61_726B_0000_0000


@dataclass(frozen=True, slots=True)
class Plan:
    """`places` has each parameter as it was, and before it the number of the value that stands there, if one does."""

    question: QuerySet[Any]
    compiler: Any
    sql: str
    places: tuple[tuple[int | None, Any], ...]

    def bound(self, values: Sequence[Any]) -> "Bound":
        return Bound(self, [value if place is None else type(value)(values[place]) for place, value in self.places])


@dataclass(frozen=True, slots=True)
class Bound:
    """A plan with its values."""

    plan: Plan
    params: list[Any]

    @property
    def statement(self) -> tuple[str, list[Any]]:
        return self.plan.sql, self.params

    def read(self, rows: list[Any]) -> list[Any]:
        return read(self.plan.question.all(), copy(self.plan.compiler), rows)


def read(question: QuerySet[Any], compiler: Any, rows: list[Any]) -> list[Any]:
    """The rows of a statement as what the QuerySet gives; both are the caller's own."""
    compiler.connection = connection
    compiler.execute_sql = lambda *_, **__: [rows]
    cast(Any, question.query).get_compiler = lambda *_, **__: compiler
    return list(question)


def prepared(make: Callable[..., QuerySet[Any]]) -> "Callable[..., Bound | QuerySet[Any]]":
    """A value that says nothing (None) and an empty list make another statement, so they go without a plan."""
    plans: dict[tuple[Any, ...], Plan] = {}

    @wraps(make)
    def asked(*given: str | int | Sequence[str] | Sequence[int]) -> Bound | QuerySet[Any]:
        lists = [list(dict.fromkeys(value)) if not isinstance(value, str | int) else value for value in given]
        shape = tuple((type(v[0]), len(v)) if isinstance(v, list) and v else type(v) for v in lists)
        if list in shape:
            return make(*lists)
        plan = plans.get(shape)
        if plan is None:
            plan = plans[shape] = _planned(make, lists)
        return plan.bound([one for value in lists for one in (value if isinstance(value, list) else [value])])

    return asked


def _planned(make: Callable[..., QuerySet[Any]], values: Sequence[Any]) -> Plan:
    marks: list[Any] = []

    def mark(value: Any) -> Any:
        if isinstance(value, list):
            return [mark(one) for one in value]
        if type(value) not in (str, int):
            raise TypeError(f"a prepared question takes text and whole numbers, not {type(value).__name__}")
        marks.append(f"{_TEXT}{len(marks)}" if isinstance(value, str) else _NUMBER + len(marks))
        return marks[-1]

    question = make(*map(mark, values))
    compiler: Any = question.query.get_compiler(question.db)
    sql, params = compiler.as_sql()
    numbers = {one: number for number, one in enumerate(marks)}
    # Django gives a whole number the type of its column, which the other values get as well.
    places = [(numbers.get(param) if isinstance(param, str | int) else None, param) for param in params]
    if {number for number, _ in places if number is not None} != set(numbers.values()):
        raise TypeError("a prepared question must use each of its values as it is")
    return Plan(question, compiler, sql, tuple(places))
