"""The books of a simulated shop: settings, products with stock by place, orders with lines, parcels and refunds.

What every shop does, as pieces that a simulator calls. They decide nothing: when units are taken or given back, what is
refused, which change moves whose date and what a parcel does to an order are the platform's, written in its folder.

Documents are JSON; a platform adds fields of its own, and ids are numbers or text, as it has them:
product   id, title, description, image, variants, created, updated; what the seller wrote about it (`describe`):
          option_name, properties [[name, value]], tags, types
variant   id, sku, price (decimal text), option (empty where there is one alone), stock {place: units}
order     id, reference, lines, parcels, refunds, shipping (decimal text), created, updated
line      id, product_id, variant_id, sku, title, quantity, price
parcel    id, lines [[line id, units]], created, updated; `cancelled` once it is undone
refund    id, amount (decimal text), created
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import Standing, Stocked, Words
from crossdock.kit.sandbox.shelf import Doc, Shelf

# (kind, what happened, document), as in ("order", "updated", {...}): the platform makes its webhook of it, or none.
Tell = Callable[[str, str, Doc], None]
Id = str | int
Rows = list[tuple[Any, int]]


class Refusal(Exception):
    """What the shop refuses, in its own words. A platform's refusals derive from it, so the merchant knows them."""


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def numbered(shelf: Shelf, first: Mapping[str, int]) -> Callable[..., Any]:
    """Ids by kind, counted from `first`."""
    return lambda kind: shelf.next_number(kind, first.get(kind, 1))


