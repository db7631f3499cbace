"""From the bank's event to the books: through the door, kept, read again at the bank, and posted once.

The bank is the simulated one, its webhooks go over HTTP.
"""
# ruff: noqa: F811

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from django.db.models import Sum

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason
from crossdock.engine import invariants, payments
from crossdock.engine.engine import Engine
from crossdock.kit.gateway import Captured
from crossdock.payments.sandbox.wire import SECRET_KEY, Wire
from crossdock.payments.sandbox.wire.bank import Bank
from crossdock.store.models import (
    Alert,
    Command,
    Credit,
    Delivery,
    Entry,
    Order,
    Party,
    PaymentIntent,
    RiskAssessment,
    RiskTrace,
    TimelineEntry,
)
from crossdock.usecases.checkout.checkout import place_order
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.record.alerts import settle_alert
from crossdock.web.door import Door
from stall import Make, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Town:
    """The bank, our door, and the way between them."""

    wire: Wire
    engine: Engine
    door: Door

    async def news(self) -> None:
        """What the bank told is at our door, and worked off."""
        await self.wire.told()
        party = await sync(Party.objects.filter(kind="payment", name="stripe").first)
        if party is not None:
            self.engine.wake(party.pk)
            await until(lambda: not Delivery.objects.filter(handled_at=None).exists(), what="the inbox")
        await rest(self.engine)

    async def bought(self, make: Make, token: str = "pm_card_visa") -> Order:
        intent = await sync((await sync(make)).open_checkout, gateway="stripe")
        said = await payments.opened("stripe").capture(intent.asked, token)
        assert isinstance(said, Captured)
        order: Order = await sync(
            place_order,
            intent_id=intent.public_id,
            gateway_ref=said.gateway_ref,
            checks=dict(said.checks),
            now=datetime.now(UTC),
        )
        return order


@pytest.fixture
async def town(tmp_path: Path, engine: Engine, settings: Any) -> AsyncIterator[Town]:
    wire, door = Wire(tmp_path), Door()
    await wire.start()
    settings.PAYMENT_GATEWAY = "stripe"
    keys = {"secret_key": SECRET_KEY, "api_base": wire.address, "webhook_secret": wire.hook_secret}
    settings.GATEWAY_KEYS = {"stripe": keys}
    app = web.Application()
    app.router.add_post("/hooks/{rest:.*}", partial(knock, door))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    wire.hook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/payments/stripe"
    yield Town(wire, engine, door)
    await wire.stop()
    await runner.cleanup()
    await door.close()


async def knock(door: Door, request: web.Request) -> web.Response:
    """One HTTP request as ASGI hands it to the door."""
    body, said = await request.read(), []
    lines = [(name.lower().encode(), value.encode()) for name, value in request.headers.items()]
    scope = {"type": "http", "method": request.method, "path": request.path, "headers": lines}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await door(scope, receive, send)
    return web.Response(status=said[0]["status"], body=said[1]["body"])


def account(name: str) -> int:
    return Entry.objects.filter(account=name).aggregate(sum=Sum("amount_minor"))["sum"] or 0


def open_codes(order: Order) -> list[str]:
    return list(Alert.objects.filter(order=order, settled_at=None).values_list("code", flat=True))


def broken(now: datetime) -> dict[str, list[str]]:
    return invariants.check(now=now)


async def test_a_lost_answer_becomes_an_order_as_soon_as_the_bank_tells(town: Town, make: Make) -> None:
    """The page was closed; the worker's own look would come 45 seconds later."""
    intent = await sync((await sync(make)).open_checkout, gateway="stripe")
    town.wire.dial.once("lost_reply", skip=1)
    assert not isinstance(await payments.opened("stripe").capture(intent.asked, "pm_card_visa"), Captured)
    await town.news()
    order = await sync(Order.objects.get)
    assert order.intent_id == intent.pk
    assert await sync(Delivery.objects.count) == 1


