"""The simulated store's own books. Whether an order takes its units when it is placed or when it is shipped, and
whether a cancel puts them back, are settings of the store, as in the real one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.sandbox import Doc, Shelf

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
DEFAULTS: Doc = {
    "currency": "USD",
    "update_stock_behavior": "order_placed",
    "refund_order_stock_adjustment": True,
    # What no document says: whether a count can fall below zero. Both are played.
    "floor": False,
    "with_tax": True,
    # Scopes that the seller left out when they made the API account.
    "without": [],
}
Tell = Callable[[str, Doc], None]


class Books:
    """`tell(scope, data)` is called for each event."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], tell: Tell) -> None:
        self.shelf, self._clock, self._tell = shelf, clock, tell
        if shelf.get("location", HOME) is None:
            shelf.put("location", HOME, {"id": int(HOME), "code": "BC-LOCATION-1", "label": "Default location"})

    @property
    def settings(self) -> Doc:
        return DEFAULTS | (self.shelf.get("settings", "it") or {})

    def set(self, **changes: Any) -> None:
        self.shelf.put("settings", "it", (self.shelf.get("settings", "it") or {}) | changes)

    def now(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%S+00:00")

    # Products

    def new_product(
        self, name: str, rows: Iterable[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> Doc:
        """One row makes a product with a base variant alone."""
        number, rows = self.shelf.next_number("product", 80), list(rows)
        variants = [
            {
                "id": self.shelf.next_number("variant", 400),
                "sku": sku,
                "price": price,
                "label": "" if len(rows) == 1 else sku,
                "stock": {HOME: count},
            }
            for sku, price, count in rows
        ]
        doc: Doc = {"id": number, "name": name, "description": description, "image": image, "variants": variants}
        doc |= {"tracking": "product" if len(rows) == 1 else "variant", "visible": True}
        self.save_product(doc, "created")
        return doc

    def save_product(self, doc: Doc, event: str = "updated") -> None:
        doc["modified"] = self.now()
        self.shelf.put("product", doc["id"], doc)
        self._tell(f"store/product/{event}", {"type": "product", "id": doc["id"]})

    def delete_product(self, product_id: str) -> None:
        if not self.shelf.delete("product", product_id):
            raise LookupError(f"the store has no product {product_id}")
        self._tell("store/product/deleted", {"type": "product", "id": int(product_id)})

    def variant(self, product_id: str | int, variant_id: str | int) -> tuple[Doc, Doc]:
        """Raises LookupError."""
        doc = self.shelf.need("product", product_id)
        for row in doc["variants"]:
            if str(row["id"]) == str(variant_id):
                return doc, row
        raise LookupError(f"product {product_id} has no variant {variant_id}")

    def stock(self, product_id: str | int, variant_id: str | int, location: str, count: int) -> None:
        """A count of its own moves no date of the product (a guess: nothing is said of it)."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][location] = count
        self.shelf.put("product", doc["id"], doc)
        inventory = {"product_id": doc["id"], "variant_id": row["id"], "method": "absolute", "value": count}
        self._tell("store/sku/inventory/updated", {"type": "sku", "id": row["id"], "inventory": inventory})

    def move(self, line: Mapping[str, Any], delta: int) -> None:
        """At the default location. What is gone, or not counted, has no count to move."""
        try:
            doc, row = self.variant(line["product_id"], line["variant_id"])
        except LookupError:
            return
        if doc["tracking"] != "none":
            there = row["stock"].get(HOME, 0) + delta
            self.stock(doc["id"], row["id"], HOME, max(0, there) if self.settings["floor"] else there)

    # Orders

    def new_order(self, asked: Mapping[str, Any]) -> Doc:
        """No key and no look at the stock: the same twice is two orders. Raises LookupError for an unknown product."""
        number = self.shelf.next_number("order", 100)
        address = self.shelf.next_number("address")
        lines = []
        for row in asked["products"]:
            product, variant = self.variant(row["product_id"], row.get("variant_id", 0))
            price = str(row.get("price_inc_tax", variant["price"]))
            lines.append(
                {
                    "id": self.shelf.next_number("line"),
                    "product_id": product["id"],
                    "variant_id": variant["id"],
                    "order_address_id": address,
                    "sku": variant["sku"],
                    "name": product["name"],
                    "quantity": row["quantity"],
                    "price": price,
                }
            )
        kept = ("external_source", "external_order_id", "customer_message", "staff_notes", "payment_method")
        doc: Doc = {"id": number, "status_id": 1, "lines": lines, "shipments": [], "refunds": [], "taken": False}
        doc |= {name: asked.get(name, "") for name in kept}
        doc |= {"billing": asked["billing_address"], "shipping_to": list(asked.get("shipping_addresses", []))}
        doc |= {"shipping": str(asked.get("shipping_cost_inc_tax", "0")), "created": self.now()}
        with self.shelf.transaction():
            self._put_order(doc)
            self.change_status(doc, asked.get("status_id", 1), silent=True)
            self.shelf.note("order", id=number, reference=doc["external_order_id"])
        self._tell("store/order/created", {"type": "order", "id": number})
        return doc

    def _put_order(self, doc: Doc) -> None:
        doc["modified"] = self.now()
        self.shelf.put("order", doc["id"], doc, key=doc["external_order_id"])

    def save_order(self, doc: Doc) -> None:
        self._put_order(doc)
        self._tell("store/order/updated", {"type": "order", "id": doc["id"]})

    def change_status(self, doc: Doc, status: int, *, restock: bool | None = None, silent: bool = False) -> None:
        """Takes the units, or puts them back, as the store is set; `restock` is the seller's own choice."""
        back = self.settings["refund_order_stock_adjustment"] if restock is None else restock
        was = doc["status_id"]
        placed = self.settings["update_stock_behavior"] == "order_placed"
        takes = status not in (0, REFUNDED, CANCELLED, DECLINED) if placed else status in (SHIPPED, COMPLETED)
        with self.shelf.transaction():
            if takes and not doc["taken"]:
                doc["taken"] = True
                for line in doc["lines"]:
                    self.move(line, -line["quantity"])
            elif doc["taken"] and status in (CANCELLED, DECLINED) and back:
                doc["taken"] = False
                for line in doc["lines"]:
                    self.move(line, line["quantity"])
            doc["status_id"] = status
            self._put_order(doc)
        if was != status and not silent:
            self.shelf.note("status", id=doc["id"], status=status)
            said = {"previous_status_id": was, "new_status_id": status}
            self._tell("store/order/statusUpdated", {"type": "order", "id": doc["id"], "status": said})
            if doc["billing"].get("email") and status in (SHIPPED, COMPLETED, CANCELLED):
                self.shelf.note("mail", to=doc["billing"]["email"], about=STATUSES[status])

    def total(self, doc: Doc) -> Decimal:
        goods = sum((Decimal(line["price"]) * line["quantity"] for line in doc["lines"]), Decimal(0))
        return goods + Decimal(doc["shipping"])

    def left(self, doc: Doc) -> Counter[int]:
        units = Counter({line["id"]: line["quantity"] for line in doc["lines"]})
        for shipment in doc["shipments"]:
            for item in shipment["items"]:
                units[item["order_product_id"]] -= item["quantity"]
        return +units

    def ship(self, doc: Doc, asked: Mapping[str, Any]) -> Doc:
        """The status follows. Raises ValueError when so much is not left."""
        left = self.left(doc)
        if doc["status_id"] in (CANCELLED, DECLINED, REFUNDED):
            raise ValueError("the order is closed")
        if any(item["quantity"] > left[item["order_product_id"]] for item in asked["items"]):
            raise ValueError("The quantity of an item is more than is left to ship.")
        made = {**asked, "id": self.shelf.next_number("shipment"), "created": self.now()}
        doc["shipments"].append(made)
        self.change_status(doc, PARTLY if self.left(doc) else SHIPPED)
        self._shipment("created", doc, made)
        return made

    def change_shipment(self, doc: Doc, shipment_id: int, changes: Mapping[str, Any]) -> Doc:
        made: Doc = next(each for each in doc["shipments"] if each["id"] == shipment_id)
        made |= changes
        self.save_order(doc)
        self._shipment("updated", doc, made)
        return made

    def delete_shipment(self, doc: Doc, shipment_id: int) -> None:
        """The order stays marked as shipped."""
        gone = next(each for each in doc["shipments"] if each["id"] == shipment_id)
        doc["shipments"].remove(gone)
        self.save_order(doc)
        self._shipment("deleted", doc, gone)

    def _shipment(self, event: str, doc: Doc, made: Doc) -> None:
        self._tell(f"store/shipment/{event}", {"type": "shipment", "id": made["id"], "orderId": doc["id"]})

    def refund(self, doc: Doc, amount: str, reason: str = "") -> Doc:
        made = {"id": self.shelf.next_number("refund"), "amount": amount, "reason": reason, "created": self.now()}
        doc["refunds"].append(made)
        whole = sum(Decimal(each["amount"]) for each in doc["refunds"]) >= self.total(doc)
        self.change_status(doc, REFUNDED if whole else PART_REFUNDED)
        self._tell(
            "store/order/refund/created", {"type": "order", "id": doc["id"], "refund": {"refund_id": made["id"]}}
        )
        return made
