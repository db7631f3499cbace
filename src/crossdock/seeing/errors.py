"""Reports of errors to a server that speaks Sentry's protocol; imported by nobody while ERROR_DSN is empty.

A log handler: whatever was logged with an exception, by a page, a worker or a command, and what ended a process. Of it
go the places in the code, each exception's kind and the first line of its text, masked, and the ids of the request and
the order. No variables, no lines of source, no request, no person; databases quote rows from the second line on.
"""

import atexit
import logging
import re
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Any

import sentry_sdk
from sentry_sdk.utils import event_from_exception

from crossdock.logs import ABOUT, MASK, REQUEST, mask_line, worth_masking

_LONGEST = 500
_KEPT = ("event_id", "timestamp", "platform", "level", "logger", "message", "exception", "release", "tags")
_ADDRESS = re.compile(r"[\w.+-]{1,100}@[\w.-]{1,200}")
_WHERE = ("filename", "function", "module", "lineno", "in_app")


class Reporter(logging.Handler):
    def __init__(self, dsn: str, secrets: Sequence[str]) -> None:
        super().__init__(logging.ERROR)
        self._mask = partial(mask_line, secrets=worth_masking([*secrets, dsn]))
        self._client = sentry_sdk.Client(
            dsn,
            release=f"crossdock@{version('crossdock')}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            include_source_context=False,
            auto_session_tracking=False,
            send_client_reports=False,
            server_name="",
            before_send=self._as_sent,
        )
        atexit.register(self._client.close, timeout=2.0)
        sys.excepthook = partial(self._ended, sys.excepthook)

    def emit(self, record: logging.LogRecord) -> None:
        if not record.exc_info or record.exc_info[1] is None:
            return
        try:
            event, hint = event_from_exception(record.exc_info[1], client_options=self._client.options)
            tags = {"request": REQUEST.get(), "order": ABOUT.get()}
            said: dict[str, Any] = {
                "level": "error",
                "logger": record.name,
                "message": _with_numbers_alone(record),
                "tags": tags,
            }
            told: Any = {**dict(event), **said}
            self._client.capture_event(told, hint)
        except Exception:
            self.handleError(record)

    def _ended(self, before: Any, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """What nobody caught ends the process: it is told, and printed as ever."""
        if issubclass(kind, Exception):
            told = (kind, error, trace)
            self.emit(logging.LogRecord("crossdock", logging.ERROR, "", 0, "The process ended.", (), told))
        before(kind, error, trace)

    def _as_sent(self, event: Any, hint: Any) -> Any:
        """What is not named here stays here."""
        kept = {name: event[name] for name in _KEPT if event.get(name)}
        kept["message"] = self._said(kept.get("message", ""))
        kept["tags"] = {name: self._said(value) for name, value in kept.get("tags", {}).items() if value}
        kept["exception"] = {"values": [self._exception(one) for one in event["exception"]["values"]]}
        return kept

    def _exception(self, one: Any) -> dict[str, Any]:
        frames = (one.get("stacktrace") or {}).get("frames") or []
        places = [{name: frame[name] for name in _WHERE if name in frame} for frame in frames]
        return {
            "type": one.get("type"),
            "module": one.get("module"),
            "value": self._said(one.get("value") or ""),
            "stacktrace": {"frames": places},
        }

    def _said(self, text: str) -> str:
        first = text.strip().split("\n", 1)[0][: 2 * _LONGEST]
        return _ADDRESS.sub(MASK, self._mask(first))[:_LONGEST]


def _with_numbers_alone(record: logging.LogRecord) -> str:
    """What a line fills in may be an address that is somebody's link; our numbers are none."""
    filled = record.args if isinstance(record.args, tuple) else ()
    return (
        str(record.msg) % tuple(one if isinstance(one, int) else "…" for one in filled) if filled else str(record.msg)
    )
