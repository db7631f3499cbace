"""The simulated shop's own rules, without HTTP: what WooCommerce does to stock, dates and mails when an order changes.
Blind where the real one is blind.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.sandbox import Doc, Shelf, books

TAKES = ("processing", "on-hold", "completed")
RESTORES = ("cancelled", "pending")
ADDRESS = (
    "first_name",
    "last_name",
    "company",
    "address_1",
    "address_2",
    "city",
    "state",
    "postcode",
    "country",
    "phone",
)
STATUSES = (*TAKES, *RESTORES, "refunded", "failed", "auto-draft", "checkout-draft", "trash")
# Where the customer is written to when an order gets there.
CUSTOMER_MAILS = {
    "processing": "Your order has been received",
    "completed": "Your order is complete",
    "refunded": "Your order has been refunded",
}
Tell = Callable[[str, int], None]


# What the seller or the host set.
DEFAULTS: Doc = {
    "hpos": True,
    "fulfillments": True,
    "manage_stock": True,
    "currency": "USD",
    "decimals": 2,
    "pretty": True,
    "plugins": [],
    "version": "11.0.1",
    "strips_authorization": False,
    "name": "Simulated WooCommerce shop",
    "challenge": False,
    "taxes": False,
    "prices_include_tax": True,
    "tax_display": "incl",
    "sells_to": [],
    "ships_to": [],
}


class Books(books.Documents):
    """Products and orders on a shelf. `tell(topic, id)` is called for everything that a webhook could be about."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], tell: Tell) -> None:
        super().__init__(
            shelf, clock, lambda _, topic, doc: tell(topic, doc["id"]), stamp=datetime.isoformat, settings=DEFAULTS
        )

    def news(self, topic: str, id_: int) -> None:
        self.tell("", topic, {"id": id_})

    # Products

    def product(self, id_: str | int) -> Doc | None:
        return self.shelf.get("product", id_)

    def save_product(self, doc: Doc, *, news: str = "updated") -> None:
        """A variation's change moves its parent's date too. WooCommerce tells of it even when nothing changed."""
        doc["modified"] = self.now()
        self.shelf.put("product", doc["id"], doc)
        if doc["parent"] and (parent := self.product(doc["parent"])):
            parent["modified"] = self.now()
            self.shelf.put("product", parent["id"], parent)
        self.news(f"product.{news}", doc["id"])

    def new_product(self, **fields: Any) -> Doc:
        doc: Doc = {
            "id": self.shelf.next_number("post", 10),
            "type": "simple",
            "status": "publish",
            "parent": 0,
            "price": "",
            "sku": "",
            "count": 0,
            "manage": True,
            "created": self.now(),
            **fields,
        }
        self.save_product(doc, news="created")
        return doc

    def bin_product(self, doc: Doc, *, force: bool) -> None:
        """Trashing tells product.deleted and no product.updated; deleting for good tells nobody."""
        family = [doc, *(child for id_ in doc.get("children", []) if (child := self.product(id_)))]
        for member in family:
            if force:
                self.shelf.delete("product", member["id"])
                self._forget(member["id"])
            elif member is doc:
                member |= {"status": "trash", "modified": self.now()}
                self.shelf.put("product", member["id"], member)
        if not force:
            self.news("product.deleted", doc["id"])

    def _forget(self, product_id: int) -> None:
        """Lines keep their own ids, and know only products that are there."""
        for doc in self.shelf.all("order"):
            lines = [line for line in doc["line_items"] if product_id in (line["product_id"], line["variation_id"])]
            for line in lines:
                line |= {name: 0 for name in ("product_id", "variation_id") if line[name] == product_id}
                line |= {"sku": None, "parent_name": None}
            if lines:
                self.shelf.put("order", doc["id"], doc, key=self.meta(doc, "_crossdock_reference") or "")

    def move_stock(self, product_id: int, units: int) -> int:
        """Add `units` (or take, below zero) wherever the number is kept; there is no floor and nobody asks.

        Returns what was moved, 0 when uncounted.
        """
        doc = self.product(product_id)
        if doc is None or not self.settings["manage_stock"]:
            return 0
        holder = self.product(doc["parent"]) if doc["manage"] == "parent" else doc
        if holder is None or not holder["manage"]:
            return 0
        holder["count"] += units
        self.save_product(holder)
        return units

    def count(self, product_id: int | str) -> int:
        """Raises LookupError."""
        doc = self.product(product_id)
        if doc is None:
            raise LookupError(f"the shop has no product {product_id}")
        if doc["manage"] == "parent":
            return self.count(doc["parent"])
        return int(doc["count"])

    # Orders

    def order(self, id_: str | int) -> Doc | None:
        return self.shelf.get("order", id_)

    def save_order(self, doc: Doc, *, news: str = "updated") -> None:
        doc["modified"] = self.now()
        self.shelf.put("order", doc["id"], doc, key=self.meta(doc, "_crossdock_reference") or "")
        self.news(f"order.{news}", doc["id"])

    @staticmethod
    def meta(doc: Doc, key: str) -> Any:
        return next((entry["value"] for entry in doc["meta_data"] if entry["key"] == key), None)

    def set_meta(self, doc: Doc, key: str, value: Any) -> None:
        kept = [entry for entry in doc["meta_data"] if entry["key"] != key]
        doc["meta_data"] = [*kept, {"id": self.shelf.next_number("meta"), "key": key, "value": value}]

    def new_order(self, body: Mapping[str, Any], *, via: str = "rest-api") -> Doc:
        """A 201 for nearly anything: a product that nobody knows becomes a line of text with product_id 0."""
        blank = dict.fromkeys(ADDRESS, "")
        doc: Doc = {
            "id": self.shelf.next_number("post", 10),
            "status": "pending",
            "currency": body.get("currency") or self.settings["currency"],
            "order_key": f"wc_order_{secrets.token_hex(6)}",
            "created_via": via,
            "customer_note": body.get("customer_note", ""),
            "payment_method": body.get("payment_method", ""),
            "payment_method_title": body.get("payment_method_title", ""),
            "transaction_id": body.get("transaction_id", ""),
            "billing": blank | {"email": ""} | dict(body.get("billing", {})),
            "shipping": blank | dict(body.get("shipping", {})),
            "meta_data": [],
            "refunds": [],
            "created": self.now(),
            "completed": None,
            "paid": None,
            "line_items": [self._line(line) for line in body.get("line_items", [])],
            "shipping_lines": [self._shipping(line) for line in body.get("shipping_lines", [])],
        }
        for entry in body.get("meta_data", []):
            self.set_meta(doc, entry["key"], entry["value"])
        lines = [*doc["line_items"], *doc["shipping_lines"]]
        doc["total"] = str(sum((Decimal(line["total"]) for line in lines), Decimal()))
        self.shelf.put("order", doc["id"], doc)
        wanted = body.get("status", "pending")
        self.change_status(doc, "processing" if body.get("set_paid") and wanted == "pending" else wanted)
        self.save_order(doc, news="created")
        self.news("order.updated", doc["id"])
        return doc

    def _line(self, line: Mapping[str, Any]) -> Doc:
        product = self.product(line.get("product_id", 0) or 0)
        variant = self.product(line.get("variation_id", 0) or 0)
        if variant is None or product is None or variant["parent"] != product["id"]:
            variant = None
        quantity, holder = int(line.get("quantity", 1)), variant or product
        total = line.get("total") or str(Decimal((holder or {}).get("price") or 0) * quantity)
        name = product["name"] if product else str(line.get("name", ""))
        return {
            "id": self.shelf.next_number("item"),
            "name": f"{name} - {variant['option']}" if variant else name,
            "product_id": product["id"] if product else 0,
            "variation_id": variant["id"] if variant else 0,
            "quantity": quantity,
            "subtotal": str(line.get("subtotal", total)),
            "total": str(total),
            "sku": holder["sku"] if holder else None,
            "parent_name": product["name"] if variant and product else None,
            "reduced": 0,
            "meta_data": [
                {
                    "id": 1,
                    "key": "option",
                    "value": variant["option"],
                    "display_key": "Option",
                    "display_value": variant["option"],
                }
            ]
            if variant
            else [],
        }

    def _shipping(self, line: Mapping[str, Any]) -> Doc:
        return {
            "id": self.shelf.next_number("item"),
            "method_title": str(line.get("method_title", "")),
            "method_id": str(line.get("method_id", "")),
            "total": str(line.get("total", "0")),
        }

    def change_status(self, doc: Doc, status: str) -> None:
        """Entering a status moves stock once: what an item has taken stands on the item. Restoring adds blindly to
        whatever the count is now.

        "refunded" makes a refund of what is left and restores nothing; "failed" and the trash restore nothing either.
        """
        before, doc["status"] = doc["status"], status
        if before == status:
            return
        if status in TAKES:
            doc["paid"] = doc["paid"] or (self.now() if status != "on-hold" else None)
            for line in doc["line_items"]:
                if not line["reduced"]:
                    line["reduced"] = -self.move_stock(sold(line), -line["quantity"])
        elif status in RESTORES:
            for line in doc["line_items"]:
                if line["reduced"]:
                    self.move_stock(sold(line), line["reduced"])
                    line["reduced"] = 0
        if status == "completed":
            doc["completed"] = self.now()
        if status == "refunded" and (left := self.unrefunded(doc)) > 0:
            self._refund(doc, str(left), "Order fully refunded.")
        if (before, status) == ("completed", "processing"):
            # Neither WC_Email_New_Order nor WC_Email_Customer_Processing_Order listens to this way back (their
            # constructors in the source name pending, failed, cancelled and on-hold).
            return
        if status in CUSTOMER_MAILS and doc["billing"].get("email"):
            self.shelf.note("mail", to=doc["billing"]["email"], about=CUSTOMER_MAILS[status])
        if status in ("processing", "cancelled", "failed"):
            self.shelf.note("mail", to="admin@shop.example", about=f"Order {doc['id']} is {status}")

    def bin_order(self, doc: Doc, *, force: bool) -> None:
        """The units stay taken. Deleted for good, nobody is told: what was still to be told has no order any more."""
        if force:
            self.shelf.delete("order", doc["id"])
            return
        doc |= {"status": "trash", "modified": self.now()}
        self.shelf.put("order", doc["id"], doc)
        self.news("order.deleted", doc["id"])

    def add_note(self, doc: Doc, text: str, *, customer: bool) -> Doc:
        """A comment on the order: the order itself and its date stay as they are."""
        note: Doc = {
            "id": self.shelf.next_number("comment", 20),
            "order": doc["id"],
            "note": text,
            "customer_note": customer,
            "created": self.now(),
        }
        self.shelf.put("note", note["id"], note, key=str(doc["id"]))
        self.shelf.note("note", order=doc["id"], text=text, customer=customer)
        if customer:
            self.shelf.note("mail", to=doc["billing"].get("email") or "nobody", about=f"A note has been added: {text}")
        return note

    def notes(self, order_id: int | str, kind: str = "any") -> list[Doc]:
        """Of an order, oldest first: "any", "customer" (which its buyer sees) or "internal"."""
        found = self.shelf.by_key("note", str(order_id))
        return [note for note in found if kind == "any" or note["customer_note"] is (kind == "customer")]

    # Refunds and fulfilments

    @staticmethod
    def unrefunded(doc: Doc) -> Decimal:
        return Decimal(doc["total"]) - sum((Decimal(entry["amount"]) for entry in doc["refunds"]), Decimal())

    def _refund(self, doc: Doc, amount: str, reason: str, items: list[Doc] | None = None) -> Doc:
        entry = {
            "id": self.shelf.next_number("post", 10),
            "amount": amount,
            "reason": reason,
            "created": self.now(),
            "items": items or [],
        }
        doc["refunds"] = [*doc["refunds"], entry]
        return entry

    def refund(
        self,
        doc: Doc,
        amount: str,
        reason: str = "",
        *,
        rows: Mapping[int, tuple[int, str]] | None = None,
        restock: bool = False,
    ) -> Doc:
        """Record a refund; one that leaves nothing makes the order "refunded". Raises ValueError when it is more than
        is left.

        `rows` are (units, worth) by line id. Nobody asks whether the order has so many; only what was taken from stock
        is put back.
        """
        if not 0 <= Decimal(amount) <= self.unrefunded(doc) or not (Decimal(amount) or rows):
            raise ValueError("Invalid refund amount.")
        items = []
        for line in doc["line_items"]:
            units, worth = (rows or {}).get(line["id"], (0, "0"))
            if not units and not Decimal(worth):
                continue
            items.append({"id": self.shelf.next_number("item"), "line": line["id"], "units": units, "worth": worth})
            if restock and units <= line["reduced"]:
                self.move_stock(sold(line), units)
                line["reduced"] -= units
        entry = self._refund(doc, amount, reason, items)
        self.shelf.note(
            "refund", order=doc["id"], id=entry["id"], amount=amount, units=[(i["line"], i["units"]) for i in items]
        )
        if self.unrefunded(doc) == 0:
            self.change_status(doc, "refunded")
        elif doc["billing"].get("email"):
            self.shelf.note("mail", to=doc["billing"]["email"], about="Your order has been partially refunded")
        self.save_order(doc)
        return entry

    @staticmethod
    def refunded_units(doc: Doc) -> Counter[int]:
        """Units by line id that refunds took out."""
        items = (item for entry in doc["refunds"] for item in entry.get("items", []))
        return units_by((item["line"], item["units"]) for item in items)

    def fulfillments(self, order_id: int) -> list[Doc]:
        return [entry for entry in self.shelf.all("fulfillment") if entry["order_id"] == order_id]

    def note_fulfilled(self, what: str, doc: Doc, entry: Doc, *, notify: bool) -> None:
        """Written down; mailed only when asked to, and only where there is an address."""
        self.shelf.note(what, order=doc["id"], id=entry["id"])
        if notify and doc["billing"].get("email"):
            self.shelf.note("mail", to=doc["billing"]["email"], about="Your order has been fulfilled")

    def save_fulfillment(self, doc: Doc, entry: Doc) -> Doc:
        """Nobody checks what was fulfilled before. The order's status stays; a meta of the order and its date move."""
        entry.setdefault("id", self.shelf.next_number("fulfillment"))
        entry |= {"order_id": doc["id"], "updated": self.now()}
        self.shelf.put("fulfillment", entry["id"], entry)
        self.mark_fulfilled(doc)
        return entry

    def mark_fulfilled(self, doc: Doc) -> None:
        units = sum(self.fulfilled(doc["id"]).values())
        ordered = sum(line["quantity"] for line in doc["line_items"])
        status = "no_fulfillments" if not units else "fulfilled" if units >= ordered else "partially_fulfilled"
        self.set_meta(doc, "_fulfillment_status", status)
        self.save_order(doc)

    def fulfilled(self, order_id: int) -> Counter[int]:
        """Units by line id."""
        metas = (meta for entry in self.fulfillments(order_id) if entry["is_fulfilled"] for meta in entry["meta_data"])
        items = (item for meta in metas if meta["key"] == "_items" for item in meta["value"])
        return units_by((int(item["item_id"]), int(item["qty"])) for item in items)


def units_by(rows: Iterable[tuple[int, int]]) -> Counter[int]:
    found = Counter[int]()
    for line, units in rows:
        found[line] += units
    return found


def sold(line: Mapping[str, Any]) -> int:
    """The variation, or the product where it has none."""
    return int(line["variation_id"] or line["product_id"])
