"""The simulated shop's books: orders in their states. It does what 3.7.3 was seen doing, the traps first of all.

A short line is added with what is left; a payment looks at no stock and allocates what there is; an order's
`updatedAt` stays when it is shipped or refunded.
"""

from typing import Any

from crossdock.connectors.vendure.sandbox.refusals import BadField, Denied, NoSuchEntity, Stumbled
from crossdock.connectors.vendure.sandbox.shelves import CODE_LETTERS, Begun, Shelves
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.books import split

__all__ = ["BadField", "Books", "Denied", "Doc", "NoSuchEntity", "Stumbled"]
SHIPPING = 500
MOST_ITEMS = 999
PARCEL_STATES = {
    "Pending": ("Shipped", "Delivered", "Cancelled"),
    "Shipped": ("Delivered", "Cancelled"),
    "Delivered": ("Cancelled",),
}


class Books(Shelves):
    """All documents are JSON on the shelf; amounts are in 1/100."""

    def order(self, order_id: str) -> Doc:
        return self._must("order", order_id, "Order")

    def _keep(self, order: Doc, *, touched: bool = True) -> Doc:
        if touched:
            order["updatedAt"] = self.second()
        self.shelf.put("order", order["id"], order)
        return order

    def draft(self) -> Doc:
        code = "".join(self._random.choice(CODE_LETTERS) for _ in range(16))
        order: Doc = {
            "id": self._id("order"),
            "code": code,
            "state": "Draft",
            "createdAt": self.second(),
            "orderPlacedAt": None,
            "customer": None,
            "address": None,
            "method": None,
            "lines": [],
            "payments": [],
            "fulfillments": [],
            "history": [],
        }
        return self._keep(order)

    def drop(self, order_id: str) -> Doc:
        order = self.shelf.get("order", order_id)
        if order is None or order["state"] != "Draft":
            return {"result": "NOT_DELETED", "message": f"No draft Order with the ID {order_id} was found"}
        self.shelf.delete("order", order_id)
        return {"result": "DELETED", "message": None}

    def set_order(self, order_id: str, **fields: Any) -> Doc:
        return self._keep({**self.order(order_id), **fields})

    def add_note(self, order_id: str, text: str, *, public: bool) -> Doc:
        """An entry of the history; a public one stands in the buyer's account too."""
        order = self.order(order_id)
        self._enter(order, "ORDER_NOTE", {"note": text}, public=public)
        self.shelf.note("note", order=order_id, text=text, public=public)
        return self._keep(order, touched=False)

    def _enter(self, order: Doc, kind: str, data: Doc, *, public: bool = True) -> None:
        order["history"].append({"id": self._id("history"), "type": kind, "isPublic": public, "data": data})

    def set_customer(self, order_id: str, words: Doc) -> Doc:
        """A guest with the same address is the same customer: the new name stands on their older orders too."""
        email = words["emailAddress"].strip().lower()
        for other in self.shelf.all("order"):
            if other["customer"] and other["customer"]["emailAddress"] == email:
                self._keep({**other, "customer": {**words, "emailAddress": email}}, touched=False)
        return self.set_order(order_id, customer={**words, "emailAddress": email})

    def set_address(self, order_id: str, words: Doc) -> Doc:
        if words["countryCode"] not in self.settings["countries"]:
            raise BadField(f'The countryCode "{words["countryCode"]}" was not recognized')
        return self.set_order(order_id, address=words)

    def set_method(self, order_id: str, method: str) -> Doc:
        self._modifiable(self.order(order_id))
        return self.set_order(order_id, method=method)

    def _modifiable(self, order: Doc) -> None:
        if order["state"] != "Draft":
            text = 'Order contents may only be modified when in the "AddingItems" or "Draft" state'
            raise Denied("OrderModificationError", "ORDER_MODIFICATION_ERROR", text)

    def add_item(self, order_id: str, variant_id: str, quantity: int) -> Doc:
        order = self.order(order_id)
        self._modifiable(order)
        if quantity < 1:
            raise Denied(
                "NegativeQuantityError", "NEGATIVE_QUANTITY_ERROR", "The quantity for an OrderItem cannot be negative"
            )
        variant = self.variant(variant_id)
        if not (variant["enabled"] and self.product(variant["productId"])["enabled"]):
            raise NoSuchEntity("ProductVariant", variant_id)
        line = next((each for each in order["lines"] if each["variant"] == variant_id), None)
        if sum(each["quantity"] for each in order["lines"]) + quantity > MOST_ITEMS:
            text = f"Cannot add items. An order may consist of a maximum of {MOST_ITEMS} items"
            raise Denied("OrderLimitError", "ORDER_LIMIT_ERROR", text)
        left = max(0, self.saleable(variant) - (line["quantity"] if line else 0))
        added = min(quantity, left)
        if added and line is None:
            counts = dict.fromkeys(("quantity", "placed", "allocated", "sold", "released", "fulfilled", "returned"), 0)
            line = {"id": self._id("line"), "variant": variant_id, "price": self.gross(variant["price"]), **counts}
            order["lines"].append(line)
        if line and added:
            line["quantity"] += added
            self._keep(order)
        if added < quantity:
            words = f"Only {added} item{'s were' if added > 1 else ' was'}" if added else "No items were"
            text = f"{words} added to the order due to insufficient stock"
            raise Denied("InsufficientStockError", "INSUFFICIENT_STOCK_ERROR", text, quantityAvailable=added)
        return order

    def split_line(self, order_id: str, variant_id: str, units: int) -> None:
        """Before anything of it left. A row of the same variant, which has its share of what was allocated."""
        order = self.order(order_id)
        line = next(each for each in order["lines"] if each["variant"] == variant_id)
        order["lines"].append({**split(line, units, "placed", "allocated"), "id": self._id("line")})
        self._keep(order)

    def transition(self, order_id: str, state: str) -> Doc:
        order = self.order(order_id)
        allowed = {"Draft": ("Cancelled", "ArrangingPayment"), "ArrangingPayment": ("AddingItems", "Cancelled")}
        problem = ""
        if state not in allowed.get(order["state"], ()):
            problem = f'Cannot transition Order from "{order["state"]}" to "{state}"'
        elif order["state"] == "Draft" and state == "Cancelled" and any(line["quantity"] for line in order["lines"]):
            problem = "message.cannot-transition-unless-all-cancelled"
        elif state == "ArrangingPayment":
            problem = self._unready(order)
        if problem:
            text = f'Cannot transition Order from "{order["state"]}" to "{state}"'
            raise Denied("OrderStateTransitionError", "ORDER_STATE_TRANSITION_ERROR", text, transitionError=problem)
        return self._keep({**order, "state": state})

    def _unready(self, order: Doc) -> str:
        short = [
            line
            for line in order["lines"]
            if line["quantity"] > self.saleable(self.variant(line["variant"], deleted=True))
        ]
        if short:
            names = ", ".join(self.variant(line["variant"], deleted=True)["name"] for line in short)
            return f'Cannot transition Order to the "ArrangingPayment" state due to insufficient stock of {names}'
        missing = {
            "when-order-is-empty": not order["lines"],
            "without-customer": not order["customer"],
            "without-shipping-method": not order["method"],
        }
        return next((f"message.cannot-transition-to-payment-{what}" for what, so in missing.items() if so), "")

    def begin(self, order_id: str) -> Begun:
        """A payment's transaction begins: what it reads now it believes to its end (READ COMMITTED, no row locked)."""
        order = self.order(order_id)
        variants = [self.variant(line["variant"], deleted=True) for line in order["lines"]]
        levels = {each["id"]: (each["onHand"], each["allocated"]) for each in variants}
        return Begun(order["state"], self.second(), levels)

    def pay(self, order_id: str, method: str, reference: str, begun: Begun | None = None) -> Doc:
        """No look at the stock here. Two payments may carry the same reference; `begun` may be old by now."""
        order = self.order(order_id)
        if (begun.state if begun else order["state"]) != "ArrangingPayment":
            text = (
                'A manual payment may only be added when in the "ArrangingPayment" or "ArrangingAdditionalPayment"'
                " states"
            )
            raise Denied("ManualPaymentStateError", "MANUAL_PAYMENT_STATE_ERROR", text)
        paid = {
            "id": self._id("payment"),
            "method": method,
            "transactionId": reference,
            "createdAt": begun.at if begun else self.second(),
            "refunds": [],
        }
        order["payments"].append(paid)
        order |= {"state": "PaymentSettled", "orderPlacedAt": self.now()}
        for line in order["lines"]:
            line["placed"] = line["quantity"]
            self._allocate(line, line["quantity"], begun)
        self.shelf.note(
            "order",
            id=order["id"],
            reference=reference,
            lines=[(line["variant"], line["quantity"]) for line in order["lines"]],
        )
        return self._keep(order)

    def cancel(
        self, order_id: str, reason: str, rows: list[tuple[str, int]] | None = None, *, shipping: bool = True
    ) -> Doc:
        """Whole, or `rows` (line id, units). Gives everything back, delivered or not.

        The trap with a part: what was fulfilled comes back first, and as many units as were named are released besides.
        """
        order = self.order(order_id)
        by_id = {line["id"]: line for line in order["lines"]}
        wanted = [(line["id"], line["quantity"]) for line in order["lines"]] if rows is None else rows
        if not any(units for _, units in wanted):
            raise Denied(
                "EmptyOrderLineSelectionError",
                "EMPTY_ORDER_LINE_SELECTION_ERROR",
                "At least one OrderLine must be specified",
            )
        if any(id not in by_id for id, _ in wanted):
            raise Stumbled("Cannot read properties of undefined (reading 'id')")
        if any(units > by_id[id]["quantity"] for id, units in wanted):
            text = "The specified quantity is greater than the available OrderItems"
            raise Denied("QuantityTooGreatError", "QUANTITY_TOO_GREAT_ERROR", text)
        for id, units in wanted:
            line = by_id[id]
            back = min(line["fulfilled"] - line["returned"], units)
            released = min(line["allocated"] - line["sold"] - line["released"], units)
            self._move(line["variant"], on_hand=max(0, back), allocated=-max(0, released))
            for kind, moved in (("CANCELLATION", back), ("RELEASE", released)):
                if moved > 0:
                    self._record(kind, line, moved)
            line["returned"] += max(0, back)
            line["released"] += max(0, released)
            line["quantity"] -= units
        entry = {"lines": [{"orderLineId": id, "quantity": units} for id, units in wanted], "reason": reason}
        self._enter(order, "ORDER_CANCELLATION", {**entry, "shippingCancelled": shipping})
        self.shelf.note("cancel", id=order_id, reason=reason, lines=entry["lines"])
        if not any(line["quantity"] for line in order["lines"]):
            order["state"] = "Cancelled"
        return self._keep({**order, "method": None if shipping else order["method"]})

    def total(self, order: Doc) -> int:
        lines: int = sum(line["price"] * line["quantity"] for line in order["lines"])
        return lines + (SHIPPING if order["method"] else 0)

    def order_of_line(self, line_id: str) -> str:
        for order in self.shelf.all("order"):
            if any(line["id"] == line_id for line in order["lines"]):
                return str(order["id"])
        text = "At least one OrderLine must be specified"
        raise Denied("EmptyOrderLineSelectionError", "EMPTY_ORDER_LINE_SELECTION_ERROR", text)

    def order_of_parcel(self, parcel_id: str) -> str:
        for order in self.shelf.all("order"):
            if any(parcel["id"] == parcel_id for parcel in order["fulfillments"]):
                return str(order["id"])
        raise NoSuchEntity("Fulfillment", parcel_id)

    def fulfil(self, order_id: str, rows: list[tuple[str, int]], method: str, tracking: str) -> str:
        """A fulfilment in state Pending: from now on the units are sold.

        `rows` are (line id, units). The order's `updatedAt` stays.
        """
        order = self.order(order_id)
        by_id = {line["id"]: line for line in order["lines"]}
        if not rows or any(
            units > by_id[id]["quantity"] - by_id[id]["fulfilled"] + by_id[id]["returned"] for id, units in rows
        ):
            text = "One or more OrderItems are already part of a Fulfillment"
            raise Denied("ItemsAlreadyFulfilledError", "ITEMS_ALREADY_FULFILLED_ERROR", text)
        for id, units in rows:
            line = by_id[id]
            if units > self.variant(line["variant"], deleted=True)["onHand"]:
                text = "Cannot create a Fulfillment as there is insufficient stockOnHand"
                raise Denied("InsufficientStockOnHandError", "INSUFFICIENT_STOCK_ON_HAND_ERROR", text)
            line["fulfilled"] += units
            line["sold"] += units
            self._move(line["variant"], on_hand=-units, allocated=-units)
            self._record("SALE", line, -units)
        number = self._id("fulfillment")
        parcel = {
            "id": number,
            "state": "Pending",
            "method": method,
            "trackingCode": tracking,
            "createdAt": self.second(),
            "updatedAt": self.second(),
            "lines": rows,
        }
        order["fulfillments"].append(parcel)
        self._keep(order, touched=False)
        return number

    def move_parcel(self, order_id: str, parcel_id: str, state: str) -> None:
        """Shipped, Delivered or Cancelled. The order's `updatedAt` stays."""
        order = self.order(order_id)
        parcel = next(each for each in order["fulfillments"] if each["id"] == parcel_id)
        if state not in PARCEL_STATES.get(parcel["state"], ()):
            text = f'Cannot transition Fulfillment from "{parcel["state"]}" to "{state}"'
            code = "FULFILLMENT_STATE_TRANSITION_ERROR"
            raise Denied("FulfillmentStateTransitionError", code, text, transitionError=text)
        parcel |= {"state": state, "updatedAt": self.second()}
        if state == "Cancelled":
            for line in order["lines"]:
                units = sum(units for id, units in parcel["lines"] if id == line["id"])
                line["returned"] += units
                self._move(line["variant"], on_hand=units)
                if units:
                    self._record("CANCELLATION", line, units)
                self._allocate(line, units)
        else:
            sent = sum(
                units
                for each in order["fulfillments"]
                if each["state"] in ("Shipped", "Delivered")
                for _, units in each["lines"]
            )
            whole = sent == sum(line["quantity"] for line in order["lines"])
            order["state"] = state if whole else f"Partially{state}"
        self.shelf.note("parcel", order=order_id, id=parcel_id, state=state, tracking=parcel["trackingCode"])
        self._keep(order, touched=False)

    def refund(self, order_id: str, amount: int) -> str:
        order = self.order(order_id)
        number = self._id("refund")
        doc = {
            "id": number,
            "total": amount,
            "state": "Settled",
            "reason": "Refunded by the shop",
            "createdAt": self.second(),
        }
        order["payments"][0]["refunds"].append(doc)
        self.shelf.note("refund", order=order_id, id=number, amount=amount)
        self._keep(order, touched=False)
        return number
