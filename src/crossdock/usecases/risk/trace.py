"""Every try to pay leaves a trace, so that the next ones can be linked to it.

Written in the checkout's own transaction.
"""

from dataclasses import dataclass
from datetime import datetime

from crossdock.domain.risk.lookups import address_key
from crossdock.domain.values import Money
from crossdock.store.models import PaymentIntent, RiskTrace, User


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a try to pay came from: the network address, and the random name that our cookie gave the browser.

    Empty when a program asked.
    """

    ip: str = ""
    device: str = ""


def trace_for(*, intent: PaymentIntent, seller: int, units: int, origin: Origin, now: datetime) -> RiskTrace:
    """Not written yet: it goes along with the intent. `units` is the most of one thing."""
    to = intent.basket["ship_to"]
    return RiskTrace(
        intent=intent,
        at=now,
        buyer=buyer_key(intent.buyer),
        seller=seller,
        amount_minor=intent.amount_minor,
        currency=intent.currency,
        units=units,
        device=origin.device[:60],
        ip=origin.ip[:45],
        address=address_key(to["line1"], to["postal_code"], to["country"]),
        email=intent.buyer.email.lower(),
    )


def trace_of(intent: PaymentIntent) -> RiskTrace | None:
    """With the gateway's answer, which is not written yet; the card is known only now.

    None for an intent from before there were traces.
    """
    trace: RiskTrace | None = getattr(intent, "trace", None)
    if trace is not None:
        trace.card = str(intent.checks.get("card_fingerprint", ""))[:80]
    return trace


_OF_THE_TRY = ("at", "buyer", "card", "device", "ip", "address", "email")


def as_part(trace: RiskTrace, *, seller: int, amount: Money, units: int, beside: bool) -> RiskTrace:
    """The same try as one of several sellers sees it; `beside` it, it is a row of its own. Not written yet."""
    return RiskTrace(
        pk=None if beside else trace.pk,
        intent_id=None if beside else trace.intent_id,
        seller=seller,
        amount_minor=amount.minor,
        currency=amount.currency,
        units=units,
        beside=beside,
        **{name: getattr(trace, name) for name in _OF_THE_TRY},
    )


def end_unpaid(*, trace: RiskTrace) -> None:
    """Declined, or surely never captured. A paid one ends with its order's judgement (`judge.keep_placed`)."""
    RiskTrace.objects.filter(pk=trace.pk).update(paid=False, card=trace.card)


def buyer_key(buyer: User) -> str:
    return f"u{buyer.pk}"


def forget(*, orders: list[int]) -> None:
    """A buyer is erased: what links the tries to a person goes, sums and dates stay."""
    RiskTrace.objects.filter(order_id__in=orders).update(card="", device="", ip="", address="", email="", buyer="")
