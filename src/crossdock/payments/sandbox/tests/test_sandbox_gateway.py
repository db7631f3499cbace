"""The gateway's contract, kept by the sandbox over a restart: one decision per intent, nothing repeated, never more
back than was paid.
"""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crossdock.domain.commands import Done, Refused, Why
from crossdock.domain.payments import Intent
from crossdock.domain.values import Money
from crossdock.kit.gateway import Captured, Declined, NeverSeen, NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.payments.sandbox import SandboxGateway, gateway
from crossdock_lab.patience import patient

TEN = Money(1000, "USD")
I1, I2 = (Intent(name, TEN, datetime.now(UTC)) for name in ("i1", "i2"))


@pytest.fixture
def bank(tmp_path: Path) -> SandboxGateway:
    return gateway.opened(tmp_path, {})


async def test_every_choice_has_words_and_the_first_one_works(bank: SandboxGateway) -> None:
    choices = bank.choices()
    assert len({choice.token for choice in choices}) == len(choices) == 5
    assert all(choice.label for choice in choices)
    assert isinstance(await bank.capture(I1, choices[0].token), Captured)


async def test_asking_again_captures_once_and_answers_the_same(bank: SandboxGateway) -> None:
    first = await bank.capture(I1, "works")
    assert first == await bank.capture(I1, "works") == await bank.capture(I1, "declined")
    assert first == await bank.look_up(I1)
    refund = await bank.refund(I1, TEN, "all")
    assert isinstance(refund, Done)
    assert isinstance(await bank.refund(I1, Money(1, "USD"), "more"), Refused)


async def test_the_same_intent_with_another_amount_charges_nothing(bank: SandboxGateway) -> None:
    await bank.capture(I1, "works")
    assert isinstance(await bank.capture(replace(I1, amount=TEN * 2), "works"), Declined)
    assert isinstance(await bank.refund(I1, TEN * 2, "k"), Refused)


async def test_a_declined_card_stays_declined(bank: SandboxGateway) -> None:
    said = await bank.capture(I1, "declined")
    assert said == await bank.capture(I1, "works") == await bank.look_up(I1)
    assert isinstance(said, Declined)
    assert isinstance(await bank.refund(I1, TEN, "k"), Refused)


async def test_a_lost_answer_is_found_by_looking_up(bank: SandboxGateway, tmp_path: Path) -> None:
    assert isinstance(await bank.capture(I1, "late"), NotKnown)
    assert isinstance(await bank.capture(I1, "works"), NotKnown)
    after_a_restart = gateway.opened(tmp_path, {})
    assert isinstance(await after_a_restart.look_up(I1), NotKnown)
    found = await after_a_restart.look_up(I1)
    assert isinstance(found, Captured)
    assert isinstance(await bank.void(I1), Captured), "what happened can't be voided away"


async def test_what_was_never_asked_is_never_seen_and_can_be_shut(bank: SandboxGateway) -> None:
    assert await bank.look_up(I1) == NeverSeen()
    assert await bank.void(I1) == await bank.void(I1) == NeverSeen()
    assert isinstance(await bank.capture(I1, "works"), Declined)
    assert await bank.look_up(I1) == NeverSeen()
    assert isinstance(await bank.refund(I1, TEN, "k"), Refused)


@pytest.mark.parametrize(
    ("token", "checks"),
    [
        ("works", {"postal_code": "pass", "cvc": "pass"}),
        ("postal-code", {"postal_code": "fail", "cvc": "pass"}),
        ("security-code", {"postal_code": "pass", "cvc": "fail"}),
    ],
)
async def test_the_card_s_checks_are_told(bank: SandboxGateway, token: str, checks: dict[str, str]) -> None:
    said = await bank.capture(I1, token)
    assert isinstance(said, Captured)
    assert said.checks == checks


async def test_a_means_that_nobody_offered_is_declined(bank: SandboxGateway) -> None:
    assert isinstance(await bank.capture(I1, "gold"), Declined)


async def test_one_key_refunds_once(bank: SandboxGateway) -> None:
    await bank.capture(I1, "works")
    first = await bank.refund(I1, Money(400, "USD"), "k1")
    again = await bank.refund(I1, Money(400, "USD"), "k1")
    assert isinstance(first, Done)
    assert again == Done(first.shop_id, already=True)
    assert isinstance(await bank.refund(I1, Money(600, "USD"), "k2"), Done)
    refused = await bank.refund(I1, Money(1, "USD"), "k3")
    assert isinstance(refused, Refused)
    assert refused.why is Why.INVALID


async def test_a_key_means_one_amount_of_one_payment(bank: SandboxGateway) -> None:
    await bank.capture(I1, "works")
    await bank.capture(I2, "works")
    await bank.refund(I1, Money(400, "USD"), "k1")
    for intent, amount in ((I1, 500), (I2, 400)):
        refused = await bank.refund(intent, Money(amount, "USD"), "k1")
        assert isinstance(refused, Refused)
        assert refused.why is Why.CONFLICT


@pytest.mark.parametrize("amount", [Money(0, "USD"), Money(-5, "USD"), Money(1000, "EUR"), Money(1001, "USD")])
async def test_impossible_refunds(bank: SandboxGateway, amount: Money) -> None:
    await bank.capture(I1, "works")
    assert isinstance(await bank.refund(I1, amount, "k"), Refused)
    assert isinstance(await bank.refund(I1, TEN, "all"), Done), "the refusal moved nothing"


def test_refunds_from_two_processes_at_once_never_exceed_what_was_paid(tmp_path: Path) -> None:
    asyncio.run(gateway.opened(tmp_path, {}).capture(I1, "works"))
    outcomes: list[object] = []

    def refund(key: str) -> None:
        outcomes.append(asyncio.run(gateway.opened(tmp_path, {}).refund(I1, Money(300, "USD"), key)))

    threads = [threading.Thread(target=refund, args=(f"k{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patient(20))
    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 3
    assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 5


async def test_without_a_folder_only_the_choices_can_be_read() -> None:
    assert gateway.choices()
    with pytest.raises(RuntimeError, match="no folder"):
        await gateway.capture(I1, "works")


def test_it_is_opened_by_name_below_the_data_folder(tmp_path: Path) -> None:
    opened = open_gateway("sandbox", tmp_path)
    asyncio.run(opened.capture(I1, "works"))
    assert (tmp_path / "payments" / "sandbox" / "ledger.sqlite").exists()
    assert open_gateway("sandbox", tmp_path) is opened
    with pytest.raises(LookupError, match="no 'gold'"):
        open_gateway("gold", tmp_path)
