"""The simulated shop's own books: products, stock levels per location, orders.

What the real shop refuses is refused here, with its words.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, Shelf, books
from crossdock.kit.sandbox.books import Rows, iso

# Shopify's ids are 64-bit: these lie beyond what a JavaScript number holds exactly.
FIRST_ID = 9_107_199_254_740_993
Tell = Callable[[str, Doc], None]


class Complaint(Refusal):
    """A user error of the API."""

    def __init__(self, code: str | None, field: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.code, self.field, self.message = code, field, message


class Books(books.Documents):
    """`tell(topic, document)` is called for each event that the shop has a webhook topic for."""

    def __init__(self, shelf: Shelf, clock: Callable[[], datetime], currency: str) -> None:
        super().__init__(shelf, clock, self._told, ids=lambda *_: str(shelf.next_number("id", FIRST_ID)))
        # How long the search index is behind: for looking up a word, and for listing by updated_at.
        self.search_lag_seconds, self.listing_lag_seconds = 0.2, 0.0
        self.trial = False
        self._listeners: list[Tell] = []
        if shelf.get("shop", "shop") is None:
            name = f"sandbox-{uuid.uuid4().hex[:10]}"
            shop = {"id": self.new_id(), "domain": f"{name}.myshopify.com", "name": "Simulated Shopify shop"}
            shelf.put("shop", "shop", {**shop, "currency": currency})
            self.add_location("Main warehouse")

    def on_event(self, tell: Tell) -> None:
        self._listeners.append(tell)

    def event(self, topic: str, doc: Doc) -> None:
        self.tell("", topic, doc)

    def _told(self, _: str, topic: str, doc: Doc) -> None:
        for listener in self._listeners:
            listener(topic, doc)

    @property
    def shop(self) -> Doc:
        return self.need("shop", "shop")

    def change_currency(self, currency: str) -> None:
        """Prices keep their numbers."""
        self.shelf.put("shop", "shop", {**self.shop, "currency": currency})

    def keep(self, kind: str, doc: Doc, event: str = "", *, touch: bool = True) -> Doc:
        """Store a changed product or order.

        The search index learns of it after the lag; until then it answers with the change before.
        """
        doc["updated"] = self.now()
        doc["index"] = [*doc.get("index", [])[-4:], [self.clock().timestamp(), doc["updated"]]]
        return super().keep(kind, doc, event, touch=touch)

    def indexed(self, kind: str, lag: float) -> list[tuple[str, Doc]]:
        """(updated_at as the index has it, document), oldest change first."""
        seen = self.clock().timestamp() - lag
        rows = [
            (max((at for moment, at in doc["index"] if moment <= seen), default=""), doc)
            for doc in self.shelf.all(kind)
        ]
        return sorted(((at, doc) for at, doc in rows if at), key=lambda row: (row[0], int(row[1]["id"])))

    # Products and stock

    def add_location(self, name: str, *, online: bool = True) -> str:
        id = str(self.new_id())
        self.shelf.put("location", id, {"id": id, "name": name, "online": online})
        return id

    def add_product(
        self, title: str, variants: Sequence[tuple[str, str, int]], *, image: str = "", description: str = ""
    ) -> list[Doc]:
        product: Doc = {
            "id": self.new_id(),
            "title": title,
            "status": "ACTIVE",
            "gift_card": False,
            "description": description,
            "images": [image] if image else [],
            "variants": [],
            "created": self.now(),
        }
        home = self.shelf.all("location")[0]["id"]
        made = [
            {
                "id": self.new_id(),
                "product": product["id"],
                "item": self.new_id(),
                "sku": sku,
                "price": str(Decimal(price)),
                "title": "Default Title" if len(variants) == 1 else sku,
                "tracked": True,
                "policy": "DENY",
                "levels": {home: count},
            }
            for sku, price, count in variants
        ]
        product["variants"] = [variant["id"] for variant in made]
        for variant in made:
            self.shelf.put("variant", variant["id"], variant, key=variant["item"])
        self.keep("product", product)
        self.event("PRODUCTS_CREATE", product)
        return made

    def change_product(self, product_id: str, **changes: object) -> None:
        product = self.need("product", product_id) | changes
        self.keep("product", product)
        self.event("PRODUCTS_UPDATE", product)

    def change_variant(self, variant_id: str, **changes: object) -> None:
        variant = self.need("variant", variant_id) | changes
        self.shelf.put("variant", variant_id, variant, key=variant["item"])
        self.change_product(variant["product"])

    def delete_product(self, product_id: str) -> None:
        product = self.need("product", product_id)
        for variant in product["variants"]:
            self.shelf.delete("variant", variant)
        self.shelf.delete("product", product_id)
        self.event("PRODUCTS_DELETE", product)

    def move(self, variant: Doc, location: str, delta: int, why: str) -> None:
        """Change "available" at one location. An inventory change counts as a change of the product."""
        variant["levels"][location] = variant["levels"].get(location, 0) + delta
        self.shelf.put("variant", variant["id"], variant, key=variant["item"])
        self.shelf.note("stock", variant=variant["id"], location=location, delta=delta, why=why, left=on_hand(variant))
        self.event(
            "INVENTORY_LEVELS_UPDATE",
            {
                "item": variant["item"],
                "location": location,
                "available": variant["levels"][location],
                "updated": self.now(),
            },
        )
        self.change_product(variant["product"])

    def claim(self, variant: Doc, units: int, behaviour: str) -> list[tuple[str, int]]:
        """Take units for an order: (location, units) taken.

        Raises Complaint when the policy is obeyed and not enough is there.
        """
        if behaviour == "BYPASS" or not variant["tracked"]:
            return []
        if behaviour == "DECREMENT_OBEYING_POLICY" and variant["policy"] == "DENY" and on_hand(variant) < units:
            raise Complaint("INVENTORY_CLAIM_FAILED", ("order", "lineItems"), "Unable to reserve inventory")
        taken: list[tuple[str, int]] = []
        for location in sorted(variant["levels"], key=int):
            there = min(units, max(0, variant["levels"][location]))
            if there:
                taken.append((location, there))
                units -= there
        if units:
            taken.append((min(variant["levels"], key=int), units))
        for location, there in taken:
            self.move(self.need("variant", variant["id"]), location, -there, "order")
        return taken

    # Orders

    def place(self, order: Doc, behaviour: str) -> Doc:
        """Claim everything or nothing, then store. Call inside a transaction."""
        for line in order["lines"]:
            line["claimed"] = self.claim(self.need("variant", line["variant_id"]), line["quantity"], behaviour)
        number = self.shelf.next_number("order", 1001)
        order |= {
            "id": self.new_id(),
            "number": number,
            "name": f"#{number}",
            "created": self.now(),
            "currency": self.shop["currency"],  # Order.currencyCode: "The shop currency when the order was placed."
            "cancelled": None,
            "confirmed": True,
            "fulfillments": [],
            "refunds": [],
            "behaviour": behaviour,
        }
        self.keep("order", order)
        self.shelf.note(
            "order",
            id=order["id"],
            reference=order.get("reference", ""),
            lines=[(x["variant_id"], x["quantity"]) for x in order["lines"]],
        )
        self.event("ORDERS_CREATE", order)
        return order

    def changed_order(self, order: Doc, *topics: str) -> None:
        self.keep("order", order)
        for topic in (*topics, "ORDERS_UPDATED"):
            self.event(topic, order)

    def call_off(self, order_id: str, *, restock: bool, reason: str, note: str | None) -> None:
        order = self.need("order", order_id)
        if order["cancelled"]:
            raise Complaint("INVALID", ("orderId",), "Order has already been canceled")
        if any(part["status"] == "SUCCESS" for part in order["fulfillments"]):
            raise Complaint("INVALID", ("orderId",), "Cannot cancel an order that has fulfillments")
        order |= {"cancelled": self.now(), "cancel_reason": reason, "staff_note": note}
        # Even without money a cancel leaves a refund behind: it records what was restocked.
        order["refunds"].append(
            {"id": self.new_id(), "amount": "0.00", "at": self.now(), "note": "", "restock": restock}
        )
        for line in order["lines"] if restock else []:
            for location, units in line["claimed"]:
                variant = self.shelf.get("variant", line["variant_id"])
                if variant is not None:
                    self.move(variant, location, units, "cancel")
        self.shelf.note("cancel", id=order_id, restock=restock)
        self.changed_order(order, "ORDERS_CANCELLED")

    def fulfil(
        self,
        order_id: str,
        *,
        tracking: Sequence[tuple[str, str, str]],
        lines: Sequence[tuple[str, int]],
        notify: bool = True,
        location: str = "",
    ) -> Doc:
        """`tracking`: (number, company, url); `lines`: (line id, units), or all. `notify` is ticked in the admin."""
        order = self.need("order", order_id)
        if order["cancelled"]:
            raise Refusal("a cancelled order cannot be fulfilled")
        left = unfulfilled(order)
        wanted = [(line, units) for line, units in (lines or left.items()) if units > 0]
        if not wanted or any(units > left[line] for line, units in wanted):
            raise Refusal("so much is not left to fulfil")
        part: Doc = {
            "id": self.new_id(),
            "status": "SUCCESS",
            "created": self.now(),
            "updated": self.now(),
            "lines": wanted,
            "location": location,
            "tracking": [
                {"number": number, "company": company, "url": url or f"https://track.example/{number}"}
                for number, company, url in tracking
            ],
        }
        order["fulfillments"].append(part)
        done = not any(unfulfilled(order).values())
        self.changed_order(order, "ORDERS_FULFILLED" if done else "ORDERS_PARTIALLY_FULFILLED")
        self.event("FULFILLMENTS_CREATE", part | {"order": order})
        if notify and order["email"]:
            self.shelf.note("mail", to=order["email"], about="shipping confirmation")
        self.shelf.note("fulfil", id=order_id, fulfillment=part["id"])
        return part

    def change_fulfilment(self, order_id: str, part_id: str, **changes: object) -> None:
        order = self.need("order", order_id)
        part = books.parcel({"parcels": order["fulfillments"]}, part_id)
        part |= changes | {"updated": self.now()}
        self.changed_order(order)
        self.event("FULFILLMENTS_UPDATE", part | {"order": order})

    def refund(self, order: Doc, amount: Decimal) -> str:
        refund = {
            "id": self.new_id(),
            "amount": f"{amount:.2f}",
            "at": self.now(),
            "note": "Refunded by the seller",
            "restock": False,
        }
        order["refunds"].append(refund)
        self.shelf.note("refund", id=order["id"], amount=refund["amount"])
        self.changed_order(order)
        self.event("REFUNDS_CREATE", refund | {"order": order})
        return str(refund["id"])

    def take_out(self, order: Doc, rows: Sequence[tuple[str, int, str, str]], *, note: str) -> Doc:
        """A refund of units without money; `rows` are (line id, units, restock type, location). Call inside a
        transaction.

        The words of the refusals are a guess; that such refunds are refused follows from the schema's descriptions.
        """
        refund: Doc = {"id": self.new_id(), "amount": "0.00", "at": self.now(), "note": note, "restock": False}
        lines, left = {line["id"]: line for line in order["lines"]}, unfulfilled(order)
        for place, (id, units, restock, location) in enumerate(rows):
            path = ("input", "refundLineItems", str(place), "quantity")
            line = lines.get(id)
            if line is None or order["cancelled"] or not 0 < units <= line["quantity"]:
                raise Complaint(None, path, "Quantity cannot refund more items than were purchased")
            if restock == "CANCEL" and units > left[id]:
                raise Complaint(None, path, "Quantity cannot cancel more items than are unfulfilled")
            line["quantity"] -= units
            if restock != "NO_RESTOCK":
                self._put_back(line, units, location)
            self.shelf.note("take_out", order=order["id"], variant=line["variant_id"], units=units, restock=restock)
        order["refunds"].append(refund)
        self.changed_order(order)
        self.event("REFUNDS_CREATE", refund | {"order": order})
        return refund

    def _put_back(self, line: Doc, units: int, location: str) -> None:
        """At the location that was named, and no longer claimed for the order, so that a cancel of the rest gives back
        the rest.
        """
        variant = self.shelf.get("variant", line["variant_id"])
        if variant is not None:
            if location not in variant["levels"]:
                raise Complaint(None, ("input", "refundLineItems"), "Location is not valid for this item")
            self.move(variant, location, units, "taken out")
        claimed = []
        for place, there in line["claimed"]:
            given = min(units, there)
            units -= given
            if there > given:
                claimed.append((place, there - given))
        line["claimed"] = claimed

    def line(self, variant: Doc, quantity: int, price: str) -> Doc:
        return {
            "id": self.new_id(),
            "variant_id": variant["id"],
            "product_id": variant["product"],
            "sku": variant["sku"],
            "title": variant["title"],
            "quantity": quantity,
            "price": price,
            "requires_shipping": True,
        }

    # What the seller does in the admin (kit/sandbox/merchant.py)

    def order(self, order_id: str) -> Doc:
        return self.need("order", order_id)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        row = self.need("variant", variant_id)
        order: Doc = {
            "reference": "",
            "source_identifier": None,
            "tags": [],
            "email": "walkin@customer.example",
            "note": "",
            "buyer": "Walk-in customer",
            "lines": [self.line(row, units, row["price"])],
            "shipping": "0",
            "financial_status": "PAID",
        }
        return str(self.place(order, "DECREMENT_IGNORING_POLICY")["id"])

    def standing(self, order: Doc) -> Standing:
        alive = sum(part["status"] == "SUCCESS" for part in order["fulfillments"])
        about: Doc = {"number": order["name"], "buyer": order["buyer"], "cancelled": bool(order["cancelled"])}
        return books.standing(order, total=f"{books.total(order):f}", parcels=alive, **about)

    def left(self, order: Doc) -> Counter[str]:
        return unfulfilled(order)

    def ship(self, order: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        numbers = [number.strip() for number in tracking.split(",") if number.strip()]
        return str(self.fulfil(order["id"], tracking=[(each, carrier, "") for each in numbers], lines=rows)["id"])

    def renumber(self, order: Doc, parcel_id: str, tracking: str) -> None:
        """A fulfillment has several numbers: its id, and the place of one."""
        part_id, _, place = parcel_id.partition("/")
        part = books.parcel({"parcels": order["fulfillments"]}, part_id)
        infos = list(part["tracking"]) or [{"number": "", "company": "", "url": ""}]
        infos[int(place or 1) - 1] |= {"number": tracking, "url": f"https://track.example/{tracking}"}
        self.change_fulfilment(order["id"], part_id, tracking=infos)

    def cancel(self, order: Doc, *, restock: bool) -> None:
        self.call_off(order["id"], restock=restock, reason="CUSTOMER", note="Cancelled by the seller")

    def orders_in_last_minute(self) -> int:
        since = iso(self.clock() - timedelta(minutes=1))
        return sum(1 for order in self.shelf.all("order") if order["created"] > since and order.get("by_api"))


def on_hand(variant: Doc) -> int:
    return sum(variant["levels"].values())


def unfulfilled(order: Doc) -> Counter[str]:
    """Line id -> units that no living fulfillment covers."""
    living = [part for part in order["fulfillments"] if part["status"] == "SUCCESS"]
    return books.left_of(order["lines"], [row for part in living for row in part["lines"]])
