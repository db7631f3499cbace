"""The mails that a payment writes: one to each seller about their own order, one to the buyer about all."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Fact, paragraphs
from crossdock.store.models import Mail, Order, OrderLine, PaymentIntent
from crossdock.usecases.accounts.working_days import due_words
from crossdock.usecases.checkout.parts import Part
from crossdock.usecases.record import letters
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
    back: Sequence[tuple[Part, Fact]],
    *,
    now: datetime,
) -> Mail:
    (first, rows), *more = orders
    cause = f"thank_you:{first.reference}"
    if not more and not back:
        letter = mails.PLACED.letter(
            number=first.number, seller=first.seller.name, lines=_listed(rows), total=first.total
        )
        return letters.to_buyer(cause=cause, order=first, letter=letter, now=now)
    placed = [
        mails.ONE_OF_SEVERAL.of(number=order.number, seller=order.seller.name, lines=_listed(rows), total=order.total)
        for order, rows in orders
    ]
    returned = [mails.GOES_BACK.of(why=why, amount=part.total) for part, why in back]
    kind = mails.PLACED_SEVERAL if more else mails.PLACED_IN_PART
    letter = kind.letter(
        number=first.number,
        numbers=", ".join(f"#{order.number}" for order, _ in orders),
        orders=paragraphs(*placed, *returned),
        next=mails.EACH_SHIPS if more else mails.WHEN_SHIPPED,
    )
    # Of no single order: each seller's pages show the mails of their own.
    page = f"/checkout/paid/{intent.public_id}/"
    return letters.to_buyer(cause=cause, order=first, letter=letter, now=now, path=page, alone=True)
