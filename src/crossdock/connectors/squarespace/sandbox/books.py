"""The simulated site's own books: one count for each variant, orders that take their units when they are created, and
fulfilments that stand for the whole order.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossdock.connectors.squarespace.sandbox.models import CreateOrder, Shipment
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id

PENDING, FULFILLED, CANCELED = "PENDING", "FULFILLED", "CANCELED"
DEFAULTS: Doc = {
    "currency": "USD",
    # Permissions that the key lacks: "products", "inventory", "inventory write", "orders", "orders write".
    "without": [],
    # What no page says, so both are played: whether an order that there is too little for is refused, and whether one
    # unknown id makes a list of ids not found.
    "refuses_short": True,
    "unknown_is_404": True,
    # "Requests are limited to 100 per hour, per website" (create-order); tests place more.
    "orders_an_hour": 100_000,
}


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ids(shelf: Shelf) -> Callable[[str], Id]:
    """ObjectIds, and a UUID for a variant."""

    def new(kind: str) -> Id:
        number = shelf.next_number(kind)
        return f"{number:08x}-a085-45aa-8814-ce63e140c2b4" if kind == "variant" else f"6a{number:022x}"

    return new


class Books(books.Books):
    """The site's rules about stock and statuses. It tells nobody: webhooks are for registered programs."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        super().__init__(shelf, clock, lambda kind, event, doc: None, ids=_ids(shelf), stamp=instant, settings=DEFAULTS)

    # Products

    def add_product(self, title: str, rows: Iterable[tuple[str, str, int]], *, place: str = "", **fields: Any) -> Doc:
        doc = super().add_product(title, rows, place=place, **{"type": "PHYSICAL", "visible": True, **fields})
        for row in doc["variants"]:
            self.shelf.put("variant", row["id"], {"product": doc["id"]})
        return doc

    def delete_product(self, product_id: Id) -> None:
        for row in self.shelf.need("product", product_id)["variants"]:
            self.shelf.delete("variant", row["id"])
        super().delete_product(product_id)

    def of(self, variant_id: str) -> tuple[Doc, Doc]:
        """Raises LookupError."""
        return self.variant(self.shelf.need("variant", variant_id)["product"], variant_id)

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """A count moves no date of its product (a guess: nothing is said of it)."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, touch=False)

    def move(self, variant_id: str, delta: int) -> None:
        """Raises LookupError."""
        doc, row = self.of(variant_id)
        self.put_stock(doc["id"], variant_id, "", row["stock"][""] + delta)

    def limit(self, variant_id: str, *, unlimited: bool) -> None:
        """Raises LookupError."""
        doc, row = self.of(variant_id)
        row["unlimited"] = unlimited
        self.keep("product", doc, touch=False)

    # Orders

    def place(self, asked: CreateOrder | None, lines: Iterable[tuple[str, int, str]]) -> Doc:
        """`lines` are (variant id, units, price of each); no `asked` is a customer of the site's own. Raises
        LookupError for an unknown variant, and Refusal for want of stock.
        """
        rows = [self.line(*self.of(variant_id), units, price=price) for variant_id, units, price in lines]
        about: Doc = {"number": str(self.shelf.next_number("order number")), "status": PENDING, "fulfilled": None}
        about |= {"currency": self.settings["currency"], "channel": "web", "channel_name": None, "methods": []}
        about |= {"email": "customer@example.test", "address": None, "taken": False}
        doc = self.new_order(rows, **about)
        if asked is not None:
            doc |= {"created": instant(asked.created_on), "channel": "external", "channel_name": asked.channel_name}
            doc |= {"reference": asked.external_order_reference, "email": asked.customer_email}
            doc["methods"] = [line.model_dump(by_alias=True) for line in asked.shipping_lines]
            doc["shipping"] = asked.shipping_total.value if asked.shipping_total else "0"
            doc["address"] = asked.shipping_address.model_dump(by_alias=True) if asked.shipping_address else None
        with self.at_once():
            if asked is None or asked.inventory_behavior == "DEDUCT":
                self._take(rows, refuse=asked is None or self.settings["refuses_short"])
                doc["taken"] = True
            self.keep("order", doc, "created")
            self.shelf.note("order", id=doc["id"], reference=doc["reference"], received=self.now())
        return doc

    def _take(self, rows: list[Doc], *, refuse: bool) -> None:
        wanted: dict[str, int] = {}
        for row in rows:
            wanted[row["variant_id"]] = wanted.get(row["variant_id"], 0) + row["quantity"]
        for variant_id, units in wanted.items():
            _, row = self.of(variant_id)
            if row.get("unlimited"):
                continue
            if refuse and row["stock"][""] < units:
                raise Refusal(f"There are only {row['stock']['']} left of {row['sku']}.")
            self.move(variant_id, -units)

    def fulfil(self, doc: Doc, shipments: Iterable[Mapping[str, Any]], *, notify: bool) -> None:
        """The whole order, whatever is in the shipments. Raises Refusal when it is cancelled."""
        if doc["status"] == CANCELED:
            raise Refusal("A canceled order cannot be fulfilled.")
        doc["parcels"] += list(shipments)
        doc["status"], doc["fulfilled"] = FULFILLED, doc["fulfilled"] or self.now()
        self.keep("order", doc)
        if notify:
            self._mail(doc, "fulfilled")

    def mark_pending(self, doc: Doc) -> None:
        doc["status"], doc["fulfilled"] = PENDING, None
        self.keep("order", doc)

    def _mail(self, doc: Doc, about: str) -> None:
        if doc["email"]:
            self.shelf.note("mail", to=doc["email"], about=about, order=doc["id"])

    # What the seller does in the site (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        _, row = self.variant(product_id, variant_id)
        return str(self.place(None, [(variant_id, units, row["price"])])["id"])

    def standing(self, doc: Doc) -> Standing:
        address = doc["address"] or {}
        who = (
            address.get("firstName"),
            address.get("lastName"),
            doc["email"],
            *(row["method"] for row in doc["methods"]),
        )
        return books.standing(
            doc,
            number=doc["number"],
            buyer=" ".join(filter(None, who)),
            cancelled=doc["status"] == CANCELED,
            parcels=max(len(doc["parcels"]), 1) if doc["status"] == FULFILLED else 0,
        )

    def left(self, doc: Doc) -> Mapping[Any, int]:
        """Whatever the seller ships of it: Squarespace does not count."""
        return {line["id"]: line["quantity"] for line in doc["lines"]}

    def ship(self, doc: Doc, rows: books.Rows, *, tracking: str, carrier: str) -> str:
        made = {"shipDate": self.now(), "carrierName": carrier or "Carrier", "service": "Ground", "trackingUrl": None}
        self.fulfil(doc, [made | {"trackingNumber": tracking}] if tracking else [], notify=True)
        return str(len(doc["parcels"]))

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        """Raises LookupError where the order is only marked as fulfilled."""
        if not doc["parcels"]:
            raise LookupError("there is no shipment")
        doc["parcels"][int(parcel_id) - 1]["trackingNumber"] = tracking
        self.keep("order", doc)

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """What is fulfilled is marked as pending first; “Restock Inventory” is a box that the seller checks."""
        with self.at_once():
            if doc["taken"] and restock:
                for line in doc["lines"]:
                    if self.shelf.get("variant", line["variant_id"]):
                        self.move(line["variant_id"], line["quantity"])
            doc["status"], doc["taken"] = CANCELED, False
            self.keep("order", doc)
            self._mail(doc, "canceled")

    def refund(self, doc: Doc, amount: Decimal) -> str:
        made = self.add_refund(doc, amount)
        self.keep("order", doc)
        return str(made["id"])


def stored(shipment: Shipment) -> Doc:
    return {**shipment.model_dump(mode="json", by_alias=True), "shipDate": instant(shipment.ship_date)}
