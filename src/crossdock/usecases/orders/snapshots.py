"""News in: snapshots of the shop's orders become what happened.

Webhooks and polling feed this one path, so doubled, late or reordered news is harmless.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import CommandKind
from crossdock.domain.events import ShopOrder, ShopOrderState, Unreadable
from crossdock.domain.orders import (
    CopyState,
    Known,
    OrderCancelledThere,
    OrderReopenedThere,
    RefundSeen,
    as_found,
    differences,
    news,
)
from crossdock.domain.parcels import Bond
from crossdock.domain.stock import HoldState
from crossdock.domain.storable import storable
from crossdock.store.crash import point
from crossdock.store.models import (
    Command,
    Order,
    OrderLine,
    ShopCopy,
    ShopRefund,
)
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.store.models.work import CommandState
from crossdock.usecases.money.returned import open_return
from crossdock.usecases.orders.cancelled_in_shop import cancelled_there, reopened_there
from crossdock.usecases.orders.doubles import cancel_doubles, cancel_orphan
from crossdock.usecases.orders.fulfilments import Heed, compare
from crossdock.usecases.orders.landing import bind, create_command
from crossdock.usecases.orders.reject import why_not_reject
from crossdock.usecases.orders.shop_lines import article_of, keep_lines
from crossdock.usecases.orders.shop_parcels import known_parcels, take_parcels
from crossdock.usecases.orders.shop_refunds import credit_shop_refund
from crossdock.usecases.parties.quarantine import Intake, Tally
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.stock.reservations import fence

# Far less than after how long an open order is read again anyway.
_TIME_KEPT = timedelta(hours=1)


def receive_orders(
    *,
    connection_id: int,
    orders: Sequence[ShopOrder | Unreadable],
    manifest: Manifest,
    now: datetime,
    call: str = "",
    page: bool = False,
    tally: Tally | None = None,
) -> int:
    """Fresh snapshots of the shop's orders; those without our reference are the shop's own business.

    Each order is its own transaction, and one that trips stands in quarantine alone. Returns how many did; `tally` is
    told the rest. `call` is the recorded call that brought them; of a `page`, all of several raise PageTripped.
    """
    tally = Tally() if tally is None else tally
    intake = Intake(QuarantineKind.ORDER)
    odd = [seen for seen in orders if isinstance(seen, Unreadable)]
    snapshots = [seen for seen in orders if not isinstance(seen, Unreadable)]
    ids = [storable(id_) for id_ in (*(seen.shop_id for seen in snapshots), *(seen.entity_id for seen in odd))]
    copies = {
        copy.shop_order_id: copy.pk
        for copy in ShopCopy.objects.filter(connection_id=connection_id, shop_order_id__in=ids)
    }
    intake.refuse(replace(seen, ours=seen.ours or seen.entity_id in copies) for seen in odd)
    for seen in snapshots:
        pk = copies.get(seen.shop_id)
        _take_in(intake, pk, seen, connection_id=connection_id, manifest=manifest, tally=tally, now=now)
        point("receive.between_orders")
    tally.tripped = intake.end(connection_id=connection_id, call=call, page=page, now=now)
    return tally.tripped


def _take_in(
    intake: Intake,
    order_pk: int | None,
    seen: ShopOrder,
    *,
    connection_id: int,
    manifest: Manifest,
    tally: Tally,
    now: datetime,
) -> None:
    def work() -> None:
        if order_pk is not None:
            tally.changed += _take(order_pk, seen, manifest=manifest, now=now)
        elif seen.reference:
            tally.changed += _stray(connection_id, seen, now=now)

    intake.take(seen.shop_id, work, order_id=order_pk)


def _stray(connection_id: int, seen: ShopOrder, *, now: datetime) -> bool:
    """An order with our reference that is not the one we hold: a late double, unless its create is still being settled.

    Where we hold none, because the shop refused it or it was never found, an earlier attempt arrived after all: later
    than the look-up's horizon allows. False when there was nothing to do.
    """
    with telling(now) as told:
        order = (
            Order.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "connection")
            .filter(reference=seen.reference, connection_id=connection_id)
            .first()
        )
        copy = ShopCopy.objects.filter(order=order).first() if order else None
        if order is None or copy is None or seen.state is not ShopOrderState.OPEN or _being_ended(order, seen.shop_id):
            return False
        if copy.shop_order_id not in ("", seen.shop_id):
            cancel_doubles(order=order, shop_ids=[seen.shop_id], told=told)
        elif not copy.shop_order_id and order.cancelled_at is not None and not _being_created(order):
            cancel_orphan(order=order, shop_id=seen.shop_id, told=told)
        elif not copy.shop_order_id and copy.state == CopyState.REFUSED and not _being_created(order):
            bind(order=order, copy=copy, outcome=as_found(seen), adopted=True, want_after=None, told=told)
        return True


def _being_ended(order: Order, shop_id: str) -> bool:
    """Its cancel was asked for already; an old page may still call it open."""
    asked = Command.objects.filter(
        subject=order.reference, kind=CommandKind.CANCEL_ORDER, payload__shop_order_id=shop_id
    )
    return asked.exclude(state=CommandState.WITHDRAWN).exists()


def _being_created(order: Order) -> bool:
    creates = Command.objects.filter(subject=order.reference, kind=CommandKind.CREATE_ORDER)
    return creates.exclude(state__in=[CommandState.DONE, CommandState.WITHDRAWN]).exists()


def _take(order_pk: int, seen: ShopOrder, *, manifest: Manifest, now: datetime) -> bool:
    """Whether it was not as it is known."""
    with telling(now, savepoint=False) as told:
        order = (
            Order.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "buyer", "connection")
            .get(pk=order_pk)
        )
        copy = ShopCopy.objects.select_for_update(no_key=True).get(order=order)
        again, before = False, _values(copy)
        lines = list(order.lines.all())
        bonds, matched = keep_lines(order, seen.lines, lines)
        _compare(order, lines, copy, seen, bonds, manifest=manifest, told=told)
        if seen.stock_taken and not copy.stock_taken:
            copy.stock_taken = True
            fence(order=order, now=now, state=HoldState.TAKEN)
            told.settle_by_fact(how="The shop took the stock.", codes=(AlertCode.STOCK_NOT_TAKEN,), order=order)
        heed = Heed(order, confirmed=copy.read_wanted)
        found = tuple(filter(heed.believes, news(_known(order, copy), seen)))
        take_parcels(order=order, bonds=bonds, news=found, told=told)
        for event in found:
            match event:
                case RefundSeen(refund):
                    _refund_seen(
                        order, refund.refund_id, refund.amount.minor, refund.amount.currency, refund.note, told=told
                    )
                case OrderCancelledThere():
                    cancelled_there(order=order, copy=copy, event=event, manifest=manifest, told=told)
                case OrderReopenedThere():
                    again = reopened_there(order=order, copy=copy, confirmed=copy.read_wanted, told=told)
        packed = _tell_packed(order, seen, told=told)
        compared = compare(order, seen, told=told)
        copy.read_wanted = again or heed.again
        copy.shop_number, copy.shop_url = seen.number[:100] or copy.shop_number, seen.url or copy.shop_url
        # An order that is as it was writes the time of its reading now and then.
        old = copy.read_at is None or now - copy.read_at >= _TIME_KEPT
        changed = bool(found) or matched or packed or compared or _values(copy) != before
        if old or changed or copy.state != CopyState.EQUAL:
            copy.read_at = now
            copy.save()
        point("receive.before_commit")
        return changed


def _values(copy: ShopCopy) -> dict[str, Any]:
    return {field.attname: getattr(copy, field.attname) for field in copy._meta.concrete_fields}


def _other_total(order: Order, seen: ShopOrder) -> str:
    """Lines are equal and totals are not: the platform adds its own taxes, or units or money went back since."""
    if seen.total == order.total:
        return ""
    paid, there = order.total.words, seen.total.words
    return f"Paid here: {paid}. Your shop's total: {there}."


def _tell_packed(order: Order, seen: ShopOrder, *, told: Telling) -> bool:
    """Once per parcel: it has not left, and it keeps the shop's order from being cancelled. Whether one is new."""
    if not seen.packed:
        return False
    fresh = False
    known = set(order.timeline.filter(kind="packed").values_list("evidence__parcel", flat=True))
    for parcel in seen.packed:
        if parcel.parcel_id not in known:
            known.add(parcel.parcel_id)
            fresh = True
            name = f"{parcel.carrier} {parcel.tracking_number}".strip() or "no tracking number"
            told.tell(
                order=order,
                source="shop",
                kind="packed",
                evidence={"parcel": parcel.parcel_id},
                sentence=(
                    f"A parcel is packed in the shop and has not left yet: {name}. The shop's order is not cancelled"
                    " from here now."
                ),
            )
    return fresh


