"""The worker sends on what is new of the audit log, a batch at a time; while the receiver is away nothing is lost and
nothing else waits for it.
"""

import logging
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

from crossdock.engine.audit.receivers import Line, deliver
from crossdock.engine.engine import Engine
from crossdock.usecases.record.audit_sending import AT_ONCE, begin, done, failed

_log = logging.getLogger(__name__)


async def send_audit(engine: Engine) -> None:
    target = settings.AUDIT_TO
    while target and not engine.stopping and await engine.threads.run(partial(send_some, target, engine=engine)):
        pass


def send_some(target: str, *, engine: Engine) -> bool:
    """One batch; whether more may wait. The receiver is asked outside of any transaction."""
    batch = begin(target=target, now=engine.clock())
    if not batch.rows:
        return False
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        deliver(target, [Line(row.at, row.topic, row.text) for row in batch.rows], host=host)
    except OSError as error:
        _log.warning("the audit log could not be sent on: %s; it waits and is sent later", type(error).__name__)
        failed(batch=batch, why=type(error).__name__, now=engine.clock())
        return False
    done(batch=batch, now=engine.clock())
    return len(batch.rows) == AT_ONCE
