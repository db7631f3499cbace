"""The simulated shop's products and orders. Every change gets the next number, and lists are read by number, so that
nothing is lost between two pages.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.sandbox import Doc, Shelf

CURRENCY = "USD"
# What the contract does not show of an order.
_INSIDE = ("seq", "email", "ship_to", "placed_at", "shipping")


class No(Exception):
    """The shop's refusal."""

    def __init__(self, error: str, message: str, short: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.body: Doc = {"error": error, "message": message}
        if short:
            self.body["short"] = sorted(short)
        self.status = {"not_found": 404, "invalid": 422, "not_offered": 422}.get(error, 409)


class Store:
    """`changed(kind, id)` is called after each change."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], changed: Callable[[str, Doc], None]) -> None:
        self.shelf, self._clock, self._changed = shelf, clock, changed

    def now(self) -> str:
        return self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def keep(self, kind: str, doc: Doc) -> None:
        """Under the next number."""
        doc["seq"], doc["updated_at"] = self.shelf.next_number("seq"), self.now()
        self.shelf.put(kind, doc["id"], doc, key=doc.get("reference", ""))
        self._changed(kind, doc)

    def page(self, kind: str, after: int, limit: int) -> Doc:
        fresh = sorted((doc for doc in self.shelf.all(kind) if doc["seq"] > after), key=lambda doc: int(doc["seq"]))
        items = fresh[:limit]
        last = items[-1]["seq"] if items else after
        return {"items": [shown(doc) for doc in items], "cursor": str(last), "more": len(fresh) > limit}

    def last_number(self, kind: str) -> int:
        return max((int(doc["seq"]) for doc in self.shelf.all(kind)), default=0)

    # Products

    def add_product(
        self, title: str, rows: Iterable[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> Doc:
        number = self.shelf.next_number("product")
        variants = [
            {"id": f"{number}-{n}", "sku": sku, "title": sku, "price": price, "count": count}
            for n, (sku, price, count) in enumerate(rows)
        ]
        doc: Doc = {"id": str(number), "title": title, "description": description, "currency": self.currency}
        doc |= {"on_sale": True, "images": [image] if image else [], "variants": variants}
        self.keep("product", doc)
        return doc

    @property
    def currency(self) -> str:
        return str((self.shelf.get("shop", "it") or {}).get("currency", CURRENCY))

    def product(self, product_id: str) -> Doc | None:
        doc = self.shelf.get("product", product_id)
        return None if doc is None or doc.get("deleted") else doc

    def variant(self, variant_id: str) -> tuple[Doc, Doc]:
        """Raises LookupError."""
        doc = self.product(variant_id.partition("-")[0])
        for row in doc["variants"] if doc else ():
            if doc and row["id"] == variant_id:
                return doc, row
        raise LookupError(f"there is no variant {variant_id}")

    def move(self, variant_id: str, delta: int) -> None:
        """A product that is gone keeps no count."""
        try:
            doc, row = self.variant(variant_id)
        except LookupError:
            return
        if row["count"] is not None:
            row["count"] += delta
            self.keep("product", doc)

    def delete_product(self, product_id: str) -> None:
        self.keep("product", {"id": product_id, "deleted": True})

    # Orders

    def place(self, asked: Mapping[str, Any]) -> tuple[Doc, bool]:
        """All or nothing; a reference that is there already is that order."""
        if asked["reference"] and (there := self.shelf.by_key("order", asked["reference"])):
            return there[0], True
        wanted = Counter[str]()
        for line in asked["lines"]:
            wanted[line["variant_id"]] += line["units"]
        short = []
        for variant, units in wanted.items():
            try:
                _, row = self.variant(variant)
            except LookupError:
                raise No("product_gone", "A product of the order is not in this shop any more.") from None
            if row["count"] is not None and row["count"] < units:
                short.append(variant)
        if short:
            raise No("no_stock", "There is not enough in stock.", short)
        number = str(self.shelf.next_number("order", start=1001))
        lines = [
            {"id": f"{number}-{n}", **{k: line[k] for k in ("product_id", "variant_id", "units", "unit_price")}}
            for n, line in enumerate(asked["lines"], 1)
        ]
        order: Doc = {"id": number, "number": f"#{number}", "reference": asked["reference"], "state": "open"}
        order |= {"currency": asked["currency"], "stock_taken": True, "lines": lines, "shipping": asked["shipping"]}
        order |= {"parcels": [], "refunds": [], "cancellations": [], "note": ""}
        order |= {name: asked[name] for name in ("email", "ship_to", "placed_at")}
        order["total"] = _total(order)
        with self.shelf.transaction():
            for variant, units in wanted.items():
                self.move(variant, -units)
            self.keep("order", order)
            self.shelf.note("order", id=number, reference=asked["reference"])
        return order, False

    def order(self, order_id: str, reference: str | None = None) -> Doc:
        """Raises No; `reference` has to be the order's."""
        doc = self.shelf.get("order", order_id)
        if doc is None:
            raise No("not_found", "This shop has no such order.")
        if reference is not None and doc["reference"] != reference:
            raise No("conflict", "This order has another reference.")
        return doc

    def cancel(self, order: Doc, *, restock: bool, note: str = "") -> None:
        with self.shelf.transaction():
            for line, units in self.left(order).items() if restock else ():
                self.move(_variant_of(order, line), units)
            order |= {"state": "cancelled", "note": note}
            self.keep("order", order)
            self.shelf.note("cancel", id=order["id"])

    def take(self, order: Doc, wanted: Mapping[str, int], key: str) -> None:
        """Units by line id leave the order and go back into the count."""
        with self.shelf.transaction():
            for line in order["lines"]:
                units = wanted.get(line["id"], 0)
                line["units"] -= units
                if units:
                    self.move(line["variant_id"], units)
            rows = [{"line_id": line, "units": units} for line, units in wanted.items()]
            order["cancellations"].append({"key": key, "lines": rows})
            order["total"] = _total(order)
            self.keep("order", order)

    def left(self, order: Doc) -> Counter[str]:
        """Units by line that no parcel holds."""
        units = Counter({line["id"]: line["units"] for line in order["lines"]})
        for parcel in order["parcels"]:
            for row in () if parcel.get("cancelled") else parcel["lines"]:
                units[row["line_id"]] -= row["units"]
        return +units

    def ship(self, order: Doc, wanted: Mapping[str, int], **about: str) -> Doc:
        left = self.left(order)
        if order["state"] != "open" or not wanted or any(units > left[line] for line, units in wanted.items()):
            raise No("too_late", "So much of the order is not left to ship.")
        rows = [{"line_id": line, "units": units} for line, units in wanted.items()]
        parcel: Doc = {"id": f"f{self.shelf.next_number('parcel')}", "lines": rows, **about}
        order["parcels"].append(parcel)
        self.keep("order", order)
        self.shelf.note("fulfil", id=order["id"], parcel=parcel["id"], tracking=about.get("tracking_number", ""))
        return parcel


def _total(order: Doc) -> str:
    goods = sum(Decimal(line["unit_price"]) * line["units"] for line in order["lines"])
    return str(Decimal(order["shipping"]) + goods)


def _variant_of(order: Doc, line_id: str) -> str:
    return next(str(line["variant_id"]) for line in order["lines"] if line["id"] == line_id)


def shown(doc: Doc) -> Doc:
    """As the contract shows it."""
    return {name: copy.deepcopy(value) for name, value in doc.items() if name not in _INSIDE}