async def test_a_payment_declined_here_and_captured_there_still_gets_its_order(town: Town, make: Make) -> None:
    intent = await sync((await sync(make)).open_checkout, gateway="stripe")
    await payments.opened("stripe").capture(intent.asked, "pm_card_visa")
    await sync(PaymentIntent.objects.filter(pk=intent.pk).update, state="declined", sentence="The page thought so.")
    await town.news()
    assert await sync(Order.objects.count) == 1


async def test_a_dispute_is_one_alert_and_moves_the_money_once(town: Town, make: Make) -> None:
    order = await town.bought(make, "pm_card_createDispute")
    await town.news()
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]
    alert = await sync(Alert.objects.get)
    assert "disputes the payment of $14.50 (fraudulent)" in alert.sentence or "disputes the payment" in alert.sentence
    assert "Send what proves the sale" in alert.sentence
    assert (await sync(RiskTrace.objects.get, order=order)).fraud is True, "the bank calls it fraud"
    assert await sync(account, "disputed") == order.total_minor
    assert await sync(account, "gateway") == 0
    # Told again, found again by the timer, and settled by the seller meanwhile: nothing happens twice.
    await sync(settle_alert, alert=alert, actor=None, how="Sent the proof.", now=datetime.now(UTC))
    await payments.read_what_changed(town.engine)
    await town.news()
    assert await sync(open_codes, order) == []
    assert await sync(account, "disputed") == order.total_minor
    assert await sync(TimelineEntry.objects.filter(order=order, kind="dispute").count) == 1
    assert await sync(broken, datetime.now(UTC)) == {}


@pytest.mark.parametrize(("end", "gateway", "alerts"), [("won", True, []), ("lost", False, [AlertCode.DISPUTED])])
async def test_how_a_dispute_ends(town: Town, make: Make, end: str, gateway: bool, alerts: list[str]) -> None:
    order = await town.bought(make, "pm_card_createDispute")
    await town.news()
    town.wire.do(lambda bank: bank.judge(bank.disputes("", {})["data"][0]["id"], end))
    await town.news()
    assert await sync(open_codes, order) == alerts
    assert await sync(account, "gateway") == (order.total_minor if gateway else 0)
    assert await sync(account, "disputed") == (0 if gateway else order.total_minor)


def judge_all(bank: Bank, end: str) -> None:
    for dispute in bank.disputes("", {})["data"]:
        bank.judge(dispute["id"], end)


async def test_a_second_round_without_a_webhook_is_found_by_the_timer(town: Town, make: Make) -> None:
    """The dispute is older than what the timer looks back at."""
    order = await town.bought(make, "pm_card_createDispute")
    await town.news()
    town.wire.hook_url = ""
    town.wire.do(lambda bank: bank.db.execute("UPDATE wire_dispute SET created = created - 999999"))
    for end, gone in (("won", False), ("lost", True), ("won", False), ("lost", True)):
        town.wire.do(partial(judge_all, end=end))
        assert await payments.read_what_changed(town.engine) == 1
        assert await sync(account, "gateway") == (0 if gone else order.total_minor)
        assert await sync(account, "disputed") == (order.total_minor if gone else 0)
    assert await sync(broken, datetime.now(UTC)) == {}


async def test_a_bank_s_question_takes_no_money(town: Town, make: Make) -> None:
    order = await town.bought(make)
    ref = (await sync(PaymentIntent.objects.get)).gateway_ref
    town.wire.do(lambda bank: bank.dispute(ref, "warning_needs_response"))
    await town.news()
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]
    assert await sync(account, "gateway") == order.total_minor


