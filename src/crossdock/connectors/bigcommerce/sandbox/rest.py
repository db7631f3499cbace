"""The simulated store's routes below /stores/{hash}. A request that is not as the vendor documents it is refused, and
noted: nobody outside can know what the real one makes of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from crossdock.connectors.bigcommerce.sandbox import shapes, vendor
from crossdock.connectors.bigcommerce.sandbox.books import Books
from crossdock.connectors.bigcommerce.sandbox.hooks import Hooks
from crossdock.kit.sandbox import Doc, Refusal

Answer = tuple[int, Any]
MOST = 250
# Which scope a route needs, by how its path begins; `modify` for what is no GET.
SCOPES = {
    "v2/orders": "orders",
    "v3/orders": "transactions",
    "v3/catalog": "products",
    "v3/inventory/items": "inventory",
    "v3/inventory/locations": "locations",
}
# Lists of a product that are there only when they are asked for (`include`).
LISTS = ("variants", "images", "custom_fields")


class No(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Rest:
    """Documents in and out; what they do to the store is in Books."""

    def __init__(self, books: Books, hooks: Hooks, base: Callable[[], str], quota: Callable[[], int]) -> None:
        self._books, self._hooks, self._base, self._quota = books, hooks, base, quota

    def add_to(self, app: web.Application, store: Callable[[], Mapping[str, str]], revoked: Callable[[], bool]) -> None:
        async def answer(request: web.Request) -> web.Response:
            path, known = request.match_info["path"], store()
            try:
                if request.match_info["store"] != known["hash"]:
                    raise No(404, "No store was found.")
                if revoked() or request.headers.get("X-Auth-Token") != known["token"]:
                    raise No(401, "Unauthorized")
                status, body = await self._do(request, path)
            except No as error:
                status, body = error.status, self._problem(path, error)
            quota = {"X-Rate-Limit-Requests-Left": str(self._quota() - 1), "X-Rate-Limit-Time-Window-Ms": "30000"}
            headers = quota | {"X-Rate-Limit-Requests-Quota": str(self._quota()), "X-Rate-Limit-Time-Reset-Ms": "30000"}
            if status == 204:
                return web.Response(status=204, headers=headers)
            return web.json_response(body, status=status, headers=headers)

        app.router.add_route("*", "/stores/{store}/{path:.+}", answer)

    def _problem(self, path: str, error: No) -> Any:
        """V2 writes a list of problems, V3 one."""
        if path.startswith("v2/"):
            return [{"status": error.status, "message": error.message}]
        return {
            "status": error.status,
            "title": error.message,
            "type": "https://developer.bigcommerce.com",
            "errors": {},
        }

    async def _do(self, request: web.Request, path: str) -> Answer:
        method, query = request.method, dict(request.query)
        self._allow(method, path)
        body: Any = None
        if method in ("POST", "PUT"):
            try:
                body = await request.json()
            except ValueError:
                raise No(400, "The body is not JSON.") from None
            wrong = vendor.wrong_body(method, path, body)
        else:
            wrong = vendor.wrong_query(path, query) if method == "GET" else ""
        if wrong:
            self._books.shelf.note("not as documented", method=method, path=path, wrong=wrong)
            raise No(422 if path.startswith("v3/") else 400, f"Not as documented: {wrong}")
        match method, path.split("/"):
            case "GET", ["v2", "store"]:
                return 200, self._store()
            case "GET", ["v3", "settings", "inventory"]:
                return 200, {"data": self._rules(query), "meta": {}}
            case "GET", ["v3", "inventory", "locations"]:
                return self._page(path, query, self._books.shelf.all("location"))
            case "GET", ["v3", "inventory", "items"]:
                return self._page(path, query, self._items(query))
            case _, ["v3", "catalog", "products", *rest]:
                return self._products(path, query, rest)
            case _, ["v2", "orders", *rest]:
                return self._orders(method, path, rest, query, body)
            case "GET", ["v3", "orders", id_, "payment_actions", "refunds"]:
                doc = self._order(id_)
                return 200, {"data": [shapes.refund(doc, row) for row in doc["refunds"]], "meta": {}}
            case "GET", ["v3", "orders", "payment_actions", "refunds"]:
                return self._page(path, query, [])
            case _, ["v3", "hooks", *rest]:
                return self._webhooks(method, path, rest, query, body)
        raise No(404, "The requested resource was not found.")

    def _allow(self, method: str, path: str) -> None:
        scope = next((scope for begin, scope in SCOPES.items() if path.startswith(begin)), "")
        lacking = self._books.settings["without"]
        if scope in lacking or (method != "GET" and f"{scope} modify" in lacking):
            raise No(403, "You don't have a required scope to access the endpoint")

    def _page(self, path: str, query: Mapping[str, str], rows: list[Doc]) -> Answer:
        """V2 has no content where there is nothing to show; V3 has an empty list."""
        limit = min(int(query.get("limit", "50")), 1000 if "inventory" in path else MOST)
        page = int(query.get("page", "1"))
        cut = rows[(page - 1) * limit : page * limit]
        if path.startswith("v2/"):
            return (200, cut) if cut else (204, None)
        pagination = {"total": len(rows), "count": len(cut), "per_page": limit, "current_page": page}
        return 200, {"data": cut, "meta": {"pagination": pagination}}

    def _store(self) -> Doc:
        settings = self._books.settings
        return {
            "id": self._base().rpartition("/")[2],
            "name": "Corner shop",
            "domain": "corner.example",
            "secure_url": "https://corner.example",
            "control_panel_base_url": "https://store-corner.mybigcommerce.com",
            "currency": settings["currency"],
            "is_price_entered_with_tax": settings["with_tax"],
            "default_channel_id": 1,
        }

    def _rules(self, query: Mapping[str, str]) -> Doc:
        """Null of a channel: it has no setting of its own."""
        names = ("update_stock_behavior", "refund_order_stock_adjustment")
        return {name: None if "channel_id" in query else self._books.settings[name] for name in names}

    # Products

    def _items(self, query: Mapping[str, str]) -> list[Doc]:
        wanted, products = (
            set(filter(None, query.get(name, "").split(","))) for name in ("variant_id:in", "product_id:in")
        )
        places = self._books.shelf.all("location")
        return [
            shapes.item(doc, row, places)
            for doc in self._books.shelf.all("product")
            for row in doc["variants"]
            if (not wanted or str(row["id"]) in wanted) and (not products or str(doc["id"]) in products)
        ]

    def _products(self, path: str, query: Mapping[str, str], rest: list[str]) -> Answer:
        if rest:
            doc = self._books.shelf.get("product", rest[0])
            if doc is None:
                raise No(404, "A product was not found with an id of it.")
            return 200, {"data": self._shown(doc, query), "meta": {}}
        docs = self._books.shelf.all("product")
        if ids := query.get("id:in"):
            docs = [doc for doc in docs if str(doc["id"]) in ids.split(",")]
        if since := query.get("date_modified:min"):
            docs = [doc for doc in docs if doc["updated"] >= since]
        if query.get("sort") == "date_modified":
            docs.sort(key=lambda doc: (doc["updated"], doc["id"]))
        status, body = self._page(path, query, docs)
        return status, {**body, "data": [self._shown(doc, query) for doc in body["data"]]}

    def _shown(self, doc: Doc, query: Mapping[str, str]) -> Doc:
        """Lists are there only when they are asked for."""
        shown, asked = shapes.product(doc), query.get("include", "").split(",")
        shown = {name: value for name, value in shown.items() if name not in LISTS or name in asked}
        if fields := query.get("include_fields"):
            shown = {name: value for name, value in shown.items() if name == "id" or name in fields.split(",")}
        return shown

    # Orders

    def _order(self, id_: str) -> Doc:
        doc = self._books.shelf.get("order", id_)
        if doc is None:
            raise No(404, "The requested resource was not found.")
        return doc

    def _orders(self, method: str, path: str, rest: list[str], query: Mapping[str, str], body: Any) -> Answer:
        if not rest:
            if method == "GET":
                status, docs = self._page(path, query, self._listed(query))
                return status, [shapes.order(self._books, doc, self._base()) for doc in docs or ()]
            try:
                doc = self._books.place(body)
            except LookupError:
                raise No(400, "The field 'product_id' is invalid.") from None
            return 201, shapes.order(self._books, doc, self._base())
        doc = self._order(rest[0])
        match method, rest[1:]:
            case "GET", []:
                return 200, shapes.order(self._books, doc, self._base())
            case "PUT", []:
                return 200, self._change(doc, body)
            case "GET", ["products"]:
                return self._page(path, query, [shapes.line(doc, row) for row in doc["lines"]])
            case "GET", ["shipments"]:
                return self._page(path, query, [shapes.shipment(doc, row) for row in doc["parcels"]])
            case _, ["shipments", *which]:
                return self._shipments(method, doc, which, body)
        raise No(404, "The requested resource was not found.")

    def _listed(self, query: Mapping[str, str]) -> list[Doc]:
        """Archived ones are not listed."""
        shelf = self._books.shelf
        docs = shelf.by_key("order", query["external_order_id"]) if "external_order_id" in query else shelf.all("order")
        since = query.get("min_date_modified", "")
        docs = [doc for doc in docs if not doc.get("deleted") and doc["updated"] >= since]
        key = "updated" if query.get("sort", "").startswith("date_modified") else "id"
        return sorted(docs, key=lambda doc: (doc[key], doc["id"]))

    def _change(self, doc: Doc, body: Doc) -> Doc:
        doc |= {name: body[name] for name in ("staff_notes", "customer_message") if name in body}
        doc["reference"] = body.get("external_order_id", doc["reference"])
        if "status_id" in body:
            self._books.change_status(doc, body["status_id"])
        self._books.keep("order", doc)
        return shapes.order(self._books, doc, self._base())

    def _shipments(self, method: str, doc: Doc, which: list[str], body: Any) -> Answer:
        if which and not any(str(row["id"]) == which[0] for row in doc["parcels"]):
            raise No(404, "The requested resource was not found.")
        if method == "POST" and not which:
            addresses = {line["order_address_id"] for line in doc["lines"]}
            if body["order_address_id"] not in addresses:
                raise No(400, "The field 'order_address_id' is invalid.")
            rows = [(item["order_product_id"], item["quantity"]) for item in body["items"]]
            about = {name: value for name, value in body.items() if name != "items"}
            try:
                return 201, shapes.shipment(doc, self._books.ship_as(doc, rows, **about))
            except Refusal as error:
                raise No(400, str(error)) from None
        if method == "PUT" and which:
            return 200, shapes.shipment(doc, self._books.change_parcel(doc, which[0], body))
        if method == "DELETE" and which:
            self._books.delete_parcel(doc, which[0])
            return 204, None
        raise No(405, "Method not allowed.")

    # Webhooks

    def _webhooks(self, method: str, path: str, rest: list[str], query: Mapping[str, str], body: Any) -> Answer:
        if rest and self._books.shelf.get("hook", rest[0]) is None:
            raise No(404, "The webhook was not found.")
        match method, rest:
            case "GET", []:
                return self._page(path, query, self._books.shelf.all("hook"))
            case "POST", []:
                return 200, {"data": self._hooks.add(body), "meta": {}}
            case "PUT", [id_]:
                return 200, {"data": self._hooks.change(id_, body), "meta": {}}
            case "DELETE", [id_]:
                self._books.shelf.delete("hook", id_)
                return 200, {"data": {"id": int(id_)}, "meta": {}}
        raise No(404, "The requested resource was not found.")
