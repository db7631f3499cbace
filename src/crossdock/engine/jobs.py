"""The jobs. One wakes a pump and ends at once; the others are timers that find what a lost wake-up left and tidy up.
The quickest timers are no jobs.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from procrastinate import JobContext
from procrastinate.jobs import Status

from crossdock.domain.retention import EVIDENCE
from crossdock.engine import invariants, labels, payments, payouts, set_aside
from crossdock.engine.app import app
from crossdock.engine.audit.sending import send_audit
from crossdock.engine.daily import bulk
from crossdock.engine.engine import Engine
from crossdock.engine.shop import inbox
from crossdock.store.work import PUMP
from crossdock.usecases.accounts import away
from crossdock.usecases.catalogue import offers
from crossdock.usecases.catalogue.filling import refill_some
from crossdock.usecases.catalogue.room import fill_rooms
from crossdock.usecases.catalogue.saved import BUYERS_AT_ONCE, mail_searches
from crossdock.usecases.catalogue.selling.run import follow_some
from crossdock.usecases.checkout import checkout
from crossdock.usecases.labels.purchase import forget_quotes
from crossdock.usecases.money import balance
from crossdock.usecases.money import payouts as money_out
from crossdock.usecases.money.reports import closing
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.privacy.carry_on import carry_on
from crossdock.usecases.record import alert_mail
from crossdock.usecases.requests import cancel, overdue
from crossdock.usecases.risk.again import judge_newly_linked
from crossdock.usecases.shops import timers
from crossdock.usecases.support import retention

_log = logging.getLogger(__name__)
KEEP_EVIDENCE = timedelta(days=EVIDENCE)
# The judgements whose links this process followed already.
_LINKED: set[int] = set()
# Of 500 listings each: about half of a minute.
_BATCHES_A_MINUTE = 60
_ROUNDS_OF_BUYERS = 20


def _engine(context: JobContext) -> Engine:
    engine = context.additional_context["engine"]
    assert isinstance(engine, Engine)
    return engine


async def _each(*steps: Callable[[], Awaitable[object]]) -> None:
    """Each has its turn, whatever an earlier one met. Raises the first trouble, so that the job tells of it."""
    trouble: list[Exception] = []
    for step in steps:
        try:
            await step()
        except Exception as error:
            _log.exception("a step of a timer stumbled; the others go on")
            trouble.append(error)
    if trouble:
        raise trouble[0]


@app.task(name=PUMP, pass_context=True)
async def pump(context: JobContext, *, party_id: int) -> None:
    """Only a wake-up: the pump goes on by itself, so that a killed worker leaves no job behind that blocks a shop."""
    await _engine(context).accept(party_id)


async def sweep(engine: Engine) -> None:
    """Parties whose due rows nobody holds, and checkouts whose time is over."""

    async def due() -> None:
        for party_id in await engine.threads.run(leases.due_parties, now=engine.clock()):
            await engine.accept(party_id)

    await _each(due, partial(engine.threads.run, checkout.expire_checkouts, now=engine.clock()))


async def open_payments(engine: Engine) -> None:
    await payments.settle_intents(engine)


async def personal_data(engine: Engine) -> None:
    """Copies of somebody's data, and leavings whose days of grace are over."""
    keep_going = partial(carry_on, clock=engine.clock, going_on=lambda: not engine.stopping)
    while not engine.stopping and await engine.threads.run(keep_going):
        pass


# What every worker does by itself, each so many seconds: as jobs these would be written, fetched and deleted a hundred
# thousand times a day.
BY_ITSELF: tuple[tuple[float, Callable[[Engine], Awaitable[None]]], ...] = (
    (5.0, sweep),
    (10.0, open_payments),
    (10.0, personal_data),
    (5.0, send_audit),
    # Somebody sits before the page of a run and waits.
    (2.0, bulk.carry_on),
)


@app.periodic(cron="* * * * *")
@app.task(name="crossdock.minute", queueing_lock="minute", pass_context=True)
async def minute(context: JobContext, timestamp: int) -> None:
    """Orders that are late for their shop, offers whose time ran out, holidays that begin and end, requests and
    returns that nobody answered or sent, orders that look different by a new link, privacy requests for shops that no
    pump visits, and listings that wait for room.
    """
    engine = _engine(context)
    run = engine.threads.run
    await _each(
        partial(run, root_causes.late_copies, now=engine.clock()),
        partial(run, offers.expire_offers, now=engine.clock()),
        partial(run, away.keep, now=engine.clock()),
        partial(run, cancel.tell_unanswered, now=engine.clock()),
        partial(run, overdue.tell_late, now=engine.clock()),
        partial(run, judge_newly_linked, now=engine.clock(), seen=_LINKED),
        partial(run, inbox.obey_for_closed_shops),
        partial(run, fill_rooms, now=engine.clock()),
        partial(_fill_again, engine),
        partial(_follow_rules, engine),
        partial(set_aside.try_again, engine),
    )


