"""The order itself, written in the transaction in which its payment was taken: one statement for each table.

What is to be told, and to whom, is gathered while it is decided and written at the end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.ids import reference_tail
from crossdock.store.models import (
    Mail,
    Order,
    OrderLine,
    PaymentIntent,
    Reservation,
    RiskTrace,
    ShopCopy,
    Variant,
    VariantStock,
)
from crossdock.store.models.money import IntentState
from crossdock.usecases.money import books
from crossdock.usecases.orders import landing
from crossdock.usecases.outbox.queue import enqueue_all
from crossdock.usecases.record.mail import mail_of, send_commands
from crossdock.usecases.record.timeline import tell
from crossdock.usecases.risk.holds import hold_if_policy_says
from crossdock.usecases.risk.judge import Judgement, keep_placed, look
from crossdock.usecases.risk.trace import trace_of
from crossdock.usecases.stock.reservations import promised, record_all


def write_order(
    *, intent: PaymentIntent, rows: Mapping[int, VariantStock], holds: Sequence[Reservation], now: datetime
) -> Order:
    """`rows` are the stock rows of its variants, locked, with their listings; `holds` become the order's own."""
    trace = trace_of(intent)
    judgement = _looked(intent, trace, now=now) if trace else None
    order = _order(intent, judgement, now=now)
    variants = {pk: row.variant for pk, row in rows.items()}
    if shops := [v.connection for v in variants.values() if v.connection_id == order.connection_id]:
        order.connection = shops[0]
    lines = _lines(order, intent, variants)
    _sell(order, rows, holds, now=now)
    intent.order, intent.state = order, IntentState.CAPTURED
    intent.save(update_fields=["order", "state", "gateway_ref", "checks", "settled_at"])
    books.post_payment(order=order, now=now)
    tell(order=order, now=now, source="buyer", kind="placed", sentence="Order placed and paid.", public=True)
    if trace and judgement:
        keep_placed(trace=trace, order=order, judgement=judgement, now=now)
    if order.connection is not None:
        ShopCopy.objects.create(order=order, connection=order.connection, intended_at=now, state=CopyState.INTENDED)
    held = judgement is not None and hold_if_policy_says(order=order, policy=judgement.choice, now=now)
    commands = send_commands(_mails(order, lines, held=held, now=now), now=now)
    if order.connection is not None and not held:
        commands.append(landing.to_create(order, lines, now=now))
    enqueue_all(commands)
    return order


def _sell(order: Order, rows: Mapping[int, VariantStock], holds: Sequence[Reservation], *, now: datetime) -> None:
    Reservation.objects.filter(pk__in=[hold.pk for hold in holds]).update(
        state=HoldState.OWED, order=order, expires_at=None
    )
    record_all(holds, rows=rows, held=promised(rows), kind="sold", now=now, order=order)


def _looked(intent: PaymentIntent, trace: RiskTrace, *, now: datetime) -> Judgement:
    return look(trace=trace, checks=intent.checks, ship_to=intent.basket["ship_to"], buyer=intent.buyer, now=now)


def _order(intent: PaymentIntent, judgement: Judgement | None, *, now: datetime) -> Order:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('order_no')")
        number = int(cursor.fetchone()[0])
    reference = f"CD-{number}-{reference_tail()}"
    basket = intent.basket
    return Order.objects.create(
        number=number,
        reference=reference,
        seller=intent.seller,
        buyer=intent.buyer,
        connection_id=basket["connection"],
        currency=intent.currency,
        items_minor=basket["items_minor"],
        shipping_minor=basket["shipping_minor"],
        total_minor=intent.amount_minor,
        ship_to=basket["ship_to"],
        relay_email=f"{reference.lower()}@orders.invalid",
        placed_at=now,
        ship_by=now + timedelta(days=intent.seller.handling_days),
        **(judgement.on_order() if judgement else {}),
    )


def _lines(order: Order, intent: PaymentIntent, variants: Mapping[int, Variant]) -> list[OrderLine]:
    return OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            variant=variants[pk],
            quantity=quantity,
            unit_price_minor=price,
            title=str(variants[pk]),
            sku=variants[pk].sku,
            shop_product_id=variants[pk].listing.shop_product_id,
            shop_variant_id=variants[pk].shop_variant_id,
            image=variants[pk].image or next(iter(variants[pk].listing.images), ""),
        )
        for pk, quantity, price in intent.basket["lines"]
    )


def _mails(order: Order, rows: Sequence[OrderLine], *, held: bool, now: datetime) -> list[Mail]:
    lines = "\n".join(f"{line.quantity} × {line.title}" for line in rows)
    what_next = (
        f"It is being created in {order.connection.name}."
        if order.connection
        else "You ship this one from your seller panel."
    )
    if held:
        what_next = (
            "Do not ship it yet: its risk is high, and our staff look at it first. We write when they release it."
        )
    to_seller = mail_of(
        cause=f"new_order:{order.reference}",
        to=order.seller.owner.email,
        subject=f"New order #{order.number}",
        order=order,
        now=now,
        body=f"{lines}\n\nTotal {order.total.words}."
        + ("" if held else f" Ship by {order.ship_by:%d %B %Y}.")
        + f"\n{what_next}\n{settings.BASE_URL}/seller/orders/{order.public_id}/",
    )
    to_buyer = mail_of(
        cause=f"thank_you:{order.reference}",
        to=order.buyer.email,
        subject=f"Your order #{order.number}",
        order=order,
        now=now,
        body=(
            f"Thank you. {order.seller.name} has your order:\n\n{lines}\n\nTotal {order.total.words}. We"
            " write again when it is shipped."
        ),
    )
    return [to_seller, to_buyer]
