"""The seller's hand in the simulated shop."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crossdock.connectors.vendure.sandbox.books import Books
from crossdock.connectors.vendure.sandbox.places import open_place, stock_at
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked, Words
from crossdock.kit.sandbox.books import money, rows_to_ship, standing
from crossdock.kit.sandbox.merchant import acting

# The payment method that the marketplace names, as the shop's staff read it.
METHOD = "crossdock"


def _minor(price: str) -> int:
    return int(Decimal(price) * 100)


def _decimal(minor: int) -> str:
    return f"{Decimal(minor).scaleb(-2):.2f}"


class SandboxHand:
    """Acts on the books directly, at once and without faults."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def products(self) -> Sequence[Stocked]:
        found = []
        for doc in self._books.shelf.all("variant"):
            if not doc["deleted"]:
                price = _decimal(doc["price"])
                found.append(
                    Stocked(
                        doc["productId"], doc["id"], doc["sku"], doc["name"], doc["onHand"] - doc["allocated"], price
                    )
                )
        return found

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        rows = [(sku, _minor(price), count) for sku, price, count in variants]
        with acting(self._books):
            product, made = self._books.add_product(title, rows, image, description)
        return tuple(VariantRef(product, variant) for variant in made)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        self._books.change_variant(variant.variant_id, price=_minor(price))

    async def describe(self, product_id: str, words: Words) -> None:
        variants = self._books.shelf.by_key("variant", product_id)
        for doc, value in zip(variants, words.values, strict=True):
            self._books.change_variant(doc["id"], option=value, group=words.option)
        facets = [list(pair) for pair in words.properties]
        self._books.change_product(product_id, facets=facets, collections=list(words.types))

    async def delete_product(self, product_id: str) -> None:
        with acting(self._books):
            self._books.delete_product(product_id)

    async def change_currency(self, currency: str) -> None:
        self._books.set(currency=currency)

    async def recount(self, variant: VariantRef, count: int) -> None:
        """The open orders' units are on the shelf too."""
        doc = self._books.variant(variant.variant_id)
        self._books.change_variant(variant.variant_id, onHand=count + doc["allocated"])

    async def open_location(self, name: str) -> str:
        return open_place(self._books, name)

    async def stock_at(self, variant: VariantRef, location: str, count: int) -> None:
        stock_at(self._books, variant.variant_id, location, count)

    async def count(self, variant: VariantRef) -> int:
        doc = self._books.variant(variant.variant_id, deleted=True)
        return int(doc["onHand"] - doc["allocated"])

    async def arranged(self, variant: VariantRef, quantity: int) -> str:
        """An order of the shop's own, all but paid."""
        books = self._books
        with acting(books):
            order = books.draft()["id"]
            books.set_customer(
                order, {"firstName": "Walk", "lastName": "In", "emailAddress": f"walkin-{order}@shop.example"}
            )
            books.set_order(order, method="1")
            books.add_item(order, variant.variant_id, quantity)
            books.transition(order, "ArrangingPayment")
        return str(order)

    async def pay(self, shop_id: str) -> None:
        with acting(self._books):
            self._books.pay(shop_id, "counter", "")

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        order = await self.arranged(variant, quantity)
        await self.pay(order)
        return order

    async def orders(self) -> Sequence[Standing]:
        return [self._standing(order) for order in self._books.shelf.all("order") if order["orderPlacedAt"]]

    async def drafts(self) -> Sequence[dict[str, Any]]:
        """Orders half made that could still become one."""
        return [order for order in self._books.shelf.all("order") if order["state"] in ("Draft", "ArrangingPayment")]

    def _standing(self, order: dict[str, Any]) -> Standing:
        cancelled = order["state"] == "Cancelled"
        ours = [pay["transactionId"] for pay in order["payments"] if pay["method"] == METHOD]
        lines = tuple((line["variant"], line["placed"] if cancelled else line["quantity"]) for line in order["lines"])
        short = ((line["variant"], line["quantity"] - line["allocated"]) for line in order["lines"])
        return standing(
            order,
            number=order["code"],
            reference=ours[0] if ours else "",
            buyer=f"{order['customer']['firstName']} <{order['customer']['emailAddress']}>",
            lines=lines,
            total=_decimal(self._books.total(order)),
            cancelled=cancelled,
            parcels=sum(each["state"] in ("Shipped", "Delivered") for each in order["fulfillments"]),
            untaken=tuple((variant, units) for variant, units in short if units > 0),
        )

    async def pack(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        """A fulfilment that has not left yet."""
        order = self._books.order(shop_id)
        left = {line["id"]: line["quantity"] - line["fulfilled"] + line["returned"] for line in order["lines"]}
        with acting(self._books):
            rows = rows_to_ship(order["lines"], left, lines, variant=lambda line: line["variant"])
            return self._books.fulfil(shop_id, rows, carrier or "By hand", tracking)

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        parcel = await self.pack(shop_id, tracking=tracking, carrier=carrier, lines=lines)
        with acting(self._books):
            self._books.move_parcel(shop_id, parcel, "Shipped")
        return parcel

    async def split_line(self, shop_id: str, variant_id: str, units: int) -> None:
        """Shops with fields of their own on a line have the same variant in several."""
        with acting(self._books):
            self._books.split_line(shop_id, variant_id, units)

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        """Vendure has no way: the seller cancels the fulfilment and makes the same again."""
        books = self._books
        old = next(each for each in books.order(shop_id)["fulfillments"] if each["id"] == parcel_id)
        with acting(books):
            books.move_parcel(shop_id, parcel_id, "Cancelled")
            new = books.fulfil(shop_id, [(line, units) for line, units in old["lines"]], old["method"], tracking)
            books.move_parcel(shop_id, new, "Shipped")

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        """Vendure always restocks; a seller who does not want that takes the units out again."""
        lines = self._books.order(shop_id)["lines"]
        with acting(self._books):
            self._books.cancel(shop_id, "Cancelled by the shop")
            for line in () if restock else lines:
                doc = self._books.variant(line["variant"], deleted=True)
                self._books.change_variant(line["variant"], onHand=doc["onHand"] - line["quantity"])

    async def refund(self, shop_id: str, amount: str) -> str:
        with acting(self._books):
            return self._books.refund(shop_id, int(money(amount) * 100))

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        """The private notes in the order's history."""
        return self._notes(shop_id, public=False)

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return self._notes(shop_id, public=True)

    def _notes(self, shop_id: str, *, public: bool) -> list[str]:
        entries = self._books.order(shop_id)["history"]
        return [
            str(entry["data"]["note"])
            for entry in entries
            if entry["type"] == "ORDER_NOTE" and entry["isPublic"] is public
        ]
