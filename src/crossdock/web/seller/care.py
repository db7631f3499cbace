"""Care with questions to strangers' servers: not too often, and a connector's own bug is a sentence instead of a
broken page.
"""

import logging
import secrets
from collections.abc import Callable
from typing import TypeVar

from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Outside
from crossdock.store.vault import VaultLocked
from crossdock.web.api.pace import Pace

T = TypeVar("T")
logger = logging.getLogger(__name__)
# Each holds a thread for up to twenty seconds. People who correct a typing error stay far below.
TESTS_A_MINUTE = 10
pace = Pace(TESTS_A_MINUTE)


class OurFault(Outside):
    """A connector broke in a way that it should not.

    The message is for the seller; the log holds the rest under the same code.
    """


class TooOften(Outside):
    """This seller tested connections too often within a minute."""


def not_too_often(seller_id: int) -> None:
    """Raises TooOften."""
    seconds = pace.wait(seller_id)
    if seconds:
        raise TooOften(
            f"A connection can be tested {pace.most} times a minute. Wait {seconds} seconds, then try again."
        )


def guarded(platform: str, deed: Callable[[], T]) -> T:
    """What the connector gives, or Outside: a bug of its own is a sentence with a code, and the log tells us where."""
    try:
        return deed()
    except (Outside, VaultLocked, NoSuchFolder):
        raise
    except Exception as bug:
        code = secrets.token_hex(3).upper()
        logger.exception("connector %s broke while somebody waited (code %s)", platform, code)
        raise OurFault(
            "Something broke on our side while we spoke to your shop; it is not connected or changed by that. Try"
            f" again. If it stays, write to us with the code {code}."
        ) from bug