@pytest.mark.parametrize("told", [True, False], ids=["told by a webhook", "found by the hourly look back"])
async def test_an_early_fraud_warning_counts_from_the_day_it_came(town: Town, make: Make, told: bool) -> None:
    order = await town.bought(make)
    ref = (await sync(PaymentIntent.objects.get)).gateway_ref
    if not told:
        town.wire.hook_url = ""
    town.wire.do(lambda bank: bank.warn(ref))
    before = datetime.now(UTC)
    for _ in range(2):
        await town.news()
        await payments.read_what_changed(town.engine)
    entry = await sync(TimelineEntry.objects.get, order=order, kind="fraud_warning")
    assert entry.sentence.startswith(f"The card's issuer reported this payment as fraud on {before:%d %B %Y}")
    assert "(made with stolen card)" in entry.sentence and entry.evidence["at"]
    trace = await sync(RiskTrace.objects.get, order=order)
    assert trace.fraud is True and trace.known_at is not None
    assert abs((trace.known_at - before).total_seconds()) < 3600, "from when it was learned"
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]
    alert = await sync(Alert.objects.get)
    assert "reported this payment as fraud" in alert.sentence and "reject the order" in alert.sentence
    assert await sync(account, "disputed") == 0 and await sync(account, "gateway") == order.total_minor
    # The next one with that card is judged by it.
    again = await town.bought(make)
    known = await sync(RiskAssessment.objects.get, order=again, why="placed")
    assert known.inputs["frauds_of_card"] == 1
    # The dispute that follows is one more fact; won, it takes the label back.
    town.wire.do(lambda bank: bank.judge(bank.dispute(ref), "won"))
    await payments.read_what_changed(town.engine)
    assert (await sync(RiskTrace.objects.get, order=order)).fraud is False
    assert await sync(TimelineEntry.objects.filter(order=order, kind="fraud_warning").count) == 1
    assert await sync(broken, datetime.now(UTC)) == {}


async def test_a_refund_at_the_dashboard_is_a_credit_once(town: Town, make: Make) -> None:
    order = await town.bought(make)
    ref = (await sync(PaymentIntent.objects.get)).gateway_ref
    town.wire.dial.set({"duplicate": 1.0})
    town.wire.do(lambda bank: bank.refund({"payment_intent": ref, "amount": "300"}))
    await town.news()
    await payments.read_what_changed(town.engine)
    await sync(order.refresh_from_db)
    assert (order.credited_minor, order.money) == (300, "partly_credited")
    assert await sync(account, "gateway") == order.total_minor - 300
    assert await sync(account, "refunds_due") == 0
    assert not await sync(Command.objects.filter(kind="refund_payment").exists), "the money moved already"
    credit = await sync(Credit.objects.get)
    assert (credit.kind, credit.state, credit.amount_minor) == ("bank", "refunded", 300)
    town.wire.do(lambda bank: bank.refund({"payment_intent": ref}))
    await town.news()
    await sync(order.refresh_from_db)
    assert (order.credited_minor, order.money) == (order.total_minor, "credited")
    assert await sync(account, "gateway") == 0
    assert await sync(broken, datetime.now(UTC)) == {}


async def test_refunded_here_and_at_the_dashboard_at_once_pays_the_buyer_once(town: Town, make: Make) -> None:
    order = await town.bought(make)
    ref = (await sync(PaymentIntent.objects.get)).gateway_ref
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    town.wire.do(lambda bank: bank.refund({"payment_intent": ref}))
    await town.news()
    await until(lambda: Command.objects.get(kind="refund_payment").state == "done", what="the refund")
    await rest(town.engine)
    await sync(order.refresh_from_db)
    assert order.credited_minor == order.total_minor
    assert await sync(account, "gateway") == await sync(account, "refunds_due") == 0
    assert await sync(open_codes, order) == [AlertCode.COMMAND_DEAD], "somebody is told that ours was refused"
    assert await sync(broken, datetime.now(UTC)) == {}


