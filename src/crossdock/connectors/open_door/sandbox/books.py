"""The simulated shop's own rules. Every change gets the next number, and lists are read by number, so that nothing is
lost between two pages.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Rows, Tell

CURRENCY, HOME = "USD", ""
PREFIXES = {"parcel": "f", "refund": "r", "line": "l", "variant": "v"}


class No(Refusal):
    """The shop's refusal."""

    def __init__(self, error: str, message: str, short: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.body: Doc = {"error": error, "message": message}
        if short:
            self.body["short"] = sorted(short)
        self.status = {"not_found": 404, "invalid": 422, "not_offered": 422}.get(error, 409)


class Books(books.Books):
    """Orders are placed whole or not at all, and an order's reference is its key."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], tell: Tell) -> None:
        def new_id(kind: str) -> Id:
            return f"{PREFIXES.get(kind, '')}{shelf.next_number(kind, 1001 if kind == 'order' else 1)}"

        super().__init__(shelf, clock, tell, ids=new_id, settings={"currency": CURRENCY})

    def keep(self, kind: str, doc: Doc, event: str = "updated", *, touch: bool = True) -> Doc:
        """Under the next number."""
        doc["seq"] = self.shelf.next_number("seq")
        return super().keep(kind, doc, event, touch=touch)

    def page(self, kind: str, after: int, limit: int) -> tuple[list[Doc], int, bool]:
        """(documents, the last number among them, whether there are more)."""
        fresh = sorted((doc for doc in self.shelf.all(kind) if doc["seq"] > after), key=lambda doc: int(doc["seq"]))
        return fresh[:limit], fresh[:limit][-1]["seq"] if fresh else after, len(fresh) > limit

    def last_number(self, kind: str) -> int:
        return max((int(doc["seq"]) for doc in self.shelf.all(kind)), default=0)

    # Products

    def delete_product(self, product_id: Id) -> None:
        """Its id stays, so that the list of changes can tell of it."""
        gone = {"id": str(product_id), "title": "", "variants": [], "deleted": True}
        self.keep("product", gone, "deleted")

    def move(self, line: Mapping[str, Any], delta: int) -> None:
        """A product that is gone keeps no count, and one that is not counted has none."""
        try:
            product, row = self.variant(line["product_id"], line["variant_id"])
        except LookupError:
            return
        if row["stock"]:
            row["stock"][HOME] += delta
            self.keep("product", product)

    # Orders

    def place(self, asked: Mapping[str, Any]) -> tuple[Doc, bool]:
        """All or nothing; a reference that is there already is that order."""
        if asked["reference"] and (there := self.shelf.by_key("order", asked["reference"])):
            return there[0], True
        try:
            rows = [(*self.variant(line["product_id"], line["variant_id"]), line) for line in asked["lines"]]
        except LookupError:
            raise No("product_gone", "A product of the order is not in this shop any more.") from None
        wanted = Counter[str]()
        for _, row, line in rows:
            wanted[row["id"]] += line["units"]
        if short := {row["id"] for _, row, _ in rows if row["stock"] and row["stock"][HOME] < wanted[row["id"]]}:
            raise No("no_stock", "There is not enough in stock.", short)
        lines = [self.line(product, row, line["units"], price=line["unit_price"]) for product, row, line in rows]
        kept = {name: asked[name] for name in ("currency", "email", "ship_to", "placed_at")}
        order = self.new_order(lines, reference=asked["reference"], shipping=asked["shipping"], **kept)
        order |= {"state": "open", "cancellations": [], "note": ""}
        with self.at_once():
            for line in lines:
                self.move(line, -line["quantity"])
            self.shelf.note("order", id=order["id"], reference=asked["reference"])
            return self.keep("order", order), False

    def ours(self, order_id: str, reference: str) -> Doc:
        """Raises No."""
        doc = self.shelf.get("order", order_id)
        if doc is None:
            raise No("not_found", "This shop has no such order.")
        if doc["reference"] != reference:
            raise No("conflict", "This order has another reference.")
        return doc

    def take(self, order: Doc, wanted: Mapping[str, int], key: str) -> Doc:
        """Units by line id leave the order and go back into the count."""
        with self.at_once():
            for line in order["lines"]:
                units = wanted.get(line["id"], 0)
                line["quantity"] -= units
                if units:
                    self.move(line, units)
            order["cancellations"].append({"key": key, "lines": [[line, units] for line, units in wanted.items()]})
            return self.keep("order", order)

    def ship_as(self, order: Doc, rows: Rows, **about: str) -> Doc:
        try:
            made = self.add_parcel(order, rows if order["state"] == "open" else [], **about)
        except Refusal:
            raise No("too_late", "So much of the order is not left to ship.") from None
        self.keep("order", order)
        self.shelf.note("fulfil", id=order["id"], parcel=made["id"], tracking=about.get("tracking_number", ""))
        return made

    # What the seller does (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        _, row = self.variant(product_id, variant_id)
        line = {"product_id": product_id, "variant_id": variant_id, "units": units, "unit_price": row["price"]}
        about = {"currency": self.settings["currency"], "email": "walk-in", "ship_to": {}, "placed_at": self.now()}
        order, _ = self.place({"reference": "", "shipping": "0.00", "lines": [line], **about})
        return str(order["id"])

    def standing(self, order: Doc) -> Standing:
        number, cancelled = f"#{order['id']}", order["state"] == "cancelled"
        return books.standing(order, number=number, buyer=order["email"], cancelled=cancelled)

    def left(self, order: Doc) -> Counter[str]:
        return books.left(order)

    def ship(self, order: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        return str(self.ship_as(order, rows, tracking_number=tracking, carrier=carrier)["id"])

    def renumber(self, order: Doc, parcel_id: str, tracking: str) -> None:
        books.parcel(order, parcel_id)["tracking_number"] = tracking
        self.keep("order", order)

    def cancel(self, order: Doc, *, restock: bool, note: str = "") -> None:
        with self.at_once():
            there = self.left(order) if restock else {}
            for line in order["lines"]:
                if units := there.get(line["id"], 0):
                    self.move(line, units)
            order |= {"state": "cancelled", "note": note}
            self.keep("order", order)
            self.shelf.note("cancel", id=order["id"])

    def refund(self, order: Doc, amount: Decimal) -> str:
        made = self.add_refund(order, amount)
        self.keep("order", order)
        return str(made["id"])
