"""What a payment provider shows of a payment that was captured: refunds made at its own pages, refunds that came back,
disputes. A refund is posted once, by its id; a dispute round by round (`rounds`).

A payment may have paid several orders. A refund or a dispute of exactly what one of them has left is that order's;
any other is shared over them to the cent, and each tells its part.

A refund there already moved the money, so it counts as a credit here, up to what is left of the payment; nothing is
sent for it, and nobody is credited twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.credit import CreditState, over_orders
from crossdock.domain.orders import ParcelState
from crossdock.domain.payments import BankRefund, Dispute, DisputeState, FraudWarning, RefundState, Standing
from crossdock.domain.values import Money
from crossdock.store.models import Command, Credit, Order, PaymentIntent, RiskTrace, TimelineEntry, Transfer
from crossdock.usecases.money import books, rounds
from crossdock.usecases.money.left import uncredited
from crossdock.usecases.money.moved import credit_moved
from crossdock.usecases.money.without_order import not_gone_back
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.risk.again import judge_open
from crossdock.usecases.risk.labels import label_order

WARNED = "fraud_warning"


def receive_standing(*, intent_id: str, standing: Standing, now: datetime, since: int | None = None) -> bool:
    """Take in a whole snapshot; what was seen before changes nothing. `since` is `last_news` of before it was asked
    for: False when somebody took in news between, since this one may be older than theirs. Ask again then.

    What it says of the payment is shared over its orders. A payment without an order has nobody who could be credited;
    it went back, and a refund of it that failed is told to staff.
    """
    with telling(now) as told:
        orders = list(
            Order.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "buyer", "connection", "intent")
            .filter(intent__public_id=intent_id)
            .order_by("pk")
        )
        if not orders:
            _without_order(intent_id, standing, told=told)
            return True
        intent = orders[0].intent
        if intent is not None and since is not None and rounds.last_news(intent) != since:
            return False
        for refund in standing.refunds:
            _refund_seen(orders, refund, told=told)
        for warning in {one.warning_id: one for one in standing.warnings}.values():
            for order in orders:
                _warning_seen(order, warning, _beside(orders, order), told=told)
        for dispute in {one.dispute_id: one for one in standing.disputes}.values():
            totals = [order.total_minor for order in orders]
            # By what was paid, which never changes: what the bank takes back later comes back to the same orders.
            for order, minor in zip(orders, over_orders(dispute.amount.minor, totals, totals), strict=True):
                beside = _beside(orders, order)
                if minor or len(orders) == 1 or rounds.touches(order, dispute, beside):
                    mine = replace(dispute, amount=Money(minor, dispute.amount.currency))
                    _dispute_seen(order, mine, beside, told=told)
    return True


def _without_order(intent_id: str, standing: Standing, *, told: Telling) -> None:
    intent = PaymentIntent.objects.filter(public_id=intent_id).first()
    if intent is None:
        return
    for refund in standing.refunds:
        if refund.state is RefundState.FAILED:
            _part_came_back(intent, refund, told=told)


def _part_came_back(intent: PaymentIntent, refund: BankRefund, *, told: Telling) -> None:
    """Of what came to no order: by our own key, the whole payment or one part of it."""
    whole = f"refund:intent:{intent.public_id}"
    if refund.key == whole or refund.key.startswith(f"{whole}:"):
        why = "the buyer's bank sent it back."
        not_gone_back(intent=intent, amount=refund.amount, key=refund.key, why=why, told=told)


def _beside(orders: Sequence[Order], order: Order) -> str:
    """What tells the causes of several orders of one payment apart; nothing where there is one."""
    return f":{order.reference}" if len(orders) > 1 else ""


def payment_of_news(*, gateway: str, entity: str) -> PaymentIntent | None:
    """The payment that a delivery names: by our own id, or by the provider's. None for a payment that is not ours."""
    mine = PaymentIntent.objects.filter(gateway=gateway)
    return mine.filter(public_id=entity).first() or mine.filter(gateway_ref=entity).exclude(gateway_ref="").first()


