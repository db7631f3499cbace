"""The simulated Wix APIs. What is not as the vendor's types say is refused, and noted: nobody outside can know what the
real one makes of it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from crossdock.connectors.wix.sandbox import models, shapes
from crossdock.connectors.wix.sandbox.books import HOME, INITIALIZED, SINGLE, V1, V3, Books
from crossdock.kit.sandbox import Doc, Refusal

M = TypeVar("M", bound=BaseModel)
Answer = tuple[int, Any]
Known = Mapping[str, Sequence[str]]
EQUAL, MOMENT = ("$eq", "$in"), ("$eq", "$gte")
# The operators of the fields that can be filtered by (…QuerySpec of the types), those used here.
ORDERS: Known = {"updatedDate": MOMENT, "createdDate": MOMENT, "channelInfo.externalOrderId": EQUAL, "status": EQUAL}
PRODUCTS: Known = {"id": EQUAL, "updatedDate": MOMENT, "visible": ("$eq",)}
VARIANTS: Known = {"productData.productId": EQUAL, "variantId": EQUAL}
ITEMS: Known = {"productId": EQUAL, "variantId": EQUAL, "locationId": EQUAL}
PRODUCTS_V1: Known = {"id": ("$eq", "$hasSome"), "lastUpdated": MOMENT}
ITEMS_V1: Known = {"productId": ("$eq", "$hasSome")}


class No(Exception):
    """A refusal as Wix writes it (dev.wix.com, about-errors)."""

    def __init__(self, status: int, message: str, code: str = "", fields: Iterable[Mapping[str, str]] = ()) -> None:
        super().__init__(message)
        self.status, self.body = status, {"message": message, "details": {}}
        if code:
            self.body["details"] = {"applicationError": {"code": code, "description": message, "data": {}}}
        elif rows := list(fields):
            self.body["details"] = {"validationError": {"fieldViolations": rows}}


class Rest:
    """Documents in and out; what they do to the site is in Books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def add_to(self, app: web.Application, site: Callable[[], Mapping[str, str]], revoked: Callable[[], bool]) -> None:
        async def answer(request: web.Request) -> web.Response:
            try:
                if revoked() or request.headers.get("Authorization") != site()["key"]:
                    raise No(401, "Unauthorized")
                if request.headers.get("wix-site-id") != site()["id"]:
                    raise No(403, "The API key has no access to this site.")
                status, body = await self._do(request)
            except No as error:
                status, body = error.status, error.body
            return web.json_response(body, status=status)

        for top in ("ecom", "stores", "stores-reader", "site-properties"):
            app.router.add_route("*", f"/{top}/{{path:.+}}", answer)

    async def _do(self, request: web.Request) -> Answer:
        path = request.path.strip("/")
        self._may(request.method, path)
        match request.method, path.split("/"):
            case "GET", ["site-properties", "v4", "properties"]:
                about = {"siteDisplayName": "Corner shop", "paymentCurrency": self._books.settings["currency"]}
                return 200, {"version": "7", "properties": {**about, "timeZone": "America/New_York"}}
            case "GET", ["stores", "v3", "provision", "version"]:
                return 200, {"catalogVersion": self._books.settings["catalog"]}
            case _, ["stores" | "stores-reader", version, *rest]:
                self._of_catalog(path)
                return await self._stores(request, version, rest)
            case _, ["ecom", "v1", "orders", *rest]:
                return await self._orders(request, rest)
            case "POST", ["ecom", "v1", "payments-collector", "orders", id_, "mark-as-paid"]:
                await self._read(request, models.Nothing)
                return 200, {"order": self._paid(self._order(id_))}
            case "GET", ["ecom", "v1", "payments", "orders", id_]:
                return 200, {"orderTransactions": shapes.payments(self._order(id_))}
            case "POST", ["ecom", "v1", "payments", "list-by-ids"]:
                return 200, {"orderTransactions": [shapes.payments(doc) for doc in await self._by_ids(request)]}
            case _, ["ecom", "v1", "fulfillments", *rest]:
                return await self._fulfilments(request, rest)
        raise self._unknown(request)

    def _unknown(self, request: web.Request) -> No:
        self._books.shelf.note("not as documented", method=request.method, path=request.path)
        return No(404, "Not found")

    def _may(self, method: str, path: str) -> None:
        """Which permission a call needs: reads by POST are reads."""
        reads = method == "GET" or path.endswith(("/query", "/search", "/query-variants", "/list-by-ids"))
        need = "ecom" if path.startswith("ecom") else "stores" if path.startswith("stores") else "site"
        lacking = self._books.settings["without"]
        if need in lacking or (not reads and f"{need} write" in lacking):
            raise No(403, "Permission denied")

    def _of_catalog(self, path: str) -> None:
        """One site has one catalogue, and says so with a 428 (seen by others)."""
        catalog, newer = self._books.settings["catalog"], path.startswith("stores/v3")
        if newer and catalog != V3:
            raise No(428, "Site is on catalog V1.", "CATALOG_V1_SITE_CALLING_CATALOG_V3_API")
        if not newer and catalog != V1:
            raise No(428, "Site is on catalog V3.", "CATALOG_V3_SITE_CALLING_CATALOG_V1_API")

    async def _read(self, request: web.Request, model: type[M]) -> M:
        try:
            return model.model_validate_json(await request.read())
        except ValidationError as error:
            raise self._odd(request, models.wrong(error)) from None

    def _odd(self, request: web.Request, wrong: list[dict[str, str]]) -> No:
        self._books.shelf.note("not as documented", method=request.method, path=request.path, wrong=wrong)
        return No(400, "INVALID_ARGUMENT", fields=wrong)

    # Lists

    def _listed(
        self,
        request: web.Request,
        asked: models.ByCursor,
        known: Known,
        rows: Iterable[tuple[Mapping[str, Any], Doc]],
        sorts: Sequence[str] = (),
        most: int = 100,
    ) -> tuple[list[Doc], Doc]:
        """`rows` are the values to filter and sort by, and the document. A cursor is a place behind a row."""
        after: list[str] = []
        wanted, sort = asked.filter or {}, [each.field_name for each in asked.sort or []]
        if asked.cursor_paging.cursor:
            if asked.filter is not None or asked.sort is not None:
                raise No(400, "A cursor goes alone, without filter and sort.")
            place = _place(asked.cursor_paging.cursor)
            wanted, sort, after = place["wanted"], place["sort"], place["after"]
        if asked.cursor_paging.limit > most or any(field not in sorts for field in sort):
            raise self._odd(request, [{"field": "cursorPaging.limit or sort", "description": "is not supported"}])
        try:
            found = [
                ([*(str(values[field]) for field in sort), str(n).zfill(9) if not sort else str(doc["id"])], doc)
                for n, (values, doc) in enumerate(rows)
                if models.fits(wanted, known, values)
            ]
        except ValueError as error:
            raise self._odd(request, [{"field": "filter", "description": str(error)}]) from None
        found = sorted((row for row in found if row[0] > after), key=lambda row: row[0])
        page, more = found[: asked.cursor_paging.limit], len(found) > asked.cursor_paging.limit
        onward = {"next": _cursor({"wanted": wanted, "sort": sort, "after": page[-1][0]})} if more else {}
        return [doc for _, doc in page], {"count": len(page), "cursors": onward, "hasNext": more}

    async def _listed_v1(
        self, request: web.Request, known: Known, values: Callable[[Doc], Mapping[str, Any]]
    ) -> tuple[list[Doc], models.QueryV1]:
        asked = await self._read(request, models.QueryV1)
        docs = [doc for doc in self._books.shelf.all("product") if doc["visible"] or asked.include_hidden_products]
        try:
            wanted, sort = asked.wanted()
            docs = [doc for doc in docs if models.fits(wanted, known, values(doc))]
            docs.sort(key=lambda doc: [*(str(values(doc)[field]) for field in sort), doc["id"]])
        except (ValueError, KeyError) as error:
            raise self._odd(request, [{"field": "query", "description": str(error)}]) from None
        first = asked.query.paging.offset
        return docs[first : first + asked.query.paging.limit], asked

    # The store

    async def _stores(self, request: web.Request, version: str, rest: list[str]) -> Answer:
        shelf, currency = self._books.shelf, self._books.settings["currency"]
        match request.method, version, rest:
            case "POST", "v3", ["products", "query"]:
                asked = await self._read(request, models.Query)
                rows = [(_values_v3(doc), doc) for doc in shelf.all("product")]
                docs, info = self._listed(request, asked.query, PRODUCTS, rows, ("updatedDate",))
                return 200, {"products": [shapes.product_v3(doc, asked.fields) for doc in docs], "pagingMetadata": info}
            case "POST", "v3", ["products", "query-variants"]:
                return 200, await self._variants(request)
            case "GET", "v3", ["products", id_]:
                doc = self._product(id_)
                return 200, {"product": shapes.product_v3(doc, request.query.getall("fields", []), whole=True)}
            case "GET", "v3", ["locations", "default"]:
                about = {"id": HOME, "name": "Default location", "defaultLocation": True, "locationType": "BRANCH"}
                return 200, {"storesLocation": about}
            case "POST", "v3", ["inventory-items", "query"]:
                return 200, await self._items(request)
            case "POST", "v3", ["bulk", "inventory-items", "increment" | "decrement" as word]:
                return 200, await self._change(request, word)
            case "POST", "v1", ["products", "query"]:
                docs, old = await self._listed_v1(request, PRODUCTS_V1, _values_v1)
                shown = [shapes.product_v1(doc, currency, variants=old.include_variants) for doc in docs]
                return 200, {"products": shown, "metadata": {"items": len(shown), "offset": old.query.paging.offset}}
            case "GET", "v1", ["products", id_]:
                return 200, {"product": shapes.product_v1(self._product(id_), currency, variants=False)}
            case "POST", "v2", ["inventoryItems", "query"]:
                self._books.read_once()
                docs, old = await self._listed_v1(request, ITEMS_V1, lambda doc: {"productId": doc["id"]})
                return 200, {"inventoryItems": [shapes.item_v1(doc) for doc in docs], "metadata": {"items": len(docs)}}
            case "POST", "v2", ["inventoryItems", "increment" | "decrement" as word]:
                return 200, await self._change_v1(request, word)
        raise self._unknown(request)

    def _product(self, id_: str) -> Doc:
        if (doc := self._books.shelf.get("product", id_)) is None:
            raise No(404, "Product not found", "PRODUCT_NOT_FOUND")
        return doc

    async def _variants(self, request: web.Request) -> Doc:
        asked = await self._read(request, models.Query)
        lists_single = self._books.settings["lists_single"]
        rows = [
            ({"productData.productId": doc["id"], "variantId": shown["variantId"]}, shown)
            for doc in self._books.shelf.all("product")
            for shown in (shapes.variant_v3(doc, row) for row in doc["variants"])
            if lists_single or len(doc["variants"]) > 1
        ]
        found, info = self._listed(request, asked.query, VARIANTS, rows, most=1000)
        return {"variants": found, "pagingMetadata": info}

    async def _items(self, request: web.Request) -> Doc:
        self._books.read_once()
        asked = await self._read(request, models.Query)
        rows = [
            ({name: item[name] for name in ITEMS}, item)
            for doc in self._books.shelf.all("product")
            for row in doc["variants"]
            for item in shapes.items_v3(doc, row)
        ]
        found, info = self._listed(request, asked.query, ITEMS, rows, most=1000)
        return {"inventoryItems": found, "pagingMetadata": info}

    async def _changes(self, request: web.Request, word: str) -> list[tuple[models.Change, int]]:
        asked = await self._read(request, models.ChangeStock)
        try:
            return asked.changes(word)
        except ValueError as error:
            raise self._odd(request, [{"field": "data", "description": str(error)}]) from None

    async def _change(self, request: web.Request, word: str) -> Doc:
        """Answered with 200 whatever came of each."""
        results = []
        for number, (change, units) in enumerate(await self._changes(request, word)):
            problem = self._changed(change.inventory_item_id or "", units, word)
            error = {"error": {"code": problem, "description": problem.replace("_", " ").lower()}} if problem else {}
            about = {"id": change.inventory_item_id, "originalIndex": number, "success": not problem, **error}
            results.append({"itemMetadata": about})
        bad = sum(not row["itemMetadata"]["success"] for row in results)
        return {"results": results, "bulkActionMetadata": {"totalSuccesses": len(results) - bad, "totalFailures": bad}}

    def _changed(self, item_id: str, units: int, word: str) -> str:
        for doc in self._books.shelf.all("product"):
            for row in doc["variants"]:
                if row["item"] == item_id:
                    return self._moved(doc, row, units if word == "increment" else -units)
        return "INVENTORY_ITEM_NOT_FOUND"

    def _moved(self, doc: Doc, row: Doc, delta: int) -> str:
        """What is against it; `trackQuantity` "must be true", and only a decrement is too large for what there is."""
        if not doc["tracked"]:
            return "QUANTITY_NOT_TRACKED"
        if delta < 0 and row["stock"].get(HOME, 0) + delta < 0:
            return "INSUFFICIENT_INVENTORY"
        self._books.move(row["id"], delta)
        self._books.shelf.note("adjusted", variant=row["id"], delta=delta)
        return ""

    async def _change_v1(self, request: web.Request, word: str) -> Doc:
        for change, units in await self._changes(request, word):
            try:
                doc, row = self._books.variant(change.product_id or "", f"{change.product_id}.{change.variant_id}")
            except LookupError:
                raise No(404, "Inventory item not found", "INVENTORY_ITEM_NOT_FOUND") from None
            if problem := self._moved(doc, row, units if word == "increment" else -units):
                raise No(428 if problem.startswith("INSUFFICIENT") else 400, problem.lower(), problem)
        return {}

    # Orders

    def _order(self, id_: str) -> Doc:
        if (doc := self._books.shelf.get("order", id_)) is None:
            raise No(404, "Order not found", "ORDER_NOT_FOUND")
        return doc

    def _shown(self, doc: Doc) -> Doc:
        return shapes.order(self._books, doc)

    def _paid(self, doc: Doc) -> Doc:
        try:
            return self._shown(self._books.paid(doc))
        except Refusal as error:
            raise No(428, str(error), str(error)) from None

    async def _by_ids(self, request: web.Request) -> list[Doc]:
        asked = await self._read(request, models.ByIds)
        return [doc for id_ in asked.order_ids if (doc := self._books.shelf.get("order", id_))]

    async def _orders(self, request: web.Request, rest: list[str]) -> Answer:
        match request.method, rest:
            case "POST", []:
                return 200, {"order": self._shown(self._create(await self._read(request, models.CreateOrder)))}
            case "POST", ["search"]:
                return 200, await self._search(request)
            case "GET", [id_]:
                return 200, {"order": self._shown(self._order(id_))}
            case "POST", [id_, "cancel"]:
                return 200, {"order": self._cancel(self._order(id_), await self._read(request, models.CancelOrder))}
            case "POST", [id_, "activities", "add"]:
                asked, doc = await self._read(request, models.AddActivities), self._order(id_)
                ids = [self._books.comment(doc, each.merchant_comment.message) for each in asked.order_activities]
                return 200, {"order": self._shown(doc), "activityIds": ids}
        raise self._unknown(request)

    async def _search(self, request: web.Request) -> Doc:
        """ "Orders with status: INITIALIZED are never returned" (searchOrders), and a new one not at once."""
        asked = await self._read(request, models.Search)
        rows = []
        for doc in self._books.shelf.all("order"):
            if doc["unseen"]:
                self._books.shelf.put("order", doc["id"], doc | {"unseen": doc["unseen"] - 1}, key=doc["reference"])
            elif doc["status"] != INITIALIZED:
                rows.append((_values_of(doc), doc))
        docs, info = self._listed(request, asked.search, ORDERS, rows, ("updatedDate", "createdDate"))
        return {"orders": [self._shown(doc) for doc in docs], "metadata": info}

    def _create(self, asked: models.CreateOrder) -> Doc:
        """ "Optional for custom line items" is all that is said of a product that is not there: it is refused here."""
        lines = []
        for row in asked.order.line_items:
            known = row.catalog_reference
            variant = known.options.variant_id or SINGLE
            lines.append((f"{known.catalog_item_id}.{variant}", row.quantity, row.price.amount))
        try:
            return self._books.place(asked, lines)
        except LookupError:
            raise No(404, "Item not found in the catalog", "ITEM_NOT_FOUND_IN_CATALOG") from None

    def _cancel(self, doc: Doc, asked: models.CancelOrder) -> Doc:
        self._books.end(doc, restock=asked.restock_all_items, mail=asked.send_order_canceled_email)
        return self._shown(doc)

    async def _fulfilments(self, request: web.Request, rest: list[str]) -> Answer:
        match request.method, rest:
            case "POST", ["list-by-ids"]:
                return 200, {"ordersWithFulfillments": [shapes.fulfilments(doc) for doc in await self._by_ids(request)]}
            case "GET", ["orders", id_]:
                return 200, {"orderWithFulfillments": shapes.fulfilments(self._order(id_))}
            case "POST", ["orders", id_, "create-fulfillment"]:
                doc, asked = self._order(id_), await self._read(request, models.CreateFulfillment)
                self._linked(request, asked.fulfillment.tracking_info)
                try:
                    made = self._books.fulfil(doc, asked.fulfillment)
                except Refusal as error:
                    raise No(400, str(error), "INVALID_LINE_ITEM_QUANTITY") from None
                return 200, {"orderWithFulfillments": shapes.fulfilments(doc), "fulfillmentId": made["id"]}
            case "PATCH" | "DELETE", [parcel, "orders", id_]:
                return 200, {"orderWithFulfillments": await self._changed_parcel(request, self._order(id_), parcel)}
        raise self._unknown(request)

    async def _changed_parcel(self, request: web.Request, doc: Doc, parcel: str) -> Doc:
        try:
            if request.method == "DELETE":
                self._books.unfulfil(doc, parcel)
            else:
                asked = await self._read(request, models.UpdateFulfillment)
                self._linked(request, asked.fulfillment.tracking_info)
                self._books.renumber_to(doc, parcel, asked.fulfillment.tracking_info)
        except LookupError:
            raise No(404, "Fulfillment not found", "FULFILLMENT_NOT_FOUND") from None
        return shapes.fulfilments(doc)

    def _linked(self, request: web.Request, info: models.Tracking | None) -> None:
        if info is not None and info.wrong:
            raise self._odd(request, [{"field": "trackingInfo.trackingLink", "description": "is required"}])


def _values_v3(doc: Doc) -> Doc:
    return {"id": doc["id"], "updatedDate": doc["updated"], "visible": doc["visible"]}


def _values_v1(doc: Doc) -> Doc:
    return {"id": doc["id"], "lastUpdated": doc["updated"]}


def _values_of(doc: Doc) -> Doc:
    about = {"updatedDate": doc["updated"], "createdDate": doc["created"], "status": doc["status"]}
    return {**about, "channelInfo.externalOrderId": doc["reference"]}


def _cursor(place: Doc) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> Doc:
    try:
        place: Doc = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise No(400, "The cursor is not valid.") from None
    return place
