"""The simulated store's own books: a count for each variation, orders with one status of payment, which moves the
units, and one of fulfilment. Pages named are those of docs.ecwid.com/api-reference, or articles of support.ecwid.com.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id

SENT = ("SHIPPED", "DELIVERED", "OUT_FOR_DELIVERY", "RETURNED")
BACK = ("CANCELLED", "REFUNDED")
# As the marketplace's seller sees whose order it is.
SOURCE, TAKEN_BACK = "Crossdock", " (taken back)"
FIRST = {"product": 692730761, "variant": 422488528, "order": 492512057, "line": 1741253497}
DEFAULTS: Doc = {
    "currency": "USD",
    # Scopes that the app lacks.
    "without": [],
    # What no page says, so both are played: whether an order that a program creates takes units, whether a count can
    # fall below zero by it, whether it is refused when there is too little, whether a known external id is refused,
    # whether a changed count moves its product's date, whether the bound of `updatedFrom` is within, and whether
    # `keywords` are looked for at all.
    "takes": True,
    "floor": False,
    "refuses_short": False,
    "unique": False,
    "count_moves": True,
    "bound_within": True,
    "keywords": True,
    "unknown_is_404": False,
    # An error's body is optional (github Ecwid/ecwid-api-docs).
    "bodies": True,
    # What an app, a tax or a fee of the store adds to an order.
    "fee": "0",
    "suspended": False,
}


def stamp(at: datetime) -> str:
    """ "2024-05-01 05:26:28 +0000" (search-orders, the example)."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def unix(said: str) -> int:
    return int(datetime.strptime(said, "%Y-%m-%d %H:%M:%S %z").timestamp())


def public_id(number: int) -> str:
    """The other id of an order: five letters behind the seller's prefix ("MYSTORE-X8UYE", get-order)."""
    letters = ""
    for _ in range(5):
        number, left = divmod(number, 26)
        letters += chr(ord("A") + left)
    return f"SHOP-{letters}"


