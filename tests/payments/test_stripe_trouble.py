"""Stripe's adapter under fire: lost answers, 429, 5xx, a spoiled key, an old payment, a bank that asks the buyer.

The bank's books decide, not our answers.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crossdock.domain.commands import Done, Later, Refused, SignInAgain, Unknown
from crossdock.domain.payments import DisputeState, Intent, RefundState
from crossdock.domain.values import Money
from crossdock.kit.errors import AuthDead
from crossdock.kit.gateway import AtTheBank, Captured, Declined, NeverSeen, NotKnown
from crossdock.payments.sandbox.wire import SECRET_KEY, Wire
from crossdock.payments.stripe import StripeGateway, client

TEN = Money(1000, "USD")
BACK = "http://127.0.0.1/back"


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    made = Wire(tmp_path, seed=7)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def gateway(wire: Wire) -> StripeGateway:
    return StripeGateway({"secret_key": SECRET_KEY, "api_base": wire.address})


def intent(name: str = "i1", **more: Any) -> Intent:
    return Intent(name, more.pop("amount", TEN), more.pop("begun_at", datetime.now(UTC)), **more)


def charged(wire: Wire) -> dict[str, int]:
    """Our intent -> how often the bank charged for it."""
    with wire.ledger.book() as db:
        rows = db.execute(
            "SELECT json_extract(w.metadata, '$.crossdock_intent'), count(*) FROM payment p JOIN wire_intent w ON w.ref"
            " = p.intent GROUP BY 1"
        ).fetchall()
    return {str(name): int(times) for name, times in rows}


def given_back(wire: Wire) -> int:
    with wire.ledger.book() as db:
        return int(db.execute("SELECT coalesce(sum(minor), 0) FROM refund").fetchone()[0])


async def until(ask: Callable[[], Awaitable[Any]], good: Callable[[Any], bool]) -> Any:
    for _ in range(60):
        said = await ask()
        if good(said):
            return said
    raise AssertionError(f"never came to an end: {said}")


async def pay_through_trouble(gateway: StripeGateway, wire: Wire, many: int = 40) -> None:
    """Buyers pay while a third of the answers is lost; each payment is then looked up, and shut when nobody knows it.

    The books must agree with every end.
    """
    wire.dial.set({"lost_reply": 0.3, "broken": 0.1, "throttle": 0.1, "garbled": 0.05})
    ends: dict[str, bool] = {}
    for number in range(many):
        asked = intent(f"i{number}")
        said = await gateway.capture(asked, "pm_card_visa", back_url=BACK)
        if not isinstance(said, Captured | Declined):
            said = await until(lambda asked=asked: gateway.look_up(asked), lambda it: not isinstance(it, NotKnown))  # type: ignore[misc]
            if isinstance(said, NeverSeen):
                said = await until(lambda asked=asked: gateway.void(asked), lambda it: not isinstance(it, NotKnown))  # type: ignore[misc]
        ends[asked.id] = isinstance(said, Captured)
    wire.dial.calm()
    books = charged(wire)
    assert wire.dial.counts["lost_reply"] > 10, "there was trouble enough"
    assert books == {name: 1 for name, paid in ends.items() if paid}
    assert len(books) > 0


async def test_every_payment_ends_as_the_books_say(gateway: StripeGateway, wire: Wire) -> None:
    await pay_through_trouble(gateway, wire)


async def refund_through_trouble(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(amount=Money(100_000, "USD")), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)
    known = intent(amount=Money(100_000, "USD"), ref=paid.gateway_ref)
    wire.dial.set({"lost_reply": 0.3, "broken": 0.1, "throttle": 0.1})
    for number in range(20):
        ask = lambda number=number: gateway.refund(known, Money(100, "USD"), f"k{number}")  # noqa: E731
        assert isinstance(await until(ask, lambda it: not isinstance(it, Unknown | Later)), Done)
    wire.dial.calm()
    assert given_back(wire) == 2000


async def test_every_refund_is_given_once(gateway: StripeGateway, wire: Wire) -> None:
    await refund_through_trouble(gateway, wire)


def fresh_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_key", lambda key: {"idempotency_key": f"{key}-{random.random()}"})


def never_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refunds(self: object, query: object) -> list[object]:
        return []

    monkeypatch.setattr(client.Client, "refunds", refunds)


def lost_is_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["crossdock.payments.stripe.gateway"], "NotKnown", Declined)


def void_only_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def void(self: object, asked: object) -> NeverSeen:
        return NeverSeen()

    async def look_up(self: object, asked: object) -> NeverSeen:
        return NeverSeen()

    monkeypatch.setattr(StripeGateway, "void", void)
    monkeypatch.setattr(StripeGateway, "look_up", look_up)


@pytest.mark.parametrize("bug", [fresh_keys, lost_is_declined, void_only_says_so])
async def test_the_books_notice_a_planted_bug(
    gateway: StripeGateway, wire: Wire, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        await pay_through_trouble(gateway, wire)


async def test_the_books_notice_a_refund_given_twice(
    gateway: StripeGateway, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh_keys(monkeypatch)
    never_found(monkeypatch)
    with pytest.raises(AssertionError):
        await refund_through_trouble(gateway, wire)


async def test_a_refund_is_found_again_after_stripe_forgot_its_key(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)
    known = intent(ref=paid.gateway_ref)
    first = await gateway.refund(known, Money(400, "USD"), "k1")
    wire.clock = lambda: datetime.now(UTC).timestamp() + 25 * 3600
    again = await gateway.refund(known, Money(400, "USD"), "k1")
    assert isinstance(first, Done)
    assert again == Done(first.shop_id, already=True)
    assert given_back(wire) == 400


async def test_a_spoiled_key_never_charged_anybody(gateway: StripeGateway, wire: Wire) -> None:
    """Stripe keeps a failure of its own for a day; whoever asks again gets it again, so nobody ever had a payment to
    confirm.
    """
    wire.spoil_next = True
    assert isinstance(await gateway.capture(intent(), "pm_card_visa", back_url=BACK), NotKnown)
    assert await gateway.look_up(intent()) == NeverSeen()
    assert await gateway.void(intent()) == NeverSeen()
    said = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert said == Declined("The payment could not be begun. Nothing was charged; pay again.")
    assert charged(wire) == {}


async def test_a_spoiled_confirmation_is_settled_by_the_payment_s_own_state(gateway: StripeGateway, wire: Wire) -> None:
    assert await gateway.look_up(intent()) == NeverSeen()
    wire.spoil_next = True
    assert isinstance(await gateway.capture(intent(), "pm_card_visa", back_url=BACK), NotKnown)
    assert await gateway.look_up(intent()) == NeverSeen()
    assert await gateway.void(intent()) == NeverSeen()


async def test_an_old_payment_is_searched_for_and_never_begun_again(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)
    later = datetime.now(UTC) + timedelta(hours=30)
    wire.clock = later.timestamp
    old = StripeGateway({"secret_key": SECRET_KEY, "api_base": wire.address}, clock=lambda: later)
    assert await old.look_up(intent()) == paid
    assert isinstance(await old.refund(intent(), TEN, "k"), Done)
    assert await old.look_up(intent("never")) == NeverSeen()
    with wire.ledger.book() as db:
        assert db.execute("SELECT count(*) FROM wire_intent").fetchone() == (1,)


@pytest.mark.parametrize(("yes", "end"), [("yes", Captured), ("no", Declined)])
async def test_a_bank_that_asks_the_buyer(gateway: StripeGateway, wire: Wire, yes: str, end: type) -> None:
    said = await gateway.capture(intent(), "pm_card_threeDSecure2Required", back_url=BACK)
    assert isinstance(said, AtTheBank)
    assert await gateway.look_up(intent()) == said
    assert charged(wire) == {}
    async with aiohttp.ClientSession() as browser:
        answer = await browser.post(said.url, data={"do": yes}, allow_redirects=False)
        assert answer.status == 303
        assert answer.headers["Location"].startswith(BACK + "?payment_intent=pi_")
    assert isinstance(await gateway.look_up(intent()), end)
    assert charged(wire) == ({"i1": 1} if yes == "yes" else {})


async def test_a_buyer_who_turns_away_from_their_bank_is_not_charged_later(gateway: StripeGateway, wire: Wire) -> None:
    said = await gateway.capture(intent(), "pm_card_threeDSecure2Required", back_url=BACK)
    assert isinstance(said, AtTheBank)
    assert await gateway.void(intent()) == NeverSeen()
    async with aiohttp.ClientSession() as browser:
        await browser.post(said.url, data={"do": "yes"}, allow_redirects=False)
    assert await gateway.look_up(intent()) == NeverSeen()
    assert charged(wire) == {}


async def test_without_a_browser_such_a_card_is_declined(gateway: StripeGateway, wire: Wire) -> None:
    said = await gateway.capture(intent(), "pm_card_threeDSecure2Required")
    assert isinstance(said, Declined)
    assert "confirm" in said.sentence
    assert charged(wire) == {}


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "does not have enough money"),
        ("pm_card_nobody", "No such PaymentMethod"),
    ],
)
async def test_a_refused_card_has_a_sentence(gateway: StripeGateway, wire: Wire, token: str, words: str) -> None:
    said = await gateway.capture(intent(), token, back_url=BACK)
    assert isinstance(said, Declined)
    assert words in said.sentence
    assert isinstance(await gateway.capture(intent(), "pm_card_visa", back_url=BACK), Declined)
    assert charged(wire) == {}


@pytest.mark.parametrize("amount", [Money(1234, "KWD"), Money(1001, "BHD"), Money(1, "LYD")])
async def test_an_amount_that_stripe_cannot_take_is_never_rounded(
    gateway: StripeGateway, wire: Wire, amount: Money
) -> None:
    said = await gateway.capture(intent(amount=amount), "pm_card_visa", back_url=BACK)
    assert isinstance(said, Declined)
    assert amount.currency in said.sentence
    assert await gateway.look_up(intent(amount=amount)) == NeverSeen()
    assert charged(wire) == {}


async def test_dead_keys_and_no_library(
    gateway: StripeGateway, wire: Wire, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wire.dial.set({"revoked": True})
    said = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert isinstance(said, Declined)
    assert "cannot take cards right now" in said.sentence
    assert isinstance(await gateway.look_up(intent()), NotKnown), "nothing may be concluded from a closed door"
    assert isinstance(await gateway.refund(intent(), TEN, "k"), SignInAgain)
    (check,) = await gateway.check()
    assert not check.good
    assert "key" in check.sentence
    assert SECRET_KEY not in caplog.text + repr(gateway) + repr(gateway._client)
    monkeypatch.setitem(sys.modules, "stripe", None)
    assert "pip install" in gateway.missing()
    assert isinstance(await gateway.refund(intent(), TEN, "k"), SignInAgain)


async def test_a_dispute_and_what_it_means_for_refunds(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(), "pm_card_createDispute", back_url=BACK)
    assert isinstance(paid, Captured)
    known = intent(ref=paid.gateway_ref)
    (dispute,) = (await gateway.read(known)).disputes
    assert (dispute.state, dispute.amount, dispute.reason) == (DisputeState.TAKEN, TEN, "fraudulent")
    assert dispute.answer_by is not None
    assert await gateway.changed(datetime.now(UTC) - timedelta(minutes=1)) == (paid.gateway_ref,)
    refused = await gateway.refund(known, TEN, "k")
    assert isinstance(refused, Refused)
    assert "charged back" in refused.sentence
    wire.do(lambda bank: bank.judge(dispute.dispute_id, "won"))
    assert (await gateway.read(known)).disputes[0].state is DisputeState.WON


async def test_a_warning_of_fraud_and_a_key_that_may_not_read_it(
    gateway: StripeGateway, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)
    known = intent(ref=paid.gateway_ref)
    assert (await gateway.read(known)).warnings == ()
    wire.do(lambda bank: bank.warn(paid.gateway_ref, "misc"))
    (warning,) = (await gateway.read(known)).warnings
    assert warning.kind == "" and abs((warning.at - datetime.now(UTC)).total_seconds()) < 3600
    assert await gateway.changed(datetime.now(UTC) - timedelta(minutes=1)) == (paid.gateway_ref,)
    assert all(one.good for one in await gateway.check() if "warning" in one.sentence)

    async def closed(query: object) -> list[object]:
        raise AuthDead("the key lacks a right")

    monkeypatch.setattr(gateway._client, "warnings", closed)
    wire.do(lambda bank: bank.dispute(paid.gateway_ref))
    standing = await gateway.read(known)
    assert standing.warnings == () and len(standing.disputes) == 1, "disputes count all the same"
    assert [one.good for one in await gateway.check() if "warnings" in one.sentence] == [False]


async def test_a_refund_at_the_dashboard_and_one_that_fails_later(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)
    known = intent(ref=paid.gateway_ref)
    wire.do(lambda bank: bank.refund({"payment_intent": paid.gateway_ref, "amount": "250"}))
    (theirs,) = (await gateway.read(known)).refunds
    assert (theirs.key, theirs.amount) == ("", Money(250, "USD"))
    ours = await gateway.refund(known, Money(100, "USD"), "k1")
    assert isinstance(ours, Done)
    wire.do(lambda bank: bank.fail_refund(ours.shop_id))
    states = {one.refund_id: one.state for one in (await gateway.read(known)).refunds}
    assert states == {theirs.refund_id: RefundState.DONE, ours.shop_id: RefundState.FAILED}
    assert isinstance(await gateway.refund(known, Money(100, "USD"), "k1"), Refused), (
        "not given a second time by itself"
    )


async def test_more_refunds_than_one_page_of_the_list(gateway: StripeGateway, wire: Wire) -> None:
    paid = await gateway.capture(intent(amount=Money(100_000, "USD")), "pm_card_visa", back_url=BACK)
    assert isinstance(paid, Captured)

    def many(bank: Any) -> None:
        for _ in range(230):
            bank.refund({"payment_intent": paid.gateway_ref, "amount": "10"})

    wire.do(many)
    known = replace(intent(amount=Money(100_000, "USD")), ref=paid.gateway_ref)
    assert len((await gateway.read(known)).refunds) == 230


async def test_a_slow_bank_does_not_hold_up_the_loop(gateway: StripeGateway, wire: Wire) -> None:
    """The library waits on a thread of its own; everything else in this process goes on meanwhile."""
    wire.dial.latency_seconds = 0.3
    paying = asyncio.create_task(gateway.look_up(intent()))
    turns = 0
    while not paying.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 20
