"""A buyer withdraws from the contract: a statement, confirmed in a second step, with a receipt at once.

What was not shipped is then a request to cancel that nobody may decline; what was shipped comes back.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing

from crossdock.domain.mails import requests as mails
from crossdock.domain.mails.words import Exact, Fact, Joined, Words
from crossdock.domain.orders import MoneyState, ParcelState
from crossdock.domain.requests.cancels import CancelDeed
from crossdock.domain.requests.withdrawals import Policy, Sale, ends, why_no_withdrawal
from crossdock.domain.storable import one_line
from crossdock.store.models import Order, Shipment, Withdrawal
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.orders.asked import goods_come_back, request_of, rest_stays
from crossdock.usecases.orders.coming_back import ship_from_words
from crossdock.usecases.record.letters import ENGLISH, in_language, known
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.requests.cancel import opened

LONGEST_NAME = 120
LINK_HOLDS = timedelta(days=7)
_SALT = "crossdock.withdraw"


def policy() -> Policy:
    """The operator's choice."""
    config = settings.CONFIG
    return Policy(config.withdrawal_days, config.withdrawal_days_undelivered, config.withdrawal_everywhere)


def why_not_withdraw(order: Order, *, now: datetime) -> str:
    """Empty when the buyer can withdraw from this order."""
    return why_no_withdrawal(sale_of(order), policy(), now)


def withdraws_until(order: Order) -> datetime | None:
    """None while nothing was shipped."""
    return ends(sale_of(order), policy())


def sale_of(order: Order) -> Sale:
    """What counts of it for the times after the sale. A parcel's date is the seller's, or their shop's, own word: it
    puts the end of these times off, and takes none from the buyer.
    """
    parcels = [parcel for parcel in order.shipments.all() if parcel.undone_at is None]
    arrived = [_delivered_at(parcel) for parcel in parcels]
    known = [at for at in arrived if at is not None]
    heard = max((parcel.heard_at or parcel.shipped_at for parcel in parcels), default=None)
    whole = order.parcels == ParcelState.SHIPPED and len(known) == len(parcels)
    return Sale(
        country=str(order.ship_to.get("country", "")),
        private=order.seller.private,
        over=order.cancelled_at is not None or bool(order.total_minor and order.money == MoneyState.CREDITED),
        left_at=max([heard, *(parcel.shipped_at for parcel in parcels)]) if heard else None,
        delivered_at=max(known, default=None) if whole else None,
        heard_at=heard,
    )


def _delivered_at(parcel: Shipment) -> datetime | None:
    """Known of parcels with a label from here alone."""
    label = getattr(parcel, "label", None)
    return None if label is None else label.delivered_at


def statement_of(order: Order, name: str) -> Words:
    """What the buyer declares: their name, and which contract (article 11a, paragraph 2). It is kept in the language
    that they read it in.
    """
    things = "; ".join(f"{line.kept} × {line.title}" for line in order.lines.all() if line.kept)
    return mails.STATEMENT.of(
        name=name, seller=order.seller.name, number=order.number, placed=order.placed_at.date(), things=things
    )


def withdraw(*, order: Order, name: str, now: datetime, language: str = ENGLISH) -> Withdrawal:
    """Confirmed twice it is one withdrawal, with the time of the first. `language` is that of the page.

    The caller knows that it is the buyer: signed in, or by the link that was mailed to them.

    Raises NotAllowed, Invalid.
    """
    with telling(now) as told:
        order = locked_order(order)
        before = Withdrawal.objects.filter(order=order).first()
        if before is not None:
            return before
        name = one_line(name, LONGEST_NAME)
        if not name:
            raise Invalid("Type your name.")
        if why := why_not_withdraw(order, now=now):
            raise NotAllowed(why)
        shipped = order.parcels != ParcelState.UNSHIPPED
        statement = in_language(statement_of(order, name), known(language) or ENGLISH)
        row = Withdrawal.objects.create(order=order, name=name, statement=statement, shipped=shipped, confirmed_at=now)
        told.tell(
            order=order,
            source="buyer",
            kind="return_asked" if shipped else "cancel_asked",
            public=True,
            sentence="The buyer withdrew from the contract.",
        )
        if not shipped:
            opened(order, request_of(order), CancelDeed.WITHDRAW, "", told=told)
        else:
            goods_come_back(order, told=told)
        _mails(order, row, told=told)
        return row


def _mails(order: Order, row: Withdrawal, *, told: Telling) -> None:
    told.write_letter(
        cause=f"withdrawn:{order.reference}",
        order=order,
        letter=mails.WITHDRAWN.letter(number=order.number, receipt=receipt_of(row), next=what_follows(order)),
    )
    told.write_mail(
        cause=f"withdrawn_seller:{order.reference}",
        to=order.seller.owner.email,
        subject=f"The buyer withdrew from order #{order.number}",
        order=order,
        body=(
            f"The buyer withdrew from the contract on {_at(row.confirmed_at)}. A withdrawal cannot be declined.\n\n"
            + (
                f"{rest_stays(order)}The goods come back to you. When they are back, mark them as received on the"
                " order's page, which credits the buyer."
                if row.shipped
                else "Do not ship it. Cancel it on the order's page; that credits the buyer."
            )
        ),
    )


def receipt_of(row: Withdrawal) -> Words:
    """What and when, as the law wants it kept."""
    return mails.RECEIPT.of(at=Exact(row.confirmed_at), statement=row.statement)


def what_follows(order: Order) -> Fact:
    """The next step, in the buyer's words; true for as long as the order stands as it did."""
    if order.parcels == ParcelState.UNSHIPPED:
        return mails.NOT_SHIPPED.of(seller=order.seller.name)
    place = ship_from_words(order)
    send = mails.SEND_TO.of(address=place) if place else mails.SEND_WHERE_TOLD.of(seller=order.seller.name)
    return Joined((send, mails.MONEY_AFTER_GOODS))


def _at(moment: datetime) -> str:
    return f"{moment:%d %B %Y, %H:%M:%S} UTC"


def send_link(*, number: str, email: str, now: datetime) -> None:
    """To somebody without an account: a link to their order, by mail, to its buyer's address alone.

    Whoever asks learns nothing: whether there is such an order, only its buyer's post says. Asked for twice within
    an hour it is one mail.
    """
    digits = number.strip().lstrip("#")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        return
    order = Order.objects.select_related("buyer", "seller").filter(number=int(digits)).first()
    if order is None or order.buyer.email.casefold() != email.strip().casefold():
        return
    token = signing.dumps(order.public_id, salt=_SALT)
    link, back = f"{settings.BASE_URL}/withdraw/{token}/", f"{settings.BASE_URL}/returns/{token}/"
    with telling(now) as told:
        letter = mails.WITHDRAW_LINK.letter(
            number=order.number, seller=order.seller.name, link=link, return_link=back, days=LINK_HOLDS.days
        )
        # A link that opens the order is for its buyer alone, so it is not among the order's mails.
        told.write_letter(
            cause=f"withdraw_link:{order.reference}:{now:%Y%m%d%H}", order=order, letter=letter, alone=True
        )


def order_by_link(token: str) -> str | None:
    """The order's public id; None for a link that is over, or none of ours."""
    try:
        found = signing.loads(token, salt=_SALT, max_age=LINK_HOLDS)
    except signing.BadSignature:
        return None
    return found if isinstance(found, str) else None
