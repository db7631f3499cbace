"""Answers that are sent piece by piece as they are read, so that memory does not grow with them."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from crossdock.domain.storable import MARK, plain
from crossdock.domain.values import Money

T = TypeVar("T", str, bytes)


def in_turn(request: HttpRequest, parts: Iterator[T]) -> Iterator[T] | AsyncIterator[T]:
    """What a StreamingHttpResponse is given: the server would read a plain iterator to its end before it sends."""
    return _each(parts) if isinstance(request, ASGIRequest) else parts


async def _each(parts: Iterator[T]) -> AsyncIterator[T]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part


def as_csv(
    request: HttpRequest, name: str, columns: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]
) -> StreamingHttpResponse:
    """A file for spreadsheets with its headings, sent page by page as it is read. A cell that is None is empty; a whole
    number and an amount are numbers, and all else is a text that nothing runs.
    """

    def lines() -> Iterator[str]:
        yield MARK + ",".join(columns) + "\r\n"
        for page in pages:
            text = io.StringIO()
            csv.writer(text).writerows([_cell(value) for value in row] for row in page)
            yield text.getvalue()

    response = StreamingHttpResponse(in_turn(request, lines()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cell(value: object) -> str:
    # An amount below zero begins with what a spreadsheet runs, and is a number all the same.
    if isinstance(value, (int, Money)):
        return str(value)
    return "" if value is None else plain(value)