def _compare(
    order: Order,
    lines: Sequence[OrderLine],
    copy: ShopCopy,
    seen: ShopOrder,
    bonds: Sequence[Bond],
    *,
    manifest: Manifest,
    told: Telling,
) -> None:
    """The last step of the order-landed guarantee: read back, and equal or not."""
    if (
        copy.state not in (CopyState.ACKNOWLEDGED, CopyState.DIFFERS, CopyState.EQUAL)
        or seen.state is not ShopOrderState.OPEN
        or _being_changed(order)
    ):
        return
    # Once single units were rejected, the shop's total is its own affair: each platform shares the shipping in its own
    # way.
    whole = not any(line.rejected for line in lines)
    found = differences(
        create_command(order, lines),
        seen,
        at_our_price=whole and manifest.can(Capability.ORDER_AT_OUR_PRICE),
        articles=article_of(lines, bonds),
    )
    was = copy.state
    copy.differences = [difference.sentence for difference in found]
    copy.state = CopyState.DIFFERS if found else CopyState.EQUAL
    if not found:
        copy.sentence = _other_total(order, seen)
    if not found and copy.equal_at is None:
        copy.equal_at = told.now
        told.tell(
            order=order,
            source="marketplace",
            kind="read_back",
            sentence="Read back from the shop: lines and quantities are equal.",
        )
    if found and was != CopyState.DIFFERS:
        told.tell(
            order=order,
            source="shop",
            kind="differs",
            sentence=f"The shop's copy differs. {'; '.join(copy.differences)}.",
        )
        told.raise_alert(
            code=AlertCode.ORDER_DIFFERS,
            seller=order.seller,
            order=order,
            connection=order.connection,
            evidence={"differences": copy.differences},
            sentence=f"Order {order} stands in your shop, but not as it was placed: {'; '.join(copy.differences)}.",
        )
    elif not found and was == CopyState.DIFFERS:
        told.settle_by_fact(how="Both are equal again.", codes=(AlertCode.ORDER_DIFFERS,), order=order)


