"""One worker process. SIGTERM or SIGINT: nothing new is started, what is in flight is finished within a grace time,
the rest is given back.

Procrastinate's own heartbeat tells /healthz that somebody works.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable

import uvloop
from django.conf import settings
from django.db import Error as DatabaseError

from crossdock import seeing
from crossdock.engine import jobs, labels, notify, payments, payouts
from crossdock.engine.app import app, worker_connector
from crossdock.engine.engine import LEASE_SECONDS, Engine, Opener
from crossdock.engine.record import Recorder
from crossdock.engine.shop.worker import open_shop_handler
from crossdock.kit.http import WATCHED_BY, Transport
from crossdock.store.threads import Threads
from crossdock.usecases.shops import timers

_log = logging.getLogger(__name__)
GRACE_SECONDS = 15.0
_AT_ONCE = 50
# A round under way when we are asked to stop.
_ROUND_SECONDS = 5.0
HANDLERS: dict[str, Opener] = {
    "shop": open_shop_handler,
    "payment": payments.open_handler,
    "carrier": labels.open_handler,
    "payout": payouts.open_handler,
    "notify": notify.open_handler,
}


def main() -> int:
    """Returns the exit code, after a signal asked to stop. Django must be set up."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
    return 0


async def serve(stop: asyncio.Event | None = None) -> None:
    """Until a signal comes, or `stop` is set by a test."""
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, RuntimeError):
            loop.add_signal_handler(number, stop.set)
    threads, handlers = _tools(int(os.environ.get("CROSSDOCK_WORKER_THREADS", "6")))
    recorder = Recorder(threads)
    transport = Transport(allow_local=settings.ALLOW_LOCAL_SHOPS, recorder=recorder)
    engine = Engine(
        transport=transport,
        threads=threads,
        handlers=handlers,
        lease_seconds=float(os.environ.get("CROSSDOCK_LEASE_SECONDS", LEASE_SECONDS)),
    )
    _log.info("working")
    rounds = [asyncio.create_task(_again(engine, stop, *timer)) for timer in jobs.BY_ITSELF]
    try:
        await _take_jobs(engine, stop)
    finally:
        stop.set()
        await engine.stop(grace_seconds=GRACE_SECONDS)
        _, late = await asyncio.wait(rounds, timeout=_ROUND_SECONDS)
        for one in late:
            one.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await transport.close()
        await recorder.close()
        await threads.close()
    _log.info("stopped")


def _tools(size: int) -> tuple[Threads, dict[str, Opener]]:
    """Threads for the database and what opens handlers; within spans where traces are on."""
    seeing.start("worker", WATCHED_BY)
    if not settings.CONFIG.traces_url:
        return Threads(size), HANDLERS
    from crossdock.engine.traced import TracedThreads, traced

    return TracedThreads(size), traced(HANDLERS)


async def _again(
    engine: Engine, stop: asyncio.Event, seconds: float, work: Callable[[Engine], Awaitable[None]]
) -> None:
    """Until we are asked to stop, whatever it meets. With some jitter, so that several workers do not look at once."""
    while not stop.is_set():
        try:
            await work(engine)
        except DatabaseError as error:
            _log.warning("a timer stumbled over the database and goes on: %s", error)
        except Exception:
            _log.exception("a timer stumbled and goes on")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds * engine.random.uniform(0.9, 1.1))


async def _take_jobs(engine: Engine, stop: asyncio.Event) -> None:
    """Procrastinate's worker ends when it loses the database; it is started again until we are asked to stop."""
    asked = asyncio.create_task(stop.wait())
    while not stop.is_set():
        taking = asyncio.create_task(_procrastinate(engine))
        await asyncio.wait({taking, asked}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            # Pumps are told first, so that nothing new starts while jobs are being let go.
            engine.stopping = True
            taking.cancel()
        try:
            await taking
        except asyncio.CancelledError:
            pass
        except Exception as error:
            _log.error("no jobs can be taken: %s", error)
        if not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(asked), 2)
    asked.cancel()


async def _procrastinate(engine: Engine) -> None:
    jobs.registered()
    await engine.threads.run(timers.audit_soon, now=engine.clock())
    with app.replace_connector(worker_connector()):
        async with app.open_async():
            await app.run_worker_async(
                name="crossdock",
                concurrency=_AT_ONCE,
                delete_jobs="successful",
                fetch_job_polling_interval=5.0,
                install_signal_handlers=False,
                shutdown_graceful_timeout=5.0,
                additional_context={"engine": engine},
            )
