"""The core's fulfilments of an order, as its REST controller answers for them (OrderFulfillmentsRestController in the
source): off by default, no check of what was fulfilled before, and a mail only to who asks for one.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from aiohttp import web

from crossdock.connectors.woocommerce.sandbox import shapes
from crossdock.connectors.woocommerce.sandbox.books import Books
from crossdock.connectors.woocommerce.sandbox.lists import Failed

Doc = dict[str, Any]
Answer = tuple[int, Any]


class Fulfillments:
    def __init__(self, books: Books) -> None:
        self._books = books

    def routes(self) -> Iterator[tuple[str, str, Callable[[web.Request], Awaitable[Answer]]]]:
        path = r"/orders/{id:\d+}/fulfillments"
        yield "GET", path, self._list
        yield "POST", path, self._create
        yield "PUT", path + r"/{entry:\d+}", self._change
        yield "DELETE", path + r"/{entry:\d+}", self._delete

    def _order(self, request: web.Request) -> Doc:
        if not self._books.settings["fulfillments"]:
            raise Failed(404, "rest_no_route", "No route was found matching the URL and request method.")
        doc = self._books.order(request.match_info["id"])
        if doc is None:
            raise Failed(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
        return doc

    def _entry(self, request: web.Request) -> tuple[Doc, Doc]:
        doc = self._order(request)
        for entry in self._books.fulfillments(doc["id"]):
            if entry["id"] == int(request.match_info["entry"]):
                return doc, entry
        raise Failed(400, "woocommerce_rest_fulfillment_invalid_id", "Invalid fulfillment ID.")

    async def _list(self, request: web.Request) -> Answer:
        entries = self._books.fulfillments(self._order(request)["id"])
        return 200, [shapes.fulfillment(entry, read_again=True) for entry in entries]

    async def _create(self, request: web.Request) -> Answer:
        """The same twice is two."""
        body, doc = await request.json(), self._order(request)
        metas = body.get("meta_data", [])
        if not any(meta["key"] == "_items" and meta["value"] for meta in metas):
            raise Failed(400, "woocommerce_rest_fulfillment_missing_items", "Fulfillment has no items.")
        made = self._books.save_fulfillment(doc, {"is_fulfilled": bool(body.get("is_fulfilled")), "meta_data": metas})
        self._books.note_fulfilled("fulfil", doc, made, notify=_notify(request))
        return 201, shapes.fulfillment(made, read_again=False)

    async def _change(self, request: web.Request) -> Answer:
        """Fields that are not in the request are deleted."""
        body, (doc, entry) = await request.json(), self._entry(request)
        entry["is_fulfilled"] = bool(body.get("is_fulfilled", entry["is_fulfilled"]))
        entry["meta_data"] = body.get("meta_data", entry["meta_data"])
        self._books.save_fulfillment(doc, entry)
        self._books.note_fulfilled("renumber", doc, entry, notify=_notify(request))
        return 200, shapes.fulfillment(entry, read_again=False)

    async def _delete(self, request: web.Request) -> Answer:
        doc, entry = self._entry(request)
        self._books.shelf.delete("fulfillment", entry["id"])
        self._books.mark_fulfilled(doc)
        self._books.note_fulfilled("unfulfil", doc, entry, notify=_notify(request))
        return 200, {"message": "Fulfillment deleted successfully."}


def _notify(request: web.Request) -> bool:
    return request.query.get("notify_customer") in ("1", "true")
