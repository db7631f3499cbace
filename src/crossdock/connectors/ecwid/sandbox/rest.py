"""The simulated REST API v3. What is not as the vendor's client would send it is refused, and noted: nobody outside can
know what the real one makes of it.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from crossdock.connectors.ecwid.sandbox import models, shapes
from crossdock.connectors.ecwid.sandbox.books import Books, unix
from crossdock.kit.sandbox import Doc, Refusal

M = TypeVar("M", bound=BaseModel)
MOST = 100
READS = {"profile": "read_store_profile", "products": "read_catalog", "orders": "read_orders"}
WRITES = {"products": "update_catalog", "orders": "update_orders"}


class No(Exception):
    """A refusal as Ecwid writes it (rest-api-error-codes; EcwidApiError)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"errorMessage": message, "errorCode": code}


class Rest:
    """Documents in and out; what they do to the store is in Books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def add_to(self, app: web.Application, app_of: Callable[[], Mapping[str, Any]], dead: Callable[[], bool]) -> None:
        async def answer(request: web.Request) -> web.Response:
            known = app_of()
            try:
                if request.match_info["store"] != str(known["store"]):
                    raise No(404, "STORE_NOT_FOUND", "Store not found.")
                if dead() or request.headers.get("Authorization") != f"Bearer {known['secret_token']}":
                    raise No(403, "INVALID_API_TOKEN", "Invalid access token.")
                if self._books.settings["suspended"]:
                    raise No(402, "STORE_IS_SUSPENDED", "The store is suspended.")
                return web.json_response(await self._do(request, request.match_info["path"], known["store"]))
            except No as error:
                if not self._books.settings["bodies"]:
                    return web.Response(status=error.status, reason=str(error))
                return web.json_response(error.body, status=error.status)

        app.router.add_route("*", "/api/v3/{store}/{path:.+}", answer)

    async def _do(self, request: web.Request, path: str, store: int) -> Any:
        query, parts = dict(request.query), path.split("/")
        self._may(request.method, parts)
        match request.method, parts:
            case "GET", ["profile"]:
                return self._asked(shapes.profile(store, self._books.settings), "profile", request, query)
            case "GET", ["products"]:
                return self._asked(self._page(self._products(query), query), "products", request, query)
            case "GET", ["orders"]:
                return self._asked(self._page(self._orders(query), query), "orders", request, query)
            case "GET", ["products" | "orders" as kind, "deleted"]:
                return self._asked(self._page(self._deleted(kind, query), query), "deleted", request, query)
            case "GET", ["products", id_]:
                return self._asked(shapes.product(self._product(id_)), "one", request, query)
            case "GET", ["orders", id_]:
                return self._asked(self._shown(self._order(id_)), "one", request, query)
            case "PUT", ["products", id_, "inventory"]:
                return await self._adjust(request, id_, f"p{id_}")
            case "PUT", ["products", id_, "combinations", variant, "inventory"]:
                return await self._adjust(request, id_, variant)
            case "POST", ["orders"]:
                return self._create(await self._read(request, models.Order))
            case "PUT", ["orders", id_]:
                asked = await self._read(request, models.Order)
                self._books.change(self._order(id_), asked.given())
                return {"updateCount": 1}
        raise self._odd(request, "there is no such method")

    def _may(self, method: str, parts: list[str]) -> None:
        scope = (READS if method == "GET" else WRITES).get(parts[0], "")
        if method == "POST":
            scope = "create_orders"
        if scope in self._books.settings["without"]:
            raise No(403, "INSUFFICIENT_APP_SCOPE", f"The application has no scope {scope}.")

    async def _read(self, request: web.Request, model: type[M]) -> M:
        if request.query:
            raise self._odd(request, "a change takes no parameters here")
        try:
            return model.model_validate_json(await request.read())
        except ValidationError as error:
            raise self._odd(request, models.wrong(error)) from None

    def _odd(self, request: web.Request, wrong: str) -> No:
        self._books.shelf.note("not as documented", method=request.method, path=request.path, wrong=wrong)
        return No(400, "WRONG_PARAMETER", wrong)

    def _asked(self, answer: Doc, kind: str, request: web.Request, query: Mapping[str, str]) -> Any:
        """With those fields that were asked for. A parameter that the vendor's client does not know is refused."""
        if unknown := query.keys() - models.QUERIES[kind]:
            raise self._odd(request, f"unknown parameters: {sorted(unknown)}")
        try:
            return models.only(answer, models.fields_of(query.get("responseFields", "")))
        except ValueError as error:
            raise self._odd(request, str(error)) from None

    # Lists

    def _page(self, rows: list[Doc], query: Mapping[str, str]) -> Doc:
        """ "Maximum allowed value: 100" (search-orders)."""
        limit, offset = int(query.get("limit", MOST)), int(query.get("offset", 0))
        if not 0 < limit <= MOST or offset < 0:
            raise No(400, "WRONG_PARAMETER", "limit is at most 100.")
        cut = rows[offset : offset + limit]
        return {"total": len(rows), "count": len(cut), "offset": offset, "limit": limit, "items": cut}

    def _since(self, docs: list[Doc], query: Mapping[str, str], name: str, key: str) -> list[Doc]:
        """Whether the bound is within is not said."""
        if not (said := query.get(name)):
            return docs
        if not said.isdigit():
            raise No(400, "WRONG_PARAMETER", f"{name} is no date.")
        edge = int(said) - bool(self._books.settings["bound_within"])
        return [doc for doc in docs if unix(doc[key]) > edge]

    def _products(self, query: Mapping[str, str]) -> list[Doc]:
        """Newest first, but for a sorting that is asked for; asked by id, what is gone is left out."""
        docs = self._books.shelf.all("product")
        if "productId" in query:
            wanted = query["productId"].split(",")
            return [shapes.product(doc) for doc in docs if str(doc["id"]) in wanted]
        if query.get("sortBy", "RELEVANCE") not in models.SORTS:
            raise No(400, "WRONG_PARAMETER", "sortBy is none.")
        docs = self._since(docs, query, "updatedFrom", "updated")
        if query.get("sortBy") == "UPDATED_TIME_ASC":
            docs.sort(key=lambda doc: (doc["updated"], doc["id"]))
        else:
            docs.sort(key=lambda doc: (doc["created"], doc["id"]), reverse=True)
        return [shapes.product(doc) for doc in docs]

    def _orders(self, query: Mapping[str, str]) -> list[Doc]:
        """The newest order first, whatever changed last: there is no sorting (OrdersSearchRequest). Abandoned carts are
        left out (search-orders).
        """
        docs = [doc for doc in self._books.shelf.all("order") if doc["status"] != "INCOMPLETE"]
        docs = self._since(self._since(docs, query, "updatedFrom", "updated"), query, "createdFrom", "created")
        if "keywords" in query and self._books.settings["keywords"]:
            docs = [doc for doc in docs if self._speaks_of(doc, query["keywords"])]
        docs.sort(key=lambda doc: (doc["created"], doc["id"]), reverse=True)
        return [self._shown(doc) for doc in docs]

    def _speaks_of(self, doc: Doc, word: str) -> bool:
        """ "Order number, external transaction id, ..., shipping tracking code, item SKUs, ..., private admin notes"
        (search-orders): the external order id is not among them.
        """
        fields = doc["fields"]
        places = [fields.get(name) or "" for name in ("externalTransactionId", "privateAdminNotes", "trackingNumber")]
        places += [str(doc["id"]), *(line["sku"] for line in doc["lines"]), *(line["title"] for line in doc["lines"])]
        return any(word.lower() in place.lower() for place in places)

    def _deleted(self, kind: str, query: Mapping[str, str]) -> list[Doc]:
        docs = self._since(self._books.shelf.all(f"deleted {kind[:-1]}"), query, "from_date", "date")
        return [{"id": doc["id"], "date": doc["date"]} for doc in docs]

    # One

    def _product(self, id_: str) -> Doc:
        if (doc := self._books.shelf.get("product", id_)) is None:
            raise No(404, "PRODUCT_NOT_FOUND", "Product not found.")
        return doc

    def _order(self, id_: str) -> Doc:
        """By its number; the vendor's client asks so."""
        if (doc := self._books.shelf.get("order", id_)) is None:
            raise No(404, "ORDER_NOT_FOUND", "Order not found.")
        return doc

    def _shown(self, doc: Doc) -> Doc:
        return shapes.order(doc)

    async def _adjust(self, request: web.Request, product_id: str, variant_id: str) -> Doc:
        """Each request changes the count: there is no key (adjust-product-stock)."""
        asked = await self._read(request, models.Adjustment)
        self._product(product_id)
        try:
            left = self._books.move(product_id, variant_id, asked.quantity_delta)
        except LookupError:
            raise No(404, "COMBINATION_NOT_FOUND", "Combination not found.") from None
        self._books.shelf.note("adjusted", variant=variant_id, delta=asked.quantity_delta)
        if left is None:
            return {"updateCount": 0}
        return {"updateCount": 1} | ({"warning": "The stock became negative."} if left < 0 else {})

    def _create(self, asked: models.Order) -> Doc:
        """Both statuses are required; whether what is not there is a 404 ("any other linked object is not found") or
        stands as it is written is not said of products, so both are played (github Ecwid/ecwid-api-docs, Create order).
        """
        for name in ("paymentStatus", "fulfillmentStatus"):
            if name not in asked.given():
                raise No(400, "WRONG_PARAMETER", f"Field Order.{name} is absent")
        if self._books.settings["unknown_is_404"]:
            for line in asked.items or []:
                self._product(str(line.product_id))
        try:
            doc = self._books.place(asked.given())
        except Refusal as error:
            code = str(error) if str(error).isupper() else "WRONG_PARAMETER"
            raise No(409, code, str(error)) from None
        return {"id": doc["id"], "orderId": self._shown(doc)["id"]}
