"""Rejecting a whole order: the buyer is credited once, nothing is ever added to stock here, and the shop's copy is
cancelled after its creation is resolved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import CancelOrder, CancelReason
from crossdock.domain.credit import CreditKind
from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Joined
from crossdock.domain.orders import CopyState, ParcelState
from crossdock.domain.requests.cancels import CancelDeed
from crossdock.domain.stock import EndedWhy
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Money
from crossdock.store.crash import point
from crossdock.store.models import Command, Order, OrderLine, ShopCopy, User
from crossdock.store.models.work import CommandState
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import grant, locked_order
from crossdock.usecases.money.left import room, why_no_more, with_the_bank
from crossdock.usecases.orders.asked import close_request
from crossdock.usecases.outbox.queue import cancel_order_command
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.stock.reject_stops import what_stops
from crossdock.usecases.stock.reservations import fence, release
from crossdock.usecases.stock.restore import (
    GONE,
    fate_of_units,
    gone_is_set_aside,
    offer_to_list_again,
    sets_aside,
    stands,
)

REASON_WORDS: dict[CancelReason, str] = {
    CancelReason.NOT_AVAILABLE: "I don't have it",
    CancelReason.DAMAGED: "It is damaged",
    CancelReason.LOST: "It is lost",
    CancelReason.PRICE_ERROR: "The price was wrong",
    CancelReason.BUYER_ASKED: "The buyer asked for it",
    CancelReason.FRAUD: "I suspect fraud",
    CancelReason.OTHER: "Another reason",
}
# The same for the buyer.
REASON_FOR_BUYER: dict[CancelReason, str] = {
    CancelReason.NOT_AVAILABLE: "out of stock",
    CancelReason.DAMAGED: "damaged",
    CancelReason.LOST: "lost",
    CancelReason.PRICE_ERROR: "the price was wrong",
    CancelReason.BUYER_ASKED: "you asked for it",
    CancelReason.FRAUD: "the order could not be verified",
    CancelReason.OTHER: "another reason",
}
_SETTLED_BY_REJECT = (
    AlertCode.ORDER_REFUSED,
    AlertCode.CANCELLED_IN_SHOP,
    AlertCode.CANCEL_UNANSWERED,
    AlertCode.ORDER_NOT_LANDED,
    AlertCode.ORDER_DIFFERS,
    AlertCode.STOCK_NOT_TAKEN,
    AlertCode.REFUNDED_IN_SHOP,
    AlertCode.HIGH_RISK,
)


@dataclass(frozen=True, slots=True)
class RejectLine:
    line: OrderLine
    credit: Money
    stock_sentence: str


@dataclass(frozen=True, slots=True)
class RejectPreview:
    """What a reject would do, computed before anything happens."""

    lines: tuple[RejectLine, ...]
    shipping: Money
    total: Money
    shop_sentence: str
    allowed: bool
    why_not: str
    at_the_bank: str


def why_not_reject(order: Order) -> str:
    """Empty when the order can be rejected."""
    if order.cancelled_at is not None:
        return "This order is already cancelled; the buyer was credited once."
    if order.parcels != ParcelState.UNSHIPPED:
        return "Something was shipped already. A credit after shipping is made by staff: write to us."
    return ""


def ends_there(manifest: Manifest | None) -> str:
    """What becomes of a whole order in its shop when it is rejected here."""
    if manifest is None or manifest.can(Capability.ORDER_CANCEL):
        return "is cancelled in your shop as well."
    return f"stays open in your shop. {manifest.sentence(Capability.ORDER_CANCEL)}"


def preview(
    *, order: Order, now: datetime, reason: CancelReason | None = None, manifest: Manifest | None = None
) -> RejectPreview:
    """`manifest` is the shop's platform; without it the worse is assumed of it."""
    copy = ShopCopy.objects.filter(order=order).first()
    if copy is None:
        shop = "This order is in no shop."
    elif copy.cancelled_there:
        shop = "It is already cancelled in your shop."
    elif copy.state == CopyState.INTENDED or not stands(copy):
        shop = "The order does not stand in your shop; nothing has to be cancelled there."
    else:
        shop = f"The order {copy.shop_number or ''} {ends_there(manifest)}".replace("  ", " ")
    why_not, stock = why_not_reject(order), fate_of_units(reason, copy, manifest, whole=True)
    rows = list(order.lines.select_related("order", "variant__listing", "variant__connection"))
    stops: dict[int, str] = {}
    if sets_aside(reason, copy, manifest, whole=True):
        stops = what_stops(order=order, variants=[line.variant for line in rows], now=now)
    lines = tuple(RejectLine(line, line.total, f"{stock} {stops.get(line.variant_id, '')}".rstrip()) for line in rows)
    taken = with_the_bank(order)
    return RejectPreview(lines, order.shipping, room(order, taken), shop, not why_not, why_not, _at_the_bank(taken))


