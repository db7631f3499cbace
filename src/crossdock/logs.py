"""Plain log lines on stderr, in which no secret stands: configured values and everything that looks like a credential
are masked.
"""

import logging
import re
from collections.abc import Iterable

MASK = "•••"
_LOOKS_SECRET = re.compile(
    r"""(?ix)
    (?P<name>(?:authorization|x-[a-z-]*token|[a-z_]*(?:password|passwd|secret|token|api_?key|consumer_key|signature))["']?\s*[:=]\s*["']?)
    (?P<scheme>(?:bearer|basic|token)\s+)?
    [^\s"'&,;<>)}\]]+
    """
)
_IN_ADDRESS = re.compile(r"(?P<start>[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+@")


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets and without what looks like one."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _IN_ADDRESS.sub(rf"\g<start>{MASK}@", text)
    return _LOOKS_SECRET.sub(lambda hit: f"{hit['name']}{hit['scheme'] or ''}{MASK}", text)


class PlainFormatter(logging.Formatter):
    """Masks after formatting, so that arguments and tracebacks are covered too."""

    def __init__(self, *, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        # The longest first, or a shorter one could leave the tail of a longer one readable.
        self.secrets = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record), self.secrets)
