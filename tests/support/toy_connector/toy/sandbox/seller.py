"""The corner shop's owner (the Hand)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Doc

if TYPE_CHECKING:
    from crossdock.connectors.toy.sandbox import Sandbox


class Seller:
    """Implements Hand."""

    def __init__(self, shop: Sandbox) -> None:
        self._shop = shop

    async def products(self) -> Sequence[Stocked]:
        return [
            Stocked(doc["id"], item["id"], item["sku"], doc["title"], item["count"], item["price"])
            for doc in self._shop.shelf.all("product")
            if not doc["deleted"]
            for item in doc["variants"]
        ]

    async def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> tuple[VariantRef, ...]:
        id = f"p{self._shop.shelf.next_number('product')}"
        rows = [
            {"id": f"{id}-{n}", "sku": sku, "price": price, "count": count}
            for n, (sku, price, count) in enumerate(variants)
        ]
        doc = {
            "id": id,
            "title": title,
            "description": description,
            "currency": "EUR",
            "variants": rows,
            "deleted": False,
        }
        self._shop.changed("product", doc)
        return tuple(VariantRef(id, str(row["id"])) for row in rows)

    async def reprice(self, variant: VariantRef, price: str) -> None:
        doc, item = self._variant(variant)
        item["price"] = price
        self._shop.changed("product", doc)

    async def delete_product(self, product_id: str) -> None:
        self._shop.changed("product", {**(self._shop.shelf.get("product", product_id) or {}), "deleted": True})

    async def recount(self, variant: VariantRef, count: int) -> None:
        doc, item = self._variant(variant)
        item["count"] = count
        self._shop.changed("product", doc)

    async def count(self, variant: VariantRef) -> int:
        return int(self._variant(variant)[1]["count"])

    async def sell(self, variant: VariantRef, quantity: int) -> str:
        line = {
            "product": variant.product_id,
            "variant": variant.variant_id,
            "units": quantity,
            "price": self._variant(variant)[1]["price"],
        }
        asked = {"reference": "", "buyer": "walk-in", "ship_to": {}, "placed_at": "", "shipping": "0", "lines": [line]}
        status, order = self._shop.place(asked)
        if status != 201:
            raise ValueError(order["sentence"])
        return str(order["id"])

    async def orders(self) -> Sequence[Standing]:
        return [
            Standing(
                shop_id=doc["id"],
                number=doc["number"],
                reference=doc["reference"],
                buyer=doc["buyer"],
                lines=tuple((line["variant"], line["units"]) for line in doc["lines"]),
                total=doc["total"],
                cancelled=doc["cancelled"],
                parcels=len(doc["parcels"]),
            )
            for doc in self._shop.shelf.all("order")
        ]

    async def fulfil(
        self, shop_id: str, *, tracking: str = "", carrier: str = "", lines: Sequence[tuple[str, int]] = ()
    ) -> str:
        order = self._order(shop_id)
        sent: dict[str, int] = {}
        for parcel in order["parcels"]:
            for line in parcel["lines"]:
                sent[line["line"]] = sent.get(line["line"], 0) + line["units"]
        wanted = dict(lines)
        rows = []
        for line in order["lines"]:
            left = line["units"] - sent.get(line["id"], 0)
            units = min(left, wanted.get(line["variant"], 0)) if lines else left
            if units > 0:
                rows.append((line["id"], units))
        return self._shop.ship(order, rows, tracking, carrier)

    async def change_tracking(self, shop_id: str, parcel_id: str, tracking: str) -> None:
        order = self._order(shop_id)
        next(parcel for parcel in order["parcels"] if parcel["id"] == parcel_id)["tracking"] = tracking
        self._shop.changed("order", order)

    async def cancel(self, shop_id: str, *, restock: bool = True) -> None:
        self._shop.call_off(self._order(shop_id), restock=restock)

    async def staff_words(self, shop_id: str) -> Sequence[str]:
        return []

    async def buyer_words(self, shop_id: str) -> Sequence[str]:
        return [str(mail) for mail in self._shop.shelf.ledger("mail")]

    async def refund(self, shop_id: str, amount: str) -> str:
        order = self._order(shop_id)
        id = f"r{self._shop.shelf.next_number('refund')}"
        order["refunds"].append({"id": id, "amount": amount})
        self._shop.changed("order", order)
        return id

    def _order(self, shop_id: str) -> Doc:
        order = self._shop.shelf.get("order", shop_id)
        if order is None:
            raise LookupError(f"there is no order {shop_id}")
        return order

    def _variant(self, variant: VariantRef) -> tuple[Doc, Doc]:
        doc = self._shop.product_of(variant.variant_id)
        if doc is None:
            raise LookupError(f"there is no product {variant.product_id}")
        return doc, next(item for item in doc["variants"] if item["id"] == variant.variant_id)