def _in_words(order: Order, amount: Money) -> str:
    """What an order's seller reads of it. Of a payment with parts of others never more than was theirs: a part that
    went back may be disputed with the rest.
    """
    several = order.intent is not None and len(order.intent.basket["parts"]) > 1
    return (min(amount, order.total) if several else amount).words


def _refund_seen(orders: Sequence[Order], refund: BankRefund, *, told: Telling) -> None:
    cause = refund.key or f"bank:{refund.refund_id}"
    named = {f"refunded:{cause}{'' if refund.key else _beside(orders, order)}": order for order in orders}
    posted = Transfer.objects.filter(cause__in=named).order_by("pk")
    if refund.state is RefundState.FAILED:
        if orders[0].intent is not None:
            _part_came_back(orders[0].intent, refund, told=told)
        for transfer in posted:
            (order,) = (order for order in orders if order.pk == transfer.order_id)
            minor = sum(entry.amount_minor for entry in transfer.entries.filter(account="refunds_due"))
            mine = replace(refund, amount=Money(minor, order.currency))
            _came_back(order, mine, "" if refund.key else _beside(orders, order), told=told)
    elif not refund.key and not posted.exists():
        rests = [uncredited(order).minor for order in orders]
        parts = over_orders(refund.amount.minor, rests, [order.total_minor for order in orders])
        for order, minor in zip(orders, parts, strict=True):
            if minor or len(orders) == 1:
                mine = replace(refund, amount=Money(minor, refund.amount.currency))
                _refunded_there(order, mine, f"{cause}{_beside(orders, order)}", told=told)


def _refunded_there(order: Order, refund: BankRefund, cause: str, *, told: Telling) -> None:
    """What was not promised yet becomes a credit.

    The rest only keeps a promise that was made before, by another hand.
    """
    now = told.now
    amount = min(refund.amount, uncredited(order))
    if amount.minor > 0:
        reason = "Refunded at the payment provider."
        credit_moved(order=order, amount=amount, cause=cause, reason=reason, told=told)
    books.post_refund_done(order=order, amount_minor=refund.amount.minor, cause=cause, now=now)
    told.tell(
        order=order,
        source="staff",
        kind="refunded_at_bank",
        public=True,
        evidence={"refund": refund.refund_id},
        sentence=(
            f"{_in_words(order, refund.amount)} were refunded at the payment provider. It counts as a credit;"
            " nothing is sent again."
        ),
    )
    judge_open(order=order, why="refunded at the payment provider", told=told)


def _came_back(order: Order, refund: BankRefund, beside: str, *, told: Telling) -> None:
    fresh = books.post(
        cause=f"refund_failed:{refund.refund_id}{beside}",
        order=order,
        sentence=f"Refund of order {order} came back",
        now=told.now,
        entries={"gateway": refund.amount.minor, "refunds_due": -refund.amount.minor},
    )
    if not fresh:
        return
    # Surely not with the buyer: staff may try again, under a new key, or pay in another way.
    causes = Command.objects.filter(cause=refund.key).values_list("payload__credit", flat=True)
    mine = [f"bank:{refund.refund_id}{beside}", *(str(cause) for cause in causes if cause)]
    failed = Credit.objects.filter(order=order, cause__in=mine, state=CreditState.REFUNDED)
    failed.update(state=CreditState.FAILED, sentence="The buyer's bank sent the money back.")
    sentence = f"The buyer's bank sent a refund of {refund.amount.words} back; the buyer still has to be paid."
    told.tell(order=order, source="marketplace", kind="refund_failed", sentence=sentence)
    told.raise_alert(
        code=AlertCode.REFUND_FAILED,
        seller=order.seller,
        order=order,
        key=f"refund:{refund.refund_id}{beside}",
        sentence=f"Order {order}: {sentence}",
        evidence={"refund": refund.refund_id},
    )


