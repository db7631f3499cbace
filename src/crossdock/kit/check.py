"""What an HTTP status means for the next step.

A 403 is left to the connector: only the platform's own body says which right is missing. A 401 speaks of our
credentials only where the platform's own software wrote it: a host's password page sends a 401 as well.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crossdock.kit.connector import Reply
from crossdock.kit.errors import AuthDead, Challenged, Missing, NoAnswer, Strange, Throttled

LONGEST_WISH = 3600.0
WALL_SECONDS = 60.0
_CHALLENGE = re.compile(rb"challenge-platform|cf-chl|Just a moment|Checking your browser|captcha", re.IGNORECASE)


def check(reply: Reply) -> Reply:
    """The reply itself when its status is 2xx, or a 4xx that only the platform's body explains.

    Raises Throttled (429, and a 401 that is a page), AuthDead (401), Missing (404), NoAnswer (5xx, and a redirect,
    which is followed for reads only).
    """
    if is_challenge(reply):
        raise walled(reply.status)
    match reply.status:
        case 429:
            raise Throttled("The shop asked us to slow down.", retry_after(reply))
        case 401 if not is_data(reply):
            raise walled(reply.status)
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


def is_challenge(reply: Reply) -> bool:
    """A firewall's "prove that you are human", which comes as a 200 as well."""
    html = "html" in reply.headers.get("content-type", "")
    return html and _CHALLENGE.search(reply.body[:20_000]) is not None


def is_data(reply: Reply) -> bool:
    """Whether the answer is a JSON object, as a platform's own refusals are, and not somebody else's page."""
    try:
        return isinstance(reply.json(), dict)
    except Strange:
        return False


def walled(status: int, said: str = "") -> Throttled | Challenged:
    """Something before the shop turned us away. It says nothing about our credentials, so the shop is asked again.

    A refusal (4xx) means that nothing was done. A page with a 200 or a 5xx (a proxy's, after the shop took too long)
    proves nothing: what was asked is looked for before it is repeated.
    """
    words = f" It says: {said}" if said else ""
    sentence = (
        f"Something in front of your shop does not let us in ({status}): a password page of your host, a firewall or a"
        f" security plugin. Switch it off or let this marketplace through; we try again every few minutes.{words}"
    )
    return Throttled(sentence, WALL_SECONDS) if 400 <= status < 500 else Challenged(sentence, WALL_SECONDS)


def server_time(reply: Reply) -> datetime | None:
    """The party's own clock when it answered (Date); None when it names none."""
    try:
        return parsedate_to_datetime(reply.headers.get("date", "")).astimezone(UTC)
    except (TypeError, ValueError):
        return None


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