def reject_order(
    *,
    order: Order,
    reason: CancelReason,
    actor: User | None,
    expected_total: Money | None,
    now: datetime,
    source: str = "seller",
    reasons: Mapping[int, CancelReason] | None = None,
    told: Telling | None = None,
) -> None:
    """Credit what is left of the order once, whatever crashes or is pressed twice. No `actor`: it happened in a shop.

    `expected_total` is what a person confirmed. Raises Stale when it is not that any more. None where nobody confirmed
    anything: what happened in a shop happened.

    `reasons` by variant, where they differ; `reason` is then the one that the shop reads, and must let it put units
    back if any come back.
    """
    with telling(now, told) as told:
        order = locked_order(order)
        if actor is not None:
            require(actor, order.seller, duty=Duty.ORDERS)
        why_not = why_not_reject(order)
        if why_not:
            raise NotAllowed(why_not)
        taken = with_the_bank(order)
        back = room(order, taken)
        if expected_total is not None and expected_total != back:
            raise Stale(f"The amount to credit is {back.words}. Look again and confirm that.")
        order.cancelled_at, order.cancel_reason, order.parcels = now, reason, ParcelState.CANCELLED
        order.save(update_fields=["cancelled_at", "cancel_reason", "parcels"])
        close_request(order=order, deed=CancelDeed.CANCEL, actor=actor, told=told)
        point("reject.marked")
        if back.minor:
            words = f"Cancelled. Reason: {REASON_FOR_BUYER[reason]}"
            cause = order.reference
            grant(order=order, amount=back, kind=CreditKind.REJECT, cause=cause, reason=words, actor=actor, told=told)
        lines = order.lines.select_related("variant__listing__seller", "variant__connection")
        fates = dict.fromkeys((line.variant_id for line in lines), reason) | dict(reasons or {})
        # For any other reason the shop puts back what is gone as well.
        copy = ShopCopy.objects.filter(order=order).first() if reason in GONE else None
        gone_is_set_aside(order=order, copy=copy, reasons=fates, told=told)
        coming_back = [line.variant for line in lines if fates[line.variant_id] not in GONE]
        offer_to_list_again(order=order, variants=coming_back, told=told)
        _end_in_shop(order, reason=reason, told=told)
        who = {
            "seller": "The seller rejected the order",
            "shop": "The order was cancelled in the shop",
            "staff": "Staff cancelled the order",
        }[source]
        refunded = f" The buyer is refunded {back.words}." if back.minor else ""
        told.tell(
            order=order,
            source=source,
            kind="rejected",
            public=True,
            evidence={"reason": reason, "actor": str(actor or "")},
            sentence=f"{who}.{refunded} {_at_the_bank(taken)}".rstrip(),
        )
        told.settle_by_fact(how="The order was rejected and the buyer credited.", codes=_SETTLED_BY_REJECT, order=order)
        asked = reason == CancelReason.BUYER_ASKED
        kind = mails.CANCELLED_AS_ASKED if asked else mails.CANCELLED
        told.write_letter(
            cause=f"rejected:{order.reference}",
            order=order,
            letter=kind.letter(number=order.number, seller=order.seller.name, money=_money_for_buyer(back, taken)),
        )
        point("reject.before_commit")


