"""The ear of a page that asks a shop: calls are gathered while it waits and written when it has its answer, well or
not.
"""

import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import Error as DatabaseError

from crossdock.kit.ask import ask_sync
from crossdock.kit.http import Exchange, Recorder, Transport
from crossdock.usecases.shops.recorded_calls import keep_calls, keep_calls_of_attempt

T = TypeVar("T")
_log = logging.getLogger(__name__)
Question = Callable[[Transport, Recorder], Coroutine[Any, Any, T]]


def ask_and_keep(question: "Question[T]", within: float, *, party_id: int) -> T:
    """Like ask_sync; `question` opens the shop with the recorder that it is given. A negative party is an attempt's
    (usecases/shops/connect.py).

    Evidence is never worth failing the page for.
    """
    calls: list[dict[str, Any]] = []

    def hear(call: Exchange) -> None:
        calls.append(
            {
                "at": datetime.now(UTC),
                "method": call.method[:10],
                "url": _text(call.url),
                "status": call.status,
                "milliseconds": max(0, call.milliseconds),
                "request": _text(call.request),
                "response": _text(call.answer),
                "error": _text(call.trouble),
                "headers": {name: _text(value) for name, value in call.headers.items()},
            }
        )

    try:
        return ask_sync(lambda transport: question(transport, hear), within)
    finally:
        heard = list(calls)
        try:
            if heard and party_id > 0:
                keep_calls(party_id=party_id, calls=heard)
            elif heard:
                keep_calls_of_attempt(attempt_id=-party_id, calls=heard)
        except DatabaseError as error:
            _log.warning("%d calls of a page were not kept: %s", len(heard), error)


def _text(text: str) -> str:
    """PostgreSQL has no NUL in its texts, and its JSON not even an escaped one."""
    return text.replace("\x00", "�").replace("\\u0000", "\\ufffd")
