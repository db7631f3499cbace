"""What an outcome means: the command's row, the shop's copy, the holds and the alerts change in one transaction.

The order's lock is always taken first.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import transaction

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import (
    Done,
    Later,
    Outcome,
    Refused,
    SignInAgain,
    Unknown,
    Why,
    order_reference,
)
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import EndedWhy
from crossdock.store.because import because
from crossdock.store.crash import point
from crossdock.store.models import Command, Mail, Order, ShopCopy
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.usecases.catalogue.import_products import variants_gone
from crossdock.usecases.money.credits import refund_refused
from crossdock.usecases.orders import fulfilments
from crossdock.usecases.orders.consequences import lines_gone, lines_stay, refunded
from crossdock.usecases.orders.landing import bind
from crossdock.usecases.outcomes.endpoints import endpoint_gave_up
from crossdock.usecases.parties.leases import backoff
from crossdock.usecases.parties.root_causes import explained
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.record.events import SEND
from crossdock.usecases.record.timeline import tell
from crossdock.usecases.risk import writing
from crossdock.usecases.stock import restore
from crossdock.usecases.stock.reservations import fence, learn_refusal, release

GIVE_UP_AFTER = timedelta(hours=48)
EARLIER = "earlier_sent_at"


@dataclass(frozen=True, slots=True)
class Held:
    """A command with its order, both locked; no order for money and mail of none."""

    row: Command
    order: Order | None
    copy: ShopCopy | None


def hold(command_id: int) -> Held:
    subject = Command.objects.values_list("subject", flat=True).get(pk=command_id)
    order = (
        Order.objects.select_for_update(no_key=True, of=("self",))
        .select_related("seller__owner", "connection", "buyer")
        .filter(reference=order_reference(subject))
        .first()
    )
    row = Command.objects.select_for_update(no_key=True).get(pk=command_id)
    copy = ShopCopy.objects.select_for_update(no_key=True).filter(order=order).first() if order else None
    return Held(row, order, copy)


def settle_command(
    *,
    command_id: int,
    outcome: Outcome,
    random: Random,
    count_lag_seconds: float = 0.0,
    restores: bool = True,
    keeps_out: bool = False,
    now: datetime,
) -> None:
    """Idempotent: a command that is finished already stays as it is.

    Later, SignInAgain and Unknown put it back in line.
    """
    with transaction.atomic(), because(f"command:{command_id}"):
        held = hold(command_id)
        if held.row.state != CommandState.IN_FLIGHT:
            return
        point("settle.begin")
        match outcome:
            case Done():
                finish(held.row, CommandResult.OK, outcome.note, asdict(outcome), now=now)
                _done(held, outcome, count_lag_seconds=count_lag_seconds, now=now)
                restore.after_ending(
                    row=held.row,
                    order=held.order,
                    already=outcome.already,
                    restores=restores,
                    keeps_out=keeps_out,
                    now=now,
                )
            case Refused() if held.row.kind == "create_order" and not rules.refusal_is_final(
                unresolved=held.row.unresolved
            ):
                # Final only if no earlier attempt can still arrive (stock protocol, C4c): look until the horizon. This
                # attempt is settled, so the horizon counts from the one before; else each refusal would put it off,
                # for ever.
                held.row.last_sent_at = _earlier(held.row) or held.row.last_sent_at
                put_back(
                    held.row,
                    f"{outcome.sentence} An earlier attempt is still being looked for.",
                    timedelta(seconds=5),
                    unknown=True,
                    now=now,
                )
            case Refused():
                finish(held.row, CommandResult.REFUSED, outcome.sentence, asdict(outcome), now=now)
                was_refused(held, outcome, now=now)
            case Later():
                wait = (
                    timedelta(seconds=outcome.after_seconds)
                    if outcome.after_seconds is not None
                    else backoff(attempts=held.row.attempts, random=random)
                )
                put_back(held.row, outcome.sentence, wait, unknown=held.row.unresolved, now=now)
                give_up(held, now=now)
            case SignInAgain():
                put_back(held.row, outcome.sentence, timedelta(0), unknown=held.row.unresolved, now=now)
            case Unknown():
                wait = timedelta(
                    seconds=outcome.after_seconds
                    or min(30.0, 0.5 * 2 ** min(held.row.attempts, 6)) * random.uniform(0.5, 1.0)
                )
                put_back(held.row, outcome.sentence, wait, unknown=True, now=now)
                give_up(held, now=now)
        point("settle.before_commit")
    point("settle.after_commit")


def finish(row: Command, result: CommandResult, sentence: str, outcome: dict[str, Any], *, now: datetime) -> None:
    row.state, row.result, row.sentence, row.outcome = CommandState.DONE, result, sentence, outcome
    row.unresolved, row.finished_at = False, now
    row.save()


def put_back(row: Command, sentence: str, wait: timedelta, *, unknown: bool, now: datetime) -> None:
    row.state, row.sentence, row.unresolved, row.due_at, row.outcome = (
        CommandState.WAITING,
        sentence,
        unknown,
        now + wait,
        {},
    )
    row.save()


def _earlier(row: Command) -> datetime | None:
    """When the attempt before this one was sent, whose outcome is still unknown."""
    return datetime.fromisoformat(row.outcome[EARLIER]) if EARLIER in row.outcome else None


def give_up(held: Held, *, now: datetime) -> None:
    """After two days a person decides. The row stays, visible and resendable."""
    row = held.row
    if now - row.created_at < GIVE_UP_AFTER:
        return
    if held.order and explained(connection_id=held.order.connection_id):
        # A person has the shop's own alert already; this is given up only if it still fails when that is settled.
        return
    if row.kind == fulfilments.KIND and held.order:
        # Nothing behind it in the order's line may wait for ever: a person enters the parcel, or sends it again.
        given_up = Refused(Why.CONFLICT, f"It was tried for two days without success. Last answer: {row.sentence}")
        finish(row, CommandResult.REFUSED, given_up.sentence, asdict(given_up), now=now)
        fulfilments.not_written(order=held.order, row=row, outcome=given_up, now=now)
        return
    row.state, row.finished_at = CommandState.DEAD, now
    row.save(update_fields=["state", "finished_at"])
    if row.kind == SEND:
        endpoint_gave_up(command=row, sentence=row.sentence, now=now)
    if held.order:
        raise_alert(
            code=AlertCode.COMMAND_DEAD,
            seller=held.order.seller,
            order=held.order,
            connection=held.order.connection,
            key=f"command:{row.pk}",
            now=now,
            evidence={"command": row.pk},
            sentence=(
                f"Order {held.order}: “{row.kind.replace('_', ' ')}” was tried for two days without success. Last"
                f" answer: {row.sentence}"
            ),
        )


def _done(held: Held, outcome: Done, *, count_lag_seconds: float, now: datetime) -> None:
    after = now + timedelta(seconds=count_lag_seconds) if count_lag_seconds else None
    if held.order:
        settle_by_fact(
            now=now,
            how="It was delivered.",
            codes=(AlertCode.COMMAND_DEAD,),
            order=held.order,
            key=f"command:{held.row.pk}",
        )
    match held.row.kind:
        case "create_order" if held.order and held.copy:
            bind(order=held.order, copy=held.copy, outcome=outcome, adopted=outcome.already, want_after=after, now=now)
        case "cancel_order" if held.order and held.copy:
            _cancelled(held.order, held.copy, held.row, outcome, want_after=after, now=now)
        case "cancel_lines" if held.order and held.copy:
            lines_gone(held.order, held.row, want_after=after, now=now)
        case "refund_payment" if held.order:
            refunded(held.order, held.row, now=now)
        case "write_risk" if held.order:
            writing.written(order=held.order, row=held.row, now=now)
        case fulfilments.KIND if held.order and held.copy:
            fulfilments.written(order=held.order, copy=held.copy, row=held.row, outcome=outcome, now=now)
        case "send_mail":
            Mail.objects.filter(pk=held.row.payload["mail"], sent_at=None).update(sent_at=now)
        case _:
            pass


def was_refused(held: Held, outcome: Refused, *, now: datetime) -> None:
    order, copy = held.order, held.copy
    match held.row.kind:
        case "create_order" if order and copy:
            if outcome.why is Why.NO_STOCK:
                learn_refusal(order=order, short=outcome.short, now=now)
            if outcome.why is Why.PRODUCT_GONE and order.connection_id is not None:
                variants_gone(connection_id=order.connection_id, variants=outcome.short, now=now)
            copy.state, copy.sentence = CopyState.REFUSED, outcome.sentence
            copy.save(update_fields=["state", "sentence"])
            words = f"The shop refused the order: {outcome.sentence}"
            tell(order=order, now=now, source="shop", kind="refused", sentence=words)
            if order.cancelled_at is not None:
                never_stood(order, now=now, why=EndedWhy.REFUSED)
            else:
                raise_alert(
                    code=AlertCode.ORDER_REFUSED,
                    seller=order.seller,
                    order=order,
                    connection=order.connection,
                    now=now,
                    evidence={"why": outcome.why},
                    sentence=(
                        f"Order {order}: {outcome.sentence} The units stay unsold here. Reject the order to credit the"
                        " buyer, or mend the cause and create it again."
                    ),
                )
        case "cancel_order" if order and copy:
            _cancel_refused(order, copy, held.row, outcome, now=now)
        case "adjust_stock":
            restore.not_adjusted(row=held.row, sentence=outcome.sentence, now=now)
        case "send_event":
            endpoint_gave_up(command=held.row, sentence=outcome.sentence, now=now)
        case "cancel_lines" if order:
            lines_stay(order, outcome, now=now)
        case "write_risk" if order:
            writing.not_written(order=order, sentence=outcome.sentence, now=now)
        case fulfilments.KIND if order:
            fulfilments.not_written(order=order, row=held.row, outcome=outcome, now=now)
        case "buy_label" | "void_label":
            # An answer like any other; what it means stands in label_news.py.
            pass
        case _:
            if held.row.kind == "refund_payment":
                refund_refused(command=held.row, sentence=outcome.sentence)
            if order:
                raise_alert(
                    code=AlertCode.COMMAND_DEAD,
                    seller=order.seller,
                    order=order,
                    key=f"command:{held.row.pk}",
                    now=now,
                    sentence=f"Order {order}: “{held.row.kind.replace('_', ' ')}” was refused: {outcome.sentence}",
                )


def _cancel_refused(order: Order, copy: ShopCopy, row: Command, outcome: Refused, *, now: datetime) -> None:
    if outcome.why is Why.NOT_FOUND:
        gone = Done(copy.shop_order_id, already=True, note=outcome.sentence)
        _cancelled(order, copy, row, gone, want_after=None, now=now)
        return
    words = f"The shop did not cancel the order: {outcome.sentence}"
    tell(order=order, now=now, source="shop", kind="cancel_refused", sentence=words)
    raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        now=now,
        sentence=(
            f"Order {order} is cancelled and credited here, but your shop did not cancel it: {outcome.sentence}"
            " Cancel it there by hand."
        ),
    )


def _cancelled(
    order: Order, copy: ShopCopy, row: Command, outcome: Done, *, want_after: datetime | None, now: datetime
) -> None:
    """Rules 5, 7, 9, 10: nothing is added here; the closed order draws its fence and a later read shows what the shop
    put back.
    """
    if row.payload.get("shop_order_id") not in ("", copy.shop_order_id):
        tell(
            order=order,
            now=now,
            source="marketplace",
            kind="double_cancelled",
            sentence="A second copy of the order in the shop was cancelled.",
        )
        fence(order=order, now=now, want_after=want_after)
        doubles = Command.objects.filter(subject=order.reference, kind="cancel_order").exclude(pk=row.pk)
        if not doubles.filter(state__in=[CommandState.WAITING, CommandState.IN_FLIGHT, CommandState.DEAD]).exists():
            settle_by_fact(now=now, how="One copy is left.", codes=(AlertCode.ORDER_DOUBLE,), order=order)
        return
    copy.cancelled_there = True
    settle_by_fact(now=now, how="It is cancelled in the shop now.", codes=(AlertCode.CANCEL_FAILED,), order=order)
    # A look that was wanted before is answered by this; "open" in an older snapshot must not count for the second look
    # of a reopened order.
    copy.state, copy.read_wanted = CopyState.CANCELLED, False
    copy.save(update_fields=["cancelled_there", "state", "read_wanted"])
    fence(order=order, now=now, want_after=want_after)
    if outcome.already:
        tell(
            order=order,
            now=now,
            source="shop",
            kind="already_cancelled",
            sentence=(
                "It was already cancelled in the shop. No count was changed from here; compare both counts on the"
                " listing's page."
            ),
        )
    else:
        tell(
            order=order,
            now=now,
            source="shop",
            kind="cancelled_there",
            sentence="The order was cancelled in the shop too; its count is read again.",
        )


def never_stood(order: Order, *, now: datetime, why: EndedWhy) -> None:
    """The order is cancelled here and surely does not stand there: what waits behind it has nothing to do."""
    Command.objects.filter(subject=order.reference, kind="cancel_order", state=CommandState.WAITING).update(
        state=CommandState.WITHDRAWN, finished_at=now, sentence="The order does not stand in the shop."
    )
    release(order=order, why=why, now=now)
