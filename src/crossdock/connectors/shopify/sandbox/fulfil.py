"""Fulfillment orders of the simulated shop: one for each location that the order claimed units at, with what is left
of them; and what an app may do with them.

No idempotency key is taken: the same call twice makes two fulfillments, as long as there are units left.
"""

from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from crossdock.connectors.shopify.sandbox.books import Books, Complaint
from crossdock.connectors.shopify.sandbox.fields import Fields, connection, denied, gid, number, sliced
from crossdock.kit.sandbox import Doc

READ = ("read_merchant_managed_fulfillment_orders", "write_merchant_managed_fulfillment_orders")
WRITE = "write_merchant_managed_fulfillment_orders"
# Ids are made from the order's and the line's, so that they need no place of their own.
PLACES = 1000


def _split(order: Doc, books: Books) -> dict[str, dict[str, list[int]]]:
    """location -> line id -> [units, of them fulfilled]."""
    home = books.shelf.all("location")[0]["id"]
    found: dict[str, dict[str, list[int]]] = {}
    for line in order["lines"]:
        claimed = [(place, units) for place, units in line["claimed"] if units] or [(home, line["quantity"])]
        left = line["quantity"]
        for place, units in claimed:
            here = min(units, left)
            left -= here
            found.setdefault(place, {})[line["id"]] = [here, 0]
    for part in order["fulfillments"]:
        for id_, units in part["lines"] if part["status"] == "SUCCESS" else ():
            places = [part["location"]] if part.get("location") else list(found)
            for place in places:
                row = found.get(place, {}).get(id_)
                here = min(units, row[0] - row[1]) if row else 0
                if row and here > 0:
                    row[1] += here
                    units -= here
    return found


def fulfilment(part: Doc) -> Fields:
    rows = [
        {"quantity": units, "lineItem": {"id": gid("LineItem", line)}, "cursor": line} for line, units in part["lines"]
    ]
    return {
        "id": gid("Fulfillment", part["id"]),
        "status": part["status"],
        "createdAt": part["created"],
        "trackingInfo": lambda info, first=None: part["tracking"][:first],
        "fulfillmentLineItems": sliced(lambda: rows),
    }