async def _fill_again(engine: Engine) -> None:
    """Listings whose rules or definitions changed, a batch at a time; what is left waits for the next minute."""
    for _ in range(_BATCHES_A_MINUTE):
        if not await engine.threads.run(refill_some, now=engine.clock()):
            return


async def _follow_rules(engine: Engine) -> None:
    """Listings of shops of which something else is sold now, in the same way."""
    for _ in range(_BATCHES_A_MINUTE):
        if not await engine.threads.run(follow_some, now=engine.clock()):
            return


@app.periodic(cron="3 * * * *")
@app.task(name="crossdock.digests", queueing_lock="digests", pass_context=True)
async def digests(context: JobContext, timestamp: int) -> None:
    """One mail an hour for each seller who wants alerts that way."""
    engine = _engine(context)
    await engine.threads.run(alert_mail.send_digests, now=engine.clock())


@app.periodic(cron="*/10 * * * *")
@app.task(name="crossdock.searches", queueing_lock="searches", pass_context=True)
async def searches(context: JobContext, timestamp: int) -> None:
    """What is new for buyers' saved searches, a number of buyers at a time."""
    engine = _engine(context)
    for _ in range(_ROUNDS_OF_BUYERS):
        if await engine.threads.run(mail_searches, now=engine.clock()) < BUYERS_AT_ONCE:
            return


@app.periodic(cron="*/15 * * * *")
@app.task(name="crossdock.invariants", queueing_lock="invariants", pass_context=True)
async def check_invariants(context: JobContext, timestamp: int) -> None:
    engine = _engine(context)
    await engine.threads.run(invariants.check, now=engine.clock(), whole=False)


@app.periodic(cron="41 3 * * *")
@app.task(name="crossdock.invariants_whole", queueing_lock="invariants_whole", pass_context=True)
async def check_invariants_whole(context: JobContext, timestamp: int) -> None:
    """What was written long ago can only be broken by somebody's hand in the database, or by a restore."""
    engine = _engine(context)
    await engine.threads.run(invariants.check, now=engine.clock())


@app.periodic(cron="23 * * * *")
@app.task(name="crossdock.payment_news", queueing_lock="payment_news", pass_context=True)
async def payment_news(context: JobContext, timestamp: int) -> None:
    """Refunds and disputes made at the payment provider, in case a webhook was lost."""
    await payments.read_what_changed(_engine(context))


@app.periodic(cron="*/20 * * * *")
@app.task(name="crossdock.labels", queueing_lock="labels", pass_context=True)
async def follow_labels(context: JobContext, timestamp: int) -> None:
    """Parcels under way and labels that are being taken back, in case a webhook was lost; each about once an hour."""
    await labels.read_under_way(_engine(context))


@app.periodic(cron="11 * * * *")
@app.task(name="crossdock.payouts", queueing_lock="payouts", pass_context=True)
async def pay_sellers(context: JobContext, timestamp: int) -> None:
    """Sellers whose day it is are paid, and payouts under way are read in case a webhook was lost."""
    engine = _engine(context)
    run = engine.threads.run
    await _each(partial(run, money_out.pay_due, now=engine.clock()), partial(payouts.read_under_way, engine))


@app.periodic(cron="17 1 * * *")
@app.task(name="crossdock.closing", queueing_lock="closing", pass_context=True)
async def close_days(context: JobContext, timestamp: int) -> None:
    """What the books add up to at the end of each day that is over."""
    engine = _engine(context)
    await engine.threads.run(closing.close_days, now=engine.clock())


@app.periodic(cron="*/10 * * * *")
@app.task(name="crossdock.payable", queueing_lock="payable", pass_context=True)
async def make_payable(context: JobContext, timestamp: int) -> None:
    """Orders whose money sellers may have from now on."""
    engine = _engine(context)
    await engine.threads.run(balance.release, now=engine.clock())


@app.periodic(cron="7 * * * *")
@app.task(name="crossdock.tidy", queueing_lock="tidy", pass_context=True)
async def tidy(context: JobContext, timestamp: int) -> None:
    """Old evidence, finished jobs, and jobs that a killed worker left behind: those were only wake-ups, so they are
    dropped, not repeated.
    """
    engine = _engine(context)
    await engine.threads.run(timers.prune, older_than=KEEP_EVIDENCE, now=datetime.now(UTC))
    await engine.threads.run(forget_quotes, older_than=engine.clock() - timedelta(days=1))
    jobs = context.app.job_manager
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=60):
        await jobs.finish_job(job, Status.FAILED, delete_job=True)
    await jobs.delete_old_jobs(nb_hours=24, include_failed=True, include_cancelled=True, include_aborted=True)


@app.periodic(cron="41 3 * * *")
@app.task(name="crossdock.retention", queueing_lock="retention", pass_context=True)
async def keep_no_longer(context: JobContext, timestamp: int) -> None:
    """What the policy lets go, a few rows at a time (docs/retention.md)."""
    await _engine(context).threads.run(retention.run, now=datetime.now(UTC))


def registered() -> tuple[str, ...]:
    """The names of all jobs; importing this module registered them."""
    return tuple(sorted(app.tasks))
