"""`crossdock check connector NAME --live`, with simulated shops in the place of one that sells: they are reached over
HTTP, and nothing of them is asked but what the connector asks.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossdock.cli.main import main
from crossdock.domain.capability import Capability
from crossdock.domain.commands import CancelOrder, CreateOrder, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder
from crossdock.kit import discover
from crossdock.kit.connector import Shop, VariantRef
from crossdock.kit.errors import NoAnswer
from crossdock.kit.sandbox import Sandbox
from simulated import Town, town

PLATFORM = "woocommerce"
Says = Callable[[str | None], list[str]]


@dataclass
class Account:
    """A shop of a platform in `town`, its credentials in a file for its owner alone."""

    town: Town
    shop: Sandbox
    file: Path
    secrets: list[str]

    def run(self, *words: str) -> int:
        name = type(self.shop).__module__.split(".")[2]
        return main(["check", "connector", name, "--live", "--account", str(self.file), *words])

    def add(self, *counts: int) -> list[VariantRef]:
        rows = [(f"S-{n}", "12.50", count) for n, count in enumerate(counts)]
        return list(self.town.call(self.shop.hand.add_product("Blue mug", rows)))

    def orders(self) -> list[Any]:
        return list(self.town.call(self.shop.hand.orders()))

    def count(self, variant: VariantRef) -> int:
        return self.town.call(self.shop.hand.count(variant))


@pytest.fixture(scope="module")
def market() -> Iterator[Town]:
    with town() as made:
        yield made


@pytest.fixture
def account(market: Town, tmp_path: Path) -> Account:
    return an_account(market, tmp_path, PLATFORM)


def an_account(market: Town, folder: Path, platform: str) -> Account:
    shop = market.open(platform)
    way, form = shop.seller_form()
    file = folder / f"{platform}.txt"
    file.touch(mode=0o600)
    file.write_text(f"# the shop\n\nway = {way}\n" + "".join(f"{name}={value}\n" for name, value in form.items()))
    return Account(market, shop, file, [value for name, value in form.items() if name != "address"])


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What the operator types when asked, None where nobody does; the questions."""

    def answer(words: str | None) -> list[str]:
        asked: list[str] = []

        def typed(question: str) -> str:
            asked.append(question)
            if words is None:
                raise EOFError
            return words

        monkeypatch.setattr("builtins.input", typed)
        return asked

    return answer


