"""The simulated Commerce APIs. What is not as the vendor's pages say is refused, and noted: nobody outside can know
what the real one makes of it. There is no way to cancel an order, to change a shipment, or to write a note.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from crossdock.connectors.squarespace.sandbox import models, shapes
from crossdock.connectors.squarespace.sandbox.books import Books, stored
from crossdock.kit.sandbox import Doc, Refusal

M = TypeVar("M", bound=BaseModel)
Answer = tuple[int, Any]
PAGE = 50
_KEY = re.compile(r"[0-9A-Za-z_-]{1,64}")
KINDS = frozenset(("PHYSICAL", "SERVICE", "GIFT_CARD", "DIGITAL"))


class No(Exception):
    """A refusal as Squarespace's own programs write it (responses-error-handling)."""

    def __init__(self, status: int, message: str, type_: str = "INVALID_REQUEST_ERROR", subtype: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body: Doc = {"type": type_, "subtype": subtype or None, "message": message, "details": None}
        self.body["contextId"] = "SIMULATED"


class NoKey(No):
    """From before its programs (seen)."""

    def __init__(self, path: str) -> None:
        super().__init__(400, "")
        said = "Required header 'Idempotency-Key' is not present."
        self.body = {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": said, "instance": path}


class Rest:
    """Documents in and out; what they do to the site is in Books."""

    def __init__(self, books: Books, clock: Callable[[], datetime]) -> None:
        self._books, self._clock = books, clock

    def add_to(self, app: web.Application, site: Callable[[], Mapping[str, str]], revoked: Callable[[], bool]) -> None:
        async def answer(request: web.Request) -> web.Response:
            try:
                if not request.headers.get("User-Agent"):
                    raise No(400, "A User-Agent header is required.")
                if revoked() or request.headers.get("Authorization") != f"Bearer {site()['key']}":
                    raise No(401, "You are not authorized to do that.", "AUTHORIZATION_ERROR")
                status, body = await self._do(request, request.match_info["path"], site())
            except No as error:
                status, body = error.status, error.body
            return web.Response(status=204) if status == 204 else web.json_response(body, status=status)

        app.router.add_route("*", "/{version:1.0|v2}/{path:.+}", answer)

    async def _do(self, request: web.Request, path: str, site: Mapping[str, str]) -> Answer:
        query, shelf = dict(request.query), self._books.shelf
        version, parts = request.match_info["version"], path.split("/")
        match request.method, version, parts:
            case "GET", "1.0", ["authorization", "website"]:
                return 200, self._site(site)
            case "GET", "v2", ["commerce", "products"]:
                return 200, self._listed("products", query, self._product)
            case "GET", "v2", ["commerce", "products", ids]:
                found = [doc for id_ in self._ids(ids) if (doc := shelf.get("product", id_))]
                self._may("products")
                if not found:
                    raise No(404, "The products were not found.", "NOT_FOUND")
                return 200, {"products": [self._product(doc) for doc in found]}
            case "GET", "1.0", ["commerce", "inventory"]:
                return 200, self._inventory(query)
            case "GET", "1.0", ["commerce", "inventory", ids]:
                return 200, {"inventory": self._counts(self._ids(ids))}
            case "POST", "1.0", ["commerce", "inventory", "adjustments"]:
                return await self._once(request, "inventory write", models.Adjust, self._adjust)
            case "GET", "1.0", ["commerce", "orders"]:
                return 200, self._listed("result", query, shapes.order)
            case "POST", "1.0", ["commerce", "orders"]:
                return await self._once(request, "orders write", models.CreateOrder, self._create)
            case "GET", "1.0", ["commerce", "orders", id_]:
                self._may("orders")
                return 200, shapes.order(self._order(id_))
            case "POST", "1.0", ["commerce", "orders", id_, "fulfillments"]:
                self._may("orders write")
                return self._fulfil(id_, await self._read(request, models.Fulfil))
        shelf.note("not as documented", method=request.method, path=path)
        raise No(404, "There is no such resource.", "NOT_FOUND")

    def _may(self, permission: str) -> None:
        lacking = self._books.settings["without"]
        if permission in lacking or permission.split()[0] in lacking:
            raise No(403, f"The API key has no permission for {permission}.", "AUTHORIZATION_ERROR")

    async def _read(self, request: web.Request, model: type[M]) -> M:
        try:
            return model.model_validate_json(await request.read())
        except ValidationError as error:
            raise self._odd(request, models.wrong(error)) from None

    def _odd(self, request: web.Request, wrong: str) -> No:
        self._books.shelf.note("not as documented", method=request.method, path=request.path, wrong=wrong)
        return No(400, wrong, subtype="INVALID_ARGUMENT")

    async def _once(self, request: web.Request, permission: str, model: type[M], do: Callable[[M], Answer]) -> Answer:
        """ "A request sent multiple times will only be executed once and will receive the same response" for 48 hours
        (adjusting-stock-levels). What a refusal does to its key is not said; here it is free again.
        """
        key = request.headers.get("Idempotency-Key", "")
        if not key:
            raise NoKey(request.path)
        self._may(permission)
        if not _KEY.fullmatch(key):
            raise self._odd(request, "Idempotency-Key: up to 64 letters, digits, dashes and underscores")
        body, shelf = (await request.read()).decode(), self._books.shelf
        before = shelf.get("key", key)
        if before and datetime.fromisoformat(before["at"]) > self._clock() - timedelta(hours=48):
            if before["asked"] != f"{request.path} {body}":
                raise self._odd(request, "Idempotency-Key: used with another request")
            shelf.note("replay", key=key)
            return before["status"], before["body"]
        asked = await self._read(request, model)
        with shelf.transaction():
            status, answer = do(asked)
            kept = {"at": self._clock().isoformat(), "asked": f"{request.path} {body}", "status": status}
            shelf.put("key", key, kept | {"body": answer})
        return status, answer

    def _site(self, site: Mapping[str, str]) -> Doc:
        return {
            "id": site["id"],
            "siteId": "corner-shop",
            "title": "Corner shop",
            "url": "https://corner-shop.squarespace.com",
            "currency": self._books.settings["currency"],
            "measurementStandard": "IMPERIAL",
            "language": "en-US",
            "location": {},
            "timeZone": "America/New_York",
        }

    # Lists

    def _listed(self, name: str, query: Mapping[str, str], shape: Callable[[Doc], Doc]) -> Doc:
        """Newest change first (retrieve-all-orders, -products), fifty a page; a cursor is a place in the list, which
        moves ("dynamic", faq).
        """
        kind = "product" if name == "products" else "order"
        self._may(f"{kind}s")
        wanted, below = self._wanted(kind, query)
        docs = [doc for doc in self._books.shelf.all(kind) if self._fits(doc, wanted)]
        docs.sort(key=lambda doc: (doc["updated"], doc["id"]), reverse=True)
        docs = [doc for doc in docs if not below or [doc["updated"], doc["id"]] < below]
        last = docs[PAGE - 1] if len(docs) > PAGE else None
        onward = _cursor({"wanted": wanted, "below": [last["updated"], last["id"]]}) if last else None
        return {name: [shape(doc) for doc in docs[:PAGE]], "pagination": _pagination(onward)}

    def _wanted(self, kind: str, query: Mapping[str, str]) -> tuple[Doc, list[str]]:
        if query.get("cursor"):
            if len(query) > 1:
                raise No(400, "Cursor cannot be set while other parameters are present.", subtype="INVALID_ARGUMENT")
            place = _place(query["cursor"])
            return place["wanted"], place["below"]
        known = {"modifiedAfter", "modifiedBefore"} | ({"type"} if kind == "product" else {"fulfillmentStatus"})
        if unknown := query.keys() - known:
            raise No(400, f"Unknown parameters: {sorted(unknown)}", subtype="INVALID_ARGUMENT")
        if ("modifiedAfter" in query) != ("modifiedBefore" in query):
            raise No(400, "'modifiedBefore' and 'modifiedAfter' must both be specified.", subtype="MISSING_ARGUMENT")
        if kind == "product" and not set(query.get("type", "-").split(",")) <= KINDS:
            raise No(400, "'type' must be specified.", subtype="MISSING_ARGUMENT")
        for name in ("modifiedAfter", "modifiedBefore"):
            if name in query and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", query[name]):
                raise No(400, f"'{name}' is no date.", subtype="INVALID_ARGUMENT")
        return dict(query), []

    def _fits(self, doc: Doc, wanted: Mapping[str, str]) -> bool:
        return (
            wanted.get("modifiedAfter", "") < doc["updated"] < wanted.get("modifiedBefore", "9")
            and doc.get("type", "") in wanted.get("type", doc.get("type", "")).split(",")
            and wanted.get("fulfillmentStatus", doc.get("status")) == doc.get("status")
        )

    def _product(self, doc: Doc) -> Doc:
        return shapes.product(doc, self._books.settings["currency"])

    def _ids(self, text: str) -> list[str]:
        ids = text.split(",")
        if len(ids) > PAGE:
            raise No(400, "At most 50 ids.", subtype="INVALID_ARGUMENT")
        return ids

    # Stock

    def _inventory(self, query: Mapping[str, str]) -> Doc:
        self._may("inventory")
        begin = int(_place(query["cursor"])["from"]) if query.get("cursor") else 0
        rows = [shapes.item(doc, row) for doc in self._books.shelf.all("product") for row in doc["variants"]]
        onward = _cursor({"from": begin + PAGE}) if len(rows) > begin + PAGE else None
        return {"inventory": rows[begin : begin + PAGE], "pagination": _pagination(onward)}

    def _counts(self, ids: list[str]) -> list[Doc]:
        self._may("inventory")
        found = [shapes.item(*self._books.of(id_)) for id_ in ids if self._books.shelf.get("variant", id_)]
        if not found or (len(found) < len(ids) and self._books.settings["unknown_is_404"]):
            raise No(404, "Some of the variants were not found.", "NOT_FOUND")
        return found

    def _adjust(self, asked: models.Adjust) -> Answer:
        """All or none: a unit that is not there is not taken, and what is unlimited has no count to change."""
        books = self._books
        if not any(asked.model_dump().values()):
            raise No(400, "There is no operation.", subtype="INVALID_ARGUMENT")
        for operation in (*asked.increment_operations, *asked.decrement_operations):
            if books.shelf.get("variant", operation.variant_id) and books.of(operation.variant_id)[1].get("unlimited"):
                raise No(409, "The stock is not tracked.", "CONFLICT", "STOCK_NOT_TRACKED")
        for take in asked.decrement_operations:
            known = books.shelf.get("variant", take.variant_id)
            if known and books.of(take.variant_id)[1]["stock"][""] < take.quantity:
                raise No(409, "There is not enough stock.", "CONFLICT", "INSUFFICIENT_STOCK")
        try:
            for add in asked.increment_operations:
                books.move(add.variant_id, add.quantity)
            for take in asked.decrement_operations:
                books.move(take.variant_id, -take.quantity)
            for fixed in asked.set_finite_operations:
                doc, _ = books.of(fixed.variant_id)
                books.put_stock(doc["id"], fixed.variant_id, "", fixed.quantity)
                books.limit(fixed.variant_id, unlimited=False)
            for variant_id in asked.set_unlimited_operations:
                books.limit(variant_id, unlimited=True)
        except LookupError:
            raise No(404, "A variant was not found.", "NOT_FOUND") from None
        books.shelf.note("adjusted", **asked.model_dump(by_alias=True))
        return 204, None

    # Orders

    def _order(self, id_: str) -> Doc:
        if (doc := self._books.shelf.get("order", id_)) is None:
            raise No(404, "The order was not found.", "NOT_FOUND")
        return doc

    def _create(self, asked: models.CreateOrder) -> Answer:
        since = (self._clock() - timedelta(hours=1)).isoformat()
        received = [
            entry for entry in self._books.shelf.ledger("order") if entry["reference"] and entry["received"] > since
        ]
        if len(received) >= self._books.settings["orders_an_hour"]:
            raise No(429, "Too many requests.", "RATE_LIMIT_ERROR")
        if wrong := asked.wrong_sum():
            raise No(400, wrong)
        lines = [(line.variant_id, line.quantity, line.unit_price_paid.value) for line in asked.line_items]
        try:
            doc = self._books.place(asked, lines)
        except LookupError:
            raise No(400, "lineItems.variantId must be of an existing product.") from None
        except Refusal as error:
            raise No(409, str(error), "CONFLICT", "INSUFFICIENT_STOCK") from None
        return 201, shapes.order(doc)

    def _fulfil(self, id_: str, asked: models.Fulfil) -> Answer:
        doc = self._order(id_)
        try:
            self._books.fulfil(doc, map(stored, asked.shipments), notify=asked.should_send_notification)
        except Refusal as error:
            raise No(400, str(error)) from None
        return 204, None


def _pagination(onward: str | None) -> Doc:
    url = f"https://api.squarespace.com/?cursor={onward}" if onward else None
    return {"nextPageUrl": url, "nextPageCursor": onward, "hasNextPage": onward is not None}


def _cursor(place: Doc) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> Doc:
    try:
        place: Doc = json.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise No(400, "The cursor is not valid.", subtype="INVALID_ARGUMENT") from None
    return place
