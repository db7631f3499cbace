"""What a credit of staff would do, computed before anything happens."""

from dataclasses import dataclass
from datetime import datetime

from crossdock.domain.orders import ParcelState
from crossdock.domain.values import Money
from crossdock.store.models import Order, ShopCopy, User
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import needs_second
from crossdock.usecases.money.left import room
from crossdock.usecases.stock.restore import stands


@dataclass(frozen=True, slots=True)
class CreditPreview:
    """`fee_back` and `from_seller` add up to `amount`. `seen` names what was shown: another one is another credit."""

    amount: Money
    left: Money
    fee_back: Money
    from_seller: Money
    payout: Money
    second: bool
    sentences: tuple[str, ...]
    seen: str


def preview_credit(*, order: Order, amount: Money, actor: User, now: datetime) -> CreditPreview:
    back = books.fee_back(order=order, amount_minor=amount.minor)
    can = room(order)
    fee_back, left = Money(back, order.currency), can - amount
    payout = Money(books.payout_of(order=order), order.currency) - (amount - fee_back)
    return CreditPreview(
        amount,
        left,
        fee_back,
        amount - fee_back,
        payout,
        needs_second(amount, order=order, actor=actor, now=now),
        tuple(_means(order, left)),
        f"{amount.words} of {can.words}",
    )


def begun(*, order: Order, key: str) -> bool:
    """Whether the form with this key has credited already: pressed twice, it shows no preview again."""
    return order.credits.filter(cause=f"{order.reference}:staff:{key[:40]}").exists()


def _means(order: Order, left: Money) -> list[str]:
    said = []
    if order.cancelled_at is None and order.parcels != ParcelState.SHIPPED:
        if left.minor:
            said.append("The order stays open; the seller still ships it.")
        else:
            said.append("Nothing of the order is paid any more: it leaves the seller's list of orders to ship.")
    copy = ShopCopy.objects.filter(order=order).first()
    if copy is not None and stands(copy):
        said.append("Nothing changes in the seller's shop: its order keeps its total and its units stay sold there.")
    return said