def _being_changed(order: Order) -> bool:
    """We asked for units to be taken out and it has not happened yet: what is read now is neither the old order nor
    the new one.
    """
    asked = Command.objects.filter(subject=order.reference, kind=CommandKind.CANCEL_LINES)
    return asked.filter(state__in=[CommandState.WAITING, CommandState.IN_FLIGHT]).exists()


def _known(order: Order, copy: ShopCopy) -> Known:
    refunds = frozenset(order.shop_refunds.values_list("refund_id", flat=True))
    return Known(known_parcels(order), refunds, copy.cancelled_there)


def _refund_seen(order: Order, refund_id: str, amount_minor: int, currency: str, note: str, *, told: Telling) -> None:
    """S8: a refund made in the shop moves no money here."""
    ShopRefund.objects.create(
        order=order, refund_id=refund_id, amount_minor=amount_minor, currency=currency, note=note, seen_at=told.now
    )
    refund = order.shop_refunds.get(refund_id=refund_id)
    words = f"A refund of {refund.amount.words} was recorded in the shop. It moved no money here."
    told.tell(
        order=order,
        source="shop",
        kind="refund_seen",
        sentence=words,
        evidence={"refund": refund_id, "note": note},
    )
    if order.cancelled_at is None and not credit_shop_refund(order=order, refund=refund, told=told):
        told.raise_alert(
            code=AlertCode.REFUNDED_IN_SHOP,
            seller=order.seller,
            order=order,
            connection=order.connection,
            key=f"refund:{order.pk}:{refund_id}",
            evidence={"refund": refund.pk},
            sentence=f"Order {order}: {words} The buyer paid on the marketplace: " + _how_to_credit(order),
        )


def _how_to_credit(order: Order) -> str:
    if not why_not_reject(order):
        return "reject the order to credit them."
    if open_return(order) is not None:
        return "mark the return as received, which credits them."
    return "ask staff for a credit."