def _at_the_bank(taken: Money) -> str:
    why = why_no_more(taken)
    return f"{why} Should the bank give it back, the buyer is credited then." if why else ""


def _money_for_buyer(back: Money, taken: Money) -> Joined:
    """Empty where they have everything already."""
    refunding = mails.REFUNDING.of(amount=back) if back.minor else ""
    return Joined((refunding, mails.WITH_THE_BANK.of(amount=taken) if taken.minor > 0 else ""))


def _end_in_shop(order: Order, *, reason: CancelReason, told: Telling) -> None:
    """Rules 7 and 9: withdraw what was surely never sent; otherwise keep the holds and cancel after the create is
    resolved.
    """
    # The command before the copy, as everywhere, so that nobody waits in a circle.
    now = told.now
    create = Command.objects.select_for_update(no_key=True).filter(cause=f"create:{order.reference}").first()
    copy = ShopCopy.objects.select_for_update(no_key=True).filter(order=order).first()
    if copy is None or order.connection is None:
        release(order=order, why=EndedWhy.NOT_SENT, now=now)
        return
    if create is None and copy.state == CopyState.INTENDED:
        # It was held for its risk, so nobody was ever asked.
        release(order=order, why=EndedWhy.NOT_SENT, now=now)
        _close(copy, CopyState.CANCELLED, "Never sent to the shop.")
        told.tell(
            order=order,
            source="marketplace",
            kind="never_sent",
            sentence="It was never sent to the shop; nothing has to be cancelled there.",
        )
        return
    if create is not None and rules.never_sent(attempts=create.attempts, waiting=create.state == CommandState.WAITING):
        Command.objects.filter(pk=create.pk).update(
            state=CommandState.WITHDRAWN, finished_at=now, sentence="The order was cancelled before it was sent."
        )
        release(order=order, why=EndedWhy.NOT_SENT, now=now)
        _close(copy, CopyState.CANCELLED, "Never sent to the shop.")
        told.tell(
            order=order,
            source="marketplace",
            kind="never_sent",
            sentence="It was never sent to the shop; nothing has to be cancelled there.",
        )
    elif copy.state == CopyState.REFUSED:
        release(order=order, why=EndedWhy.REFUSED, now=now)
        _close(copy, CopyState.REFUSED, copy.sentence)
    elif copy.cancelled_there:
        fence(order=order, now=now)
        _close(copy, CopyState.CANCELLED, "Cancelled in the shop.")
    else:
        if create is not None and create.state == CommandState.DEAD:
            # Its fate is unknown: look once more, only to find what has to be cancelled.
            Command.objects.filter(pk=create.pk).update(state=CommandState.WAITING, due_at=now, unresolved=True)
        if copy.acknowledged_at is None:
            told.tell(
                order=order,
                source="marketplace",
                kind="cancelled_in_flight",
                sentence=(
                    "The order may just be being created in the shop: it is cancelled there as soon as that is known."
                ),
            )
        cancel_order_command(
            party=order.connection.party,
            cause=f"cancel:{order.reference}",
            now=now,
            command=CancelOrder(
                order.reference,
                copy.shop_order_id,
                reason,
                note=f"Cancelled on the marketplace: {REASON_WORDS[reason]}.",
            ),
        )


def _close(copy: ShopCopy, state: CopyState, sentence: str) -> None:
    copy.state, copy.sentence = state, sentence
    copy.save(update_fields=["state", "sentence"])


def reason_of(text: str) -> CancelReason:
    try:
        return CancelReason(text)
    except ValueError:
        raise Invalid("Choose a reason.") from None
