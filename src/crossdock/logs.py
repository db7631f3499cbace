"""Log lines on stderr, plain or JSON, in which no secret stands: configured values and everything that looks like a
credential are masked.
"""

import json
import logging
import re
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime

MASK = "•••"
# What a line is written for: the request's id, and the order that the request or the command is about. Tasks that are
# started inherit them.
REQUEST: ContextVar[str] = ContextVar("request", default="")
ABOUT: ContextVar[str] = ContextVar("about", default="")
# Strangers write parts of a log line: each pattern starts at a word of its own and takes time in proportion.
_LOOKS_SECRET = re.compile(
    r"""(?ix)
    (?P<name>(?:authorization|password|passwd|secret|token|api_?key|consumer_key|signature)
        ["']?\s{0,100}[:=]\s{0,100}["']?)
    (?P<scheme>(?:bearer|basic|token)\s{1,100})?
    [^\s"'&,;<>)}\]]+
    """
)
_IN_ADDRESS = re.compile(r"(?P<start>://[^\s/:@]*:)[^\s/@]+@")
LONGEST_LINE = 16_000
# The end of a traceback says what went wrong.
_LONGEST_END = 4_000
# What begins before a cut is recognised if it ends no further behind it.
_MARGIN = 1_000


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without what looks like one."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _IN_ADDRESS.sub(rf"\g<start>{MASK}@", text)
    return _LOOKS_SECRET.sub(lambda hit: f"{hit['name']}{hit['scheme'] or ''}{MASK}", text)


def mask_line(text: str, secrets: Iterable[str] = ()) -> str:
    """The same for a line of any length: of a long one the start and the end.

    What stands on a border is left out, since half a secret is not known as one.
    """
    if len(text) <= LONGEST_LINE + _LONGEST_END + 2 * _MARGIN:
        return mask(text, secrets)
    start = mask(text[: LONGEST_LINE + _MARGIN], secrets)[:-_MARGIN]
    end = mask(text[-_LONGEST_END - _MARGIN :], secrets)[_MARGIN:]
    return f"{start}... ({len(text)} characters) ...{end}"


def worth_masking(secrets: Iterable[str]) -> list[str]:
    """Configured secrets in the order in which they are replaced: the longest first, or a shorter one could leave the
    tail of a longer one readable. Very short ones are words of everyday lines.
    """
    return sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)


class PlainFormatter(logging.Formatter):
    """Masks after formatting, so that arguments and tracebacks are covered too."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self.secrets = worth_masking(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return mask_line(super().format(record), self.secrets)


class JsonFormatter(PlainFormatter):
    """One object a line, for programs that collect logs: the same words, masked alike, and what they are about."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask_line(self._said(record), self.secrets),
            "request": REQUEST.get(),
            "order": ABOUT.get(),
        }
        return json.dumps({name: value for name, value in told.items() if value}, ensure_ascii=False)

    def _said(self, record: logging.LogRecord) -> str:
        """With the traceback, which begins on a line of its own."""
        parts = [record.getMessage()]
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts)
