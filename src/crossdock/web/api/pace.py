"""How often a token may ask: a fixed window per token, counted in this process alone.

In the database, where the other limits are counted, it would cost more than most requests do; so several web servers allow as many times more.
"""

import threading
import time
from collections.abc import Callable

from crossdock.web.api.problems import Refuse

EACH_MINUTE = 1200


class Pace:
    """Counts per key and minute; yesterday's counts are forgotten as soon as a new minute begins."""

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock, self._lock = most, clock, threading.Lock()
        self._minute, self._counts = -1, dict[int, int]()

    def wait(self, key: int) -> int:
        """Seconds until this key may ask again; 0 when it may now."""
        now = self._clock()
        with self._lock:
            if int(now // 60) != self._minute:
                self._minute, self._counts = int(now // 60), {}
            self._counts[key] = asked = self._counts.get(key, 0) + 1
        return 0 if asked <= self.most else 60 - int(now % 60)


pace = Pace(EACH_MINUTE)


def not_too_fast(token: int) -> None:
    seconds = pace.wait(token)
    if seconds:
        raise Refuse("too-fast", f"At most {pace.most} requests a minute; go on in {seconds} s.", retry_after=seconds)
