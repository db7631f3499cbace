"""The ear of a page that asks a shop: calls are gathered while it waits and written when it has its answer, well or
not.
"""

import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from django.db import Error as DatabaseError

from crossdock.kit.ask import ask_all_sync, ask_sync
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
    ear = _Ear(party_id)
    try:
        return ask_sync(lambda transport: question(transport, ear.hear), within)
    finally:
        ear.keep()


def ask_all_and_keep(questions: "Sequence[tuple[int, Question[T]]]", within: float) -> "list[T | BaseException]":
    """The same of several parties side by side: what each gave or raised."""
    ears = [_Ear(party_id) for party_id, _ in questions]
    pairs = [(question, ear) for (_, question), ear in zip(questions, ears, strict=True)]
    try:
        return ask_all_sync([partial(_with_ear, question, ear) for question, ear in pairs], within)
    finally:
        for ear in ears:
            ear.keep()


def _with_ear(question: "Question[T]", ear: "_Ear", transport: Transport) -> Coroutine[Any, Any, T]:
    return question(transport, ear.hear)


class _Ear:
    """The calls of one party, gathered on the loop that asks and written by the page."""

    def __init__(self, party_id: int) -> None:
        self.party_id = party_id
        self.calls: list[dict[str, Any]] = []

    def hear(self, call: Exchange) -> None:
        self.calls.append(
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

    def keep(self) -> None:
        heard = list(self.calls)
        try:
            if heard and self.party_id > 0:
                keep_calls(party_id=self.party_id, calls=heard)
            elif heard:
                keep_calls_of_attempt(attempt_id=-self.party_id, calls=heard)
        except DatabaseError as error:
            _log.warning("%d calls of a page were not kept: %s", len(heard), error)


def _text(text: str) -> str:
    """PostgreSQL has no NUL in its texts, and its JSON not even an escaped one."""
    return text.replace("\x00", "�").replace("\\u0000", "\\ufffd")
