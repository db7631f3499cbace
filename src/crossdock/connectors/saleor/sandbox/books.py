"""The simulated shop's own books: orders with their fulfilments, at the warehouses that were named.

What a 3.23.28 server did is played as it was seen; the rest follows the vendor's source at 723cd4eba87d, named where it
surprises.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crossdock.connectors.saleor.sandbox.drafts import CHANNEL, FIRST, HOME, Broke, Drafts, No, available, gid, stamp
from crossdock.kit.hand import Standing
from crossdock.kit.sandbox import Doc, Refusal, books
from crossdock.kit.sandbox.books import Id, Rows

__all__ = ["CHANNEL", "HOME", "Books", "Broke", "No", "available", "gid", "stamp"]

MARK, RELAY = "crossdock", "crossdock_relay"
SENT, WAITING, CANCELED, RETURNED = "FULFILLED", "WAITING_FOR_APPROVAL", "CANCELED", "RETURNED"
NOT_CANCELLABLE = ("CANCELED", "DRAFT", "EXPIRED")


class Books(Drafts):
    """The shop's rules."""

    # Orders

    def pay(self, id_: str, reference: str) -> Doc:
        """The order's date stays (a guess that costs nothing)."""
        doc = self.order_or_no(id_)
        if doc["payments"]:
            raise No("PAYMENT_ERROR", "Orders with payments can not be manually marked as paid.", "payment")
        doc["payments"] = [
            {
                "kind": "EXTERNAL",
                "id": gid("Transaction", self.shelf.next_number("transaction")),
                "reference": reference,
            }
        ]
        return self.keep("order", doc, "updated", touch=False)

    def cancel_it(self, id_: str) -> Doc:
        """Refused while a fulfilment stands, and the second time (order/models.py: can_cancel)."""
        doc = self.order_or_no(id_)
        live = any(made["status"] in (SENT, WAITING) for made in doc["parcels"])
        if live or doc["status"] in NOT_CANCELLABLE:
            raise No("CANNOT_CANCEL_ORDER", "This order can't be canceled.", "order")
        with self.at_once():
            for line in doc["lines"]:
                for place, units in line["allocations"].items():
                    self.move(line["variant_id"], place, allocated=-units)
                line["allocations"] = {}
            doc["status"] = "CANCELED"
            self.mail(doc, "order cancelled")
            return self.keep("order", doc, "cancelled")

    def fulfil(
        self, doc: Doc, rows: Sequence[tuple[str, str, int]], *, tracking: str, beyond: bool, notify: bool
    ) -> list[Doc]:
        """`rows` are (line, warehouse, units): one fulfilment for each warehouse."""
        if not doc["payments"] and self.settings["auto_approve"] and not self.settings["fulfil_unpaid"]:
            raise No("CANNOT_FULFILL_UNPAID_ORDER", "Cannot fulfill unpaid order.", "order")
        if sum(units for _, _, units in rows) <= 0:
            raise No("ZERO_QUANTITY", "Total quantity must be larger than 0.", "lines")
        made: list[Doc] = []
        with self.at_once():
            for place in dict.fromkeys(row[1] for row in rows):
                here = [(line, units) for line, where, units in rows if where == place and units]
                made.append(self._fulfilled(doc, here, place, tracking=tracking, beyond=beyond))
            self._refresh(doc, "fulfillment_created", made[0]["id"])
            if notify:
                self.mail(doc, "fulfilled")
        return made

    def _fulfilled(self, doc: Doc, rows: Rows, place: str, *, tracking: str, beyond: bool) -> Doc:
        by_id = {line["id"]: line for line in doc["lines"]}
        for line_id, units in rows:
            line = by_id.get(line_id)
            if line is None:
                raise No("NOT_FOUND", "Couldn't resolve to a node", "lines")
            left = line["quantity"] - line["fulfilled"]
            if units > left:
                said = f"Only {left} items remaining to fulfill."
                raise No("FULFILL_ORDER_LINE", said, "orderLineId", orderLines=[line_id])
            line["fulfilled"] += units
        status = SENT if self.settings["auto_approve"] else WAITING
        number = {"status": status, "tracking": tracking, "place": place, "private": {}, "cancelled": False}
        made = {"id": self.new_id("fulfillment"), "lines": [list(row) for row in rows], "created": self.now(), **number}
        if status == SENT:
            self._leave(doc, made, beyond=beyond)
        doc["parcels"].append(made)
        return made

    def _leave(self, doc: Doc, made: Doc, *, beyond: bool) -> None:
        """A line without a stock row at that warehouse is refused too, tracked or not (order/actions.py:
        _create_fulfillment_lines).
        """
        by_id = {line["id"]: line for line in doc["lines"]}
        for line_id, units in made["lines"]:
            line, place = by_id[line_id], made["place"]
            row = self.row_of(line)
            there = row is not None and place in row["stock"]
            if not beyond and (not there or (row is not None and row["track"] and row["stock"][place] < units)):
                raise No("INSUFFICIENT_STOCK", "Insufficient product stock.", "stocks", orderLines=[line_id])
            held = min(units, line["allocations"].get(place, 0))
            line["allocations"][place] = line["allocations"].get(place, 0) - held
            line["allocations"] = {where: n for where, n in line["allocations"].items() if n}
            self.move(line["variant_id"], place, stock=-units, allocated=-held)

    def _refresh(self, doc: Doc, event: str, made_id: str) -> None:
        """The order's date moves only with its status (order/utils.py: update_order_status)."""
        done = sum(line["fulfilled"] for line in doc["lines"])
        status = "UNFULFILLED"
        if done:
            whole = done == sum(line["quantity"] for line in doc["lines"])
            status = "FULFILLED" if whole else "PARTIALLY_FULFILLED"
        moved = status != doc["status"]
        doc["status"] = status
        self.keep("order", doc, "updated", touch=moved)
        self.tell("fulfillment", event.partition("_")[2], {"id": made_id, "order": doc["id"]})

    def approve(self, doc: Doc, made: Doc) -> Doc:
        if made["status"] != WAITING:
            raise No(
                "INVALID",
                "Invalid fulfillment status, only WAITING_FOR_APPROVAL fulfillments can be accepted.",
                "status",
            )
        with self.at_once():
            self._leave(doc, made, beyond=False)
            made["status"] = SENT
            self.keep("order", doc, "updated", touch=False)
        return doc

    def renumber(self, doc: Doc, parcel_id: str, tracking: str) -> None:
        """No date moves (order/mutations/fulfillment_update_tracking.py)."""
        made = books.parcel(doc, parcel_id)
        made["tracking"] = tracking
        self.keep("order", doc, "updated", touch=False)
        self.tell("fulfillment", "tracking_number_updated", {"id": made["id"], "order": doc["id"]})

    def undo(self, doc: Doc, made: Doc, place: str | None) -> Doc:
        """Its units go to the warehouse that is named, and are allocated to the order again."""
        if made["status"] not in (SENT, WAITING):
            raise No("CANNOT_CANCEL_FULFILLMENT", "This fulfillment can't be canceled", "fulfillment")
        if made["status"] == SENT and not place:
            raise No(
                "REQUIRED",
                "This parameter is required for fulfillments which are not in WAITING_FOR_APPROVAL state.",
                "warehouseId",
            )
        by_id = {line["id"]: line for line in doc["lines"]}
        with self.at_once():
            for line_id, units in made["lines"]:
                line = by_id[line_id]
                line["fulfilled"] -= units
                row = self.row_of(line)
                if made["status"] == SENT and place and row is not None and row["track"]:
                    line["allocations"][place] = line["allocations"].get(place, 0) + units
                    self.move(line["variant_id"], place, stock=units, allocated=units)
            made |= {"status": CANCELED, "cancelled": True}
            self._refresh(doc, "fulfillment_canceled", made["id"])
        return doc

    def give_back(self, doc: Doc, rows: Rows, reason: str) -> None:
        """Units that were not fulfilled are released; the lines stay, and count as fulfilled by the return."""
        by_id = {line["id"]: line for line in doc["lines"]}
        with self.at_once():
            for line_id, units in rows:
                line = by_id.get(line_id)
                if line is None:
                    raise No("NOT_FOUND", "Couldn't resolve to a node", "orderLines")
                if not 0 < units <= line["quantity"] - line["fulfilled"]:
                    said = "Provided quantity is bigger than unfulfilled quantity."
                    raise No("INVALID_QUANTITY", said, "orderLineId", orderLines=[line_id])
                line["fulfilled"] += units
                for place, held in list(line["allocations"].items()):
                    here = min(units, held)
                    line["allocations"][place] -= here
                    self.move(line["variant_id"], place, allocated=-here)
                    units -= here
                line["allocations"] = {where: n for where, n in line["allocations"].items() if n}
            about: Doc = {
                "status": RETURNED,
                "tracking": "",
                "place": None,
                "private": {},
                "cancelled": False,
                "reason": reason,
            }
            lines = [list(row) for row in rows]
            doc["parcels"].append({"id": self.new_id("fulfillment"), "lines": lines, "created": self.now(), **about})
            returned = self._returned(doc)
            whole = sum(returned.values()) == sum(line["quantity"] for line in doc["lines"])
            doc["status"] = "RETURNED" if whole else "PARTIALLY_RETURNED"
            self.keep("order", doc, "updated")

    @staticmethod
    def _returned(doc: Mapping[str, Any]) -> Counter[str]:
        found = Counter[str]()
        for made in doc["parcels"]:
            if made["status"] == RETURNED:
                found.update(dict(made["lines"]))
        return found

    def parcel_of(self, id_: str) -> tuple[Doc, Doc]:
        for doc in self.shelf.all("order"):
            for made in doc["parcels"]:
                if made["id"] == id_:
                    return doc, made
        raise No("NOT_FOUND", f"Couldn't resolve to a node: {id_}", "id")

    # What the seller does in the dashboard (kit/sandbox/merchant.py)

    def order(self, order_id: Id) -> Doc:
        return self.shelf.need("order", order_id)

    def sell(self, product_id: str, variant_id: str, units: int) -> str:
        """A customer of the storefront, at a checkout that was paid."""
        doc, row = self.variant(product_id, variant_id)
        line = self.line(doc, row, units, off="0", fulfilled=0, allocations={}, gift=False)
        made = self.new_order(
            [line],
            number=str(self.shelf.next_number("number", FIRST["number"])),
            status="DRAFT",
            address={"firstName": "Own", "lastName": "Customer", "country": "US"},
            email="customer@example.test",
            note="",
            discount="0",
            exempt=True,
            method="Parcel",
            payments=[{"kind": "CAPTURE", "id": gid("Transaction", self.shelf.next_number("transaction"))}],
            events=[],
            granted=[],
            metadata={},
            privateMetadata={},
        )
        try:
            return str(self.placed(made)["id"])
        except No:
            raise Refusal("there are not so many left") from None

    def standing(self, doc: Doc) -> Standing:
        who = doc["address"] or {}
        ours = doc["metadata"].get(MARK, "")
        relay, back = doc["privateMetadata"].get(RELAY, ""), self._returned(doc)
        return books.standing(
            doc,
            reference=doc["reference"] if ours else "",
            number=doc["number"],
            buyer=" ".join(filter(None, (who.get("firstName"), who.get("lastName"), doc["email"], relay))),
            total=f"{self.total(doc):.2f}",
            cancelled=doc["status"] == "CANCELED",
            lines=tuple((row["variant_id"], row["quantity"] - back[row["id"]]) for row in doc["lines"]),
            parcels=sum(made["status"] in (SENT, WAITING) for made in doc["parcels"]),
        )

    def left(self, doc: Doc) -> Mapping[Any, int]:
        return books.left(doc)

    def ship(self, doc: Doc, rows: Rows, *, tracking: str, carrier: str) -> str:
        """From where it is allocated. There is no field for the carrier: who wants it known enters the link."""
        by_id = {line["id"]: line for line in doc["lines"]}
        named: list[tuple[str, str, int]] = []
        for line_id, units in rows:
            left = units
            for place, held in by_id[line_id]["allocations"].items():
                here = min(left, held)
                named.append((line_id, place, here))
                left -= here
            if left:
                named.append((line_id, HOME, left))
        if carrier and tracking and "," not in tracking:
            tracking = f"https://www.{carrier.lower()}.com/track?number={tracking}"
        if doc["status"] in NOT_CANCELLABLE:
            raise Refusal("the order is cancelled")
        if not doc["payments"]:
            # An unpaid order is not fulfilled; its page has the button for that.
            doc = self.pay(doc["id"], "")
        return str(self.fulfil(doc, named, tracking=tracking, beyond=True, notify=True)[0]["id"])

    def cancel(self, doc: Doc, *, restock: bool) -> None:
        """Saleor has no choice: what is allocated is released."""
        self.cancel_it(doc["id"])

    def refund(self, doc: Doc, amount: Decimal) -> str:
        """Of the manual payment; no date is known to move."""
        if not doc["payments"]:
            raise Refusal("there is no payment")
        made = self.add_refund(doc, amount)
        self.keep("order", doc, "refunded", touch=False)
        return str(made["id"])
