"""The simulated store's routes below /admin. What Medusa does not know in a query is ignored, as the real one does; a
body that is not as documented is refused.
"""

import base64
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from crossdock.connectors.medusa.sandbox import shapes, vendor
from crossdock.connectors.medusa.sandbox.books import Books, No
from crossdock.kit.sandbox import Doc, Refusal
from crossdock.kit.sandbox.books import parcel

NO_ROUTE = "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><pre>Cannot {} /admin/{}</pre></body></html>"
Query = MultiMapping[str]
Lists = Mapping[str, tuple[str, int]]
# Path: the key that its rows stand under, and how many come where no limit is named.
LISTS: Lists = {
    "stores": ("stores", 50),
    "regions": ("regions", 50),
    "stock-locations": ("stock_locations", 20),
    "shipping-options": ("shipping_options", 20),
    "tax-regions": ("tax_regions", 20),
    "price-preferences": ("price_preferences", 50),
    "products": ("products", 50),
    "product-variants": ("variants", 50),
    "reservations": ("reservations", 20),
    "orders": ("orders", 15),
    "draft-orders": ("draft_orders", 50),
}


class Rest:
    """Documents in and out; what they do to the store is in Books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def add_to(self, app: web.Application, key: Callable[[], str], revoked: Callable[[], bool]) -> None:
        async def answer(request: web.Request) -> web.Response:
            wanted = "Basic " + base64.b64encode(f"{key()}:".encode()).decode()
            if revoked() or request.headers.get("Authorization") != wanted:
                return web.json_response({"message": "Unauthorized"}, status=401)
            path = request.match_info["path"]
            try:
                body = await self._do(request, path)
            except No as refusal:
                return web.json_response(refusal.body, status=refusal.status)
            except (LookupError, StopIteration):
                missing = No("not_found", f"Not found: {path}")
                return web.json_response(missing.body, status=404)
            except Refusal as refusal:
                return web.json_response(No("invalid_data", str(refusal)).body, status=400)
            if body is None:
                text = NO_ROUTE.format(request.method, path)
                return web.Response(status=404, text=text, content_type="text/html")
            return web.json_response(body)

        app.router.add_route("*", "/admin/{path:.+}", answer)

    async def _do(self, request: web.Request, path: str) -> Any:
        method, query = request.method, request.query
        if method == "GET":
            return self._read(path.split("/"), query)
        text = await request.text()
        body = await request.json() if text else {}
        if wrong := vendor.wrong_body(method, path, body):
            self._books.shelf.note("not as documented", method=method, path=path, wrong=wrong)
            raise No("invalid_data", f"Invalid request: {wrong}")
        if path.startswith("orders/") and path.count("/") == 2 and path.endswith("/cancel"):
            # Not all or nothing: what was refunded before the refusal stays.
            return self._write(method, path.split("/"), query, body)
        with self._books.at_once():
            return self._write(method, path.split("/"), query, body)

    # Reading

    def _read(self, path: list[str], query: Query) -> Any:
        fields = query.get("fields", "")
        match path:
            case [name] if name in LISTS:
                return self._page(name, query)
            case ["products", id_]:
                return {"product": shapes.product(self._books.shelf.need("product", id_), self._currency, fields)}
            case ["orders", id_]:
                return {"order": shapes.order(self._books, self._order(id_), fields)}
            case ["orders", id_, "changes"]:
                wanted = query.getall("status[]", [])
                changes = [each for each in self._order(id_)["changes"] if not wanted or each["status"] in wanted]
                return {"order_changes": changes}
        return None

    @property
    def _currency(self) -> str:
        return str(self._books.settings["currency"])

    def _order(self, id_: str) -> Doc:
        doc = self._books.shelf.get("order", id_)
        if doc is None:
            raise No("not_found", f"Order id not found: {id_}")
        return doc

    def _page(self, name: str, query: Query) -> Doc:
        """Unknown filters are ignored: 200, and all rows."""
        key, usual = LISTS[name]
        if name == "shipping-options" and "is_return" in query:
            raise No("unknown_error", "An unknown error occurred.", code="unknown_error")
        limit, offset = int(query.get("limit", usual)), int(query.get("offset", "0"))
        docs = self._rows(name, query)
        shown = [self._shown(name, doc, query.get("fields", "")) for doc in docs[offset : offset + limit]]
        return {key: shown, "count": len(docs), "offset": offset, "limit": limit}

    def _rows(self, name: str, query: Query) -> list[Any]:
        books, settings = self._books, self._books.settings
        since = query.get("updated_at[$gte]", "")
        ids, found = query.getall("id[]", []), list[Any]()
        match name:
            case "stores":
                found = [shapes.store(self._books.store_id, self._currency)]
            case "regions":
                found = [shapes.region(self._books.region, self._currency)] if settings["region"] else []
            case "shipping-options":
                found = [shapes.option(self._currency)] if settings["shipping"] else []
            case "tax-regions":
                found = [{"id": "txreg_01", "country_code": "us"}] if settings["tax"] else []
            case "price-preferences":
                said = {"is_tax_inclusive": settings["with_tax"]}
                found = [{"id": "prpref_01", "attribute": "region_id", "value": self._books.region, **said}]
            case "stock-locations":
                found = books.shelf.all("location")
            case "reservations":
                found = self._reservations(query.getall("line_item_id[]", []))
            case "products":
                docs = books.changed_since("product", since)
                return [doc for doc in docs if not ids or doc["id"] in ids]
            case "product-variants":
                pairs = [(doc, row) for doc in books.shelf.all("product") for row in doc["variants"]]
                pairs = [pair for pair in pairs if pair[1]["updated"] >= since and (not ids or pair[1]["id"] in ids)]
                return sorted(pairs, key=lambda pair: (pair[1]["updated"], pair[1]["id"]))
            case "orders" | "draft-orders":
                docs = [doc for doc in books.changed_since("order", since) if self._found(doc, query.get("q", ""))]
                return [doc for doc in docs if (doc["status"] == "draft") is (name == "draft-orders")]
        return found

    def _found(self, doc: Doc, q: str) -> bool:
        """ILIKE in number, e-mail and addresses, and not in metadata."""
        if not q:
            return True
        pattern = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in q)
        texts = [str(doc["number"]), doc["email"], *(str(v) for to in doc["addresses"] for v in to.values() if v)]
        return any(re.search(pattern, text, re.IGNORECASE) for text in texts)

    def _reservations(self, lines: list[str]) -> list[Doc]:
        return [
            {"id": f"resitem_{line['id']}", "line_item_id": line["id"], "location_id": line["place"]}
            for doc in self._books.shelf.all("order")
            for line in doc["lines"]
            if line["place"] and line["quantity"] > line["fulfilled"] and (not lines or line["id"] in lines)
        ]

    def _shown(self, name: str, doc: Any, fields: str) -> Any:
        match name:
            case "products":
                return shapes.product(doc, self._currency, fields)
            case "product-variants":
                product, row = doc
                return shapes.variant(product, row, self._currency, fields)
            case "orders" | "draft-orders":
                return shapes.order(self._books, doc, fields)
        return doc

    # Writing

    def _write(self, method: str, path: list[str], query: Query, body: Any) -> Any:
        books, fields = self._books, query.get("fields", "")
        match method, path:
            case "POST", ["draft-orders"]:
                return {"draft_order": shapes.order(books, books.draft(body), fields)}
            case _, ["draft-orders", id_, *rest]:
                return self._draft(method, self._order(id_), rest, fields, body)
            case "POST", ["orders", id_, *rest]:
                doc = self._order(id_)
                self._act(doc, rest, body)
                return {"order": shapes.order(books, doc, fields)}
            case "POST", ["payment-collections"]:
                doc = self._order(body["order_id"])
                held = books.collect(doc, Decimal(str(body["amount"])))
                return {"payment_collection": shapes.collection(doc, held)}
            case "POST", ["payment-collections", id_, "mark-as-paid"]:
                doc = self._order(body["order_id"])
                return {"payment_collection": shapes.collection(doc, books.mark_paid(doc, id_))}
        return None

    def _draft(self, method: str, doc: Doc, rest: list[str], fields: str, body: Any) -> Any:
        books = self._books
        if rest[:1] == ["edit"] and doc["status"] != "draft":
            raise No("invalid_data", "Order is not a draft")
        match method, rest:
            case "DELETE", []:
                if doc["status"] != "draft":
                    raise No("invalid_data", f"Cannot delete order {doc['id']}")
                books.shelf.delete("order", doc["id"])
                return {"id": doc["id"], "object": "draft-order", "deleted": True}
            case "POST", ["convert-to-order"]:
                books.convert(doc)
                return {"order": shapes.order(books, doc, fields)}
            case "POST", ["edit"]:
                books.begin_edit(doc)
            case "DELETE", ["edit", "promotions"]:
                if not books.being_edited(doc):
                    raise No("invalid_data", "An active Order Change is required to proceed")
                doc["changes"][-1]["promotion"] = 0
                books.keep("order", doc, touch=False)
            case "POST", ["edit", "confirm"]:
                books.end_edit(doc)
            case _:
                return None
        return {"draft_order_preview": shapes.order(books, doc, fields)}

    def _act(self, doc: Doc, rest: list[str], body: Any) -> None:
        books = self._books
        match rest:
            case []:
                books.note_down(doc, body.get("metadata") or {})
            case ["cancel"]:
                books.cancel_order(doc)
            case ["fulfillments"]:
                rows = [(item["id"], item["quantity"]) for item in body["items"]]
                books.fulfil(doc, rows, place=body.get("location_id") or "", metadata=body.get("metadata"))
            case ["fulfillments", id_, "shipments"]:
                parcel(doc, id_)
                books.mark_shipped(doc, id_, list(body.get("labels", ())))
            case ["fulfillments", id_, "cancel"]:
                parcel(doc, id_)
                books.cancel_parcel(doc, id_)
            case _:
                raise No("not_found", "/".join(rest))