async def test_a_refund_of_ours_is_not_seen_as_somebody_else_s(town: Town, make: Make) -> None:
    order = await town.bought(make)
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    party = await sync(Party.objects.get, kind="payment", name="stripe")
    town.engine.wake(party.pk)
    await until(lambda: Command.objects.get(kind="refund_payment").state == "done", what="the refund")
    await town.news()
    assert await sync(account, "gateway") == await sync(account, "refunds_due") == 0
    assert await sync(open_codes, order) == []
    # Days later the buyer's bank sends it back: the buyer is owed again, and somebody is told, once.
    ref = (await sync(Command.objects.get, kind="refund_payment")).outcome["shop_id"]
    for _ in range(2):
        town.wire.do(lambda bank: bank.fail_refund(ref))
        await town.news()
    assert await sync(account, "refunds_due") == -order.total_minor
    assert await sync(open_codes, order) == [AlertCode.REFUND_FAILED]
    assert (await sync(Credit.objects.get)).state == "failed", "staff can try it again"


async def test_lost_webhooks_are_made_up_for_by_the_timer(town: Town, make: Make) -> None:
    town.wire.dial.set({"drop": 1.0})
    order = await town.bought(make, "pm_card_createDispute")
    await town.news()
    assert await sync(open_codes, order) == []
    assert await payments.read_what_changed(town.engine) == 1
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]


async def test_a_bank_that_is_silent_keeps_the_delivery_waiting(town: Town, make: Make) -> None:
    order = await town.bought(make, "pm_card_createDispute")
    await town.wire.told()
    town.wire.dial.set({"down": True})
    party = await sync(Party.objects.get, kind="payment", name="stripe")
    town.engine.wake(party.pk)
    await asyncio.sleep(0.3)
    assert await sync(Delivery.objects.filter(handled_at=None).exists)
    town.wire.dial.calm()
    await sync(Party.objects.filter(pk=party.pk).update, resting_until=None)
    for _ in range(400):
        town.engine.wake(party.pk)
        await asyncio.sleep(0.1)
        if await sync(open_codes, order):
            break
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]


async def test_a_door_that_is_shut_for_a_moment_is_knocked_at_again(town: Town, make: Make) -> None:
    good, town.wire.hook_url = town.wire.hook_url, "http://127.0.0.1:9/nobody"
    order = await town.bought(make, "pm_card_createDispute")
    assert not await sync(Delivery.objects.exists)
    town.wire.hook_url = good
    for _ in range(400):
        await town.news()
        if await sync(open_codes, order):
            break
        await asyncio.sleep(0.1)
    assert await sync(open_codes, order) == [AlertCode.DISPUTED]


async def post(town: Town, path: str, body: bytes, headers: dict[str, str]) -> int:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
    }
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await town.door(scope, receive, send)
    return int(said[0]["status"])


async def test_only_signed_news_about_our_payments_is_kept(town: Town) -> None:
    event = {
        "id": "evt_1",
        "type": "charge.refunded",
        "data": {"object": {"object": "charge", "payment_intent": "pi_1"}},
    }
    body = json.dumps(event).encode()
    good = town.wire.signed(body)
    here = "/hooks/payments/stripe"
    assert await post(town, here, body, {}) == 401
    assert await post(town, here, body + b" ", good) == 401
    assert await post(town, "/hooks/payments/nobody", body, good) == 404
    assert await post(town, "/hooks/payments/stripe/x", body, good) == 404
    assert await post(town, "/hooks/payments/sandbox", body, good) == 401, "it has nobody who could tell us anything"
    assert await post(town, here, b"{", town.wire.signed(b"{")) == 400
    ping = b'{"id": "evt_2", "type": "ping", "data": {"object": {"object": "customer"}}}'
    assert await post(town, here, ping, town.wire.signed(ping)) == 200
    assert await sync(Delivery.objects.count) == 0
    assert [await post(town, here, body, good) for _ in range(3)] == [200] * 3
    row = await sync(Delivery.objects.get)
    assert (row.topic, row.doubles, bytes(row.body)) == ("charge.refunded", 2, body)
    await town.news()
    assert await sync(Alert.objects.count) == 0, "a payment that is not ours"
