"""The first half of the simulated shop's books: products with stock by warehouse and what is allocated of it, and
drafts, which hold nothing until they are completed.
"""

import base64
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Tell

HOME_NUMBER = "1"
FIRST = {"product": 72, "variant": 300, "order": 1, "fulfillment": 1, "line": 1, "number": 20, "refund": 1}
TYPES = {"product": "Product", "variant": "ProductVariant", "order": "Order", "line": "OrderLine"}
DEFAULTS: Doc = {
    "currency": "USD",
    # Of the channel: does it confirm orders by itself; are prices entered with tax, shown with it, and what is it.
    "auto_confirm": True,
    "with_tax": True,
    "show_gross": True,
    "charge_taxes": True,
    "tax": "0",
    # Of the shop: fulfilments approved by themselves, and only of paid orders.
    "auto_approve": True,
    "fulfil_unpaid": False,
    # Promotions that apply by themselves: percent off each line (a given price, too), off the order, a gift.
    "catalogue_promotion": 0,
    "order_promotion": 0,
    "gift": False,
    "methods": {"Parcel": "6.00", "Express": "15.00"},
    "countries": ["US", "CA", "GB", "DE", "FR", "IN", "JP", "AU"],
    "rights": ["MANAGE_PRODUCTS", "MANAGE_ORDERS"],
    "channels": ["default-channel"],
    "version": "3.23.28",
}


class No(Refusal):
    """An entry of a mutation's `errors`, in a 200. `more` are its lists of ids."""

    def __init__(self, code: str, message: str, field: str | None = None, **more: Sequence[str]) -> None:
        super().__init__(message)
        self.row: Doc = {"field": field, "message": message, "code": code, **more}


class Broke(Exception):
    """The server fails over what it is asked, with an error of its own (KeyError and the like)."""


def gid(kind: str, key: object) -> str:
    return base64.b64encode(f"{kind}:{key}".encode()).decode()


HOME = gid("Warehouse", uuid.uuid5(uuid.NAMESPACE_URL, HOME_NUMBER))
CHANNEL = gid("Channel", 1)


def stamp(moment: datetime) -> str:
    return moment.isoformat()


def free(row: Mapping[str, Any], place: str) -> int:
    return int(row["stock"].get(place, 0)) - int(row["allocated"].get(place, 0))


def available(row: Mapping[str, Any]) -> int:
    return sum(free(row, place) for place in row["stock"])


