"""Payments that nobody finished, and refunds.

Looked up, voided before they are called off, given back once per cause.
"""

# ruff: noqa: F811

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from crossdock.domain.commands import CancelReason, Done, Unknown
from crossdock.domain.payments import Intent
from crossdock.domain.values import Money
from crossdock.engine import payments
from crossdock.engine.engine import Engine
from crossdock.kit.errors import NotSent
from crossdock.kit.gateway import Captured, Declined, Gateway
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Command, Order, Party, PaymentIntent, Reservation, Transfer
from crossdock.usecases.checkout.checkout import expire_checkouts, payment_unknown, place_order
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.stock.reservations import availability
from shopper import Shopper, a_listing, a_seller
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    opened = open_gateway("sandbox", tmp_path)
    monkeypatch.setattr(payments, "open_gateway", lambda name, data, keys: opened)
    return opened


def begun(stall: Stall, *, age: timedelta) -> PaymentIntent:
    """A checkout of one unit, opened some time ago."""
    intent = stall.open_checkout()
    PaymentIntent.objects.filter(pk=intent.pk).update(created_at=datetime.now(UTC) - age)
    intent.refresh_from_db()
    return intent


def held() -> int:
    return Reservation.objects.exclude(state="ended").count()


async def test_a_payment_whose_answer_was_lost_becomes_one_order(make: Make, engine: Engine, gateway: Gateway) -> None:
    stall = await sync(make)
    intent = await sync(begun, stall, age=timedelta(seconds=30))
    lost = await gateway.capture(intent.asked, "late")
    assert not isinstance(lost, Captured)
    await sync(
        payment_unknown, intent_id=intent.public_id, sentence="The bank did not answer in time.", now=datetime.now(UTC)
    )
    assert await payments.settle_intents(engine) == 0, "the bank does not know yet either"
    assert await sync(held) == 1, "meanwhile the units stay held"
    assert await payments.settle_intents(engine) == 1
    order = await sync(Order.objects.get)
    assert order.intent_id == intent.pk
    assert await payments.settle_intents(engine) == 0
    assert await sync(Order.objects.count) == 1


async def test_a_page_that_was_closed_after_paying_still_gets_its_order(
    make: Make, engine: Engine, gateway: Gateway
) -> None:
    stall = await sync(make)
    young = await sync(begun, stall, age=timedelta(seconds=10))
    old = await sync(begun, stall, age=timedelta(minutes=2))
    for intent in (young, old):
        assert isinstance(await gateway.capture(intent.asked, "works"), Captured)
    assert await payments.settle_intents(engine) == 1, "the younger page may still be waiting itself"
    assert (await sync(PaymentIntent.objects.get, orders__isnull=False)).pk == old.pk


async def test_a_payment_that_never_happened_is_voided_before_its_units_go_back(
    make: Make, engine: Engine, gateway: Gateway
) -> None:
    stall = await sync(make)
    intent = await sync(begun, stall, age=timedelta(minutes=1))
    await sync(payment_unknown, intent_id=intent.public_id, sentence="The connection broke.", now=datetime.now(UTC))
    assert await payments.settle_intents(engine) == 1
    assert (await sync(PaymentIntent.objects.get, pk=intent.pk)).state == "declined"
    assert await sync(held) == 0
    late = await gateway.capture(intent.asked, "works")
    assert isinstance(late, Declined), "a capture that arrives now can take no money any more"
    assert await sync(Order.objects.count) == 0


async def test_a_checkout_that_was_only_opened_is_left_alone_until_its_hold_is_over(
    make: Make, engine: Engine, gateway: Gateway
) -> None:
    stall = await sync(make)
    await sync(begun, stall, age=timedelta(minutes=10))
    assert await payments.settle_intents(engine) == 0
    assert await sync(held) == 1


async def test_a_declined_card_found_later_gives_the_units_back(make: Make, engine: Engine, gateway: Gateway) -> None:
    stall = await sync(make)
    intent = await sync(begun, stall, age=timedelta(minutes=2))
    await gateway.capture(intent.asked, "declined")
    assert await payments.settle_intents(engine) == 1
    assert (await sync(PaymentIntent.objects.get, pk=intent.pk)).sentence == "Your bank declined the card."
    assert await sync(held) == 0


