"""The simulated shop's webservice. It checks in PrestaShop's order: switched on, the key, the shop, the resource, the
method, the body; what is not as documented is refused, and noted.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from crossdock.connectors.prestashop.sandbox import shapes, vendor
from crossdock.connectors.prestashop.sandbox.books import ERROR, Books
from crossdock.connectors.prestashop.sandbox.vendor import No
from crossdock.kit.sandbox import Doc

# The name of one entity, where it is not the resource's without its last letter.
NODES = {"addresses": "address", "order_histories": "order_history", "order_slip": "order_slip"}
# What has no POST, PUT here.
KEPT = {"customers": "customer", "addresses": "address"}
MANAGED = ("id", "current_state", "module", "payment", "shipping_number", "note", "date_upd", "associations")


class Rest:
    """Rows out and entities in; what they do to the shop is in Books."""

    def __init__(self, books: Books, key: Callable[[], str], revoked: Callable[[], bool]) -> None:
        self._books, self._key, self._revoked = books, key, revoked

    async def answer(self, request: web.Request) -> web.Response:
        headers = {"X-Powered-By": "PrestaShop Webservice"}
        try:
            self._admit(request)
            headers["PSWS-Version"] = self._books.settings["version"]
            status, body = await self._do(request)
        except No as error:
            status, body = error.status, {"errors": [{"code": error.code, "message": error.message}]}
            if error.code in (0, 32, 35, 38, 85, 93):
                self._books.shelf.note(
                    "not as documented", method=request.method, path=request.path, wrong=error.message
                )
        return web.json_response(body, status=status, headers=headers, dumps=_dumps)

    def _admit(self, request: web.Request) -> None:
        resource, method, settings = request.match_info["resource"], request.method, self._books.settings
        if not settings["on"]:
            raise No(503, 22, "The PrestaShop webservice is disabled. Please activate it in the PrestaShop Back Office")
        said = _user(request.headers.get("Authorization", ""))
        if len(said) != 32:
            raise No(401, 18, "Invalid authentication key format")
        if said != self._key() or self._revoked():
            raise No(401, 20, "Authentification key is not active")
        shop = request.query.get("id_shop", "1")
        if not shop.isdigit() or int(shop) > settings["shops"]:
            raise No(403, 132, "No permission for this key on this shop")
        if resource == "":
            return
        if resource not in vendor.tables():
            raise No(400, 27, f'Resource of type "{resource}" does not exists')
        if f"* {resource}" in settings["without"]:
            raise No(401, 26, f'Resource of type "{resource}" is not allowed with this authentication key')
        if f"{method} {resource}" in settings["without"]:
            raise No(
                405, 25, f"Method {method} is not allowed for the resource {resource} with this authentication key"
            )

    async def _do(self, request: web.Request) -> tuple[int, Any]:
        resource, query = request.match_info["resource"], dict(request.query)
        if query.get("output_format") != "JSON":
            raise No(400, 0, "This simulator answers in JSON only")
        if resource == "":
            without = self._books.settings["without"]
            return 200, [name for name in vendor.tables() if f"* {name}" not in without]
        if request.method == "GET":
            rows = vendor.shown(resource, vendor.listed(resource, self._rows(resource, query), query), query)
            plural = "order_slips" if resource == "order_slip" else resource
            return 200, {plural: rows} if rows else []
        made: Doc = {}
        found = vendor.entities(await request.read())
        for entity in found:
            if request.method == "PUT" and not entity.get("id"):
                raise No(400, 90, "id is required when modifying a resource")
            if request.method == "POST" and entity.get("id"):
                raise No(400, 91, "id is forbidden when adding a new resource")
            vendor.check(resource, entity)
        with self._books.at_once():
            for entity in found:
                made = self._write(request.method, resource, entity, query)
        node = NODES.get(resource, resource.removesuffix("s"))
        return (201 if request.method == "POST" else 200), {
            node: vendor.shown(resource, [made], {"display": "full"})[0]
        }

    def _rows(self, resource: str, query: Mapping[str, str]) -> list[Doc]:
        books = self._books
        every = books.shelf.all
        match resource:
            case "products":
                return [shapes.product(books, doc, query) for doc in every("product")]
            case "combinations":
                return [shapes.combination(books, doc, row, query) for doc, row in self._combined()]
            case "product_option_values":
                return [shapes.option_value(books, row, query) for _, row in self._combined()]
            case "stock_availables":
                return [row for doc in every("product") for row in shapes.stock_rows(doc)]
            case "orders":
                return [shapes.order(books, doc) for doc in every("order")]
            case "order_details":
                return [shapes.detail(books, doc, line) for doc in every("order") for line in doc["lines"]]
            case "order_carriers":
                return [shapes.carrier_row(doc, row) for doc in every("order") for row in doc["carriers"]]
            case "order_slip":
                return [shapes.slip(books, doc, made) for doc in every("order") for made in doc["refunds"]]
        return shapes.fixed(books, resource)

    def _combined(self) -> list[tuple[Doc, Doc]]:
        docs = self._books.shelf.all("product")
        return [(doc, row) for doc in docs for row in doc["variants"] if row["option"]]

    def _write(self, method: str, resource: str, entity: Doc, query: Mapping[str, str]) -> Doc:
        match method, resource:
            case "POST", "customers" | "addresses":
                kind = KEPT[resource]
                # The password is hashed; nobody reads it again.
                kept = {name: value for name, value in entity.items() if name not in ("passwd", "id")}
                return self._keep(kind, {"note": "", **kept})
            case "POST", "carts":
                rows = entity.get("associations", {}).get("cart_rows", [])
                if len({(row["id_product"], row["id_product_attribute"]) for row in rows}) != len(rows):
                    raise No(500, 85, "Error occurred while setting the cart_rows value")
                made = self._keep("cart", {**{k: v for k, v in entity.items() if k != "associations"}, "rows": rows})
                return {name: value for name, value in made.items() if name != "rows"}
            case "POST", "orders":
                return self._order(entity)
            case "POST", "order_histories":
                doc = self._need(entity["id_order"])
                state = int(entity["id_order_state"])
                self._books.change_state(doc, state, mail=query.get("sendemail") == "1")
                return {"id": self._books.new_id("history"), **entity}
            case "PUT", "orders":
                return self._replace(entity)
            case "PUT", "order_details":
                return self._detail(entity)
            case "PUT", "order_carriers":
                return self._carrier(entity)
        raise No(405, 101, f"Method {method} is not allowed for the resource {resource}")

    def _keep(self, kind: str, entity: Doc) -> Doc:
        made = {**entity, "id": self._books.new_id(kind)}
        self._books.shelf.put(kind, made["id"], made)
        return made

    def _need(self, id_: str) -> Doc:
        doc = self._books.shelf.get("order", id_)
        if doc is None:
            raise No(404, 92, "Invalid ID")
        return doc

    def _order(self, entity: Doc) -> Doc:
        """What it says of prices counts for nothing."""
        shelf, cart = self._books.shelf, self._books.shelf.get("cart", entity["id_cart"])
        if cart is None or any(str(doc["cart"]) == str(cart["id"]) for doc in shelf.all("order")):
            raise No(500, 1, "Cart cannot be loaded or an order has already been placed using this cart")
        address = shelf.get("address", cart["id_address_delivery"])
        country = "" if address is None else shapes.COUNTRIES[int(address["id_country"]) - 1]
        if country in self._books.settings["closed"]:
            raise No(500, 1, "The delivery address country is not active.")
        made = self._books.validate(cart, entity["module"], entity["payment"], Decimal(entity["total_paid"]))
        # Of several orders it names the last one, of none nothing (`currentOrder`).
        return shapes.order(self._books, made[-1]) if made else {}

    def _replace(self, entity: Doc) -> Doc:
        """What is left out is emptied, the status too. Another status is set, and mailed (Order::setWsCurrentState)."""
        doc = self._need(entity["id"])
        known = [name for name in vendor.tables()["orders"] if name not in MANAGED]
        doc["named"] = {name: entity.get(name, "") for name in known}
        doc["module"], doc["payment"] = entity["module"], entity["payment"]
        doc["paid"] = entity.get("total_paid_real") or "0"
        if self._books.settings["notes"]:
            doc["note"] = entity.get("note", "")
        for row in doc["carriers"][:1]:
            row["tracking"] = entity.get("shipping_number", "")
        state = int(entity.get("current_state") or ERROR)
        self._books.keep("order", doc)
        if state != doc["state"]:
            self._books.change_state(doc, state, mail=True)
        return shapes.order(self._books, self._need(entity["id"]))

    def _detail(self, entity: Doc) -> Doc:
        doc = self._need(entity["id_order"])
        line = next((line for line in doc["lines"] if str(line["id"]) == entity["id"]), None)
        if line is None:
            raise No(404, 92, "Invalid ID")
        line["named"] = {name: entity.get(name, "") for name in vendor.tables()["order_details"]}
        line["quantity"] = int(entity["product_quantity"])
        self._books.keep("order", doc, touch=False)
        return shapes.detail(self._books, doc, line)

    def _carrier(self, entity: Doc) -> Doc:
        """It moves no date of its order."""
        doc = self._need(entity["id_order"])
        row = next((row for row in doc["carriers"] if str(row["id"]) == entity["id"]), None)
        if row is None:
            raise No(404, 92, "Invalid ID")
        row |= {"tracking": entity.get("tracking_number", ""), "id_carrier": entity["id_carrier"]}
        self._books.keep("order", doc, touch=False)
        return shapes.carrier_row(doc, row)


def _user(header: str) -> str:
    try:
        name, _, password = b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
    except ValueError:
        return ""
    return "" if password else name


def _dumps(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)
