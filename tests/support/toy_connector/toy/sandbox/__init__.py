"""The corner shop itself: every change gets the next number, and lists are read by number.

So nothing is ever lost between two pages.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from json import dumps
from typing import Any

from aiohttp import web
from crossdock.connectors.toy.sandbox.seller import Seller

from crossdock.kit import sandbox as kit
from crossdock.kit.sandbox import Doc
from crossdock.kit.webhook import sign

PAGE = 50


class Sandbox(kit.Sandbox):
    """Orders, products and variants as documents; the seller works on the same ones."""

    label = "Corner Shop"

    def __init__(self, shelf: kit.Shelf, *, seed: int = 0, **more: Any) -> None:
        super().__init__(shelf, seed=seed, **more)
        if shelf.get("shop", "it") is None:
            shelf.put(
                "shop",
                "it",
                {
                    "id": f"shop-{seed}",
                    "key": f"key-{seed}-{self.random.random()}",
                    "secret": f"hook-{self.random.random()}",
                },
            )
        self._seller = Seller(self)

    @property
    def hand(self) -> Seller:
        return self._seller

    @property
    def shop(self) -> Doc:
        return self.shelf.get("shop", "it") or {}

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "key": self.shop["key"]}

    def routes(self, app: web.Application) -> None:
        for method, path, handler in (
            ("GET", "/api/shop", self._read_shop),
            ("GET", "/api/products", self._read_products),
            ("GET", "/api/products/{id}", self._read_product),
            ("POST", "/api/counts", self._read_counts),
            ("POST", "/api/variants/{id}/adjust", self._adjust),
            ("GET", "/api/orders", self._read_orders),
            ("GET", "/api/orders/{id}", self._read_order),
            ("POST", "/api/orders", self._create),
            ("POST", "/api/orders/{id}/cancel", self._cancel),
            ("POST", "/api/orders/{id}/take", self._take),
            ("POST", "/api/orders/{id}/parcels", self._new_parcel),
            ("POST", "/api/orders/{id}/parcels/{parcel}", self._change_parcel),
            ("POST", "/api/hooks", self._subscribe),
        ):
            app.router.add_route(method, path, self._signed_in(handler))

    def _signed_in(self, handler: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.Response:
            if request.headers.get("X-Toy-Key") != self.shop["key"]:
                return web.json_response({"error": "key"}, status=401)
            response: web.Response = await handler(request)
            return response

        return answer

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        made = [await self._seller.add_product(f"Card {n}", [(f"C-{n}", "4.50", count)]) for n in range(many)]
        return [variant.variant_id for variants in made for variant in variants]

    # What changes in the shop, used by the API and by the seller

    def changed(self, kind: str, doc: Doc) -> None:
        """Keep `doc` under the next number and tell whoever listens."""
        doc["seq"] = self.shelf.next_number("seq")
        self.shelf.put(kind, doc["id"], doc, key=doc.get("reference", ""))
        hook = self.shelf.get("hook", "it")
        if hook and kind in hook["topics"]:
            body = dumps({"topic": kind, "id": doc["id"], "seq": doc["seq"]}).encode()
            self.deliver(
                hook["url"], lambda body: {"X-Toy-Signature": sign(self.shop["secret"], body, encoding="hex")}, body
            )

    def move(self, variant_id: str, delta: int) -> None:
        """Change a count, wherever its product is."""
        product = self.product_of(variant_id)
        if product is not None:
            next(item for item in product["variants"] if item["id"] == variant_id)["count"] += delta
            self.changed("product", product)

    def product_of(self, variant_id: str) -> Doc | None:
        product = self.shelf.get("product", variant_id.partition("-")[0])
        return None if product is None or product["deleted"] else product

    def count_of(self, variant_id: str) -> int | None:
        product = self.product_of(variant_id)
        return (
            next((item["count"] for item in product["variants"] if item["id"] == variant_id), None) if product else None
        )

    def place(self, asked: Mapping[str, Any]) -> tuple[int, Doc]:
        """All or nothing: an order under a reference that is there already is that order."""
        there = self.shelf.by_key("order", asked["reference"])
        if there:
            return 200, {**there[0], "already": True}
        wanted: dict[str, int] = {}
        for line in asked["lines"]:
            wanted[line["variant"]] = wanted.get(line["variant"], 0) + line["units"]
        counts = {variant: self.count_of(variant) for variant in wanted}
        if any(count is None for count in counts.values()):
            return 422, {"error": "product_gone", "sentence": "A product is not in this shop any more.", "short": []}
        short = [variant for variant, units in wanted.items() if (counts[variant] or 0) < units]
        if short:
            return 409, {"error": "no_stock", "sentence": "There is not enough in stock.", "short": short}
        return 201, {**self._placed(asked, wanted), "already": False}

    def _placed(self, asked: Mapping[str, Any], wanted: Mapping[str, int]) -> Doc:
        number = self.shelf.next_number("order", start=1001)
        total = Decimal(asked["shipping"]) + sum(Decimal(line["price"]) * line["units"] for line in asked["lines"])
        lines = [{**line, "id": f"{number}-{n}", "sku": ""} for n, line in enumerate(asked["lines"])]
        order = {
            "id": str(number),
            "number": str(number),
            "currency": "EUR",
            "total": str(total),
            "cancelled": False,
            "lines": lines,
        }
        order |= {
            "parcels": [],
            "refunds": [],
            "taken": [],
            "reference": asked["reference"],
            "buyer": asked["buyer"],
            "ship_to": asked["ship_to"],
            "placed_at": asked["placed_at"],
        }
        with self.shelf.transaction():
            for variant, units in wanted.items():
                self.move(variant, -units)
            self.changed("order", order)
            self.shelf.note("order", id=number, reference=asked["reference"])
        return order

    def call_off(self, order: Doc, *, restock: bool) -> None:
        order["cancelled"] = True
        self.changed("order", order)
        for line in order["lines"] if restock else ():
            self.move(line["variant"], line["units"])

    def take(self, order: Doc, wanted: Mapping[str, int], note: str) -> None:
        """Units by line id leave the order and go back on the shelf."""
        with self.shelf.transaction():
            for line in order["lines"]:
                units = wanted.get(line["id"], 0)
                line["units"] -= units
                order["total"] = str(Decimal(order["total"]) - Decimal(line["price"]) * units)
                if units:
                    self.move(line["variant"], units)
            order["taken"].append(note)
            self.changed("order", order)

    def ship(self, order: Doc, wanted: list[tuple[str, int]], tracking: str, carrier: str) -> str:
        """Units by line id. Raises ValueError when not so many are left."""
        left = {line["id"]: line["units"] for line in order["lines"]}
        for parcel in order["parcels"]:
            for row in parcel["lines"]:
                left[row["line"]] -= row["units"]
        if order["cancelled"] or not wanted or any(units > left.get(line, 0) for line, units in wanted):
            raise ValueError("So much of the order is not left to ship.")
        id_ = f"f{self.shelf.next_number('parcel')}"
        rows = [{"line": line, "units": units} for line, units in wanted]
        order["parcels"].append({"id": id_, "lines": rows, "tracking": tracking, "carrier": carrier})
        self.changed("order", order)
        self.shelf.note("fulfil", id=order["id"], parcel=id_, tracking=tracking)
        return id_

    # The API

    async def _read_shop(self, request: web.Request) -> web.Response:
        shop = self.shop
        return web.json_response(
            {"id": shop["id"], "name": "Corner Shop", "currency": "EUR", "hook_secret": shop["secret"]}
        )

    def _page(self, kind: str, since: str) -> web.Response:
        docs = sorted(self.shelf.all(kind), key=lambda doc: int(doc["seq"]))
        last = docs[-1]["seq"] if docs else 0
        after = max(last, 1) if since == "now" else int(since)
        fresh = [_public(doc) for doc in docs if doc["seq"] > after]
        items = fresh[:PAGE]
        return web.json_response(
            {"items": items, "next": str(items[-1]["seq"] if items else after), "more": len(fresh) > PAGE}
        )

    async def _read_products(self, request: web.Request) -> web.Response:
        return self._page("product", request.query["since"])

    async def _read_orders(self, request: web.Request) -> web.Response:
        if "reference" in request.query:
            return web.json_response(
                {"items": [_public(doc) for doc in self.shelf.by_key("order", request.query["reference"])]}
            )
        return self._page("order", request.query["since"])

    async def _read_product(self, request: web.Request) -> web.Response:
        return _found(self.shelf.get("product", request.match_info["id"]))

    async def _read_order(self, request: web.Request) -> web.Response:
        return _found(self.shelf.get("order", request.match_info["id"]))

    async def _read_counts(self, request: web.Request) -> web.Response:
        counts = {variant: self.count_of(variant) for variant in (await request.json())["variants"]}
        return web.json_response(
            {"counts": [{"id": variant, "count": count} for variant, count in counts.items() if count is not None]}
        )

    async def _adjust(self, request: web.Request) -> web.Response:
        asked, variant = await request.json(), request.match_info["id"]
        if self.count_of(variant) is None:
            return _found(None)
        already = self.shelf.get("key", asked["key"]) is not None
        if not already:
            self.shelf.put("key", asked["key"], {})
            self.move(variant, asked["delta"])
        return web.json_response({"already": already})

    async def _create(self, request: web.Request) -> web.Response:
        status, answer = self.place(await request.json())
        return web.json_response(answer, status=status)

    async def _cancel(self, request: web.Request) -> web.Response:
        order = self.shelf.get("order", request.match_info["id"])
        if order is None:
            return _found(None)
        if order["parcels"]:
            return web.json_response({"error": "shipped", "sentence": "The order is shipped already."}, status=409)
        already = bool(order["cancelled"])
        if not already:
            self.call_off(order, restock=True)
        return web.json_response({"already": already})

    async def _take(self, request: web.Request) -> web.Response:
        order, asked = self.shelf.get("order", request.match_info["id"]), await request.json()
        if order is None:
            return _found(None)
        self.take(order, asked["lines"], asked["note"])
        return web.json_response({})

    async def _new_parcel(self, request: web.Request) -> web.Response:
        """The same twice is two parcels, as long as there are units left."""
        order, asked = self.shelf.get("order", request.match_info["id"]), await request.json()
        if order is None:
            return _found(None)
        wanted = [(row["line"], row["units"]) for row in asked["lines"]]
        try:
            parcel = self.ship(order, wanted, asked["tracking"], asked["carrier"])
        except ValueError as error:
            return web.json_response({"error": "fulfilled", "sentence": str(error)}, status=409)
        return web.json_response({"id": parcel}, status=201)

    async def _change_parcel(self, request: web.Request) -> web.Response:
        order, asked = self.shelf.get("order", request.match_info["id"]), await request.json()
        parcel = next(
            (p for p in (order or {"parcels": []})["parcels"] if p["id"] == request.match_info["parcel"]), None
        )
        if order is None or parcel is None:
            return _found(None)
        if asked.get("undone"):
            order["parcels"].remove(parcel)
            self.shelf.note("unfulfil", id=order["id"], parcel=parcel["id"])
        else:
            parcel |= {"tracking": asked["tracking"], "carrier": asked["carrier"]}
            self.shelf.note("renumber", id=order["id"], parcel=parcel["id"], tracking=asked["tracking"])
        self.changed("order", order)
        return web.json_response({})

    async def _subscribe(self, request: web.Request) -> web.Response:
        asked = await request.json()
        created = [
            topic
            for topic in asked["topics"]
            if topic not in (self.shelf.get("hook", "it") or {"topics": []})["topics"]
        ]
        self.shelf.put("hook", "it", asked)
        return web.json_response({"active": asked["topics"], "created": created})


def _found(doc: Doc | None) -> web.Response:
    return web.json_response({"error": "not_found"}, status=404) if doc is None else web.json_response(_public(doc))


def _public(doc: Doc) -> Doc:
    """A deleted product is listed as a name on a list of the gone."""
    return {key: doc[key] for key in ("id", "deleted", "seq")} if doc.get("deleted") else doc