def _warning_seen(order: Order, warning: FraudWarning, beside: str, *, told: Telling) -> None:
    """Once per warning. It counts as fraud from now on, when we know of it, not from when the issuer said it."""
    if TimelineEntry.objects.filter(order=order, kind=WARNED, evidence__warning=warning.warning_id).exists():
        return
    evidence = {"warning": warning.warning_id, "at": warning.at.isoformat(), "kind": warning.kind}
    why = f" ({warning.kind.replace('_', ' ')})" if warning.kind else ""
    sentence = f"The card's issuer reported this payment as fraud on {warning.at:%d %B %Y}{why}."
    told.tell(order=order, source="bank", kind=WARNED, sentence=sentence, evidence=evidence)
    if RiskTrace.objects.filter(order=order).exists():
        label_order(order=order, fraud=True, actor=None, why="the card's issuer reported it", now=told.now, told=told)
    if order.cancelled_at is not None:
        return
    gone = order.parcels == ParcelState.SHIPPED
    what_now = (
        "Keep what proves the delivery." if gone else "Do not ship it: reject the order, and the owner is paid back."
    )
    told.raise_alert(
        code=AlertCode.DISPUTED,
        seller=order.seller,
        order=order,
        key=f"warning:{warning.warning_id}{beside}",
        sentence=f"Order {order}: {sentence} A dispute may follow. {what_now}",
        evidence=evidence,
    )


_STATES = {
    DisputeState.ASKED: "asks about",
    DisputeState.TAKEN: "disputes",
    DisputeState.WON: "no longer disputes",
    DisputeState.LOST: "has won its dispute over",
}


def _dispute_seen(order: Order, dispute: Dispute, beside: str, *, told: Telling) -> None:
    """One entry for each news of a dispute: reading it again tells nobody twice, also after its alert was settled."""
    evidence = {"dispute": dispute.dispute_id, "state": str(dispute.state), "reason": dispute.reason}
    if dispute.opened_at:
        evidence["at"] = dispute.opened_at.isoformat()
    moved, known = rounds.follow(order, dispute, beside, told=told), rounds.states_told(order, dispute)
    if not moved and known and known[-1] == dispute.state:
        return
    again = " again" if dispute.state in known else ""
    why = f" ({dispute.reason.replace('_', ' ')})" if dispute.reason else ""
    amount = _in_words(order, dispute.amount)
    fresh = dispute.state in (DisputeState.ASKED, DisputeState.TAKEN)
    since = f", since {dispute.opened_at:%d %B %Y}" if dispute.opened_at and fresh else ""
    sentence = f"The buyer's bank {_STATES[dispute.state]} the payment of {amount}{again}{why}{since}."
    told.tell(order=order, source="buyer", kind=rounds.TOLD, sentence=sentence, evidence=evidence)
    if not _label(order, dispute, told=told):
        judge_open(order=order, why=f"the buyer's bank {_STATES[dispute.state]} the payment", told=told)
    if dispute.state is DisputeState.WON:
        how = "The dispute ended well; the money stays."
        told.settle_by_fact(how=how, codes=(AlertCode.DISPUTED,), order=order)
        return
    by = f" Send what proves the sale to staff before {dispute.answer_by:%d %B %Y}." if dispute.answer_by else ""
    end = "" if dispute.state is DisputeState.LOST else by
    told.raise_alert(
        code=AlertCode.DISPUTED,
        seller=order.seller,
        order=order,
        key=f"dispute:{dispute.dispute_id}{beside}",
        sentence=f"Order {order}: {sentence}{end}",
        evidence=evidence,
    )


def _label(order: Order, dispute: Dispute, *, told: Telling) -> bool:
    """A dispute for fraud is what the risk analysis learns from, and so is a bank's first question: it comes earlier.

    Providers' words for it differ; all have "fraud" in them. Whether it was one.
    """
    if "fraud" in dispute.reason.lower() and RiskTrace.objects.filter(order=order).exists():
        label_order(
            order=order,
            fraud=dispute.state is not DisputeState.WON,
            actor=None,
            why=f"the buyer's bank {_STATES[dispute.state]} the payment",
            now=told.now,
            told=told,
        )
        return True
    return False