class Documents:
    """Settings, ids, dated documents and their news, whatever the documents look like."""

    def __init__(
        self,
        shelf: Shelf,
        clock: Callable[[], datetime],
        tell: Tell,
        *,
        ids: Callable[..., Any] | None = None,
        stamp: Callable[[datetime], str] = iso,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.shelf, self.clock = shelf, clock
        self.new_id = ids or numbered(shelf, {})
        self._tell, self._stamp, self._defaults = tell, stamp, dict(settings or {})
        self._held: list[tuple[str, str, Doc]] | None = None

    # What the seller sets

    @property
    def settings(self) -> Doc:
        return self._defaults | (self.shelf.get("settings", "it") or {})

    def set(self, **changes: Any) -> None:
        self.shelf.put("settings", "it", (self.shelf.get("settings", "it") or {}) | changes)

    # Documents

    def now(self) -> str:
        return self._stamp(self.clock())

    def need(self, kind: str, id: Id) -> Doc:
        """Raises LookupError."""
        return self.shelf.need(kind, id)

    def keep(self, kind: str, doc: Doc, event: str = "updated", *, touch: bool = True) -> Doc:
        """Store what changed, and tell of it. `touch` moves its date; an empty `event` tells nobody."""
        if touch:
            doc["updated"] = self.now()
        self.shelf.put(kind, doc["id"], doc, key=str(doc.get("reference") or ""))
        if event:
            self.tell(kind, event, doc)
        return doc

    def tell(self, kind: str, event: str, doc: Doc) -> None:
        if self._held is None:
            self._tell(kind, event, doc)
        else:
            self._held.append((kind, event, doc))

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """All or nothing, and told only when it is done."""
        if self._held is not None:
            yield
            return
        held = self._held = []
        try:
            with self.shelf.transaction():
                yield
        finally:
            self._held = None
        for news in held:
            self._tell(*news)

    def changed_since(self, kind: str, moment: str) -> list[Doc]:
        """Changed then or later, the oldest change first, and by id within a moment."""
        found = [doc for doc in self.shelf.all(kind) if doc["updated"] >= moment]
        return sorted(found, key=lambda doc: (doc["updated"], doc["id"]))


class Books(Documents):
    """Products and orders on a shelf, in the shape above. A platform's own books add what it alone does."""

    # Products

    def add_product(self, title: str, rows: Iterable[tuple[str, str, int]], *, place: str = "", **fields: Any) -> Doc:
        """`rows` are (sku, price, count); one alone has no option to choose."""
        rows, doc = list(rows), {"id": self.new_id("product"), "title": title, "created": self.now(), **fields}
        doc["variants"] = [
            {
                "id": self.new_id("variant"),
                "sku": sku,
                "price": price,
                "option": sku if len(rows) > 1 else "",
                "stock": {place: count},
            }
            for sku, price, count in rows
        ]
        for row in doc["variants"]:
            self.shelf.put("product of", row["id"], {"id": doc["id"]})
        return self.keep("product", doc, "created")

    def variant(self, product_id: Id | None, variant_id: Id) -> tuple[Doc, Doc]:
        """Its product and its row there; no product is named where the API names variants alone. Raises LookupError."""
        if product_id is None:
            product_id = self.shelf.need("product of", variant_id)["id"]
        product = self.shelf.need("product", product_id)
        for row in product["variants"]:
            if str(row["id"]) == str(variant_id):
                return product, row
        raise LookupError(f"product {product_id} has no variant {variant_id}")

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """So many lie there now."""
        product, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", product)

    def describe(self, product_id: Id, words: Words) -> None:
        """Raises LookupError."""
        doc = self.shelf.need("product", product_id)
        doc |= {"option_name": words.option, "tags": list(words.tags), "types": list(words.types)}
        doc["properties"] = [list(pair) for pair in words.properties]
        for row, value in zip(doc["variants"], words.values, strict=True):
            row["option"] = value
        self.keep("product", doc)

    def delete_product(self, product_id: Id) -> None:
        """For good. Raises LookupError."""
        product = self.shelf.need("product", product_id)
        self.shelf.delete("product", product_id)
        self.tell("product", "deleted", product)

    # Orders. Those below change the document that they are given; `keep` it afterwards.

    def order(self, order_id: Id) -> Doc:
        """Raises LookupError."""
        return self.shelf.need("order", order_id)

    def line(self, product: Doc, row: Doc, quantity: int, **fields: Any) -> Doc:
        doc = {"id": self.new_id("line"), "product_id": product["id"], "variant_id": row["id"], "sku": row["sku"]}
        return {**doc, "title": product["title"], "quantity": quantity, "price": row["price"], **fields}

    def new_order(self, lines: Sequence[Doc], *, reference: str = "", shipping: str = "0", **fields: Any) -> Doc:
        doc = {"id": self.new_id("order"), "reference": reference, "lines": list(lines), "parcels": [], "refunds": []}
        return {**doc, "shipping": shipping, "created": self.now(), **fields}

    def add_parcel(self, order: Doc, rows: Rows, **fields: Any) -> Doc:
        """Raises Refusal for nothing, and for more than is left."""
        there = left(order)
        if not rows or any(not 0 < units <= there[line] for line, units in rows):
            raise Refusal("so much of the order is not left to ship")
        made = {"id": self.new_id("parcel"), "lines": [list(row) for row in rows], "created": self.now(), **fields}
        order["parcels"].append(made)
        return made

    def add_refund(self, order: Doc, amount: Decimal, **fields: Any) -> Doc:
        made = {"id": self.new_id("refund"), "amount": f"{amount:.2f}", "created": self.now(), **fields}
        order["refunds"].append(made)
        return made


# What an order says, for any books whose lines and parcels have these names


def parcel(order: Mapping[str, Any], parcel_id: Id) -> Doc:
    """Raises LookupError."""
    for made in order["parcels"]:
        if str(made["id"]) == str(parcel_id):
            found: Doc = made
            return found
    raise LookupError(f"the order has no parcel {parcel_id}")


def left_of(lines: Iterable[Mapping[str, Any]], sent: Iterable[Sequence[Any]], units: str = "quantity") -> Counter[Any]:
    """Units by line id, those alone of which some are left; `sent` are (line id, units), in any order."""
    there = Counter({line["id"]: line[units] for line in lines})
    for line_id, gone, *_ in sent:
        there[line_id] -= gone
    return +there


def left(order: Mapping[str, Any]) -> Counter[Any]:
    """Units by line id that no living parcel holds."""
    living = [made for made in order["parcels"] if not made.get("cancelled")]
    return left_of(order["lines"], [row for made in living for row in made["lines"]])


def rows_to_ship(
    lines: Iterable[Mapping[str, Any]],
    there: Mapping[Any, int],
    wanted: Sequence[tuple[str, int]] = (),
    *,
    variant: Callable[[Mapping[str, Any]], Any] = lambda line: line["variant_id"],
) -> Rows:
    """(line id, units): all that is left, or so many of each variant, from its first line on. Raises Refusal when more
    is wanted than is left, or nothing is left.
    """
    asked, rows = Counter(dict(wanted)), []
    for line in lines:
        name, here = str(variant(line)), there.get(line["id"], 0)
        units = min(here, asked[name]) if wanted else here
        asked[name] -= units
        if units > 0:
            rows.append((line["id"], units))
    if not rows or (wanted and +asked):
        raise Refusal("so much of the order is not left to ship")
    return rows


def total(order: Mapping[str, Any]) -> Decimal:
    """Of the lines as they are now, and the shipping."""
    goods = (Decimal(line["price"]) * line["quantity"] for line in order["lines"])
    return sum(goods, Decimal(order["shipping"]))


def refunded(order: Mapping[str, Any]) -> Decimal:
    return sum((Decimal(each["amount"]) for each in order["refunds"]), Decimal(0))


def split(line: Doc, units: int, *counted: str) -> Doc:
    """A second line of the same variant with so many of its units, which takes its share of what is counted per line,
    the quantity first. It needs an id of its own.
    """
    new = {**line}
    for name in ("quantity", *counted):
        new[name] = min(units, line[name])
        line[name] -= new[name]
    return new


def money(text: str) -> Decimal:
    """What a person types. Raises ValueError."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount") from None


# How the seller sees it (kit/hand.py)


def stocked(product: Mapping[str, Any], row: Mapping[str, Any]) -> Stocked:
    title = f"{product['title']}, {row['option']}" if row["option"] else product["title"]
    units = sum(row["stock"].values())
    return Stocked(str(product["id"]), str(row["id"]), row["sku"], title, units, row["price"])


def standing(order: Mapping[str, Any], *, buyer: str, cancelled: bool, **fields: Any) -> Standing:
    """`fields` where the platform shows something else than the document has."""
    shown: dict[str, Callable[[], Any]] = {
        "shop_id": lambda: str(order["id"]),
        "number": lambda: str(order["id"]),
        "reference": lambda: order["reference"],
        "lines": lambda: tuple((str(line["variant_id"]), line["quantity"]) for line in order["lines"]),
        "total": lambda: f"{total(order):.2f}",
        "parcels": lambda: sum(not made.get("cancelled") for made in order["parcels"]),
    }
    here = {name: read() for name, read in shown.items() if name not in fields}
    return Standing(**here, buyer=buyer, cancelled=cancelled, **fields)


def refs(product: Mapping[str, Any]) -> tuple[VariantRef, ...]:
    return tuple(VariantRef(str(product["id"]), str(row["id"])) for row in product["variants"])
