"""The simulated bank held against things that its author did not write: the official library's types, its parser, its
signatures, and what Stripe's pages say of keys.

Stripe's published specification was looked at by hand (see the folder's README); it is not in this repository.
"""

import asyncio
import json
import typing
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe

from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.payments import Intent
from crossdock.domain.values import Money
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.webhook import told_news
from crossdock.payments.sandbox.wire import SECRET_KEY, Wire
from crossdock.payments.sandbox.wire import bank as bank_module
from crossdock.payments.stripe import StripeGateway, amounts

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECRET = "whsec_abc"


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    made = Wire(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def its(wire: Wire) -> stripe.StripeClient:
    """The library as its vendor ships it, without our adapter around it."""
    return stripe.StripeClient(SECRET_KEY, base_addresses={"api": wire.address}, max_network_retries=0)


async def ask(work: Any) -> Any:
    return await asyncio.to_thread(work)


def begin(its: stripe.StripeClient, key: str = "", **more: Any) -> stripe.PaymentIntent:
    params: Any = {"amount": 1000, "currency": "usd", "payment_method_types": ["card"], **more}
    return its.v1.payment_intents.create(params, {"idempotency_key": key} if key else {})


def words_of(hint: Any) -> set[str]:
    """The texts that a type admits, where it names them."""
    if typing.get_origin(hint) is typing.Literal:
        return set(typing.get_args(hint))
    return {word for part in typing.get_args(hint) for word in words_of(part)}


def fits(thing: dict[str, Any], kind: type, path: str = "") -> list[str]:
    """What the library's own class does not know: a field's name, or a word where it lists the words."""
    wrong = []
    names = {name for one in kind.__mro__ for name in getattr(one, "__annotations__", {})}
    for name, value in thing.items():
        if name not in names:
            wrong.append(f"{path}{name}")
            continue
        hint = next(one.__annotations__[name] for one in kind.__mro__ if name in getattr(one, "__annotations__", {}))
        admitted = words_of(hint)
        if isinstance(value, str) and admitted and value not in admitted:
            wrong.append(f"{path}{name}={value}")
        inner = getattr(kind, "".join(part.capitalize() for part in name.split("_")), None)
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, stripe.StripeObject):
            wrong += fits(value, inner, f"{path}{name}.")
    return wrong


async def test_every_field_that_it_sends_is_one_of_the_official_library(wire: Wire, its: stripe.StripeClient) -> None:
    sent: dict[str, dict[str, Any]] = {}
    paid = await ask(lambda: begin(its, confirm=True, payment_method="pm_card_createDispute", expand=["latest_charge"]))
    asks = await ask(
        lambda: begin(its, confirm=True, payment_method="pm_card_threeDSecure2Required", return_url="http://x")
    )
    bare = await ask(lambda: begin(its, confirm=True, payment_method="pm_card_visa"))
    back = await ask(lambda: its.v1.refunds.create({"payment_intent": bare.id}))
    disputes = await ask(lambda: its.v1.disputes.list({"payment_intent": paid.id}))
    await ask(lambda: wire.do(lambda bank: bank.warn(bare.id)))
    warnings = await ask(lambda: its.v1.radar.early_fraud_warnings.list({"payment_intent": bare.id}))
    event = {}
    wire._send = lambda body, tries: event.update(json.loads(body))  # type: ignore[method-assign]
    wire.hook_url = "http://127.0.0.1:1/"
    await ask(lambda: its.v1.payment_intents.cancel(asks.id))
    sent = {"paid": paid.to_dict(), "asks": asks.to_dict(), "refund": back.to_dict(), "event": event}
    sent["charge"] = sent["paid"].pop("latest_charge")
    sent["dispute"] = disputes.data[0].to_dict()
    sent["warning"] = warnings.data[0].to_dict()
    kinds = {
        "paid": stripe.PaymentIntent,
        "asks": stripe.PaymentIntent,
        "charge": stripe.Charge,
        "refund": stripe.Refund,
        "dispute": stripe.Dispute,
        "warning": stripe.radar.EarlyFraudWarning,
        "event": stripe.Event,
    }
    wrong = {name: fits(thing, kinds[name]) for name, thing in sent.items()}
    assert not any(wrong.values()), wrong
    assert fits({"statuss": 1, "object": "payment"}, stripe.PaymentIntent) == ["statuss", "object=payment"], (
        "it can fail"
    )


async def test_the_same_key_and_body_give_the_same_answer_and_another_body_an_error(
    wire: Wire, its: stripe.StripeClient
) -> None:
    one = await ask(lambda: begin(its, "k"))
    assert (await ask(lambda: begin(its, "k"))).id == one.id
    with pytest.raises(stripe.IdempotencyError):
        await ask(lambda: begin(its, "k", amount=1001))
    assert (await ask(lambda: begin(its, "other"))).id != one.id
    wire.clock = lambda: datetime.now(UTC).timestamp() + 24 * 3600 + 1
    assert (await ask(lambda: begin(its, "k"))).id != one.id, "kept for 24 hours"


