"""The simulated shop's wc/v3 routes.

A parameter that a route does not know is ignored without a word, as in the real one.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from crossdock.connectors.woocommerce.sandbox import shapes
from crossdock.connectors.woocommerce.sandbox.bodies import known_email, known_status, refund_rows
from crossdock.connectors.woocommerce.sandbox.books import Books
from crossdock.connectors.woocommerce.sandbox.fulfillments import Fulfillments
from crossdock.connectors.woocommerce.sandbox.hooks import Hooks
from crossdock.connectors.woocommerce.sandbox.lists import Failed, Listed, cut
from crossdock.connectors.woocommerce.sandbox.signin import Refused, SignIn, is_ssl
from crossdock.connectors.woocommerce.sandbox.site import Site, challenge

Doc = dict[str, Any]
Answer = tuple[int, Any]
Route = Callable[[web.Request], Awaitable[Answer]]
ROOT = "/wp-json/wc/v3"


class Rest:
    """Documents in and out; what they do to the shop is in Books."""

    def __init__(
        self, books: Books, sign_in: SignIn, hooks: Hooks, address: Callable[[], str], revoked: Callable[[], bool]
    ) -> None:
        self._books, self._sign_in, self._hooks, self._address, self._revoked = books, sign_in, hooks, address, revoked
        self._dates: tuple[int, list[Doc]] | None = None
        self._site = Site(books, address)

    def add_to(self, app: web.Application) -> None:
        self._site.add_to(app)
        number = r"{id:\d+}"
        for method, path, route in (
            ("GET", "/system_status", self._status),
            ("GET", "/settings/products/woocommerce_manage_stock", self._manage_stock),
            ("GET", "/settings/tax", self._taxes),
            ("GET", "/settings/general", self._general),
            ("GET", "/products", self._products),
            ("GET", f"/products/{number}", self._product),
            ("PUT", f"/products/{number}", self._change_product),
            ("DELETE", f"/products/{number}", self._bin_product),
            ("GET", f"/products/{number}/variations", self._variations),
            ("PUT", rf"/products/{{parent:\d+}}/variations/{number}", self._change_product),
            ("GET", "/orders", self._orders),
            ("POST", "/orders", self._new_order),
            ("POST", "/orders/batch", self._batch),
            ("GET", f"/orders/{number}", self._order),
            ("PUT", f"/orders/{number}", self._change_order),
            ("DELETE", f"/orders/{number}", self._bin_order),
            ("GET", f"/orders/{number}/refunds", self._refunds),
            ("POST", f"/orders/{number}/refunds", self._new_refund),
            ("GET", f"/orders/{number}/notes", self._notes),
            ("POST", f"/orders/{number}/notes", self._new_note),
            ("GET", "/webhooks", self._webhooks),
            ("POST", "/webhooks", self._new_webhook),
            ("PUT", f"/webhooks/{number}", self._change_webhook),
            ("DELETE", f"/webhooks/{number}", self._delete_webhook),
            *Fulfillments(self._books).routes(),
        ):
            app.router.add_route(method, ROOT + path, self._guarded(route))
        app.router.add_route("*", ROOT + "/{tail:.*}", self._guarded(self._no_route))

    def _guarded(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            if self._books.settings["challenge"]:
                return challenge()
            if not self._books.settings["pretty"]:
                return _not_found()
            try:
                self._allow(request)
                status, body = await route(request)
            except Failed as error:
                return web.json_response(error.body, status=error.status)
            headers = {}
            if isinstance(body, Listed):
                headers = {"X-WP-Total": str(body.total), "X-WP-TotalPages": str(body.pages)}
                body = list(body)
            return web.json_response(body, status=status, headers=headers)

        return answer

    def _allow(self, request: web.Request) -> None:
        code = "woocommerce_rest_authentication_error"
        if self._revoked():
            raise Failed(401, code, "Consumer key is invalid.") if not is_ssl(request) else _not_signed_in()
        try:
            key = self._sign_in.key_of(request, strips=self._books.settings["strips_authorization"])
        except Refused as error:
            raise Failed(401, code, str(error)) from None
        if key is None:
            raise _not_signed_in()
        reads, writes = request.method in ("GET", "HEAD"), request.method in ("POST", "PUT", "PATCH", "DELETE")
        for wanted, right in ((reads, "read"), (writes, "write")):
            if wanted and right not in key["permissions"].split("_"):
                raise Failed(401, code, f"The API key provided does not have {right} permissions.")
        if key["role"] not in ("administrator", "shop_manager"):
            raise Failed(403, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")

    # The site

    async def _status(self, request: web.Request) -> Answer:
        settings = self._books.settings
        environment = {"home_url": self._address(), "site_url": self._address(), "version": settings["version"]}
        shop = {
            "currency": settings["currency"],
            "number_of_decimals": settings["decimals"],
            "HPOS_enabled": settings["hpos"],
        }
        return 200, {"environment": environment, "settings": shop}

    async def _manage_stock(self, request: web.Request) -> Answer:
        value = "yes" if self._books.settings["manage_stock"] else "no"
        return 200, {"id": "woocommerce_manage_stock", "type": "checkbox", "default": "yes", "value": value}

    async def _taxes(self, request: web.Request) -> Answer:
        return 200, self._site.taxes()

    async def _general(self, request: web.Request) -> Answer:
        return 200, self._site.general()

    async def _no_route(self, request: web.Request) -> Answer:
        raise Failed(404, "rest_no_route", "No route was found matching the URL and request method.")

    # Products

    async def _products(self, request: web.Request) -> Answer:
        wanted = request.query.get("status", "any")
        docs = [
            doc for doc in self._dated() if (doc["status"] != "trash" if wanted == "any" else doc["status"] == wanted)
        ]
        listed = cut(request, docs)
        return 200, listed.map(
            lambda doc: shapes.product(self._books.shelf.need("product", doc["id"]), self._address())
        )

    def _dated(self) -> list[Doc]:
        """What a list is cut by; kept until something changes, since a big shop is asked for a thousand pages in a
        row.
        """
        version = self._books.shelf.version
        if self._dates is None or self._dates[0] != version:
            docs = (doc for doc in self._books.shelf.all("product") if not doc["parent"])
            kept = [{name: doc[name] for name in ("id", "status", "created", "modified")} for doc in docs]
            self._dates = (version, kept)
        return self._dates[1]

    async def _product(self, request: web.Request) -> Answer:
        return 200, shapes.product(self._known_product(request), self._address())

    def _known_product(self, request: web.Request) -> Doc:
        doc = self._books.product(request.match_info["id"])
        if doc is None:
            raise Failed(404, "woocommerce_rest_product_invalid_id", "Invalid ID.")
        return doc

    async def _change_product(self, request: web.Request) -> Answer:
        """`inventory_delta` is worked out from what was read a moment ago, so changes at the same time are lost."""
        body, doc = await _json(request), self._known_product(request)
        if "inventory_delta" in body:
            doc["count"] += int(body["inventory_delta"])
        doc["count"] = body.get("stock_quantity", doc["count"])
        doc["price"] = body.get("regular_price", doc["price"])
        doc["status"] = body.get("status", doc["status"])
        self._books.save_product(doc)
        return 200, self._shown(doc)

    def _shown(self, doc: Doc) -> Doc:
        return shapes.variation(doc, self._address()) if doc["parent"] else shapes.product(doc, self._address())

    async def _bin_product(self, request: web.Request) -> Answer:
        doc = self._known_product(request)
        force = request.query.get("force") == "true"
        if doc["status"] == "trash" and not force:
            raise Failed(410, "woocommerce_rest_already_trashed", "The product has already been deleted.")
        self._books.bin_product(doc, force=force)
        return 200, self._shown(doc)

    async def _variations(self, request: web.Request) -> Answer:
        parent = self._known_product(request)
        docs = [
            doc for id_ in parent.get("children", []) if (doc := self._books.product(id_)) and doc["status"] != "trash"
        ]
        shared = [doc | ({"count": parent["count"]} if doc["manage"] == "parent" else {}) for doc in docs]
        return 200, cut(request, shared).map(lambda doc: shapes.variation(doc, self._address()))

    # Orders

    async def _orders(self, request: web.Request) -> Answer:
        """`meta_key`, `transaction_id` and whatever else are ignored: everything comes back.

        "any" leaves the trash out.
        """
        wanted = request.query.get("status", "any").split(",")
        docs = self._books.shelf.all("order")
        docs = [doc for doc in docs if doc["status"] in wanted or ("any" in wanted and doc["status"] != "trash")]
        if needle := request.query.get("search", "").lower():
            docs = [doc for doc in docs if any(needle in text.lower() for text in self._searched(doc))]
        return 200, cut(request, docs).map(lambda doc: self._shown_order(doc, request))

    def _searched(self, doc: Doc) -> Iterable[str]:
        """Names of items in both storages; the transaction id in the new one only."""
        yield str(doc["id"])
        yield from (line["name"] for line in doc["line_items"])
        yield from (line["method_title"] for line in doc["shipping_lines"])
        yield from (str(doc["billing"].get(key, "")) for key in ("first_name", "last_name", "email", "address_1"))
        if self._books.settings["hpos"]:
            yield doc["transaction_id"]

    def _shown_order(self, doc: Doc, request: web.Request | None = None) -> Doc:
        given = request.query.get("dp", "") if request is not None else ""
        return shapes.order(doc, self._address(), int(given) if given.isdigit() else self._books.settings["decimals"])

    def show(self, resource: str, id_: int) -> Doc | None:
        """The answer for an entity as it is now; for deliveries."""
        if resource == "order":
            order = self._books.order(id_)
            return None if order is None else self._shown_order(order)
        product = self._books.product(id_)
        return None if product is None else shapes.product(product, self._address())

    def _known_order(self, request: web.Request, *, status: int = 404) -> Doc:
        doc = self._books.order(request.match_info["id"])
        if doc is None:
            message = "Invalid ID." if status == 404 else "ID is invalid."
            raise Failed(status, "woocommerce_rest_shop_order_invalid_id", message)
        return doc

    async def _order(self, request: web.Request) -> Answer:
        return 200, self._shown_order(self._known_order(request), request)

    async def _new_order(self, request: web.Request) -> Answer:
        """No idempotency: the same twice is two orders."""
        body = await _json(request)
        known_status(body)
        known_email(body)
        for line in body.get("line_items", []):
            if not line.get("product_id") and not line.get("sku"):
                raise Failed(400, "woocommerce_rest_required_product_reference", "Product ID or SKU is required.")
        with self._books.shelf.transaction():
            doc = self._books.new_order(body)
        return 201, self._shown_order(doc, request)

    async def _change_order(self, request: web.Request) -> Answer:
        body, doc = await _json(request), self._known_order(request, status=400)
        known_status(body)
        with self._books.shelf.transaction():
            for entry in body.get("meta_data", []):
                self._books.set_meta(doc, entry["key"], entry["value"])
            if "status" in body:
                self._books.change_status(doc, body["status"])
            self._books.save_order(doc)
        return 200, self._shown_order(doc, request)

    async def _bin_order(self, request: web.Request) -> Answer:
        doc = self._known_order(request)
        self._books.bin_order(doc, force=request.query.get("force") == "true")
        return 200, self._shown_order(doc, request)

    async def _batch(self, request: web.Request) -> Answer:
        """Only the empty one: it answers with nothing."""
        if any((await _json(request)).values()):
            raise Failed(400, "simulator_cannot", "The simulated shop takes no batches with something in them.")
        return 200, {}

    async def _refunds(self, request: web.Request) -> Answer:
        """Newest first, as every list without an order of its own."""
        doc = self._known_order(request)
        rows = [entry | {"modified": entry["created"]} for entry in reversed(doc["refunds"])]
        dp = int(request.query.get("dp", "2"))
        return 200, cut(request, rows).map(lambda entry: shapes.refund(entry, doc, self._address(), dp))

    async def _new_refund(self, request: web.Request) -> Answer:
        body, doc = await _json(request), self._known_order(request)
        if body.get("api_refund", True):
            raise Failed(
                500, "woocommerce_rest_cannot_create_order_refund", "The payment gateway for this order does not exist."
            )
        try:
            entry = self._books.refund(
                doc,
                str(body.get("amount", "0")),
                str(body.get("reason", "")),
                rows=refund_rows(body.get("line_items") or []),
                restock=body.get("api_restock", True),
            )
        except ValueError as error:
            raise Failed(500, "woocommerce_rest_cannot_create_order_refund", str(error)) from None
        return 201, shapes.refund(entry, doc, self._address(), 2)

    async def _notes(self, request: web.Request) -> Answer:
        """All of them, newest first: this list knows no pages."""
        doc, kind = self._known_order(request), request.query.get("type", "any")
        if kind not in ("any", "customer", "internal"):
            raise Failed(400, "rest_invalid_param", "Invalid parameter(s): type")
        return 200, [shapes.note(note, self._address()) for note in reversed(self._books.notes(doc["id"], kind))]

    async def _new_note(self, request: web.Request) -> Answer:
        """No idempotency, and a customer note is mailed at once."""
        body, doc = await _json(request), self._known_order(request)
        if not isinstance(body.get("note"), str):
            raise Failed(400, "rest_missing_callback_param", "Missing parameter(s): note", params=["note"])
        made = self._books.add_note(doc, body["note"], customer=bool(body.get("customer_note")))
        return 201, shapes.note(made, self._address())

    # Webhooks

    async def _webhooks(self, request: web.Request) -> Answer:
        docs = [doc | {"modified": doc["created"]} for doc in self._books.shelf.all("webhook")]
        return 200, cut(request, docs).map(lambda doc: shapes.webhook(doc, self._address()))

    async def _new_webhook(self, request: web.Request) -> Answer:
        body = await _json(request)
        topic = body.get("topic", "")
        if topic not in {
            f"{what}.{event}" for what in ("order", "product") for event in ("created", "updated", "deleted")
        }:
            raise Failed(400, "woocommerce_rest_webhook_invalid_topic", "Webhook topic is required and must be valid.")
        doc = {
            "id": self._books.shelf.next_number("webhook"),
            "name": body.get("name", f"Webhook {topic}"),
            "status": body.get("status", "active"),
            "topic": topic,
            "delivery_url": body.get("delivery_url", ""),
            "secret": body.get("secret", ""),
            "failures": 0,
            "created": self._books.now(),
        }
        self._books.shelf.put("webhook", doc["id"], doc)
        self._hooks.ping(doc)
        return 201, shapes.webhook(doc, self._address())

    def _known_webhook(self, request: web.Request) -> Doc:
        doc = self._books.shelf.get("webhook", request.match_info["id"])
        if doc is None:
            raise Failed(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return doc

    async def _change_webhook(self, request: web.Request) -> Answer:
        body, doc = await _json(request), self._known_webhook(request)
        moved = body.get("delivery_url", doc["delivery_url"]) != doc["delivery_url"]
        doc |= {key: body[key] for key in ("name", "status", "secret", "delivery_url") if key in body}
        doc["failures"] = 0 if body.get("status") == "active" else doc["failures"]
        self._books.shelf.put("webhook", doc["id"], doc)
        if moved:
            self._hooks.ping(doc)
        return 200, shapes.webhook(doc, self._address())

    async def _delete_webhook(self, request: web.Request) -> Answer:
        doc = self._known_webhook(request)
        if request.query.get("force") != "true":
            raise Failed(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
        self._books.shelf.delete("webhook", doc["id"])
        return 200, shapes.webhook(doc, self._address())


def _not_signed_in() -> Failed:
    return Failed(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def _not_found() -> web.Response:
    return web.Response(status=404, text="<!doctype html><title>Page not found</title>", content_type="text/html")


async def _json(request: web.Request) -> Doc:
    try:
        body = await request.json()
    except ValueError:
        raise Failed(400, "rest_invalid_json", "Invalid JSON body passed.") from None
    return body if isinstance(body, dict) else {}
