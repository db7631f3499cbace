"""The order is created in its shop. A refusal leaves the units unsold here and asks the seller."""

from collections.abc import Sequence
from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Done, Refused, Why
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import EndedWhy
from crossdock.store.models import Command, Order, ShopCopy
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.usecases.catalogue.import_products import variants_gone
from crossdock.usecases.orders.landing import bind
from crossdock.usecases.outbox.payloads import CREATE
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, a_person_decides
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.refusals import learn_refusal
from crossdock.usecases.stock.reservations import release


def claimed(rows: Sequence[Command], now: datetime) -> None:
    references = [row.subject for row in rows]
    ShopCopy.objects.filter(order__reference__in=references, state=CopyState.INTENDED).update(
        state=CopyState.SENT, sent_at=now
    )


def done(held: Held, outcome: Done, facts: Facts) -> None:
    if held.order and held.copy:
        bind(
            order=held.order,
            copy=held.copy,
            outcome=outcome,
            adopted=outcome.already,
            want_after=facts.want_after,
            told=facts.told,
        )


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    now = told.now
    order, copy = held.order, held.copy
    if order is None or copy is None:
        a_person_decides(held, outcome, told)
        return
    if outcome.why is Why.NO_STOCK:
        learn_refusal(order=order, short=outcome.short, now=now)
    if outcome.why is Why.PRODUCT_GONE and order.connection_id is not None:
        variants_gone(connection_id=order.connection_id, variants=outcome.short, told=told)
    copy.state, copy.sentence = CopyState.REFUSED, outcome.sentence
    copy.save(update_fields=["state", "sentence"])
    words = f"The shop refused the order: {outcome.sentence}"
    told.tell(order=order, source="shop", kind="refused", sentence=words)
    if order.cancelled_at is not None:
        never_stood(order, now=now, why=EndedWhy.REFUSED)
        return
    told.raise_alert(
        code=AlertCode.ORDER_REFUSED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        evidence={"why": outcome.why},
        sentence=(
            f"Order {order}: {outcome.sentence} The units stay unsold here. Reject the order to credit the"
            " buyer, or mend the cause and create it again."
        ),
    )


def never_stood(order: Order, *, now: datetime, why: EndedWhy) -> None:
    """The order is cancelled here and surely does not stand there: what waits behind it has nothing to do."""
    waiting = Command.objects.filter(subject=order.reference, state=CommandState.WAITING)
    waiting.filter(kind=CommandKind.CANCEL_ORDER).update(
        state=CommandState.WITHDRAWN, finished_at=now, sentence="The order does not stand in the shop."
    )
    release(order=order, why=why, now=now)


KIND = Kind(CommandKind.CREATE_ORDER, PartyKind.SHOP, CREATE, done=done, refused=refused, claimed=claimed, creates=True)