async def test_a_card_s_no_is_kept_under_its_key_too(its: stripe.StripeClient) -> None:
    made = await ask(lambda: begin(its))
    for _ in range(2):
        with pytest.raises(stripe.CardError) as no:
            await ask(
                lambda: its.v1.payment_intents.confirm(
                    made.id, {"payment_method": "pm_card_visa_chargeDeclined"}, {"idempotency_key": "c"}
                )
            )
        assert (no.value.code, no.value.http_status) == ("card_declined", 402)
        assert no.value.error is not None
        assert no.value.error.decline_code == "generic_decline"


async def test_what_never_began_is_not_kept(wire: Wire, its: stripe.StripeClient) -> None:
    wire.dial.once("throttle")
    with pytest.raises(stripe.RateLimitError):
        await ask(lambda: begin(its, "k"))
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        await ask(lambda: begin(its, "k", colour="red"))
    assert (await ask(lambda: begin(its, "k"))).status == "requires_payment_method"


@pytest.mark.parametrize("fault", ["lost_reply", "garbled"])
async def test_the_work_is_done_although_the_answer_is_lost(wire: Wire, its: stripe.StripeClient, fault: str) -> None:
    wire.dial.once(fault)
    with pytest.raises((stripe.APIError, stripe.APIConnectionError)):
        await ask(lambda: begin(its, "k", confirm=True, payment_method="pm_card_visa"))
    with wire.ledger.book() as db:
        assert db.execute("SELECT count(*) FROM payment").fetchone() == (1,)
    assert (await ask(lambda: begin(its, "k", confirm=True, payment_method="pm_card_visa"))).status == "succeeded"


async def test_errors_are_the_library_s_own_kinds(wire: Wire, its: stripe.StripeClient) -> None:
    made = await ask(lambda: begin(its, confirm=True, payment_method="pm_card_visa"))
    with pytest.raises(stripe.InvalidRequestError) as no:
        await ask(lambda: its.v1.payment_intents.cancel(made.id))
    assert no.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError) as gone:
        await ask(lambda: its.v1.payment_intents.retrieve("pi_nobody"))
    assert (gone.value.code, gone.value.http_status) == ("resource_missing", 404)
    await ask(lambda: its.v1.refunds.create({"payment_intent": made.id}))
    with pytest.raises(stripe.InvalidRequestError) as twice:
        await ask(lambda: its.v1.refunds.create({"payment_intent": made.id}))
    assert twice.value.code == "charge_already_refunded"
    wire.secret_key = "another"
    with pytest.raises(stripe.AuthenticationError):
        await ask(lambda: its.v1.payment_intents.retrieve(made.id))


async def test_the_search_is_late_and_the_list_is_not(wire: Wire, its: stripe.StripeClient) -> None:
    made = await ask(lambda: begin(its, metadata={"crossdock_intent": "i1"}))
    query = {"query": "metadata['crossdock_intent']:'i1'"}
    assert (await ask(lambda: its.v1.payment_intents.search(query))).data == []  # type: ignore[arg-type]
    assert [one.id for one in (await ask(lambda: its.v1.payment_intents.list())).data] == [made.id]
    wire.clock = lambda: datetime.now(UTC).timestamp() + 61
    assert [one.id for one in (await ask(lambda: its.v1.payment_intents.search(query))).data] == [made.id]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("currency", "amount", "good"),
    [
        ("jpy", 1, True),
        ("kwd", 5120, True),
        ("kwd", 5124, False),
        ("isk", 500, True),
        ("isk", 510, False),
        ("ugx", 150, False),
        ("usd", 0, False),
        ("usd", 100_000_000, False),
        ("USD", 100, False),
    ],
)
async def test_amounts_follow_the_currency_s_rules(
    its: stripe.StripeClient, currency: str, amount: int, good: bool
) -> None:
    if good:
        assert (await ask(lambda: begin(its, amount=amount, currency=currency))).amount == amount
    else:
        with pytest.raises(stripe.InvalidRequestError):
            await ask(lambda: begin(its, amount=amount, currency=currency))


def test_both_tables_of_decimals_agree() -> None:
    """Written twice, by the adapter and by the bank; and there and back again for everything that we know."""
    for currency in sorted(CURRENCIES):
        assert amounts.decimals(currency) == bank_module.decimals(currency.lower())
        try:
            minor = amounts.to_stripe(Money(1230, currency))
        except amounts.NotTaken:
            continue
        assert amounts.from_stripe(minor, currency.lower()) == Money(1230, currency)


