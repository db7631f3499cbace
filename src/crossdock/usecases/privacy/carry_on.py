"""The worker's turn: one run that is due, whichever it is."""

import logging
from collections.abc import Callable

from django.db import IntegrityError

from crossdock.domain.privacy.runs import RunKind
from crossdock.usecases.privacy.erasing import erase
from crossdock.usecases.privacy.runs import Clock, Lost, claim, export, rest

_log = logging.getLogger(__name__)


def carry_on(*, clock: Clock, going_on: Callable[[], bool]) -> bool:
    """One run that is due, as far as it gets; whether there was one. What it trips over is logged, and tried again."""
    run = claim(now=clock())
    if run is None:
        return False
    try:
        work = erase if run.kind == RunKind.ERASURE else export
        work(run, clock=clock, going_on=going_on)
    except (Lost, IntegrityError):
        rest(run, now=clock(), until=clock())
    except Exception:
        _log.exception("a %s stumbled and is tried again", run)
        rest(run, now=clock())
    return True