class FulfilmentOrders:
    def __init__(self, books: Books, scopes: set[str]) -> None:
        self.books, self._scopes = books, scopes

    def roots(self) -> Fields:
        return {
            "fulfillmentCreate": self._may("fulfillmentCreate", self._create),
            "fulfillmentTrackingInfoUpdate": self._may("fulfillmentTrackingInfoUpdate", self._track),
            "fulfillmentCancel": self._may("fulfillmentCancel", self._cancel),
        }

    def _may(self, field: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
        return resolve if WRITE in self._scopes else denied(field, WRITE)

    def of(self, order: Doc) -> Callable[..., Any]:
        """The field of Order."""
        if not self._scopes.intersection(READ):
            return denied("fulfillmentOrders", READ[0])
        rows = [
            self._group(order, place, lines, n) for n, (place, lines) in enumerate(_split(order, self.books).items())
        ]
        return lambda info, first=None, after=None, **_: connection(rows, first, after)

    def one(self, id_: str) -> Fields | None:
        order = self.books.shelf.get("order", str(int(id_) // PLACES))
        if order is None:
            return None
        rows = list(_split(order, self.books).items())
        place = int(id_) % PLACES
        return self._group(order, *rows[place], place) if place < len(rows) else None

    def _group(self, order: Doc, place: str, lines: dict[str, list[int]], n: int) -> Fields:
        id_ = str(int(order["id"]) * PLACES + n)
        items: list[Fields] = [
            {
                "id": gid("FulfillmentOrderLineItem", str(int(line) * PLACES + n)),
                "remainingQuantity": 0 if order["cancelled"] else units - done,
                "lineItem": {"id": gid("LineItem", line)},
                "cursor": line,
            }
            for line, (units, done) in lines.items()
            if units
        ]
        open_ = any(item["remainingQuantity"] for item in items)
        status = "CLOSED" if not open_ else "ON_HOLD" if order.get("hold") else "OPEN"
        actions = {"OPEN": ["CREATE_FULFILLMENT", "HOLD"], "ON_HOLD": ["RELEASE_HOLD"], "CLOSED": []}[status]
        return {
            "id": gid("FulfillmentOrder", id_),
            "status": status,
            "assignedLocation": {"location": {"id": gid("Location", place)}},
            "supportedActions": [{"action": action} for action in actions],
            "lineItems": lambda info, first=None, after=None, **_: connection(items, first, after),
            "cursor": id_,
        }

    # Writing

    def _create(self, info: Any, fulfillment: Doc, message: str | None = None) -> Fields:
        try:
            with self.books.at_once():
                made = self._made(fulfillment)
        except Complaint as wrong:
            return _complained(wrong)
        return {"fulfillment": fulfilment(made), "userErrors": []}

    def _made(self, given: Doc) -> Doc:
        groups = [
            (int(number(row["fulfillmentOrderId"], "FulfillmentOrder")), row.get("fulfillmentOrderLineItems"))
            for row in given["lineItemsByFulfillmentOrder"]
        ]
        orders = {id_ // PLACES for id_, _ in groups}
        if len(groups) == 0 or len({id_ for id_, _ in groups}) > 1:
            raise Complaint(None, ("fulfillment",), "All fulfillment orders must be assigned to the same location.")
        order = self.books.shelf.get("order", str(orders.pop()))
        group = self.one(str(groups[0][0]))
        if order is None or group is None:
            raise Complaint(None, ("fulfillment",), "Fulfillment order does not exist.")
        if group["status"] != "OPEN":
            words = f"Fulfillment order {groups[0][0]} has an unfulfillable status= {group['status'].lower()}."
            raise Complaint(None, ("fulfillment",), words)
        place = list(_split(order, self.books).items())[groups[0][0] % PLACES]
        wanted = groups[0][1] or []
        lines = [
            (str(int(number(row["id"], "FulfillmentOrderLineItem")) // PLACES), row["quantity"]) for row in wanted
        ] or [(line, units - done) for line, (units, done) in place[1].items() if units > done]
        for line, units in lines:
            have, done = place[1].get(line, [0, 0])
            if not 0 < units <= have - done:
                raise Complaint(None, ("fulfillment",), "Invalid fulfillment order line item quantity requested.")
        notify = bool(given.get("notifyCustomer"))
        tracking = _rows(given.get("trackingInfo") or {})
        return self.books.fulfil(order["id"], tracking=tracking, lines=lines, notify=notify, location=place[0])

    def _found(self, fulfilment_id: str) -> tuple[Doc, Doc]:
        wanted = number(fulfilment_id, "Fulfillment")
        for order in self.books.shelf.all("order"):
            for part in order["fulfillments"]:
                if part["id"] == wanted:
                    return order, part
        raise Complaint(None, ("id",), "Fulfillment does not exist.")

    def _track(
        self,
        info: Any,
        fulfillmentId: str,  # noqa: N803
        trackingInfoInput: Doc,  # noqa: N803
        notifyCustomer: bool = False,  # noqa: N803
    ) -> Fields:
        try:
            order, part = self._found(fulfillmentId)
            if part["status"] != "SUCCESS":
                raise Complaint(None, ("fulfillmentId",), "Fulfillment is cancelled.")
        except Complaint as wrong:
            return _complained(wrong)
        infos = [
            {"number": n, "company": company, "url": url or f"https://track.example/{n}"}
            for n, company, url in _rows(trackingInfoInput)
        ]
        self.books.change_fulfilment(order["id"], part["id"], tracking=infos)
        self.books.shelf.note("renumber", id=order["id"], fulfillment=part["id"], numbers=[i["number"] for i in infos])
        if notifyCustomer and order["email"]:
            self.books.shelf.note("mail", to=order["email"], about="shipping update")
        return {"fulfillment": {"id": fulfillmentId}, "userErrors": []}

    def _cancel(self, info: Any, id: str) -> Fields:
        try:
            order, part = self._found(id)
            if part["status"] != "SUCCESS":
                raise Complaint(None, ("id",), "Fulfillment is already cancelled.")
        except Complaint as wrong:
            return _complained(wrong)
        self.books.change_fulfilment(order["id"], part["id"], status="CANCELLED")
        self.books.shelf.note("unfulfil", id=order["id"], fulfillment=part["id"])
        return {"fulfillment": {"id": id, "status": "CANCELLED"}, "userErrors": []}


def _rows(tracking: Doc) -> list[tuple[str, str, str]]:
    """(number, company, url) of one or of many."""
    if tracking.get("number") and tracking.get("numbers"):
        raise GraphQLError("number and numbers exclude each other.")
    numbers = tracking.get("numbers") or ([tracking["number"]] if tracking.get("number") else [])
    urls = [str(url) for url in tracking.get("urls") or ([tracking["url"]] if tracking.get("url") else [])]
    company = tracking.get("company") or ""
    return [(n, company, urls[place] if place < len(urls) else "") for place, n in enumerate(numbers)]


def _complained(wrong: Complaint) -> Fields:
    return {"fulfillment": None, "userErrors": [{"field": list(wrong.field), "message": wrong.message}]}