def test_one_order_goes_through_and_nothing_is_left(
    account: Account, says: Says, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (variant,) = account.add(7)
    asked, evidence = says("yes"), tmp_path / "evidence.json"
    assert account.run("--place", variant.product_id, "--evidence", str(evidence)) == 0
    said = capsys.readouterr().out
    assert "one order of one “Blue mug” at $12.50 (of 7 that it counts now)" in said and len(asked) == 1
    assert "9 passed, 0 failed" in said and "a live account" in said
    (order,) = account.orders()
    assert order.cancelled and account.count(variant) == 7
    assert not any(secret in said for secret in account.secrets)
    (kept,) = json.loads(evidence.read_text())
    assert (kept["kind"], kept["against"], kept["passed"]) == ("live account", "a live account", 9)
    assert kept["on"] and kept["api_version"] and kept["not_played"] > 90


@pytest.mark.parametrize("words", ["no", "", "y", None])
def test_without_a_yes_nothing_is_done(account: Account, says: Says, words: str | None) -> None:
    (variant,) = account.add(7)
    says(words)
    assert account.run("--place", variant.product_id) == 1
    assert account.orders() == [] and account.count(variant) == 7


def test_without_a_product_it_only_reads(account: Account, says: Says, capsys: pytest.CaptureFixture[str]) -> None:
    account.add(7)
    says("yes")
    assert account.run() == 0
    said = capsys.readouterr().out
    assert "place no order" in said and "8 passed, 0 failed" in said and account.orders() == []


def test_an_order_whose_answer_was_lost_is_found_and_cancelled(
    account: Account, says: Says, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector: Any = discover.connector(PLATFORM)
    create = connector.create

    async def lost(shop: Shop, command: CreateOrder) -> Outcome:
        await create(shop, command)
        return Unknown("Nothing came.")

    monkeypatch.setattr(connector, "create", lost)
    (variant,) = account.add(7)
    says("yes")
    assert account.run("--place", variant.product_id, "--only", "1005") == 1
    (order,) = account.orders()
    assert order.cancelled and account.count(variant) == 7


def test_ctrl_c_leaves_no_order(account: Account, says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    connector: Any = discover.connector(PLATFORM)
    order, pressed = connector.order, list[str]()

    async def interrupted(shop: Shop, shop_id: str) -> ShopOrder:
        if not pressed:
            pressed.append(shop_id)
            task = asyncio.current_task()
            assert task is not None and task.cancel()
        read: ShopOrder = await order(shop, shop_id)
        return read

    monkeypatch.setattr(connector, "order", interrupted)
    (variant,) = account.add(7)
    says("yes")
    with pytest.raises(asyncio.CancelledError):
        account.run("--place", variant.product_id)
    (standing,) = account.orders()
    assert pressed == [standing.shop_id] and standing.cancelled and account.count(variant) == 7


@pytest.mark.parametrize("trouble", [Refused(Why.TOO_LATE, "It has left."), NoAnswer("Nothing came.")])
def test_what_could_not_be_ended_is_said(
    account: Account,
    says: Says,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    trouble: Refused | NoAnswer,
) -> None:
    async def cancel(shop: Shop, command: CancelOrder) -> Outcome:
        if isinstance(trouble, NoAnswer):
            raise trouble
        return trouble

    monkeypatch.setattr(discover.connector(PLATFORM), "cancel", cancel)
    (variant,) = account.add(7)
    says("yes")
    assert account.run("--place", variant.product_id) == 1
    said = capsys.readouterr().out
    assert "stand in the shop" in said or "stands in the shop: cancel it there. It has left." in said
    assert not account.orders()[0].cancelled


def test_a_product_that_cannot_be_ordered_is_said_with_those_that_can(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    small, large = account.add(2, 0)
    assert account.run("--place", "99999") == 1
    assert f"{small.product_id}  Blue mug" in capsys.readouterr().err
    assert account.run("--place", small.product_id) == 1
    assert "Say with --variant which" in capsys.readouterr().err
    assert account.run("--place", small.product_id, "--variant", large.variant_id) == 1
    assert "has none of “Blue mug” left" in capsys.readouterr().err


def test_credentials_are_asked_for_by_name_and_kept_to_oneself(
    account: Account,
    says: Says,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = account.file.read_text()
    account.file.chmod(0o644)
    assert account.run() == 1 and "chmod 600" in capsys.readouterr().err
    account.file.chmod(0o600)
    account.file.write_text("address\n")
    assert account.run() == 1 and "is name=value" in capsys.readouterr().err
    account.file.write_text("address=http://127.0.0.1:1\nway=keys\n")
    assert account.run() == 1
    said = capsys.readouterr().err
    assert "consumer_key (Consumer key)" in said and "CROSSDOCK_LIVE_CONSUMER_KEY" in said
    account.file.write_text("way=magic\n")
    assert account.run() == 1 and "way is one of keys" in capsys.readouterr().err
    wrong = "ck_" + "0" * 40
    account.file.write_text(given.replace(account.secrets[0], wrong))
    assert account.run() == 1
    refused = capsys.readouterr()
    assert "refuses our keys" in refused.err and wrong not in refused.out + refused.err
    account.file.unlink()
    assert account.run() == 1 and "cannot be read" in capsys.readouterr().err
    for name, value in account.shop.seller_form()[1].items():
        monkeypatch.setenv(f"CROSSDOCK_LIVE_{name.upper()}", value)
    says("no")
    assert main(["check", "connector", PLATFORM, "--live"]) == 1
    assert "Nothing was done." in capsys.readouterr().out


def test_what_a_shop_repeats_of_a_key_is_not_printed(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    says: Says,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def find(*args: object, **named: object) -> None:
        raise NoAnswer(f"Your key {account.secrets[0]} was seen before.")

    monkeypatch.setattr(discover.connector(PLATFORM), "find", find)
    account.add(7)
    says("yes")
    assert account.run() == 1
    said = capsys.readouterr().out
    assert "Your key ••• was seen before" in said and account.secrets[0] not in said


def test_nothing_is_placed_that_cannot_be_cancelled(
    market: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    final = [name for name, each in discover.connectors().items() if not each.manifest.can(Capability.ORDER_CANCEL)]
    site = an_account(market, tmp_path, final[0])
    assert site.run("--place", "1") == 1
    assert "Nothing is placed that cannot be cancelled" in capsys.readouterr().err
    assert main(["check", "connector", PLATFORM, "--place", "1"]) == 1
    assert "add --live" in capsys.readouterr().err
