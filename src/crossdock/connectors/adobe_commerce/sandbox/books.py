"""The simulated shop's own books. What lies at a source is one number, what orders have reserved another: an order that
is placed lowers the second alone, and a shipment both (magento/inventory).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.connectors.adobe_commerce.sandbox.access import No
from crossdock.kit.hand import Standing, Stocked
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Rows

HOME, STOCK = "default", 1
NEW, PROCESSING, COMPLETE, CLOSED, CANCELLED, HELD = "new", "processing", "complete", "closed", "canceled", "holded"
FIRST = {"product": 40, "order": 12, "line": 300, "parcel": 7, "track": 21, "refund": 5}
DEFAULTS: Doc = {
    "currency": "USD",
    # Where the store view shows another one.
    "shown": "",
    "zone": "America/Chicago",
    "store": "default",
    "methods": {"flatrate_flatrate": "5.0000", "freeshipping_freeshipping": "0.0000"},
    "payments": ["checkmo"],
    "closed": [],
    # Resources that the seller did not give the integration.
    "without": [],
    # Whether the modules of Inventory Management are there.
    "msi": True,
    # What is looked at before an order is placed may be gone when it is: nothing locks the row.
    "blind": False,
    "minimum": 0,
    # Some module's observer that fails when the order is saved already.
    "observer": False,
}


def _stamp(moment: datetime) -> str:
    """UTC, and no zone is said."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _nobody(kind: str, event: str, doc: Doc) -> None:
    """Nothing is told to anybody."""


