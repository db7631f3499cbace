"""What an HTTP status means for the next step.

A 403 is left to the connector: only the platform's own body says which right is missing.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Throttled

LONGEST_WISH = 3600.0


def check(reply: Reply) -> Reply:
    """The reply itself when its status is 2xx, or a 4xx that only the platform's body explains.

    Raises Throttled (429), AuthDead (401), Missing (404), NoAnswer (5xx, and a redirect, which is followed for reads
    only).
    """
    match reply.status:
        case 429:
            raise Throttled("The shop asked us to slow down.", retry_after(reply))
        case 401:
            raise AuthDead("The shop refused our credentials.")
        case 404:
            raise Missing("The shop says that this does not exist there.")
        case status if status >= 500:
            raise NoAnswer(f"The shop answered with an error of its own ({status}).", retry_after(reply))
        case status if 300 <= status < 400:
            raise NoAnswer(
                f"The shop redirected us to another address ({status}); connect it again with the address where it"
                " lives now."
            )
        case _:
            return reply


def retry_after(reply: Reply) -> float | None:
    """Seconds that the party wants us to wait, from Retry-After in either form; None when it says nothing readable.

    At most an hour.
    """
    wish = reply.headers.get("retry-after", "").strip()
    try:
        seconds = float(wish)
    except ValueError:
        seconds = _until(wish, reply.headers.get("date", ""))
    return min(seconds, LONGEST_WISH) if seconds >= 0 else None


def _until(wish: str, date: str) -> float:
    """Seconds from the answer's own Date (their clock, not ours) to `wish`; -1 when unreadable (float("nan") gives
    False everywhere too).
    """
    try:
        end = parsedate_to_datetime(wish)
        start = parsedate_to_datetime(date) if date else datetime.now(UTC)
        return max(0.0, (end - start).total_seconds())
    except (ValueError, TypeError):
        return -1.0
