"""The simulated shop's REST API. What is not as the swagger says is refused, and noted."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from crossdock.connectors.adobe_commerce.sandbox import access, lists, shapes, vendor
from crossdock.connectors.adobe_commerce.sandbox.access import No
from crossdock.connectors.adobe_commerce.sandbox.books import HELD, Books
from crossdock.kit.sandbox import Doc, Refusal, books

MASKED = "0123456789abcdefghijklmnopqrstuv"
REQUIRED = ("firstname", "lastname", "city", "telephone", "postcode", "country_id", "email")


class Rest:
    """Rows out and bodies in; what they do to the shop is in Books."""

    def __init__(
        self,
        shop: Books,
        keys: Callable[[], Mapping[str, str]],
        revoked: Callable[[], bool],
        address: Callable[[], str],
        masked: Callable[[], str],
    ) -> None:
        self._shop, self._keys, self._revoked, self._address, self._masked = shop, keys, revoked, address, masked

    async def answer(self, request: web.Request) -> web.Response:
        try:
            status, body = 200, await self._do(request)
        except No as error:
            status, body = error.status, error.body
        except LookupError:
            status, body = (
                404,
                {"message": "The entity that was requested doesn't exist. Verify the entity and try again."},
            )
        except Refusal as error:
            status, body = 400, {"message": str(error)}
        return web.json_response(body, status=status)

    async def _do(self, request: web.Request) -> Any:
        path, method, settings = request.match_info["path"], request.method, self._shop.settings
        if self._revoked():
            raise No(401, "The integration is not active.")
        access.signed(request, self._address(), self._keys(), self._shop.clock())
        if request.match_info["store"] != settings["store"]:
            raise No(400, "Specified request cannot be processed.")
        if (right := access.resource(method, path)) in settings["without"]:
            raise No(401, "The consumer isn't authorized to access %resources.", {"resources": right})
        if path.startswith("inventory/") and not settings["msi"]:
            raise No(404, "Request does not match any route.")
        if method == "GET":
            return self._read(path, request)
        body = await request.json() if request.can_read_body else None
        if wrong := vendor.wrong_body(method, path, body):
            self._odd(request, wrong)
        return self._write(method, path.split("/"), body)

    def _odd(self, request: web.Request, wrong: str) -> None:
        self._shop.shelf.note("not as documented", method=request.method, path=request.path, wrong=wrong)
        raise No(400, wrong)

    # Reading

    def _read(self, path: str, request: web.Request) -> Any:
        shop = self._shop
        match path.split("/"):
            case ["store", "storeConfigs"]:
                return [shapes.store(shop, self._address())]
            case ["store", "websites"]:
                return [{"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}, shapes.website()]
            case ["inventory", "stock-resolver", "website", "base"]:
                return shapes.stock()
            case ["inventory", "get-sources-assigned-to-stock-ordered-by-priority", "1"]:
                return [shapes.source(doc) for doc in shop.shelf.all("source") if doc["linked"]]
            case ["inventory", "export-stock-salable-qty", "website", "base"]:
                return self._salable(request)
            case ["directory", "countries", code]:
                if code not in shapes.COUNTRIES or code in shop.settings["closed"]:
                    raise No(404, "The country isn't available.")
                return shapes.country(code)
            case ["products"]:
                return self._listed(request, shapes.products(shop), "products", "id")
            case ["orders"]:
                rows = [shapes.order(shop, doc) for doc in shop.shelf.all("order")]
                return self._listed(request, rows, "orders", "entity_id")
            case ["shipments"]:
                rows = [shapes.shipment(doc, made) for doc in shop.shelf.all("order") for made in doc["parcels"]]
                return self._listed(request, rows, "shipments", "entity_id")
            case ["creditmemos"]:
                rows = [
                    shapes.creditmemo(shop, doc, made) for doc in shop.shelf.all("order") for made in doc["refunds"]
                ]
                return self._listed(request, rows, "creditmemos", "entity_id")
        shop.shelf.note("not as documented", method="GET", path=path)
        raise No(404, "Request does not match any route.")

    def _listed(self, request: web.Request, rows: list[Doc], name: str, id_: str) -> Doc:
        try:
            return lists.search(rows, dict(request.query), vendor.filters(name), id_=id_)
        except No as error:
            self._shop.shelf.note("not as documented", method="GET", path=name, wrong=str(error))
            raise

    def _salable(self, request: web.Request) -> Doc:
        """A list of products with another inside: its total is that of the page."""
        page = self._listed(request, shapes.products(self._shop), "products", "id")
        found = [shapes.salable(self._shop, node) for node in page["items"]]
        items = [row for row in found if row is not None]
        return {**page, "items": items, "total_count": len(items)}

    # Writing

    def _write(self, method: str, parts: list[str], body: Any) -> Any:
        shop = self._shop
        match method, parts:
            case "POST", ["guest-carts"]:
                id_ = self._masked()
                shop.shelf.put("cart", id_, {"id": id_, "items": {}, "active": True, "quote": shop.new_id("quote")})
                return id_
            case "POST", ["guest-carts", id_, "items"]:
                return self._item(self._cart(id_), body["cartItem"])
            case "POST", ["guest-carts", id_, "estimate-shipping-methods"]:
                self._cart(id_)
                return self._methods()
            case "POST", ["guest-carts", id_, "shipping-information"]:
                return self._addressed(self._cart(id_), body["addressInformation"])
            case "PUT", ["guest-carts", id_, "order"]:
                return self._order(self._cart(id_), body["paymentMethod"])
            case "POST", ["orders", id_, "cancel"]:
                doc = shop.order(id_)
                if not shop.can_cancel(doc):
                    return False
                shop.cancel_rest(doc)
                return True
            case "POST", ["orders", id_, "comments"]:
                said = body["statusHistory"]
                told = bool(said["is_customer_notified"])
                visible = bool(said["is_visible_on_front"])
                shop.comment(shop.order(id_), said["comment"], said.get("status"), visible=visible, told=told)
                return True
            case "POST", ["order", id_, "ship"]:
                return self._ship(shop.order(id_), body)
            case "POST", ["shipment", "track"]:
                return self._track(body["entity"])
            case "DELETE", ["shipment", "track", id_]:
                return self._untrack(id_)
            case "POST", ["inventory", "source-selection-algorithm-result"]:
                return shapes.selected(shop, body["inventoryRequest"]["items"])
        shop.shelf.note("not as documented", method=method, path="/".join(parts))
        raise No(404, "Request does not match any route.")

    def _cart(self, id_: str) -> Doc:
        cart = self._shop.shelf.get("cart", id_)
        if cart is None or not cart["active"]:
            raise No(404, "No such entity with %fieldName = %fieldValue", {"fieldName": "cartId", "fieldValue": id_})
        return cart

    def _item(self, cart: Doc, item: Doc) -> Doc:
        """A second line of one product is added to the first. What it says of a price counts for nothing."""
        if item["quote_id"] != cart["id"] or "sku" not in item:
            raise No(400, "The cart item is not of this cart.")
        _, row = self._shop.by_sku(item["sku"])
        if row.get("status", 1) != 1:
            raise No(400, "Product that you are trying to add is not available.")
        wanted = cart["items"].get(row["sku"], 0) + item["qty"]
        if not self._shop.sold(row):
            raise No(400, "This product is out of stock.")
        if not self._shop.sold(row, wanted):
            raise No(400, "Not enough items for sale")
        cart["items"][row["sku"]] = wanted
        self._shop.shelf.put("cart", cart["id"], cart)
        return {"item_id": 1, "sku": row["sku"], "qty": wanted, "price": shapes.amount(row["price"]), "quote_id": "1"}

    def _methods(self) -> list[Doc]:
        return [shapes.method(name, cost) for name, cost in self._shop.settings["methods"].items()]

    def _addressed(self, cart: Doc, asked: Doc) -> Doc:
        for kind in ("shipping_address", "billing_address"):
            address = asked[kind]
            if missing := [name for name in REQUIRED if not address.get(name)] or (
                [] if any(address["street"]) else ["street"]
            ):
                raise No(
                    400,
                    'Please check the %1 address information. "%2" is required. Enter and try again.',
                    [kind, *missing],
                )
            if address["country_id"] in shapes.REGIONS and not address.get("region_id"):
                raise No(400, 'Please check the address information. "regionId" is required. Enter and try again.')
        method = f"{asked['shipping_carrier_code']}_{asked['shipping_method_code']}"
        methods = self._shop.settings["methods"]
        if method not in methods:
            raise No(404, "Carrier with such method not found: %1, %2", method.split("_"))
        cart |= {"address": asked["shipping_address"], "billing": asked["billing_address"], "method": method}
        cart["carriage"] = methods[method]
        self._shop.shelf.put("cart", cart["id"], cart)
        return shapes.paid(self._shop.settings["payments"], self._total(cart))

    def _total(self, cart: Doc) -> Decimal:
        rows = [(self._shop.by_sku(sku)[1], units) for sku, units in cart["items"].items()]
        return sum((Decimal(row["price"]) * units for row, units in rows), Decimal(cart["carriage"]))

    def _order(self, cart: Doc, payment: Doc) -> Any:
        """The answer is the order's id. The cart is no more."""
        shop = self._shop
        if "address" not in cart:
            raise No(400, "Some addresses can't be used due to the configurations for specific countries.")
        if payment["method"] not in shop.settings["payments"]:
            raise No(400, "The requested Payment Method is not available.")
        if payment["method"] == "purchaseorder" and not payment.get("po_number"):
            raise No(400, "Purchase order number is a required field.")
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cart["billing"]["email"]):
            raise No(400, "We can't save the address:\nEmail has a wrong format")
        lines = []
        for sku, units in cart["items"].items():
            product, row = shop.by_sku(sku)
            lines.append(shop.line(product, row, units))
        if not lines:
            raise No(400, "A server error stopped your order from being placed. Please try to place your order again.")
        cart |= {"active": False, "payment": payment["method"], "po_number": payment.get("po_number", "")}
        with shop.at_once():
            doc = shop.place(lines, cart)
            shop.shelf.put("cart", cart["id"], cart)
        if shop.settings["observer"]:
            raise No(400, "A server error stopped your order from being placed. Please try to place your order again.")
        return doc["id"]

    def _ship(self, doc: Doc, body: Doc) -> int:
        rows = [(item["order_item_id"], int(item["qty"])) for item in body.get("items", [])]
        if not rows:
            rows = books.rows_to_ship(doc["lines"], self._shop.left(doc))
        if doc["state"] == HELD:
            raise No(
                400, "Shipment Document Validation Error(s):\nA shipment cannot be created when an order is on hold"
            )
        known = {line["id"] for line in doc["lines"]}
        if any(line not in known for line, _ in rows):
            raise No(
                400,
                "Shipment Document Validation Error(s):\nThe shipment contains product that is not part of the order.",
            )
        source = body.get("arguments", {}).get("extension_attributes", {}).get("source_code")
        tracks = [
            {"number": row["track_number"], "title": row["title"], "code": row["carrier_code"]}
            for row in body.get("tracks", [])
        ]
        told = bool(body.get("notify"))
        return int(self._shop.ship_from(doc, rows, source, tracks, told=told)["id"])

    def _track(self, entity: Doc) -> Doc:
        doc, made = self._shop.track(entity["parent_id"])
        if doc["id"] != entity["order_id"]:
            raise No(400, "Could not save the shipment tracking.")
        number = {"number": entity["track_number"], "title": entity["title"], "code": entity["carrier_code"]}
        row = {**number, "id": self._shop.new_id("track"), "created": self._shop.now()}
        made["tracks"].append(row)
        self._shop.keep("order", doc, touch=False)
        return shapes.track(doc, made, row)

    def _untrack(self, id_: str) -> bool:
        for doc in self._shop.shelf.all("order"):
            for made in doc["parcels"]:
                if any(str(row["id"]) == id_ for row in made["tracks"]):
                    made["tracks"] = [row for row in made["tracks"] if str(row["id"]) != id_]
                    self._shop.keep("order", doc, touch=False)
                    return True
        raise No(404, "The entity that was requested doesn't exist. Verify the entity and try again.")
