"""How often a token may ask: a minute that begins with its first request, counted in this process alone.

In the database, where the other limits are counted, it would cost more than most requests do; so several web servers
allow as many times more.
"""

import math
import threading
import time
from collections.abc import Callable

from crossdock.web.api.problems import Refuse

EACH_MINUTE = 1200
MINUTE = 60.0


class Pace:
    """At most `most` requests of a key in its minute.

    Not the clock's minute: at its turn a key would have both minutes' requests at once.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self._clock, self._lock = most, clock, threading.Lock()
        self._swept, self._minutes = clock(), dict[int, tuple[float, int]]()

    def wait(self, key: int) -> int:
        """Seconds until this key may ask again; 0 when it may now."""
        now = self._clock()
        with self._lock:
            if now - self._swept >= MINUTE:
                self._swept, self._minutes = now, {k: v for k, v in self._minutes.items() if now - v[0] < MINUTE}
            began, asked = self._minutes.get(key, (now, 0))
            if now - began >= MINUTE:
                began, asked = now, 0
            self._minutes[key] = began, asked + 1
        return 0 if asked < self.most else math.ceil(MINUTE - (now - began))


pace = Pace(EACH_MINUTE)


def not_too_fast(token: int) -> None:
    seconds = pace.wait(token)
    if seconds:
        raise Refuse("too-fast", f"At most {pace.most} requests a minute; go on in {seconds} s.", retry_after=seconds)
