"""The simulated site's own books: stock by location, orders that take their units from the default one when they are
approved, and fulfilments.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossdock.connectors.wix.sandbox.models import LINKS, CreateOrder, Item, NewFulfillment, Tracking
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id

V1, V3 = "V1_CATALOG", "V3_CATALOG"
HOME = "11111111-0000-4000-8000-000000000001"
SINGLE = "00000000-0000-0000-0000-000000000000"
APPROVED, CANCELED, INITIALIZED = "APPROVED", "CANCELED", "INITIALIZED"
KINDS = ("product", "variant", "order", "line", "parcel", "refund", "activity")
DEFAULTS: Doc = {
    "currency": "USD",
    "catalog": V3,
    # Permissions that the key lacks: "stores", "stores write", "ecom", "ecom write".
    "without": [],
    # What no page says, so both are played: whether an order that is sent as approved and paid is so at once, whether a
    # count can fall below zero, whether the list of variants has products without options (seen: it has not), and
    # whether orders of a program move stock at all.
    "approves": True,
    "floor": False,
    "lists_single": True,
    "moves_stock": True,
    # How often the stock is read until an order's units have left it; how many searches miss a new order.
    "late": 0,
    "unseen": 0,
    # What an app of the site's adds to an order.
    "fee": "0",
}


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _ids(shelf: Shelf) -> Callable[[str], Id]:
    return lambda kind: f"{shelf.next_number(kind):08x}-{KINDS.index(kind) + 1:04x}-4000-8000-0123456789ab"


class Books(books.Books):
    """The site's rules about stock and statuses. It tells nobody: webhooks are for apps."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        super().__init__(shelf, clock, lambda kind, event, doc: None, ids=_ids(shelf), stamp=instant, settings=DEFAULTS)

    # Products. A variant's id is "{productId}.{variantId}", as that of Wix's StoreVariant.

    def add_product(self, title: str, rows: Iterable[tuple[str, str, int]], *, place: str = HOME, **fields: Any) -> Doc:
        about = {"visible": True, "type": "PHYSICAL", "tracked": True, "in_stock": True, "preorder": False}
        about |= {"managed": True, "revision": 1}
        doc = super().add_product(title, rows, place=place, **{**about, **fields})
        single = len(doc["variants"]) == 1
        for row in doc["variants"]:
            of_old = single and self.settings["catalog"] == V1
            row["id"] = f"{doc['id']}.{SINGLE if of_old else row['id']}"
            row["item"] = f"{row['id'].partition('.')[2][:8]}-{doc['id'][:4]}-4000-9000-0123456789ab"
        return self.keep("product", doc, touch=False)

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """A count moves no date of its product (a guess: nothing is said of it)."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, touch=False)

    def change(self, product_id: str, **changes: Any) -> None:
        """What the seller sets at a product."""
        self.keep("product", self.shelf.need("product", product_id) | changes)

    def move(self, variant_id: str, delta: int) -> None:
        """At the default location. What is gone, or not tracked, has no count to move."""
        product_id = variant_id.partition(".")[0]
        try:
            doc, row = self.variant(product_id, variant_id)
        except LookupError:
            return
        if doc["tracked"]:
            there = row["stock"].get(HOME, 0) + delta
            self.put_stock(product_id, variant_id, HOME, max(0, there) if self.settings["floor"] else there)

    # Orders

    def place(self, asked: CreateOrder | None, lines: Iterable[tuple[str, int, str]]) -> Doc:
        """`lines` are (variant id, units, price of each); no `asked` is a customer of the site's own. Nothing looks at
        the stock, and the same twice is two orders. Raises LookupError for what is not there.
        """
        rows = [
            self.line(*self.variant(variant.partition(".")[0], variant), units, price=price)
            for variant, units, price in lines
        ]
        about: Doc = {"number": str(10_000 + self.shelf.next_number("order number")), "currency": self._currency()}
        about |= {"status": APPROVED, "payment": "PAID", "channel": {"type": "WEB"}, "to": None, "fields": []}
        about |= {"email": "customer@example.test", "note": "", "taken": False, "comments": [], "unseen": 0}
        doc = self.new_order(rows, **about, marked=False, fee="0")
        if asked is not None:
            self._ours(doc, asked)
        with self.at_once():
            self._take(doc)
            self.keep("order", doc, "created")
            self.shelf.note("order", id=doc["id"], reference=doc["reference"])
        return doc

    def _currency(self) -> str:
        return str(self.settings["currency"])

    def _ours(self, doc: Doc, asked: CreateOrder) -> None:
        order, settings = asked.order, self.settings
        paid = order.payment_status == "PAID" and settings["approves"]
        doc |= {"channel": order.channel_info.model_dump(by_alias=True), "fee": settings["fee"]}
        doc |= {"reference": order.channel_info.external_order_id or "", "unseen": settings["unseen"]}
        doc |= {"currency": order.currency or doc["currency"], "note": order.buyer_note or ""}
        doc |= {"status": APPROVED if paid else INITIALIZED, "payment": "PAID" if paid else "NOT_PAID"}
        doc["email"] = order.buyer_info.email if order.buyer_info else ""
        doc["fields"] = [field.model_dump(by_alias=True) for field in order.custom_fields]
        doc["shipping"] = order.price_summary.shipping.amount
        to = order.shipping_info.logistics.shipping_destination if order.shipping_info else None
        doc["to"] = to.model_dump(by_alias=True, exclude_none=True) if to else None
        # "Orders without shipping info are fulfilled automatically".
        doc["marked"] = to is None
        if asked.settings.notifications.send_notification_to_buyer:
            self._mail(doc, "confirmation")

    def paid(self, doc: Doc) -> Doc:
        """Raises Refusal where it is paid already."""
        if doc["payment"] != "NOT_PAID":
            raise Refusal("ORDER_ALREADY_PAID")
        doc |= {"status": APPROVED, "payment": "PAID"}
        with self.at_once():
            self._take(doc)
            return self.keep("order", doc)

    def _take(self, doc: Doc) -> None:
        """Once, and perhaps in its own time."""
        ours = bool(doc["reference"])
        if doc["status"] != APPROVED or doc["taken"] or (ours and not self.settings["moves_stock"]):
            return
        doc["taken"] = True
        moves = [[line["variant_id"], -line["quantity"]] for line in doc["lines"]]
        if ours and self.settings["late"]:
            self.shelf.put("waiting", doc["id"], {"id": doc["id"], "moves": moves, "reads": self.settings["late"]})
        else:
            self._apply(moves)

    def _apply(self, moves: Iterable[Any]) -> None:
        for variant_id, delta in moves:
            self.move(variant_id, delta)

    def read_once(self) -> None:
        """Somebody reads the stock: what waits comes nearer."""
        for each in self.shelf.all("waiting"):
            if each["reads"] > 0:
                self.shelf.put("waiting", each["id"], each | {"reads": each["reads"] - 1})
            else:
                self.shelf.delete("waiting", each["id"])
                self._apply(each["moves"])

    def total(self, doc: Mapping[str, Any]) -> Decimal:
        return books.total(doc) + Decimal(doc["fee"])

    def comment(self, doc: Doc, message: str) -> str:
        made = {"id": self.new_id("activity"), "message": message, "created": self.now()}
        doc["comments"].append(made)
        self.keep("order", doc)
        return str(made["id"])

    def end(self, doc: Doc, *, restock: bool, mail: bool) -> None:
        """A second time it puts back a second time (a guess, the worse one)."""
        with self.at_once():
            if restock and doc["taken"]:
                self._apply([line["variant_id"], line["quantity"]] for line in doc["lines"])
            doc["status"] = CANCELED
            self.keep("order", doc)
        if mail:
            self._mail(doc, "canceled")

    def fulfil(self, doc: Doc, asked: NewFulfillment) -> Doc:
        """Raises Refusal for a cancelled order, and for more than is left."""
        if doc["status"] == CANCELED:
            raise Refusal("The order is canceled.")
        there = self.left(doc)
        rows = [(item.id, item.quantity or there.get(item.id, 0)) for item in asked.line_items]
        made = self.add_parcel(doc, rows, tracking=stored(asked.tracking_info))
        self.keep("order", doc)
        self._mail(doc, "shipping confirmation")
        return made

    def renumber_to(self, doc: Doc, parcel_id: Id, tracking: Tracking | None) -> None:
        """Raises LookupError."""
        books.parcel(doc, parcel_id)["tracking"] = stored(tracking)
        self.keep("order", doc)

    def unfulfil(self, doc: Doc, parcel_id: Id) -> None:
        """Raises LookupError."""
        doc["parcels"].remove(books.parcel(doc, parcel_id))
        self.keep("order", doc)

    def _mail(self, doc: Doc, about: str) -> None:
        if doc["email"]:
            self.shelf.note("mail", to=doc["email"], about=about, order=doc["id"])

    # What the seller does in the dashboard (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        """Its own checkout sells only what is there."""
        _, row = self.variant(product_id, variant_id)
        if (there := row["stock"].get(HOME, 0)) < units:
            raise Refusal(f"there are only {there} left")
        return str(self.place(None, [(variant_id, units, row["price"])])["id"])

    def standing(self, doc: Doc) -> Standing:
        contact = (doc["to"] or {}).get("contactDetails", {})
        who = (contact.get("firstName"), contact.get("lastName"), doc["email"], *(f["value"] for f in doc["fields"]))
        cancelled = doc["status"] == CANCELED
        return books.standing(
            doc,
            number=doc["number"],
            buyer=" ".join(filter(None, who)),
            total=f"{self.total(doc):f}",
            cancelled=cancelled,
            parcels=len(doc["parcels"]) or int(doc["marked"]),
            taken_back=cancelled and any("[crossdock taken-back]" in each["message"] for each in doc["comments"]),
        )

    def left(self, doc: Doc) -> Mapping[Any, int]:
        return books.left(doc)

    def ship(self, doc: Doc, rows: books.Rows, *, tracking: str, carrier: str) -> str:
        known = carrier.lower() if carrier.lower() in LINKS else None
        info = Tracking(tracking_number=tracking, shipping_provider=known) if tracking else None
        items = [Item(id=line, quantity=units) for line, units in rows]
        return str(self.fulfil(doc, NewFulfillment(line_items=items, tracking_info=info))["id"])

    def mark(self, doc: Doc) -> None:
        """As fulfilled, without a parcel."""
        self.keep("order", doc | {"marked": True})

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        before = books.parcel(doc, parcel_id)["tracking"] or {}
        self.renumber_to(
            doc, parcel_id, Tracking(tracking_number=tracking, shipping_provider=before.get("shippingProvider"))
        )

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        self.end(doc, restock=restock, mail=True)

    def refund(self, doc: Doc, amount: Decimal) -> str:
        made = self.add_refund(doc, amount, status="SUCCEEDED")
        doc["payment"] = "FULLY_REFUNDED" if books.refunded(doc) >= self.total(doc) else "PARTIALLY_REFUNDED"
        self.keep("order", doc)
        return str(made["id"])


def stored(tracking: Tracking | None) -> Doc | None:
    """With the link that Wix makes itself."""
    if tracking is None:
        return None
    doc: Doc = tracking.model_dump(mode="json", by_alias=True, exclude_none=True)
    if "trackingLink" not in doc and tracking.shipping_provider in LINKS:
        doc["trackingLink"] = LINKS[tracking.shipping_provider or ""] + (tracking.tracking_number or "")
    return doc
