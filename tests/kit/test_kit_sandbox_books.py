"""What a simulated shop's books and its merchant do for every platform, and what they leave to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Books, Doc, Merchant, Refusal, Shelf, books, deliver, schema

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class Corner(Books):
    """A shop that takes units when it sells and looks first."""

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        product, row = self.variant(product_id, variant_id)
        if row["stock"][""] < units:
            raise Refusal("not so many")
        order = self.new_order([self.line(product, row, units)], shipping="2.00")
        self.keep("order", order, "created")
        row["stock"][""] -= units
        self.keep("product", product)
        return str(order["id"])

    def standing(self, order: Doc) -> Standing:
        return books.standing(order, buyer="walk-in", cancelled=bool(order.get("cancelled")))

    def left(self, order: Doc) -> dict[int, int]:
        return books.left(order)

    def ship(self, order: Doc, rows: books.Rows, *, tracking: str, carrier: str) -> str:
        made = self.add_parcel(order, rows, tracking=tracking, carrier=carrier)
        self.keep("order", order)
        return str(made["id"])

    def renumber(self, order: Doc, parcel_id: str, tracking: str) -> None:
        books.parcel(order, parcel_id)["tracking"] = tracking
        self.keep("order", order)

    def cancel(self, order: Doc, *, restock: bool) -> None:
        self.keep("order", {**order, "cancelled": True})

    def refund(self, order: Doc, amount: Decimal) -> str:
        made = self.add_refund(order, amount)
        if books.refunded(order) > books.total(order):
            raise Refusal("more than was paid")
        self.keep("order", order)
        return str(made["id"])


@dataclass
class Shop:
    books: Corner
    seller: Merchant
    told: list[tuple[str, str]]


@pytest.fixture
def shop() -> Shop:
    told: list[tuple[str, str]] = []
    made = Corner(Shelf(), Clock(), lambda kind, event, doc: told.append((kind, event)), settings={"currency": "USD"})
    return Shop(made, Merchant(made, made), told)


async def one(shop: Shop, *counts: int) -> tuple[VariantRef, ...]:
    return await shop.seller.add_product("Card", [(f"C{n}", "4.50", count) for n, count in enumerate(counts)])


async def test_the_merchant_sells_ships_in_two_parcels_and_refunds(shop: Shop) -> None:
    (variant,) = await one(shop, 5)
    order = await shop.seller.sell(variant, 3)
    assert await shop.seller.count(variant) == 2
    first = await shop.seller.fulfil(order, tracking="A", lines=[(variant.variant_id, 1)])
    second = await shop.seller.fulfil(order, tracking="B")
    assert [row["lines"] for row in shop.books.order(order)["parcels"]] == [[[1, 1]], [[1, 2]]] and first != second
    with pytest.raises(ValueError, match="not left"):
        await shop.seller.fulfil(order)
    await shop.seller.change_tracking(order, first, "C")
    assert books.parcel(shop.books.order(order), first)["tracking"] == "C"
    await shop.seller.refund(order, "1.5")
    (seen,) = await shop.seller.orders()
    assert (seen.total, seen.parcels, seen.lines, seen.cancelled) == ("15.50", 2, (("1", 3),), False)
    await shop.seller.cancel(order)
    assert (await shop.seller.orders())[0].cancelled


async def test_what_the_shop_refuses_is_a_sentence_and_leaves_nothing_behind(shop: Shop) -> None:
    (variant,) = await one(shop, 1)
    order = await shop.seller.sell(variant, 1)
    for act in (
        shop.seller.sell(variant, 1),
        shop.seller.fulfil(order, lines=[(variant.variant_id, 2)]),
        shop.seller.refund(order, "100"),
        shop.seller.refund(order, "ten"),
    ):
        shop.told.clear()
        with pytest.raises(ValueError, match=r"not so many|not left|more than was paid|no amount"):
            await act
        assert shop.told == []
    doc = shop.books.order(order)
    assert len(shop.books.shelf.all("order")) == 1 and (doc["parcels"], doc["refunds"]) == ([], [])
    with pytest.raises(LookupError):
        await shop.seller.cancel("404")


async def test_news_of_one_act_is_told_when_it_is_done_and_never_when_it_fails(shop: Shop) -> None:
    """A webhook that goes out before the commit is read by a shop that does not have the order yet."""
    (variant,) = await one(shop, 5)
    shop.told.clear()
    with shop.books.at_once():
        shop.books.sell(variant.product_id, variant.variant_id, 1)
        with shop.books.at_once():
            shop.books.sell(variant.product_id, variant.variant_id, 1)
        assert shop.told == []
    assert shop.told == [("order", "created"), ("product", "updated")] * 2

    def torn() -> None:
        with shop.books.at_once():
            shop.books.sell(variant.product_id, variant.variant_id, 1)
            shop.books.order("404")

    with pytest.raises(LookupError):
        torn()
    assert len(shop.told) == 4 and await shop.seller.count(variant) == 3


async def test_a_recount_makes_up_the_sum_and_other_places_stay(shop: Shop) -> None:
    a, b = await one(shop, 4, 1)
    await shop.seller.stock_at(a, "far", 3)
    await shop.seller.recount(a, 10)
    _, row = shop.books.variant(a.product_id, a.variant_id)
    assert row["stock"] == {"": 7, "far": 3}
    assert {each.variant_id: each.count for each in await shop.seller.products()} == {a.variant_id: 10, b.variant_id: 1}
    assert {each.title for each in await shop.seller.products()} == {"Card, C0", "Card, C1"}


async def test_settings_are_kept_and_changes_are_found_in_order(shop: Shop) -> None:
    assert shop.books.settings["currency"] == "USD"
    await shop.seller.change_currency("EUR")
    assert Books(shop.books.shelf, Clock(), lambda *_: None, settings={"currency": "USD"}).settings["currency"] == "EUR"
    (a,), (b,) = await one(shop, 1), await one(shop, 1)
    seen = shop.books.shelf.need("product", b.product_id)["updated"]
    await shop.seller.reprice(a, "9.00")
    assert [str(doc["id"]) for doc in shop.books.changed_since("product", seen)] == [b.product_id, a.product_id]
    await shop.seller.delete_product(a.product_id)
    assert [each.product_id for each in await shop.seller.products()] == [b.product_id]


def test_a_line_is_split_with_its_share_of_what_is_counted() -> None:
    line = {"id": 1, "quantity": 5, "taken": 3}
    new = books.split(line, 4, "taken")
    assert (line["quantity"], line["taken"], new["quantity"], new["taken"]) == (1, 0, 4, 3)


def test_a_parcel_takes_a_variant_from_its_first_line_on() -> None:
    lines = [{"id": n, "variant_id": "v", "quantity": 2} for n in (1, 2)]
    order = {"lines": lines, "parcels": [{"lines": [[1, 1]]}, {"lines": [[2, 2]], "cancelled": True}]}
    assert books.left(order) == {1: 1, 2: 2}
    assert books.rows_to_ship(lines, books.left(order), [("v", 2)]) == [(1, 1), (2, 1)]
    with pytest.raises(Refusal):
        books.rows_to_ship(lines, books.left(order), [("v", 4)])


def test_a_webhook_is_sent_again_until_it_is_taken_or_given_up() -> None:
    sent: list[tuple[str, bytes]] = []
    ended: list[str] = []

    def deliver_it(answers: list[int | None], **rest: Any) -> None:
        def answered(url: str, headers: Any, body: bytes, *, on_result: Callable[[int | None], None]) -> None:
            sent.append((headers(body)["webhook-id"], body))
            on_result(answers.pop(0))

        sent.clear()
        headers = deliver.standard_webhook("c2VjcmV0", "msg_1")
        deliver.deliver_again(
            answered, "http://x", headers, b"{}", tries=3, given_up=lambda: ended.append("given up"), **rest
        )

    deliver_it([None, 500, 200])
    assert sent == [("msg_1", b"{}")] * 3 and ended == []
    deliver_it([None, 500, 404])
    assert len(sent) == 3 and ended == ["given up"]
    deliver_it([404], enough=lambda status: status < 500)
    assert len(sent) == 1 and ended == ["given up"]


def test_a_schema_names_the_first_thing_that_is_wrong() -> None:
    documents = {"urn:x": {"$defs": {"n": {"type": "object", "properties": {"a": {"type": "integer"}}}}}}
    checks = schema.validator({"$ref": "urn:x#/$defs/n"}, documents=documents)
    assert schema.problem(checks, {"a": 1}) == "" and schema.problem(None, {"a": "x"}) == ""
    assert schema.problem(checks, {"a": "x"}).startswith("$.a: ")
