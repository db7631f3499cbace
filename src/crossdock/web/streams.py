"""Answers that are sent piece by piece as they are read, so that memory does not grow with them."""

from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest

T = TypeVar("T", str, bytes)


def in_turn(request: HttpRequest, parts: Iterator[T]) -> Iterator[T] | AsyncIterator[T]:
    """What a StreamingHttpResponse is given: the server would read a plain iterator to its end before it sends."""
    return _each(parts) if isinstance(request, ASGIRequest) else parts


async def _each(parts: Iterator[T]) -> AsyncIterator[T]:
    while (part := await sync_to_async(lambda: next(parts, None))()) is not None:
        yield part