class Books(books.Books):
    """The shop's rules about stock, states and dates."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        super().__init__(shelf, clock, _nobody, ids=books.numbered(shelf, FIRST), stamp=_stamp, settings=DEFAULTS)
        if shelf.get("source", HOME) is None:
            self.add_source(HOME, "Default Source")

    def stamped(self, moment: datetime) -> str:
        return _stamp(moment)

    def add_source(self, code: str, name: str) -> None:
        self.shelf.put("source", code, {"id": code, "name": name, "enabled": True, "linked": True})

    def sources(self) -> list[str]:
        """Those of the website's stock, by priority."""
        return [doc["id"] for doc in self.shelf.all("source") if doc["enabled"] and doc["linked"]]

    # Products

    def add_product(self, title: str, rows: Any, *, place: str = HOME, **fields: Any) -> Doc:
        """One row is a simple product; several are a configurable one with hidden children, which are products too."""
        rows, now = list(rows), self.now()
        skus = [sku.lower() for sku, _, _ in rows]
        if len(set(skus)) < len(skus) or any(self.shelf.get("sku", sku) for sku in skus):
            raise Refusal('The value of attribute "SKU" must be unique.')
        doc: Doc = {"id": self.new_id("product"), "title": title, "created": now, **fields}
        doc["variants"] = [
            {
                "id": doc["id"] if len(rows) == 1 else self.new_id("product"),
                "sku": sku,
                "price": price,
                "option": sku if len(rows) > 1 else "",
                "stock": {place: count},
                "reserved": 0,
                "updated": now,
            }
            for sku, price, count in rows
        ]
        for row in doc["variants"]:
            self.shelf.put("product of", row["id"], {"id": doc["id"]})
            self.shelf.put("sku", row["sku"].lower(), {"id": row["id"]})
        return self.keep("product", doc, "created")

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """A source's quantity is a row of its own, and moves no date."""
        if count < 0:
            raise Refusal("Please enter a number 0 or greater in this field.")
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, touch=False)

    def delete_product(self, product_id: Id) -> None:
        for row in self.shelf.need("product", product_id)["variants"]:
            self.shelf.delete("sku", row["sku"].lower())
            self.shelf.delete("product of", row["id"])
        super().delete_product(product_id)

    def change_variant(self, product_id: Id, variant_id: Id, **changes: Any) -> None:
        """A child's date is its own: its product keeps the one it had."""
        doc, row = self.variant(product_id, variant_id)
        row |= changes | {"updated": self.now()}
        self.keep("product", doc, touch=len(doc["variants"]) == 1)

    def by_sku(self, sku: str) -> tuple[Doc, Doc]:
        found = self.shelf.get("sku", sku.strip().lower())
        if found is None:
            raise No(404, "The product that was requested doesn't exist. Verify the product and try again.")
        return self.variant(None, found["id"])

    def salable(self, row: Mapping[str, Any]) -> Decimal:
        """GetProductSalableQty: nothing is salable where all sources are empty, whatever is reserved."""
        there = sum((Decimal(str(row["stock"].get(code, 0))) for code in self.sources()), Decimal(0))
        minimum = Decimal(self.settings["minimum"])
        return there - row["reserved"] - minimum if there > minimum else Decimal(0)

    def sold(self, row: Mapping[str, Any], units: int = 1) -> bool:
        return not row.get("managed", True) or bool(row.get("backorders")) or self.salable(row) >= units

    def reserve(self, line: Mapping[str, Any], units: int) -> None:
        """Below zero gives back."""
        if self.shelf.get("product of", line["variant_id"]) is None:
            return
        doc, row = self.variant(None, line["variant_id"])
        if row.get("managed", True):
            row["reserved"] += units
            self.keep("product", doc, touch=False)

    # Orders

    def place(self, lines: Sequence[Doc], cart: Mapping[str, Any]) -> Doc:
        """Raises No: all of it or nothing."""
        for line in lines:
            _, row = self.variant(None, line["variant_id"])
            units = sum(each["quantity"] for each in lines if each["variant_id"] == line["variant_id"])
            if not self.settings["blind"] and not self.sold(row, units):
                raise No(400, "Not enough items for sale")
        kept = {name: cart[name] for name in ("billing", "address", "method", "payment", "po_number", "quote")}
        doc = self.new_order(lines, shipping=cart["carriage"], state=NEW, status="pending", **kept)
        doc |= {"email": cart["billing"]["email"], "comments": [], "invoiced": False, "updated": self.now()}
        with self.at_once():
            for line in lines:
                self.reserve(line, line["quantity"])
            self.keep("order", doc, "created")
        self.shelf.note("order", id=doc["id"])
        # The guest is mailed, whoever placed it (SubmitObserver).
        self.shelf.note("mail", to=doc["email"], about="order", order=doc["id"])
        return doc

    def set_state(self, doc: Doc, state: str, *, touch: bool = True) -> None:
        doc["state"], doc["status"] = state, "pending" if state == NEW else state
        self.keep("order", doc, touch=touch)

    def can_cancel(self, doc: Mapping[str, Any]) -> bool:
        """Order::canCancel."""
        return doc["state"] in (NEW, PROCESSING) and not doc["invoiced"] and bool(books.left(doc))

    def cancel_rest(self, doc: Doc) -> None:
        """What is shipped stays shipped, and what is invoiced stays to be shipped: then the order is in process, not
        cancelled (Order::registerCancellation).
        """
        there, kept = books.left(doc), doc.get("part_invoiced", {})
        with self.at_once():
            for line in doc["lines"]:
                self.reserve(line, -max(0, there.get(line["id"], 0) - kept.get(str(line["id"]), 0)))
            self.set_state(doc, PROCESSING if kept else CANCELLED)

    def comment(self, doc: Doc, words: str, status: str | None, *, visible: bool, told: bool) -> None:
        """The order takes the comment's status, and loses its own where there is none (magento2#34180)."""
        doc["comments"].append({"id": self.new_id("comment"), "words": words, "visible": visible, "at": self.now()})
        doc["status"] = status
        self.keep("order", doc)
        if told:
            self.shelf.note("mail", to=doc["email"], about="comment", order=doc["id"])

    def ship_from(self, doc: Doc, rows: Rows, source: str | None, tracks: Sequence[Doc], *, told: bool = False) -> Doc:
        """A source has to be named where there are several (SourceDeductionProcessor). Only what changes the order's
        own row moves its date.
        """
        if doc["state"] in (CANCELLED, CLOSED, HELD, COMPLETE):
            raise No(
                400, "Shipment Document Validation Error(s):\nA shipment cannot be created when an order has a status"
            )
        if source is None and sum(doc["enabled"] for doc in self.shelf.all("source")) > 1:
            raise No(500, "Internal Error. Details are available in Magento log file. Report ID: webapi-1")
        place = source or HOME
        with self.at_once():
            lines = {line["id"]: line for line in doc["lines"]}
            for id_, units in rows:
                self._deduct(lines[id_], units, place)
            made = self.add_parcel(doc, rows, tracks=[{**row, "id": self.new_id("track")} for row in tracks])
            made["updated"] = made["created"]
            for row in made["tracks"]:
                row["created"] = made["created"]
            was = doc["state"]
            doc["state"] = doc["status"] = COMPLETE if doc["invoiced"] and not books.left(doc) else PROCESSING
            self.keep("order", doc, touch=doc["state"] != was)
        if told:
            self.shelf.note("mail", to=doc["email"], about="shipment", order=doc["id"])
        return made

    def _deduct(self, line: Mapping[str, Any], units: int, place: str) -> None:
        if self.shelf.get("product of", line["variant_id"]) is None:
            return
        doc, row = self.variant(None, line["variant_id"])
        if not row.get("managed", True):
            return
        if row["stock"].get(place, 0) < units and not row.get("backorders"):
            raise No(400, "Not all of your products are available in the requested quantity.")
        row["stock"][place] = row["stock"].get(place, 0) - units
        row["reserved"] -= units
        self.keep("product", doc, touch=False)

    def track(self, parcel_id: Id) -> tuple[Doc, Doc]:
        """The order and the shipment of this id."""
        for doc in self.shelf.all("order"):
            for made in doc["parcels"]:
                if str(made["id"]) == str(parcel_id):
                    return doc, made
        raise No(404, "The entity that was requested doesn't exist. Verify the entity and try again.")

    def total(self, doc: Mapping[str, Any]) -> Decimal:
        return books.total(doc)

    def left(self, doc: Doc) -> Mapping[Any, int]:
        return books.left(doc)

    def stocked(self, product: Doc, row: Doc) -> Stocked:
        seen = books.stocked(product, row)
        return Stocked(seen.product_id, seen.variant_id, seen.sku, seen.title, int(self.salable(row)), seen.price)

    # What the seller does in the admin (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        """A child is sold as its configurable product."""
        product, row = self.variant(product_id, variant_id)
        if not self.sold(row, units):
            raise Refusal(f"there are only {self.salable(row)} left")
        who = {"firstname": "Own", "lastname": "Customer", "email": "customer@example.test", "company": ""}
        several = {"parent": product["id"], "child": self.new_id("line")} if row["option"] else {}
        line = {**self.line(product, row, units), **several}
        cart = {
            "billing": who,
            "address": who,
            "method": "flatrate_flatrate",
            "carriage": "5.0000",
            "payment": "checkmo",
        }
        return str(self.place([line], {**cart, "po_number": "", "quote": self.new_id("quote")})["id"])

    def standing(self, doc: Doc) -> Standing:
        billing = doc["billing"]
        name, _, domain = doc["email"].partition("@")
        return books.standing(
            doc,
            number=f"{doc['id']:09d}",
            reference=name if domain == "orders.crossdock.invalid" else "",
            buyer=" ".join((billing["firstname"], billing["lastname"], billing.get("company") or "", doc["email"])),
            cancelled=doc["state"] == CANCELLED or (doc["state"] == CLOSED and not doc["parcels"]),
            taken_back=any("[crossdock taken back]" in each["words"] for each in doc["comments"]),
        )

    def ship(self, doc: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        """Several numbers in one shipment, with commas between."""
        numbers = [number.strip() for number in tracking.split(",") if number.strip()]
        tracks = [{"number": number, "title": carrier, "code": "custom"} for number in numbers]
        return str(self.ship_from(doc, rows, self.source_for(doc, rows), tracks)["id"])

    def source_for(self, doc: Doc, rows: Rows) -> str:
        lines = {line["id"]: line for line in doc["lines"]}
        for code in self.sources():
            if all(self._has(lines[id_], code, units) for id_, units in rows):
                return code
        return HOME

    def _has(self, line: Mapping[str, Any], place: str, units: int) -> bool:
        if self.shelf.get("product of", line["variant_id"]) is None:
            return True
        return bool(self.variant(None, line["variant_id"])[1]["stock"].get(place, 0) >= units)

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        """There are no edits: one track is deleted and another one added. Neither moves a date but the track's own."""
        made = books.parcel(doc, parcel_id)
        old = made["tracks"][0] if made["tracks"] else {"title": "UPS", "code": "ups"}
        made["tracks"] = [{**old, "id": self.new_id("track"), "number": tracking, "created": self.now()}]
        self.keep("order", doc, touch=False)

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """The units are always put back."""
        if not self.can_cancel(doc):
            raise Refusal("You have not canceled the item.")
        self.cancel_rest(doc)

    def refund(self, doc: Doc, amount: Decimal) -> str:
        """A credit memo needs an invoice, which the seller makes first."""
        doc["invoiced"] = True
        made = self.add_refund(doc, amount)
        closed = books.refunded(doc) >= self.total(doc)
        self.set_state(doc, CLOSED if closed else PROCESSING if doc["state"] == NEW else doc["state"])
        return str(made["id"])