class Books(books.Books):
    """The store's rules about stock and statuses. It tells nobody: webhooks are set up by Ecwid's staff."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        numbered = books.numbered(shelf, FIRST)
        super().__init__(shelf, clock, lambda kind, event, doc: None, ids=numbered, stamp=stamp, settings=DEFAULTS)

    # Products

    def add_product(self, title: str, rows: Iterable[tuple[str, str, int]], *, place: str = "", **fields: Any) -> Doc:
        """One row makes a product without variations, which is its own variant."""
        doc = super().add_product(title, rows, place=place, **{"enabled": True, **fields})
        if len(doc["variants"]) == 1:
            doc["variants"][0]["id"] = f"p{doc['id']}"
            self.keep("product", doc, "", touch=False)
        return doc

    def delete_product(self, product_id: Id) -> None:
        super().delete_product(product_id)
        self._bury("product", product_id)

    def _bury(self, kind: str, id_: Id) -> None:
        self.shelf.put(f"deleted {kind}", id_, {"id": int(id_), "date": self.now()})

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, touch=self.settings["count_moves"])

    def move(self, product_id: Id, variant_id: Id, delta: int, *, floor: bool = False) -> int | None:
        """The count after it; None of what is unlimited and has none. Raises LookupError."""
        doc, row = self.variant(product_id, variant_id)
        if row.get("unlimited"):
            return None
        there = row["stock"][""] + delta
        there = max(0, there) if floor else there
        self.put_stock(doc["id"], row["id"], "", there)
        return int(there)

    def limit(self, product_id: str, variant_id: str, *, unlimited: bool) -> None:
        doc, row = self.variant(product_id, variant_id)
        row["unlimited"] = unlimited
        self.keep("product", doc)

    # Orders

    def place(self, asked: Mapping[str, Any], *, own: bool = False) -> Doc:
        """Whatever it says is taken: a product that is not there stands as it is written. The same twice is two orders.
        Raises Refusal.
        """
        if not own and self.settings["unique"] and self._known(asked.get("externalOrderId", "")):
            raise Refusal("EXTERNAL_ID_ALREADY_USED")
        lines = [self._line(item) for item in asked.get("items") or []]
        given = {name: value for name, value in asked.items() if name not in ("items", "paymentStatus")}
        fields: Doc = {"fulfillmentStatus": "AWAITING_PROCESSING", "total": 0.0, **given}
        fields["total"] = float(Decimal(str(fields["total"])) + Decimal(self.settings["fee"]))
        reference = given.get("externalOrderId") or ""
        doc = self.new_order(lines, reference=reference, fields=fields, status="INCOMPLETE", taken=False, own=own)
        with self.at_once():
            self.change(doc, {"paymentStatus": asked.get("paymentStatus") or "AWAITING_PAYMENT"})
            self.shelf.note("order", id=doc["id"], reference=reference)
        return doc

    def _known(self, reference: str) -> bool:
        return bool(reference) and any(doc["reference"] == reference for doc in self.shelf.all("order"))

    def _line(self, item: Mapping[str, Any]) -> Doc:
        product, combination = item["productId"], item.get("combinationId")
        about = {"id": self.new_id("line"), "product_id": product, "combination": combination}
        kept = {"sku": item.get("sku", ""), "title": item["name"], "quantity": item["quantity"]}
        return {**about, **kept, "variant_id": combination or f"p{product}", "price": str(item["price"])}

    def change(self, doc: Doc, asked: Mapping[str, Any], *, restock: bool = True) -> None:
        """Fields as they are given. “Cancelled” and “Refunded” restock, “Partially Refunded” does not (Canceling
        orders, Marking orders as refunded); a new list of items replaces the old one, and moves no units (a guess).
        """
        status = asked.get("paymentStatus") or doc["status"]
        with self.at_once():
            for name, value in asked.items():
                if name == "items":
                    doc["lines"] = [self._line(item) for item in value]
                elif name != "paymentStatus":
                    doc["fields"][name] = value
            doc["reference"] = doc["fields"].get("externalOrderId") or ""
            if doc["taken"] and status in BACK:
                self._move_all(doc, 1 if restock else 0)
                doc["taken"] = False
            elif not doc["taken"] and status not in (*BACK, "INCOMPLETE") and (doc["own"] or self.settings["takes"]):
                self._take(doc)
            changed, doc["status"] = status != doc["status"], status
            self.keep("order", doc)
        if changed or "fulfillmentStatus" in asked:
            self._mail(doc)

    def _take(self, doc: Doc) -> None:
        if doc["own"] or self.settings["refuses_short"]:
            wanted: dict[tuple[Any, Any], int] = {}
            for line in doc["lines"]:
                key = (line["product_id"], line["variant_id"])
                wanted[key] = wanted.get(key, 0) + line["quantity"]
            for (product, variant), units in wanted.items():
                row = self._row(product, variant)
                if row and not row.get("unlimited") and row["stock"][""] < units:
                    raise Refusal(f"There are only {row['stock']['']} left of {row['sku']}.")
        self._move_all(doc, -1)
        doc["taken"] = True

    def _row(self, product: Id, variant: Id) -> Doc | None:
        try:
            return self.variant(product, variant)[1]
        except LookupError:
            return None

    def _move_all(self, doc: Doc, sign: int) -> None:
        for line in doc["lines"]:
            if sign and self._row(line["product_id"], line["variant_id"]):
                floor = self.settings["floor"] and sign < 0
                self.move(line["product_id"], line["variant_id"], sign * line["quantity"], floor=floor)

    def _mail(self, doc: Doc) -> None:
        """ "If false or empty, then email notifications are sent to customer" (get-order)."""
        to = doc["fields"].get("email")
        if to and not doc["fields"].get("disableAllCustomerNotifications"):
            self.shelf.note("mail", to=to, about=doc["status"], order=doc["id"])

    def delete_order(self, order_id: Id) -> None:
        """For good; its units stay away (a guess)."""
        self.shelf.delete("order", order_id)
        self._bury("order", order_id)

    # What the seller does in the admin (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        product, row = self.variant(product_id, variant_id)
        combination = None if str(row["id"]).startswith("p") else row["id"]
        item = {"productId": product["id"], "combinationId": combination, "name": product["title"], "sku": row["sku"]}
        item |= {"quantity": units, "price": float(row["price"])}
        total = float(Decimal(row["price"]) * units)
        who = {"email": "customer@example.test", "shippingPerson": {"name": "Own Customer"}}
        return str(self.place({**who, "paymentStatus": "PAID", "total": total, "items": [item]}, own=True)["id"])

    def standing(self, doc: Doc) -> Standing:
        fields = doc["fields"]
        person = fields.get("shippingPerson") or {}
        who = (person.get("name"), fields.get("email"), fields.get("privateAdminNotes"))
        taken_back, ours = doc["reference"].endswith(TAKEN_BACK), fields.get("refererId") == SOURCE
        return books.standing(
            doc,
            number=public_id(doc["id"]),
            reference=doc["reference"] if ours else "",
            buyer=" ".join(filter(None, who)),
            total=f"{Decimal(str(fields['total'])):.2f}",
            cancelled=doc["status"] in BACK,
            parcels=int(fields["fulfillmentStatus"] in SENT),
            taken_back=taken_back,
        )

    def left(self, doc: Doc) -> Mapping[Any, int]:
        """All of it or nothing."""
        sent = doc["fields"]["fulfillmentStatus"] in SENT
        return {} if sent else {line["id"]: line["quantity"] for line in doc["lines"]}

    def ship(self, doc: Doc, rows: books.Rows, *, tracking: str, carrier: str) -> str:
        """The whole order, whatever is in `rows`. Ecwid lets a seller do so whatever was paid."""
        self.change(doc, {"fulfillmentStatus": "SHIPPED", "trackingNumber": tracking})
        if carrier:
            option = doc["fields"].get("shippingOption") or {}
            self.change(doc, {"shippingOption": {**option, "shippingCarrierName": carrier}})
        return "order"

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        self.change(doc, {"trackingNumber": tracking})

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """Ecwid restocks by itself; who does not want that takes the units out again."""
        self.change(doc, {"paymentStatus": "CANCELLED"}, restock=restock)

    def refund(self, doc: Doc, amount: Decimal) -> str:
        """ "CP": changed by the merchant in the control panel (get-order, RefundsInfo)."""
        made = self.add_refund(doc, amount, source="CP")
        whole = books.refunded(doc) >= Decimal(str(doc["fields"]["total"]))
        self.change(doc, {"paymentStatus": "REFUNDED" if whole else "PARTIALLY_REFUNDED"})
        return str(made["id"])
