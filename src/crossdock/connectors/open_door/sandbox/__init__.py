"""A simulated shop behind the open door, over real HTTP. It holds what it hears and what it answers against the
contract.
"""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from crossdock.connectors.open_door.sandbox import contract, shapes
from crossdock.connectors.open_door.sandbox.books import HOME, Books, No
from crossdock.connectors.open_door.sandbox.merchant import Merchant
from crossdock.kit.sandbox import Doc, Shelf, books
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox.deliver import deliver_again, standard_webhook

TRIES = 3


class Sandbox(Base):
    """`without` are calls that this shop does not offer."""

    label = "Simulated shop behind the open door"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("shop", "it") is None:
            key = "whsec_" + base64.b64encode(self.random.randbytes(32)).decode()
            shelf.put("shop", "it", {"id": f"shop-{seed}-{self.random.getrandbits(64):x}", "key": key})
        self.without: frozenset[str] = frozenset({"test/do"})
        self.books = Books(shelf, clock, self._tell)
        self._merchant = Merchant(self.books)
        self._calls: dict[str, Callable[[Doc], Doc]] = {
            "about": self._about,
            "products/list": lambda body: self._page("product", body, 0),
            "products/read": self._products,
            "orders/list": lambda body: self._page("order", body, self.books.last_number("order")),
            "orders/read": self._orders,
            "orders/create": self._create,
            "orders/cancel": self._cancel,
            "orders/cancel_units": self._cancel_units,
            "counts/adjust": self._adjust,
            "parcels/write": self._write_parcel,
            "parcels/cancel": self._cancel_parcel,
            "notes/write": self._note,
            "webhooks/set": self._set_webhook,
        }

    @property
    def hand(self) -> Merchant:
        return self._merchant

    @property
    def key(self) -> str:
        return str(self.shelf.need("shop", "it")["key"])

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "key": self.key}

    def throttled(self) -> web.Response:
        body = {"error": "slow_down", "message": "Too many calls."}
        return web.json_response(body, status=429, headers={"Retry-After": "1"})

    def revoked(self, request: web.Request) -> web.Response:
        return web.json_response({"error": "bad_signature", "message": "The key was changed."}, status=401)

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        made = []
        with self.shelf.transaction():
            for n in range(many):
                product = self.books.add_product(f"Card {n}", [(f"F-{n}", "4.50", count)])
                made.append(str(product["variants"][0]["id"]))
        return made

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/{call:.+}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if wrong := self._not_signed(request, raw):
            return web.json_response({"error": "bad_signature", "message": wrong}, status=401)
        body = json.loads(raw)
        call = str(body.get("call", ""))
        status, answer = self._do(call, body)
        if wrong := contract.wrong_answer(call, status, answer):
            self.shelf.note("not as the contract", call=call, wrong=wrong)
            return web.Response(status=500, text=f"The answer to {call} breaks the contract: {wrong}")
        return web.json_response(answer, status=status)

    def _not_signed(self, request: web.Request, raw: bytes) -> str:
        """What is wrong with the signature. The machine's clock counts as well as ours, which may be a play's."""
        id_, at, given = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
        if not at.isdigit() or min(abs(each.timestamp() - int(at)) for each in (self.clock(), datetime.now(UTC))) > 300:
            return "The time of this call is missing, or more than five minutes away."
        wanted = Webhook(self.key).sign(id_, datetime.fromtimestamp(int(at), UTC), raw.decode(errors="replace"))
        return "" if wanted in given.split(" ") else "The signature is not of our key."

    def _do(self, call: str, body: Doc) -> tuple[int, Doc]:
        try:
            if call not in self._calls or call in self.without:
                raise No("not_offered", f"This shop does not offer {call}.")
            if wrong := contract.wrong_request(call, body):
                raise No("invalid", wrong)
            return 200, self._calls[call](body)
        except No as refusal:
            return refusal.status, refusal.body

    def _tell(self, kind: str, what: str, doc: Doc) -> None:
        """A webhook about what changed; tried again a few times, with the same id."""
        url = (self.shelf.get("hook", "it") or {}).get("url", "")
        if not url:
            return
        type_ = f"{kind}.{'deleted' if what == 'deleted' else 'changed'}"
        event = {"type": type_, "timestamp": doc["updated"], "data": {"id": doc["id"]}}
        if wrong := contract.wrong_event(event):
            self.shelf.note("not as the contract", call=type_, wrong=wrong)
        deliver_again(
            self.deliver,
            url,
            standard_webhook(self.key, f"msg_{doc['seq']}"),
            json.dumps(event).encode(),
            tries=TRIES,
            enough=lambda status: status < 500,
        )

    # The calls

    def _about(self, body: Doc) -> Doc:
        currency = self.books.settings["currency"]
        shop = {"id": self.shelf.need("shop", "it")["id"], "name": "Corner shop", "currency": currency}
        calls = sorted(self._calls.keys() - self.without)
        return {"contract": "1", "shop": shop, "calls": calls}

    def _shown(self, kind: str, doc: Doc) -> Doc:
        return shapes.order(doc) if kind == "order" else shapes.product(doc, self.books.settings["currency"])

    def _page(self, kind: str, body: Doc, begin: int) -> Doc:
        cursor = body["cursor"]
        if cursor and not cursor.isdigit():
            raise No("invalid", "This cursor is not ours.")
        docs, last, more = self.books.page(kind, int(cursor) if cursor else begin, body.get("limit", 100))
        return {"items": [self._shown(kind, doc) for doc in docs], "cursor": str(last), "more": more}

    def _products(self, body: Doc) -> Doc:
        docs = [doc for id_ in body["ids"] if (doc := self.shelf.get("product", id_)) and not doc.get("deleted")]
        return {"items": [self._shown("product", doc) for doc in docs]}

    def _orders(self, body: Doc) -> Doc:
        found = self.shelf.by_key("order", body.get("reference", ""))
        found += [doc for id_ in body.get("ids", ()) if (doc := self.shelf.get("order", id_))]
        return {"items": [shapes.order(doc) for doc in found]}

    def _create(self, body: Doc) -> Doc:
        currency = self.books.settings["currency"]
        if body["order"]["currency"] != currency:
            raise No("invalid", f"This shop sells in {currency}.")
        order, already = self.books.place(body["order"])
        return {"order": shapes.order(order), "already": already}

    def _ours(self, body: Doc) -> Doc:
        return self.books.ours(body["order_id"], body["reference"])

    def _cancel(self, body: Doc) -> Doc:
        order = self._ours(body)
        already = order["state"] == "cancelled"
        if not already:
            if any(not parcel.get("cancelled") for parcel in order["parcels"]):
                raise No("too_late", "The order is shipped.")
            self.books.cancel(order, restock=True, note=body.get("note", ""))
        return {"order": shapes.order(order), "already": already}

    def _cancel_units(self, body: Doc) -> Doc:
        order = self._ours(body)
        if any(row["key"] == body["key"] for row in order["cancellations"]):
            return {"order": shapes.order(order), "already": True}
        wanted = {row["line_id"]: row["units"] for row in body["lines"]}
        left = self.books.left(order)
        if order["state"] != "open" or any(units > left[line] for line, units in wanted.items()):
            raise No("too_late", "So much of the order is not left.")
        return {"order": shapes.order(self.books.take(order, wanted, body["key"])), "already": False}

    def _adjust(self, body: Doc) -> Doc:
        done = self.shelf.get("adjusted", body["key"])
        try:
            doc, row = self.books.variant(None, body["variant_id"])
        except LookupError:
            raise No("not_found", "This shop has no such product any more.") from None
        if done is None:
            with self.books.at_once():
                row["stock"][HOME] = row["stock"].get(HOME, 0) + body["delta"]
                self.books.keep("product", doc)
                self.shelf.put("adjusted", body["key"], {"id": body["key"]})
        return {"count": shapes.count(row), "already": done is not None}

    def _write_parcel(self, body: Doc) -> Doc:
        order = self._ours(body)
        about = {
            name: body[name] for name in ("tracking_number", "carrier", "tracking_url", "shipped_at") if name in body
        }
        for parcel in order["parcels"]:
            mine = parcel["id"] == body.get("parcel_id") or parcel.get("key") == body["key"]
            if mine and not parcel.get("cancelled"):
                changed = "tracking_number" in about and parcel.get("tracking_number") != about["tracking_number"]
                if changed:
                    parcel |= about
                    self.books.keep("order", order)
                return {"parcel": shapes.parcel(parcel), "already": not changed}
        if "parcel_id" in body:
            raise No("not_found", "The order has no such parcel.")
        rows = [(row["line_id"], row["units"]) for row in body.get("lines", ())]
        return {"parcel": shapes.parcel(self.books.ship_as(order, rows, key=body["key"], **about)), "already": False}

    def _cancel_parcel(self, body: Doc) -> Doc:
        order = self._ours(body)
        try:
            parcel = books.parcel(order, body["parcel_id"])
        except LookupError:
            raise No("not_found", "The order has no such parcel.") from None
        already = bool(parcel.get("cancelled"))
        parcel["cancelled"] = True
        self.books.keep("order", order)
        return {"already": already}

    def _note(self, body: Doc) -> Doc:
        self._ours(body)
        already = self.shelf.get("note", body["key"]) is not None
        if not already:
            self.shelf.put("note", body["key"], {name: body[name] for name in ("key", "order_id", "text")})
        return {"already": already}

    def _set_webhook(self, body: Doc) -> Doc:
        already = (self.shelf.get("hook", "it") or {}).get("url", "") == body["url"]
        self.shelf.put("hook", "it", {"url": body["url"]})
        return {"url": body["url"], "already": already}