# Webhooks

BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"object": "payment_intent", "id": "pi_1", "metadata": {"crossdock_intent": "i1"}}},
    }
).encode()


def signed(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> Hook:
    """Signed by the official library."""
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
    return Hook({"stripe-signature": header}, body)


@pytest.fixture
def gateway() -> StripeGateway:
    return StripeGateway({"secret_key": SECRET_KEY, "webhook_secret": SECRET})


def test_what_the_official_library_signs_we_take(gateway: StripeGateway) -> None:
    news = told_news(gateway, signed(BODY), NOW)
    assert (news.topic, news.dedupe) == ("payment_intent.succeeded", "payment_intent.succeeded:evt_1")
    assert [(look.kind, look.entity_id) for look in news.looks] == [("payment", "i1")]


@pytest.mark.parametrize(
    "event",
    [
        # A thin event: its object is named, not sent.
        {"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found", "related_object": None},
        {"id": "evt_2", "type": None, "data": None},
        {"id": "evt_2", "type": "charge.updated", "data": {"object": []}},
        {"id": None, "type": 7, "data": {"object": {"object": "payment_intent", "metadata": "none"}}},
        {"type": "charge.updated", "data": {"object": {"object": "charge", "payment_intent": {"id": "pi_1"}}}},
        [],
        None,
        "text\x00",
    ],
)
def test_a_signed_event_of_any_shape_is_taken_and_looks_at_nothing(gateway: StripeGateway, event: object) -> None:
    news = told_news(gateway, signed(json.dumps(event).encode()), NOW)
    assert news.looks == ()
    assert len(news.topic) <= 80 and news.dedupe


async def test_what_the_bank_signs_the_official_library_takes(wire: Wire) -> None:
    header = wire.signed(BODY)["Stripe-Signature"]
    assert stripe.WebhookSignature.verify_header(BODY, header, wire.hook_secret, 300)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(BODY + b" ", header, wire.hook_secret, 300)


@pytest.mark.parametrize(
    "hook",
    [
        Hook({}, BODY),
        Hook({"stripe-signature": ""}, BODY),
        Hook({"stripe-signature": "t=abc,v1=00"}, BODY),
        Hook({"stripe-signature": f"t={int(NOW.timestamp())}"}, BODY),
        Hook({"stripe-signature": f"t={int(NOW.timestamp())},v0={'0' * 64}"}, BODY),
        Hook(signed(BODY).headers, BODY + b" "),
        signed(BODY, secret="whsec_other"),
        signed(BODY, at=datetime(2026, 11, 23, 11, 54, tzinfo=UTC)),
        signed(BODY, at=datetime(2026, 11, 23, 12, 6, tzinfo=UTC)),
        Hook({"stripe-signature": "t=٣٣,v1=x"}, BODY),
    ],
)
def test_a_forged_delivery_is_nobody_s(gateway: StripeGateway, hook: Hook) -> None:
    with pytest.raises(Forged):
        told_news(gateway, hook, NOW)


def test_without_a_secret_nothing_is_believed() -> None:
    with pytest.raises(Forged):
        told_news(StripeGateway({"secret_key": SECRET_KEY}), signed(BODY, secret=""), NOW)


def test_while_a_secret_is_rolled_over_either_signature_will_do(gateway: StripeGateway) -> None:
    old = signed(BODY, secret="whsec_old").headers["stripe-signature"]
    new = signed(BODY).headers["stripe-signature"].partition(",")[2]
    assert told_news(gateway, Hook({"stripe-signature": f"{old},{new}"}, BODY), NOW).looks


@pytest.mark.parametrize(
    ("thing", "looks"),
    [
        ({"object": "payment_intent", "id": "pi_9", "metadata": {}}, []),
        ({"object": "refund", "payment_intent": "pi_9"}, ["pi_9"]),
        ({"object": "charge", "payment_intent": "pi_9"}, ["pi_9"]),
        ({"object": "dispute", "payment_intent": "pi_9"}, ["pi_9"]),
        ({"object": "dispute", "payment_intent": None}, []),
        ({"object": "customer"}, []),
    ],
)
def test_only_payments_of_ours_are_looked_at(gateway: StripeGateway, thing: dict[str, Any], looks: list[str]) -> None:
    body = json.dumps({"id": "evt_2", "type": "x", "data": {"object": thing}}).encode()
    assert [look.entity_id for look in told_news(gateway, signed(body), NOW).looks] == looks


def test_an_intent_is_never_rounded_to_fit() -> None:
    with pytest.raises(amounts.NotTaken):
        amounts.to_stripe(Intent("i", Money(1001, "TND"), NOW).amount)