class Drafts(books.Books):
    """Products, stock, and an order until it stands."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], tell: Tell) -> None:
        numbers = books.numbered(shelf, FIRST)

        def ids(kind: str) -> str:
            number = numbers(kind)
            key = (
                uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}{number}") if kind in ("order", "line", "warehouse") else number
            )
            return gid(TYPES.get(kind, kind.capitalize()), key)

        super().__init__(shelf, clock, tell, ids=ids, stamp=stamp, settings=DEFAULTS)
        if shelf.get("warehouse", HOME) is None:
            shelf.put("warehouse", HOME, {"id": HOME, "name": "Default warehouse", "countries": None})

    # Products

    def add_product(self, title: str, rows: Any, *, place: str = HOME, **fields: Any) -> Doc:
        doc = super().add_product(title, rows, place=place, published=True, purchasable=True, listed=True, **fields)
        for row in doc["variants"]:
            row |= {"allocated": {}, "reserved": 0, "track": True, "preorder": False}
        return self.keep("product", doc, "")

    def change(self, product_id: Id, variant_id: Id, **changes: Any) -> None:
        """A price in a channel moves no date, and neither does stock (product/mutations/channels.py)."""
        doc, row = self.variant(product_id, variant_id)
        row |= changes
        self.keep("product", doc, "", touch=False)
        self.tell("variant", "updated", {"id": row["id"], "product": doc["id"]})

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, "", touch=False)
        self.tell("variant", "stock_updated", {"id": row["id"], "product": doc["id"]})

    def move(self, variant_id: str, place: str, *, stock: int = 0, allocated: int = 0) -> None:
        try:
            doc, row = self.variant(None, variant_id)
        except LookupError:
            return
        if not row["track"]:
            return
        row["stock"][place] = row["stock"].get(place, 0) + stock
        row["allocated"][place] = row["allocated"].get(place, 0) + allocated
        self.keep("product", doc, "", touch=False)
        self.tell("variant", "stock_updated", {"id": row["id"], "product": doc["id"]})

    def covering(self, country: str) -> list[str]:
        """Warehouses in a shipping zone of the channel with that country, in the channel's order."""
        places = self.shelf.all("warehouse")
        return [place["id"] for place in places if place["countries"] is None or country in place["countries"]]

    # Drafts

    def draft(self, asked: Mapping[str, Any]) -> Doc:
        reference = asked.get("externalReference") or ""
        if asked.get("channelId") != CHANNEL:
            raise No("NOT_FOUND", "Couldn't resolve to a node", "channelId")
        if reference and self.shelf.by_key("order", reference):
            raise No("UNIQUE", "Order with this External reference already exists.", "externalReference")
        found = self._ordered(asked["lines"])
        hidden = [row["id"] for doc, row, _ in found if not doc["published"] or not doc["listed"]]
        if hidden:
            said = "Can't add product variant that are not published in the channel associated with this draft order."
            raise No("PRODUCT_NOT_PUBLISHED", said, "lines", variants=hidden)
        lines = []
        for doc, row, given in found:
            if given["quantity"] <= 0:
                raise No("ZERO_QUANTITY", "Ensure this value is greater than 0.", "quantity")
            price = str(given["price"] if given.get("price") is not None else row["price"])
            off = self._off(Decimal(price), self.settings["catalogue_promotion"])
            about = {"off": str(off), "fulfilled": 0, "allocations": {}, "gift": False}
            lines.append(self.line(doc, row, given["quantity"], price=price, **about))
        if self.settings["gift"] and found:
            lines.append(
                self.line(found[0][0], found[0][1], 1, price="0", off="0", fulfilled=0, allocations={}, gift=True)
            )
        metas: dict[str, Any] = {
            name: {row["key"]: row["value"] for row in asked.get(name) or ()}
            for name in ("metadata", "privateMetadata")
        }
        doc = self.new_order(
            lines,
            reference=reference,
            number=str(self.shelf.next_number("number", FIRST["number"])),
            status="DRAFT",
            address=asked.get("shippingAddress"),
            email=asked.get("userEmail") or "",
            note=asked.get("customerNote") or "",
            discount=None,
            exempt=False,
            method="",
            payments=[],
            events=[],
            granted=[],
            **metas,
        )
        return self.keep("order", doc, "")

    def _ordered(self, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Doc, Doc, Doc]]:
        """A variant that is gone breaks the server off (draft_order_create.py: `variants_data[variant_id]`). Without
        `forceNewLine` lines of one variant are one, at the last price.
        """
        found: dict[str, tuple[Doc, Doc, Doc]] = {}
        for number, given in enumerate(rows):
            try:
                doc, row = self.variant(None, given["variantId"])
            except LookupError:
                raise Broke("KeyError") from None
            key = f"{number}" if given.get("forceNewLine") else given["variantId"]
            before = found[key][2]["quantity"] if key in found else 0
            found[key] = (doc, row, {**given, "quantity": given["quantity"] + before})
        return list(found.values())

    @staticmethod
    def _off(price: Decimal, percent: int) -> Decimal:
        return (price * percent / 100).quantize(Decimal("0.01"))

    def editable(self, id_: str) -> Doc:
        doc = self.order_or_no(id_)
        if doc["status"] not in ("DRAFT", "UNCONFIRMED"):
            raise No("NOT_EDITABLE", "Only draft and unconfirmed orders can be edited.", "id")
        return doc

    def order_or_no(self, id_: str) -> Doc:
        if (doc := self.shelf.get("order", id_)) is None:
            raise No("NOT_FOUND", f"Couldn't resolve to a node: {id_}", "id")
        return doc

    def undiscount(self, line_id: str) -> Doc:
        for doc in self.shelf.all("order"):
            for line in doc["lines"]:
                if line["id"] == line_id:
                    line["off"] = "0"
                    return self.keep("order", self.editable(doc["id"]) | {"lines": doc["lines"]}, "")
        raise No("NOT_FOUND", f"Couldn't resolve to a node: {line_id}", "orderLineId")

    def discount(self, id_: str, value: Decimal) -> Doc:
        """In place of promotions of the order, and of their gift (order/utils.py: create_manual_order_discount)."""
        doc = self.editable(id_)
        if doc["discount"] is not None:
            raise No("CANNOT_DISCOUNT", "Order already has assigned discount.", "orderId")
        if value > self.total(doc, undiscounted=True):
            raise No("INVALID", "The value cannot be higher than 'order' amount.", "value")
        doc["discount"] = str(value)
        doc["lines"] = [line for line in doc["lines"] if not line["gift"]]
        return self.keep("order", doc, "")

    def drop(self, id_: str) -> Doc:
        doc = self.order_or_no(id_)
        if doc["status"] != "DRAFT":
            raise No("INVALID", "Provided order id belongs to non-draft order.", "id")
        self.shelf.delete("order", id_)
        return doc

    def total(self, doc: Mapping[str, Any], *, undiscounted: bool = False) -> Decimal:
        """Gross. Order discounts come off goods and shipping together."""
        rows = [
            (Decimal(row["price"]) - (0 if undiscounted else Decimal(row["off"])), row["quantity"])
            for row in doc["lines"]
        ]
        sum_ = sum((price * units for price, units in rows), Decimal(doc["shipping"]))
        if not undiscounted:
            promotion = self.settings["order_promotion"] if doc["status"] == "DRAFT" and doc["discount"] is None else 0
            sum_ -= Decimal(doc["discount"] or 0) + self._off(sum_, doc.get("promotion", promotion))
        settings = self.settings
        taxed = settings["charge_taxes"] and not settings["with_tax"] and not doc["exempt"]
        return (sum_ * (1 + Decimal(settings["tax"]) / 100)).quantize(Decimal("0.001")) if taxed else sum_

    def complete(self, id_: str) -> Doc:
        """All or nothing. Each line is looked at by itself first, then they are allocated one after the other."""
        doc = self.order_or_no(id_)
        if doc["status"] != "DRAFT":
            raise No("INVALID", "The order is not draft.", "id")
        if not doc["method"]:
            raise No("SHIPPING_METHOD_REQUIRED", "Shipping method is required.", "shipping")
        for line in doc["lines"]:
            if self.row_of(line) is None:
                raise No("NOT_FOUND", "Could not create orders with non-existing products.", "lines")
        with self.at_once():
            doc["promotion"] = self.settings["order_promotion"] if doc["discount"] is None else 0
            return self.placed(doc)

    def placed(self, doc: Doc) -> Doc:
        country = (doc["address"] or {}).get("country", "US")
        places = self.covering(country)
        short = [line["id"] for line in doc["lines"] if self.lacks(line, places)]
        if short:
            raise No("INSUFFICIENT_STOCK", "Insufficient product stock.", "lines", orderLines=short)
        with self.at_once():
            for line in doc["lines"]:
                if self.lacks(line, places):
                    raise No("INSUFFICIENT_STOCK", "Insufficient product stock.", "lines", orderLines=[line["id"]])
                self.allocate(line, places)
            doc["status"] = "UNFULFILLED" if self.settings["auto_confirm"] else "UNCONFIRMED"
            self.shelf.note("order", id=doc["id"], reference=doc["reference"])
            self.mail(doc, "order confirmed")
            return self.keep("order", doc, "created")

    def row_of(self, line: Mapping[str, Any]) -> Doc | None:
        try:
            return self.variant(None, line["variant_id"])[1]
        except LookupError:
            return None

    def lacks(self, line: Mapping[str, Any], places: Sequence[str]) -> bool:
        row = self.row_of(line)
        return bool(row and row["track"]) and line["quantity"] > sum(
            max(0, free(row, place)) for place in places if row
        )

    def allocate(self, line: Doc, places: Sequence[str]) -> None:
        row, left = self.row_of(line), line["quantity"]
        for place in places:
            here = min(left, max(0, free(row, place))) if row and row["track"] else 0
            if here:
                line["allocations"][place] = line["allocations"].get(place, 0) + here
                self.move(line["variant_id"], place, allocated=here)
                left -= here

    def mail(self, doc: Mapping[str, Any], about: str) -> None:
        if doc["email"]:
            self.shelf.note("mail", to=doc["email"], about=about)
