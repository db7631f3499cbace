"""The simulated store's own books: stock levels with reservations, drafts that become orders, and what Medusa 2.21.2
does to them (each oddity was seen there: tests/real).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.connectors.medusa.sandbox.ids import ulid
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Id, Rows

HOME, OPTION = f"sloc_{ulid('home')}", f"so_{ulid('post')}"
CHANNEL = f"sc_{ulid('channel')}"
COUNTRIES = ("de", "gb", "us")
PREFIX = {
    "product": "prod",
    "variant": "variant",
    "item": "iitem",
    "order": "order",
    "line": "ordli",
    "parcel": "ful",
    "refund": "ref",
    "collection": "pay_col",
    "payment": "pay",
    "location": "sloc",
    "change": "ordch",
}
DEFAULTS: Doc = {
    "currency": "USD",
    # An automatic promotion in percent, and a tax on top of prices.
    "promotion": 0,
    "tax": 0,
    "with_tax": False,
    "region": True,
    "shipping": True,
}


class No(Refusal):
    """As Medusa writes it: a status, a type and a message."""

    def __init__(self, type_: str, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.status = {"not_found": 404, "unknown_error": 500}.get(type_, 400)
        self.body = {**({"code": code} if code else {}), "type": type_, "message": message}


def stamp(moment: datetime) -> str:
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}.{moment.microsecond // 1000:03d}Z"


class Books(books.Books):
    """The store's rules about stock, drafts and payments."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime]) -> None:
        def new_id(kind: str) -> Id:
            return f"{PREFIX[kind]}_{ulid(f'{kind} {shelf.next_number(kind)}')}"

        super().__init__(shelf, clock, lambda *news: None, ids=new_id, stamp=stamp, settings=DEFAULTS)
        if shelf.get("location", HOME) is None:
            shelf.put("location", HOME, {"id": HOME, "name": "Home"})

    @property
    def store_id(self) -> str:
        """Another one in each store, as the key is."""
        return f"store_{ulid(str(self.shelf.need('key', 'it')['token']))}"

    # Products. A variant's change moves its own date, and a level's none of both.

    def add_product(self, title: str, rows: Any, *, place: str = HOME, **fields: Any) -> Doc:
        doc = super().add_product(title, rows, place=place or HOME, **{"status": "published", **fields})
        for row in doc["variants"]:
            row |= {"item": self.new_id("item"), "reserved": {}, "managed": True, "backorder": False}
            row["updated"] = doc["updated"]
        return self.keep("product", doc, touch=False)

    def put_stock(self, product_id: Id, variant_id: Id, place: str, count: int) -> None:
        """So many lie there, the reserved ones among them."""
        doc, row = self.variant(product_id, variant_id)
        row["stock"][place] = count
        self.keep("product", doc, touch=False)

    def change_variant(self, product_id: Id, variant_id: Id, **changes: Any) -> None:
        doc, row = self.variant(product_id, variant_id)
        row |= {**changes, "updated": self.now()}
        self.keep("product", doc, touch=False)

    def delete_product(self, product_id: Id) -> None:
        doc = self.shelf.need("product", product_id)
        if any(sum(row["reserved"].values()) for row in doc["variants"]):
            raise No("invalid_data", "Cannot remove following inventory item(s) since they have reservations")
        super().delete_product(product_id)

    def named(self, variant_id: str) -> tuple[Doc, Doc]:
        """Of a published product. Raises LookupError."""
        for doc in self.shelf.all("product"):
            for row in doc["variants"]:
                if row["id"] == variant_id and doc["status"] == "published":
                    return doc, row
        raise LookupError(variant_id)

    def _move(self, line: Mapping[str, Any], place: str, *, stocked: int = 0, reserved: int = 0) -> None:
        try:
            doc, row = self.variant(line["product_id"], line["variant_id"])
        except LookupError:
            return
        if row["managed"]:
            row["stock"][place] = row["stock"].get(place, 0) + stocked
            row["reserved"][place] = row["reserved"].get(place, 0) + reserved
            self.keep("product", doc, touch=False)

    # Orders

    @property
    def region(self) -> str:
        """A country lies in one region alone, so that another currency is another region with the same countries."""
        return f"reg_{ulid('region ' + self.settings['currency'])}"

    def draft(self, asked: Mapping[str, Any]) -> Doc:
        """No stock is taken. It is compared with the sum of all locations, line by line."""
        if asked["region_id"] != self.region:
            raise No("not_found", f"Region with id {asked['region_id']} not found")
        lines, gone = [], []
        for item in asked.get("items", ()):
            try:
                product, row = self.named(item["variant_id"])
            except LookupError:
                gone.append(item["variant_id"])
                continue
            price = str(item.get("unit_price", row["price"]))
            lines.append(self.line(product, row, item["quantity"], price=price, place="", fulfilled=0))
        if gone:
            names = ", ".join(gone)
            raise No("invalid_data", f"Variants {names} do not exist or belong to a product that is not published")
        for line in lines:
            _, row = self.variant(line["product_id"], line["variant_id"])
            if row["managed"] and not row["backorder"] and available(row) < line["quantity"]:
                message = "Some variant does not have the required inventory"
                raise No("not_allowed", message, code="insufficient_inventory")
        methods = asked.get("shipping_methods", ())
        doc = self.new_order(
            lines,
            reference=(asked.get("metadata") or {}).get("crossdock_reference", ""),
            shipping=str(methods[0]["amount"]) if methods else "0",
            option=methods[0]["shipping_option_id"] if methods else "",
            number=self.shelf.next_number("number"),
            status="draft",
            currency=self.settings["currency"],
            email=asked.get("email", ""),
            metadata=dict(asked.get("metadata") or {}),
            addresses=[asked.get("shipping_address") or {}, asked.get("billing_address") or {}],
            collections=[],
            changes=[],
            promotion=self.settings["promotion"],
            canceled_at=None,
        )
        return self.keep("order", doc)

    def convert(self, doc: Doc) -> None:
        """Each line is compared with the levels as they were before any of them: two of one variant get the same
        units twice. A line is taken from one location.
        """
        if doc["status"] != "draft":
            raise No("invalid_data", f"Order {doc['id']} is not a draft order")
        places: list[str] = []
        for line in doc["lines"]:
            _, row = self.variant(line["product_id"], line["variant_id"])
            levels = [(place, count - row["reserved"].get(place, 0)) for place, count in row["stock"].items()]
            fits = [place for place, count in levels if count >= line["quantity"] or row["backorder"]]
            if row["managed"] and not fits:
                raise No("not_allowed", f"Not enough stock available for item {row['item']} at location {HOME}")
            places.append(fits[0] if fits and row["managed"] else "")
        for line, place in zip(doc["lines"], places, strict=True):
            line["place"] = place
            if place:
                self._move(line, place, reserved=line["quantity"])
        doc["status"] = "pending"
        self.shelf.note("order", id=doc["id"], reference=doc["reference"])
        self.keep("order", doc)

    def discount(self, doc: Doc) -> Decimal:
        goods = sum((Decimal(line["price"]) * line["quantity"] for line in doc["lines"]), Decimal(0))
        return goods * Decimal(doc["promotion"]) / 100

    def credited(self, doc: Doc) -> Decimal:
        return books.refunded(doc)

    def total(self, doc: Doc) -> Decimal:
        """A refund lowers it by a credit line; a tax has as many decimals as it comes to."""
        whole = books.total(doc) - self.discount(doc)
        return whole + whole * Decimal(self.settings["tax"]) / 100 - self.credited(doc)

    # An order or a draft is edited in three steps, and meanwhile nothing else is done to it.

    def being_edited(self, doc: Doc) -> bool:
        return any(change["status"] == "pending" for change in doc["changes"])

    def begin_edit(self, doc: Doc) -> Doc:
        self._unedited(doc)
        doc["changes"].append({"id": self.new_id("change"), "status": "pending", "promotion": doc["promotion"]})
        return self.keep("order", doc, touch=False)

    def end_edit(self, doc: Doc, *, confirmed: bool = True) -> Doc:
        if not self.being_edited(doc):
            raise No("invalid_data", "An active Order Change is required to proceed")
        change = doc["changes"][-1]
        change["status"] = "confirmed" if confirmed else "canceled"
        doc["promotion"] = change["promotion"] if confirmed else doc["promotion"]
        return self.keep("order", doc)

    def _unedited(self, doc: Doc) -> None:
        if self.being_edited(doc):
            raise No("invalid_data", f"Order ({doc['id']}) already has an existing active order change")

    def _not_cancelled(self, doc: Doc) -> None:
        if doc["status"] == "canceled":
            raise No("invalid_data", f"Order with id {doc['id']} has been canceled.")

    def cancel_order(self, doc: Doc) -> None:
        """The refund comes first: where an edit is open the cancel is refused, and the refund stays."""
        self._not_cancelled(doc)
        if doc["status"] == "completed":
            raise No("not_allowed", "Cannot cancel a completed order. Please use the return process to handle refunds.")
        if any(not made.get("cancelled") for made in doc["parcels"]):
            raise No("not_allowed", "All fulfillments must be canceled before canceling an order")
        paid = sum((Decimal(held["paid"]) for held in doc["collections"] if held["status"] == "completed"), Decimal(0))
        if rest := paid - books.refunded(doc):
            self.add_refund(doc, rest, note=None)
            self.keep("order", doc, touch=False)
        self._unedited(doc)
        for line in doc["lines"]:
            if line["place"]:
                self._move(line, line["place"], reserved=line["fulfilled"] - line["quantity"])
        doc["status"], doc["canceled_at"] = "canceled", self.now()
        self.keep("order", doc)

    def archive(self, doc: Doc) -> None:
        """Only what is completed, cancelled or a draft (order-module-service.js: archive_)."""
        if doc["status"] not in ("completed", "canceled", "draft"):
            raise No("invalid_data", f"Orders {doc['id']} are completed, canceled, or in draft and cannot be archived")
        doc |= {"drafted": doc["status"] == "draft", "status": "archived"}
        self.keep("order", doc)

    def fulfil(self, doc: Doc, rows: Rows, *, place: str = "", metadata: Mapping[str, Any] | None = None) -> Doc:
        """Without a location it is the shipping option's."""
        self._not_cancelled(doc)
        self._unedited(doc)
        lines, place = {line["id"]: line for line in doc["lines"]}, place or HOME
        for line_id, units in rows:
            line = lines.get(line_id)
            if line is None:
                raise No("invalid_data", f"Items with ids {line_id} does not exist in order with id {doc['id']}.")
            if units > line["quantity"] - line["fulfilled"]:
                raise No("invalid_data", f"Quantity to fulfill exceeds the reserved quantity for the item: {line_id}")
            if line["place"] and place not in self.variant(line["product_id"], line["variant_id"])[1]["stock"]:
                raise No("not_found", f"Inventory level for item {line_id} and location {place} not found")
        for line_id, units in rows:
            line = lines[line_id]
            line["fulfilled"] += units
            if line["place"]:
                self._move(line, place, stocked=-units)
                self._move(line, line["place"], reserved=-units)
        made = self.add_parcel(
            doc, rows, place=place, metadata=dict(metadata or {}), shipped=None, labels=[], cancelled=False
        )
        self.keep("order", doc)
        return made

    def mark_shipped(self, doc: Doc, parcel_id: Id, labels: list[Doc]) -> None:
        self._not_cancelled(doc)
        made = books.parcel(doc, parcel_id)
        if made["shipped"]:
            raise No("not_allowed", "Shipment has already been created")
        if made["cancelled"]:
            raise No("not_allowed", "Cannot create shipment for a canceled fulfillment")
        if not doc["option"]:
            raise No("not_allowed", "Cannot create shipment without a Shipping Option")
        made |= {"shipped": self.now(), "labels": labels}
        self.keep("order", doc)

    def cancel_parcel(self, doc: Doc, parcel_id: Id) -> None:
        made = books.parcel(doc, parcel_id)
        if made["shipped"]:
            message = "The fulfillment has already been shipped. Shipped fulfillments cannot be canceled"
            raise No("not_allowed", message)
        lines = {line["id"]: line for line in doc["lines"]}
        for line_id, units in made["lines"]:
            lines[line_id]["fulfilled"] -= units
            if lines[line_id]["place"]:
                self._move(lines[line_id], made["place"], stocked=units, reserved=units)
        made["cancelled"] = True
        self.keep("order", doc)

    # Payments. None of them moves the order's date but a refund.

    def collect(self, doc: Doc, amount: Decimal) -> Doc:
        """Another one each time."""
        held = {
            "id": self.new_id("collection"),
            "status": "not_paid",
            "amount": str(amount),
            "paid": "0",
            "payment": "",
        }
        doc["collections"].append(held)
        self.keep("order", doc, touch=False)
        return held

    def mark_paid(self, doc: Doc, collection_id: str) -> Doc:
        held: Doc = next(each for each in doc["collections"] if each["id"] == collection_id)
        if held["status"] != "not_paid":
            raise No("not_allowed", "Can only mark 'not_paid' payment collection as paid")
        held |= {"status": "completed", "paid": held["amount"], "payment": self.new_id("payment")}
        self.keep("order", doc, touch=False)
        return held

    def pay_back(self, doc: Doc, amount: Decimal, note: str | None = None) -> Doc:
        paid = sum((Decimal(held["paid"]) for held in doc["collections"]), Decimal(0))
        if amount > paid - books.refunded(doc):
            raise No("invalid_data", "You are not allowed to refund more than the captured amount")
        made = self.add_refund(doc, amount, note=note)
        self.keep("order", doc)
        return made

    def note_down(self, doc: Doc, metadata: Mapping[str, Any]) -> None:
        """Merged by name; an empty text takes an entry away."""
        merged = {**doc["metadata"], **metadata}
        doc["metadata"] = {name: value for name, value in merged.items() if value != ""}
        self.keep("order", doc)

    # What the seller does in the dashboard (kit/sandbox/merchant.py)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        who = {"first_name": "Own", "last_name": "Customer", "country_code": "us"}
        _, row = self.variant(product_id, variant_id)
        doc = self.draft(
            {
                "region_id": self.region,
                "email": "customer@example.test",
                "shipping_address": who,
                "items": [{"variant_id": variant_id, "quantity": units, "unit_price": row["price"]}],
                "shipping_methods": [{"shipping_option_id": OPTION, "amount": 0}],
            }
        )
        self.convert(doc)
        return str(doc["id"])

    def standing(self, doc: Doc) -> Standing:
        to = doc["addresses"][0]
        return books.standing(
            doc,
            number=str(doc["number"]),
            buyer=f"{to.get('first_name')} {to.get('last_name')} <{doc['email']}>",
            cancelled=bool(doc["canceled_at"]),
            total=f"{self.total(doc):.2f}",
            parcels=sum(bool(made["shipped"]) and not made["cancelled"] for made in doc["parcels"]),
        )

    def left(self, doc: Doc) -> Mapping[Any, int]:
        return books.left(doc)

    def ship(self, doc: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        lines = {line["id"]: line for line in doc["lines"]}
        place = next((lines[line_id]["place"] for line_id, _ in rows), "")
        made = self.fulfil(doc, rows, place=place)
        numbers = [number.strip() for number in tracking.split(",") if number.strip()]
        link = f"https://track.example/{carrier.lower()}/" if carrier else ""
        self.mark_shipped(doc, made["id"], [label(number, link and link + number) for number in numbers])
        return str(made["id"])

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        """Medusa changes no number of a shipment: the new one goes into the order's metadata."""
        books.parcel(doc, parcel_id)
        self.note_down(doc, {f"crossdock_{parcel_id}": tracking})

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """Medusa always restocks; a seller who does not want that takes the units out again."""
        self.cancel_order(doc)
        for line in () if restock else doc["lines"]:
            if line["place"]:
                self._move(line, line["place"], stocked=-line["quantity"])

    def refund(self, doc: Doc, amount: Decimal) -> str:
        return str(self.pay_back(doc, amount)["id"])


def label(number: str, url: str = "") -> Doc:
    return {"tracking_number": number, "tracking_url": url, "label_url": ""}


def available(row: Mapping[str, Any]) -> int:
    return int(sum(row["stock"].values()) - sum(row["reserved"].values()))