async def test_a_refund_whose_answer_was_lost_is_asked_again_under_the_same_key(
    make: Make, engine: Engine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    intent = await sync(begun, stall, age=timedelta(0))
    captured = await gateway.capture(intent.asked, "works")
    assert isinstance(captured, Captured)
    order = await sync(
        place_order,
        intent_id=intent.public_id,
        gateway_ref=captured.gateway_ref,
        checks=dict(captured.checks),
        now=datetime.now(UTC),
    )
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    keys: list[str] = []
    good = gateway.refund

    async def losing(intent: Intent, money: Money, key: str) -> Any:
        keys.append(key)
        outcome = await good(intent, money, key)
        assert isinstance(outcome, Done)
        return Unknown("The connection broke.", 0.05) if len(keys) == 1 else outcome

    monkeypatch.setattr(gateway, "refund", losing)
    party = await sync(Party.objects.get, kind="payment", name="sandbox")
    engine.wake(party.pk)
    await until(lambda: Command.objects.get(kind="refund_payment").state == "done", what="the refund")
    await rest(engine)
    assert keys == [f"refund:{order.reference}"] * 2
    refused = await good(intent.asked, Money(1, "USD"), "one cent more")
    assert not isinstance(refused, Done), "everything was given back, and once"
    assert await sync(Transfer.objects.filter(cause__startswith="refunded:").count) == 1


PLACES = {
    "before the bank is asked": "confirmed",
    "after the bank took the money": "place_order",
    "after the bank's answer was lost": "payment_unknown",
}


@pytest.mark.parametrize("where", PLACES)
async def test_a_database_that_goes_away_in_a_payment_leaves_neither_a_hold_nor_money(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The holds were committed; then nothing can be written any more. The buyer never comes back."""

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the database is gone")

    card = await sync(lambda: a_listing(a_seller(), count=5))
    buyer = await sync(Shopper)
    buyer.client.raise_request_exception = False
    form = await sync(buyer.to_payment, card, 2)
    token = "late" if PLACES[where] == "payment_unknown" else "works"
    with monkeypatch.context() as away:
        away.setattr(f"crossdock.web.storefront.checkout.{PLACES[where]}", gone)
        assert await sync(lambda: buyer.post("/checkout/pay/", token=token, **form)) == 503
    intent = await sync(PaymentIntent.objects.get)
    assert (intent.state, await sync(held), await sync(Order.objects.count)) == ("created", 1, 0)

    began = datetime.now(UTC)
    for minutes in (1, 2, 16, 21, 22):
        now = began + timedelta(minutes=minutes)
        monkeypatch.setattr(engine, "clock", lambda now=now: now)
        await sync(expire_checkouts, now=now)
        await payments.settle_intents(engine)
    await sync(intent.refresh_from_db)
    left = (await sync(availability, variants=[card], now=now))[card.pk]
    if where == "before the bank is asked":
        assert (intent.state, left, await sync(held)) == ("declined", 5, 0)
        late = await payments.opened(intent.gateway).capture(intent.asked, "works")
        assert isinstance(late, Declined), "what was called off can take no money any more"
        assert await sync(Order.objects.count) == 0
    else:
        assert (intent.state, left) == ("captured", 3), "the money moved, so that the buyer has an order"
        assert (await sync(Order.objects.get)).total_minor == 2450
        assert not await sync(Reservation.objects.filter(state="checkout").exists)


async def test_the_money_of_a_lost_order_goes_back_when_its_units_were_sold_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the database is gone")

    card = await sync(lambda: a_listing(a_seller(), count=1))
    first, second = await sync(Shopper), await sync(Shopper, "max@example.test")
    first.client.raise_request_exception = False
    form = await sync(first.to_payment, card)
    with monkeypatch.context() as away:
        away.setattr("crossdock.web.storefront.checkout.place_order", gone)
        assert await sync(lambda: first.post("/checkout/pay/", token="works", **form)) == 503
    lost = await sync(PaymentIntent.objects.get)
    # No worker ran for as long as the hold lasts.
    await sync(lambda: Reservation.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await sync(expire_checkouts, now=datetime.now(UTC))
    form = await sync(second.to_payment, card)
    await sync(lambda: second.post("/checkout/pay/", token="works", **form))
    monkeypatch.setattr(engine, "clock", lambda: datetime.now(UTC) + timedelta(minutes=16))
    await payments.settle_intents(engine)
    await sync(lost.refresh_from_db)
    assert lost.state == "abandoned" and await sync(Order.objects.count) == 1
    refund = await sync(Command.objects.get, kind="refund_payment")
    assert (refund.payload["intent"], refund.payload["amount_minor"]) == (lost.public_id, lost.amount_minor)


async def test_a_gateway_that_is_gone_keeps_no_other_gateway_s_payments_waiting(
    make: Make, engine: Engine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of its payments are older, and however slow it is."""
    stall = await sync(make)
    paid = await sync(begun, stall, age=timedelta(minutes=2))
    assert isinstance(await gateway.capture(paid.asked, "works"), Captured)
    asked: list[str] = []

    class Gone:
        async def look_up(self, payment: object) -> object:
            asked.append("gone")
            raise NotSent("The payment provider cannot be reached.")

    def other() -> None:
        old = PaymentIntent.objects.get(pk=paid.pk)
        for number in range(5):
            old.pk, old.public_id, old.checkout, old.gateway = None, f"other-{number}", f"other-{number}", "other"
            old.created_at = datetime.now(UTC) - timedelta(minutes=20)
            old.save(force_insert=True)
        PaymentIntent.objects.filter(gateway="other").update(created_at=datetime.now(UTC) - timedelta(minutes=20))

    await sync(other)
    monkeypatch.setattr(payments, "opened", lambda name: Gone() if name == "other" else gateway)
    monkeypatch.setattr(payments, "_AT_ONCE", 3)
    assert await payments.settle_intents(engine) == 1
    assert await sync(Order.objects.filter(intent=paid.pk).exists)
    assert asked == ["gone"], "one question tells that it is away"


async def test_payments_that_cannot_be_answered_are_not_all_that_is_ever_looked_at(
    make: Make, engine: Engine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    for _ in range(2):
        await sync(begun, stall, age=timedelta(minutes=3))
    paid = await sync(begun, stall, age=timedelta(minutes=2))
    assert isinstance(await gateway.capture(paid.asked, "works"), Captured)
    monkeypatch.setattr(payments, "_AT_ONCE", 1)
    rounds = 0
    while not await payments.settle_intents(engine):
        rounds += 1
        assert rounds < 200
    assert await sync(Order.objects.filter(intent=paid.pk).exists)
