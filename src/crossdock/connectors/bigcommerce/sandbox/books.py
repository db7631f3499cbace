"""The simulated store's own books. Whether an order takes its units when it is placed or when it is shipped, and
whether a cancel puts them back, are settings of the store, as in the real one.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Rows, Tell

HOME = "1"
STATUSES = (
    "Incomplete",
    "Pending",
    "Shipped",
    "Partially Shipped",
    "Refunded",
    "Cancelled",
    "Declined",
    "Awaiting Payment",
    "Awaiting Pickup",
    "Awaiting Shipment",
    "Completed",
    "Awaiting Fulfillment",
    "Manual Verification Required",
    "Disputed",
    "Partially Refunded",
)
SHIPPED, PARTLY, REFUNDED, CANCELLED, DECLINED, COMPLETED, AWAITING, PART_REFUNDED = 2, 3, 4, 5, 6, 10, 11, 14
CLOSED = (CANCELLED, DECLINED, REFUNDED)
FIRST = {"product": 80, "variant": 400, "order": 100}
# What our connector writes; a seller sees whose order it is.
SOURCE, TAKEN_BACK = "crossdock", " (taken back)"
DEFAULTS: Doc = {
    "currency": "USD",
    "update_stock_behavior": "order_placed",
    "refund_order_stock_adjustment": True,
    # What no document says: whether a count can fall below zero. Both are played.
    "floor": False,
    "with_tax": True,
    # A fee or a tax that the store adds to an order.
    "fee": "0",
    # Scopes that the seller left out when they made the API account.
    "without": [],
}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


class Books(books.Books):
    """The store's rules about stock and statuses."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], tell: Tell) -> None:
        super().__init__(shelf, clock, tell, ids=books.numbered(shelf, FIRST), stamp=_stamp, settings=DEFAULTS)
        if shelf.get("location", HOME) is None:
            shelf.put("location", HOME, {"id": int(HOME), "code": "BC-LOCATION-1", "label": "Default location"})

    # Products

    def add_product(self, title: str, rows: Any, *, place: str = HOME, **fields: Any) -> Doc:
        """One row makes a product with a base variant alone."""
        rows = list(rows)
        tracking = "product" if len(rows) == 1 else "variant"
        return super().add_product(title, rows, place=place, **{"tracking": tracking, "visible": True, **fields})

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """A count of its own moves no date of the product (a guess: nothing is said of it)."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, "", touch=False)
        inventory = {"product_id": doc["id"], "variant_id": row["id"], "method": "absolute", "value": count}
        self.tell("sku", "inventory/updated", {"type": "sku", "id": row["id"], "inventory": inventory})

    def move(self, line: Mapping[str, Any], delta: int) -> None:
        """At the default location. What is gone, or not counted, has no count to move."""
        try:
            doc, row = self.variant(line["product_id"], line["variant_id"])
        except LookupError:
            return
        if doc["tracking"] != "none":
            there = row["stock"].get(HOME, 0) + delta
            self.put_stock(doc["id"], row["id"], HOME, max(0, there) if self.settings["floor"] else there)

    # Orders

    def place(self, asked: Mapping[str, Any]) -> Doc:
        """No key and no look at the stock: the same twice is two orders. Raises LookupError for an unknown product."""
        address, lines = self.new_id("address"), []
        for row in asked["products"]:
            product, variant = self.variant(row["product_id"], row.get("variant_id", 0))
            price = str(row.get("price_inc_tax", variant["price"]))
            lines.append(self.line(product, variant, row["quantity"], price=price, order_address_id=address))
        kept = ("external_source", "customer_message", "staff_notes", "payment_method")
        doc = self.new_order(
            lines,
            reference=asked.get("external_order_id", ""),
            shipping=str(asked.get("shipping_cost_inc_tax", "0")),
            billing=asked["billing_address"],
            status_id=1,
            taken=False,
            **{name: asked.get(name, "") for name in kept},
        )
        with self.at_once():
            self.keep("order", doc, "")
            self.change_status(doc, asked.get("status_id", 1), silent=True)
            self.shelf.note("order", id=doc["id"], reference=doc["reference"])
            self.tell("order", "created", doc)
        return doc

    def change_status(self, doc: Doc, status: int, *, restock: bool | None = None, silent: bool = False) -> None:
        """Takes the units, or puts them back, as the store is set; `restock` is the seller's own choice."""
        back = self.settings["refund_order_stock_adjustment"] if restock is None else restock
        was = doc["status_id"]
        placed = self.settings["update_stock_behavior"] == "order_placed"
        takes = status not in (0, *CLOSED) if placed else status in (SHIPPED, COMPLETED)
        with self.at_once():
            if takes and not doc["taken"]:
                doc["taken"] = True
                for line in doc["lines"]:
                    self.move(line, -line["quantity"])
            elif doc["taken"] and status in (CANCELLED, DECLINED) and back:
                doc["taken"] = False
                for line in doc["lines"]:
                    self.move(line, line["quantity"])
            doc["status_id"] = status
            self.keep("order", doc, "")
        if was != status and not silent:
            self.shelf.note("status", id=doc["id"], status=status)
            said = {"previous_status_id": was, "new_status_id": status}
            self.tell("order", "statusUpdated", {"type": "order", "id": doc["id"], "status": said})
            if doc["billing"].get("email") and status in (SHIPPED, COMPLETED, CANCELLED):
                self.shelf.note("mail", to=doc["billing"]["email"], about=STATUSES[status])

    def total(self, doc: Mapping[str, Any]) -> Decimal:
        return books.total(doc) + Decimal(self.settings["fee"])

    def left(self, doc: Doc) -> Mapping[Any, int]:
        return books.left(doc)

    def ship_as(self, doc: Doc, rows: Rows, **about: Any) -> Doc:
        """The status follows. Raises Refusal when so much is not left."""
        if doc["status_id"] in CLOSED:
            raise Refusal("the order is closed")
        made = self.add_parcel(doc, rows, **about)
        self.change_status(doc, PARTLY if self.left(doc) else SHIPPED)
        self._tell_parcel("created", doc, made)
        return made

    def change_parcel(self, doc: Doc, parcel_id: Id, changes: Mapping[str, Any]) -> Doc:
        made = books.parcel(doc, parcel_id)
        made |= changes
        self.keep("order", doc)
        self._tell_parcel("updated", doc, made)
        return made

    def delete_parcel(self, doc: Doc, parcel_id: Id) -> None:
        """The order stays marked as shipped."""
        gone = books.parcel(doc, parcel_id)
        doc["parcels"].remove(gone)
        self.keep("order", doc)
        self._tell_parcel("deleted", doc, gone)

    def _tell_parcel(self, event: str, doc: Doc, made: Doc) -> None:
        self.tell("shipment", event, {"type": "shipment", "id": made["id"], "orderId": doc["id"]})

    # What the seller does in the control panel (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        """A customer of the store's own; its checkout sells only what is there."""
        _, row = self.variant(product_id, variant_id)
        if (there := sum(row["stock"].values())) < units:
            raise Refusal(f"there are only {there} left")
        line = {"product_id": product_id, "variant_id": variant_id, "quantity": units}
        who = {"first_name": "Own", "last_name": "Customer", "email": "customer@example.test", "zip": "00000"}
        return str(self.place({"billing_address": who, "products": [line], "status_id": AWAITING})["id"])

    def standing(self, doc: Doc) -> Standing:
        billing, ours = doc["billing"], doc["external_source"] == SOURCE
        who = (billing.get("first_name"), billing.get("last_name"), billing.get("email"), doc["staff_notes"])
        return books.standing(
            doc,
            reference=doc["reference"] if ours else "",
            buyer=" ".join(filter(None, who)),
            total=f"{self.total(doc):.2f}",
            cancelled=doc["status_id"] in CLOSED,
            taken_back=doc["reference"].endswith(TAKEN_BACK),
        )

    def ship(self, doc: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        address = doc["lines"][0]["order_address_id"]
        about = {"order_address_id": address, "tracking_number": tracking, "tracking_carrier": carrier.lower()}
        return str(self.ship_as(doc, rows, **about)["id"])

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        self.change_parcel(doc, parcel_id, {"tracking_number": tracking})

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        self.change_status(doc, CANCELLED, restock=restock)

    def refund(self, doc: Doc, amount: Decimal) -> str:
        made = self.add_refund(doc, amount)
        self.change_status(doc, REFUNDED if books.refunded(doc) >= self.total(doc) else PART_REFUNDED)
        said = {"type": "order", "id": doc["id"], "refund": {"refund_id": made["id"]}}
        self.tell("order", "refund/created", said)
        return str(made["id"])
