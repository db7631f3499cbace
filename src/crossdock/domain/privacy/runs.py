"""The way of a copy of somebody's data, and of their leaving."""

from datetime import timedelta
from enum import StrEnum

# How long a copy can be had; and for how many of them within how long.
LINK = timedelta(days=7)
MOST_COPIES, COPIES_WITHIN = 3, timedelta(days=1)


class RunKind(StrEnum):
    EXPORT = "export"
    ERASURE = "erasure"


class RunState(StrEnum):
    """SECOND waits for another person of staff, WAITING for its time. STOPPED: something had come up meanwhile."""

    SECOND = "second"
    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    DONE = "done"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


OPEN = (RunState.SECOND, RunState.WAITING, RunState.RUNNING)
