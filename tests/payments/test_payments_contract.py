"""One contract for every gateway: the sandbox in this process, and Stripe's adapter through the official library
against the wire that the sandbox speaks.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossdock.domain.commands import Done, Later, Refused, Unknown, Why
from crossdock.domain.payments import Intent
from crossdock.domain.values import Money
from crossdock.kit.gateway import Captured, Declined, Gateway, NeverSeen, NotKnown
from crossdock.payments import sandbox, stripe
from crossdock.payments.sandbox.wire import SECRET_KEY, Wire

TEN = Money(1000, "USD")
WORDS = {
    "sandbox": {"works": "works", "declined": "declined", "postal code": "postal-code", "cvc": "security-code"},
    "stripe": {
        "works": "pm_card_visa",
        "declined": "pm_card_visa_chargeDeclined",
        "postal code": "pm_card_avsZipFail",
        "cvc": "pm_card_cvcCheckFail",
    },
}


@dataclass
class Bank:
    """A gateway and the books of the bank behind it."""

    gateway: Gateway
    words: Mapping[str, str]
    ledger: Path
    wire: Wire | None = None

    def _sum(self, query: str) -> int:
        with closing(sqlite3.connect(self.ledger)) as db:
            return int(db.execute(query).fetchone()[0])

    @property
    def taken(self) -> int:
        return self._sum("SELECT coalesce(sum(minor), 0) FROM payment WHERE state = 'captured'")

    @property
    def given_back(self) -> int:
        return self._sum("SELECT coalesce(sum(minor), 0) FROM refund")

    async def pay(self, intent: Intent, means: str = "works") -> object:
        return await self.gateway.capture(intent, self.words[means], back_url="http://127.0.0.1/back")


def intent(name: str = "i1", amount: Money = TEN) -> Intent:
    return Intent(name, amount, datetime.now(UTC))


@pytest.fixture(params=["sandbox", "stripe"])
async def bank(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bank]:
    ledger = tmp_path / "ledger.sqlite"
    if request.param == "sandbox":
        yield Bank(sandbox.gateway.opened(tmp_path, {}), WORDS["sandbox"], ledger)
        return
    wire = Wire(tmp_path)
    await wire.start()
    keys = {"secret_key": SECRET_KEY, "api_base": wire.address}
    yield Bank(stripe.gateway.opened(tmp_path, keys), WORDS["stripe"], ledger, wire)
    await wire.stop()


async def test_a_card_is_charged_once_whatever_is_asked_again(bank: Bank) -> None:
    first = await bank.pay(intent())
    assert isinstance(first, Captured)
    assert first.gateway_ref
    for means in ("works", "declined"):
        again = await bank.pay(intent(), means)
        assert isinstance(again, Captured)
        assert again.gateway_ref == first.gateway_ref
    assert await bank.gateway.look_up(intent()) == first
    assert await bank.gateway.look_up(replace(intent(), ref=first.gateway_ref)) == first
    assert bank.taken == 1000


async def test_another_amount_under_the_same_intent_charges_nothing(bank: Bank) -> None:
    await bank.pay(intent())
    assert isinstance(await bank.pay(intent(amount=TEN * 2)), Declined)
    assert bank.taken == 1000


async def test_a_declined_card_is_final_and_has_a_sentence(bank: Bank) -> None:
    said = await bank.pay(intent(), "declined")
    assert isinstance(said, Declined)
    assert said.sentence == "Your bank declined the card."
    assert await bank.pay(intent(), "works") == said == await bank.gateway.look_up(intent())
    assert await bank.gateway.void(intent()) == NeverSeen()
    assert bank.taken == 0


@pytest.mark.parametrize(("means", "check"), [("works", ""), ("postal code", "postal_code"), ("cvc", "cvc")])
async def test_the_card_s_checks_are_told(bank: Bank, means: str, check: str) -> None:
    said = await bank.pay(intent(), means)
    assert isinstance(said, Captured)
    assert {name: said.checks[name] for name in ("postal_code", "cvc")} == {
        "postal_code": "fail" if check == "postal_code" else "pass",
        "cvc": "fail" if check == "cvc" else "pass",
    }


async def test_what_was_never_asked_can_be_shut_for_good(bank: Bank) -> None:
    assert await bank.gateway.look_up(intent()) == NeverSeen()
    assert await bank.gateway.void(intent()) == await bank.gateway.void(intent()) == NeverSeen()
    late = await bank.pay(intent())
    assert isinstance(late, Declined)
    assert await bank.gateway.look_up(intent()) == NeverSeen()
    assert bank.taken == 0


async def test_what_was_charged_cannot_be_voided_away(bank: Bank) -> None:
    first = await bank.pay(intent())
    assert await bank.gateway.void(intent()) == first
    assert bank.taken == 1000


async def test_doubles_at_the_same_moment(bank: Bank) -> None:
    if bank.wire:
        bank.wire.thinking_seconds = 0.05
    said = await asyncio.gather(*(bank.pay(intent()) for _ in range(6)))
    assert all(isinstance(one, Captured | NotKnown) for one in said)
    assert isinstance(await bank.gateway.look_up(intent()), Captured)
    assert bank.taken == 1000


async def test_a_capture_and_a_void_at_the_same_moment_agree(bank: Bank) -> None:
    if bank.wire:
        bank.wire.thinking_seconds = 0.02
    for number in range(6):
        asked = intent(f"race-{number}")
        paid, _ = await asyncio.gather(bank.pay(asked), bank.gateway.void(asked))
        end = await bank.gateway.void(asked)
        assert isinstance(end, Captured | NeverSeen)
        if isinstance(paid, Captured):
            assert end == paid
        # However it ended, it stays so.
        assert isinstance(await bank.gateway.look_up(asked), Captured) == isinstance(end, Captured)


async def test_a_refund_once_per_key(bank: Bank) -> None:
    paid = await bank.pay(intent())
    assert isinstance(paid, Captured)
    known = replace(intent(), ref=paid.gateway_ref)
    first = await bank.gateway.refund(known, Money(400, "USD"), "k1")
    assert isinstance(first, Done)
    assert not first.already
    again = await bank.gateway.refund(known, Money(400, "USD"), "k1")
    assert again == Done(first.shop_id, already=True)
    assert isinstance(await bank.gateway.refund(intent(), Money(600, "USD"), "k2"), Done), "also without their id"
    more = await bank.gateway.refund(known, Money(10, "USD"), "k3")
    assert isinstance(more, Refused)
    assert more.why is Why.INVALID
    assert bank.given_back == 1000


async def test_a_key_means_one_amount(bank: Bank) -> None:
    await bank.pay(intent())
    await bank.gateway.refund(intent(), Money(400, "USD"), "k1")
    refused = await bank.gateway.refund(intent(), Money(500, "USD"), "k1")
    assert isinstance(refused, Refused)
    assert refused.why is Why.CONFLICT
    assert bank.given_back == 400


@pytest.mark.parametrize("amount", [Money(0, "USD"), Money(-5, "USD"), Money(1000, "EUR"), Money(1001, "USD")])
async def test_impossible_refunds(bank: Bank, amount: Money) -> None:
    await bank.pay(intent())
    assert isinstance(await bank.gateway.refund(intent(), amount, "k"), Refused)
    assert isinstance(await bank.gateway.refund(intent(), TEN, "all"), Done), "the refusal moved nothing"


async def test_nothing_is_given_back_of_what_was_not_paid(bank: Bank) -> None:
    assert isinstance(await bank.gateway.refund(intent(), TEN, "k"), Refused)
    await bank.pay(intent("i2"), "declined")
    assert isinstance(await bank.gateway.refund(intent("i2"), TEN, "k2"), Refused)
    assert bank.given_back == 0


async def test_many_refunds_at_once_never_exceed_what_was_paid(bank: Bank) -> None:
    await bank.pay(intent())
    said = await asyncio.gather(*(bank.gateway.refund(intent(), Money(300, "USD"), f"k{n}") for n in range(8)))
    assert sum(isinstance(one, Done) for one in said) == 3
    assert bank.given_back == 900


async def test_the_same_refund_asked_six_times_at_once(bank: Bank) -> None:
    if bank.wire:
        bank.wire.thinking_seconds = 0.03
    await bank.pay(intent())
    said = await asyncio.gather(*(bank.gateway.refund(intent(), Money(300, "USD"), "k") for _ in range(6)))
    assert any(isinstance(one, Done) for one in said)
    assert all(isinstance(one, Done | Unknown | Later) for one in said)
    assert bank.given_back == 300


@pytest.mark.parametrize(
    ("amount", "at_stripe"),
    [
        (Money(500, "JPY"), 500),
        (Money(1234, "EUR"), 1234),
        (Money(5120, "KWD"), 5120),
        (Money(500, "ISK"), 50_000),
        (Money(7000, "UGX"), 700_000),
        (Money(1050, "HUF"), 1050),
        (Money(2500, "CLP"), 2500),
    ],
)
async def test_currencies_with_none_two_and_three_decimals(bank: Bank, amount: Money, at_stripe: int) -> None:
    paid = await bank.pay(intent(amount=amount))
    assert isinstance(paid, Captured)
    assert bank.taken == (at_stripe if bank.wire else amount.minor)
    half = Money(amount.minor // 2, amount.currency)
    assert isinstance(await bank.gateway.refund(intent(amount=amount), half, "half"), Done)
    standing = await bank.gateway.read(replace(intent(amount=amount), ref=paid.gateway_ref))
    assert [(one.amount, one.key) for one in standing.refunds] == [(half, "half")]


async def test_what_happened_since_is_read_and_found(bank: Bank) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    paid = await bank.pay(intent())
    assert isinstance(paid, Captured)
    known = replace(intent(), ref=paid.gateway_ref)
    assert (await bank.gateway.read(known)).refunds == ()
    assert await bank.gateway.changed(before) == ()
    await bank.gateway.refund(known, Money(250, "USD"), "k1")
    (made,) = (await bank.gateway.read(known)).refunds
    assert (made.amount, made.key, str(made.state)) == (Money(250, "USD"), "k1", "done")
    assert await bank.gateway.changed(before) == (paid.gateway_ref,)


async def test_only_what_is_offered_is_accepted(bank: Bank) -> None:
    assert bank.gateway.missing() == ""
    for choice in bank.gateway.choices():
        assert choice.label
        assert bank.gateway.accepts(choice.token)
    for token in ("", "gold", "pm_card_nobody", "pm_" + "x" * 200, "pm_<script>"):
        assert not bank.gateway.accepts(token)


async def test_the_operator_is_told_how_it_stands(bank: Bank) -> None:
    said = await bank.gateway.check()
    assert said[0].good, said
