"""The mails that a payment writes: one to each seller about their own order, one to the buyer about all."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from crossdock.store.models import Mail, Order, OrderLine, PaymentIntent
from crossdock.usecases.accounts.working_days import due_words
from crossdock.usecases.checkout.parts import Part
from crossdock.usecases.record.mail import mail_of


def _listed(rows: Sequence[OrderLine]) -> str:
    return "\n".join(f"{line.quantity} × {line.title}" for line in rows)


def to_seller(order: Order, rows: Sequence[OrderLine], *, held: bool, now: datetime) -> Mail:
    what_next = (
        f"It is being created in {order.connection.name}."
        if order.connection
        else "You ship this one from your seller panel."
    )
    if held:
        what_next = (
            "Do not ship it yet: its risk is high, and our staff look at it first. We write when they release it."
        )
    return mail_of(
        cause=f"new_order:{order.reference}",
        to=order.seller.owner.email,
        subject=f"New order #{order.number}",
        order=order,
        now=now,
        body=f"{_listed(rows)}\n\nTotal {order.total.words}."
        + ("" if held else f" Ship by {due_words(order)}.")
        + f"\n{what_next}\n{settings.BASE_URL}/seller/orders/{order.public_id}/",
    )


def to_buyer(
    intent: PaymentIntent,
    orders: Sequence[tuple[Order, Sequence[OrderLine]]],
    back: Sequence[tuple[Part, str]],
    *,
    now: datetime,
) -> Mail:
    (first, rows), *more = orders
    if not more and not back:
        return mail_of(
            cause=f"thank_you:{first.reference}",
            to=first.buyer.email,
            subject=f"Your order #{first.number}",
            order=first,
            now=now,
            body=(
                f"Thank you. {first.seller.name} has your order:\n\n{_listed(rows)}\n\nTotal {first.total.words}. We"
                " write again when it is shipped."
            ),
        )
    # Of no single order: each seller's pages show the mails of their own.
    said = [
        f"Order #{order.number}, from {order.seller.name}:\n{_listed(rows)}\nTotal {order.total.words}"
        for order, rows in orders
    ]
    said += [f"{why} {part.total.words} of your payment go back to you." for part, why in back]
    ships = "We write again when it is shipped." if not more else "Each seller ships their own; we write when they do."
    numbers = ", ".join(f"#{order.number}" for order, _ in orders)
    return mail_of(
        cause=f"thank_you:{first.reference}",
        to=first.buyer.email,
        subject=f"Your orders {numbers}" if more else f"Your order {numbers}",
        now=now,
        path=f"/checkout/paid/{intent.public_id}/",
        body="\n\n".join(["Thank you for your payment.", *said, ships]),
    )
