"""The corner shop's connector."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from json import loads
from typing import Any
from urllib.parse import urlsplit

from crossdock.connectors.toy import mapper
from crossdock.connectors.toy.manifest import MANIFEST

from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Outcome,
    Refused,
    Why,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.events import Count, HookNews, Look, LookKind, ProductGone, ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money
from crossdock.kit.check import check
from crossdock.kit.connector import Check, Forged, Hook, Page, Proof, Redirect, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import BadInput, Missing, Outside, Strange, ending, outcome_of
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.cancel_units import key_of, marked, pick
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, not_begun, step
from crossdock.kit.webhook import body_key, hmac_ok

TOPICS = ("order", "product")
REASONS = {"no_stock": Why.NO_STOCK, "product_gone": Why.PRODUCT_GONE}


class Toy:
    """Implements Connector."""

    manifest = MANIFEST

    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        typed = form.get("address", "").strip()
        try:
            parts = urlsplit(typed if "//" in typed else f"https://{typed}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        schemes = ("http", "https") if local else ("https",)
        if (
            not host
            or " " in typed
            or ":" in typed.split("//")[0].rstrip(":")
            or parts.scheme not in schemes
            or parts.username is not None
        ):
            raise BadInput("Type the address of your shop as https://corner.example.")
        return f"{parts.scheme}://{host}" + (f":{port}" if port else "")

    def begin(
        self, shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str
    ) -> Redirect:
        raise BadInput("A corner shop is connected with a key.")

    async def finish(
        self, shop: Shop, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
    ) -> Mapping[str, str]:
        if not form.get("key", "").strip():
            raise BadInput("Paste the key of your shop.")
        key = {"key": form["key"].strip()}
        node = await _get(replace(shop, secrets=key), "/api/shop")
        return {**key, "hook_secret": node.str("hook_secret")}

    async def prove(self, shop: Shop) -> Proof:
        node = await _get(shop, "/api/shop")
        return Proof(node.id("id"), node.str("name"), node.str("currency"), (Check(True, "The key works"),))

    def renew_at(self, shop: Shop) -> datetime | None:
        return None

    async def renew(self, shop: Shop) -> Mapping[str, str]:
        return shop.secrets

    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        node = await _get(shop, "/api/products", since=cursor or "0")
        return Page(
            tuple(mapper.product(item) for item in node.list("items")), node.str("next") or cursor, node.bool("more")
        )

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        try:
            return mapper.product(await _get(shop, f"/api/products/{product_id}"))
        except Missing:
            return ProductGone(product_id)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        node = await _post(shop, "/api/counts", {"variants": [ref.variant_id for ref in variants]})
        return [Count(item.id("id"), item.int("count")) for item in node.list("counts")]

    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        node = await _get(shop, "/api/orders", since=cursor or "now")
        return Page(tuple(mapper.order(item) for item in node.list("items")), node.str("next"), node.bool("more"))

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        try:
            return mapper.order(await _get(shop, f"/api/orders/{shop_id}"))
        except Missing:
            return _gone(shop, shop_id)

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        node = await _get(shop, "/api/orders", reference=reference)
        return Found(tuple(item.id("id") for item in node.list("items")))

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        try:
            node = await _post(shop, "/api/orders", mapper.order_request(command))
            if "error" in node:
                return Refused(
                    REASONS.get(node.str("error"), Why.INVALID), node.str("sentence"), tuple(node.strs("short"))
                )
            return Done(node.id("id"), node.id("number"), stock_taken=True, already=node.bool("already"))
        except Outside as error:
            return outcome_of(error)

    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return as_found(found)

    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        try:
            node = await _post(shop, f"/api/orders/{command.shop_order_id}/cancel", {})
            if "error" in node:
                return Refused(Why.TOO_LATE, node.str("sentence"))
            return Done(command.shop_order_id, already=node.bool("already"))
        except Outside as error:
            return outcome_of(error)

    @ending
    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        path = f"/api/orders/{command.shop_order_id}"
        try:
            node = await _get(shop, path)
        except Missing:
            picked = pick(_gone(shop, command.shop_order_id), command, {})
        else:
            picked = pick(mapper.order(node), command, {key_of(note): "" for note in node.strs("taken")})
        if not isinstance(picked, dict):
            return picked
        await _post(shop, f"{path}/take", {"lines": picked, "note": marked(command)})
        return Done("", command.shop_order_id)

    async def adjust(self, shop: Shop, command: AdjustStock) -> Outcome:
        try:
            body = {"delta": command.delta, "key": command.key}
            node = await _post(shop, f"/api/variants/{command.variant_id}/adjust", body)
            return Done(command.variant_id, already=node.bool("already"))
        except Outside as error:
            return outcome_of(error)

    async def write_risk(self, shop: Shop, command: WriteRisk) -> Outcome:
        return Refused(Why.UNSUPPORTED, self.manifest.sentence(Capability.RISK_WRITE))

    @ending
    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        path = f"/api/orders/{command.shop_order_id}"
        try:
            order = await self.order(shop, command.shop_order_id)
        except Outside as error:
            return not_begun(error)
        wanted = step(order, command)
        tracking = {"tracking": command.tracking_number, "carrier": command.carrier}
        match wanted:
            case Make(units):
                lines = [{"line": line, "units": n} for line, n in units.items()]
                node = await _post(shop, f"{path}/parcels", {"lines": lines, **tracking})
                if "error" in node:
                    return Refused(Why.CONFLICT, node.str("sentence"))
                ids = [node.id("id")]
            case Renumber(parcels):
                ids = [parcel.parcel_id for parcel in parcels]
                for id_ in ids:
                    await _post(shop, f"{path}/parcels/{id_}", tracking)
            case Cancel(parcels):
                ids = [parcel.parcel_id for parcel in parcels]
                for id_ in ids:
                    await _post(shop, f"{path}/parcels/{id_}", {"undone": True})
            case _:
                return wanted
        return Done(",".join(ids), order.number)

    def verify(self, shop: Shop, hook: Hook) -> None:
        given = hook.headers.get("x-toy-signature", "")
        if not hmac_ok(shop.secrets["hook_secret"], hook.body, given, encoding="hex"):
            raise Forged

    def news(self, shop: Shop, hook: Hook) -> HookNews:
        node = _parsed(hook.body)
        kind = {"order": LookKind.ORDER, "product": LookKind.PRODUCT}.get(node.str("topic"), LookKind.NOTHING)
        return HookNews(node.str("topic"), body_key(hook.body), (Look(kind, node.id("id")),))

    async def subscribe(self, shop: Shop) -> Subscriptions:
        node = await _post(shop, "/api/hooks", {"url": shop.hook_url, "topics": list(TOPICS)})
        return Subscriptions(TOPICS, tuple(node.strs("active")), tuple(node.strs("created")))

    async def unsubscribe(self, shop: Shop) -> None:
        await _post(shop, "/api/hooks", {"url": "", "topics": []})

    def hook_shop(self, hook: Hook) -> str:
        return ""


def _gone(shop: Shop, shop_id: str) -> ShopOrder:
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(shop.settings["currency"]))


def _parsed(body: bytes) -> Node:
    return node_of(loads(body), "hook")


async def _get(shop: Shop, path: str, **query: str) -> Node:
    return await _send(shop, "GET", path, query=query)


async def _post(shop: Shop, path: str, body: Any) -> Node:
    return await _send(shop, "POST", path, json=body)


async def _send(shop: Shop, method: str, path: str, **sent: Any) -> Node:
    """The answer as an object. A 409 or 422 is the shop's own no and has its reason inside."""
    reply = check(await shop.http.send(method, shop.address + path, headers={"X-Toy-Key": shop.secrets["key"]}, **sent))
    if reply.status not in (200, 201, 409, 422):
        raise Strange("the answer's status", "200, 201, 409 or 422", reply.status)
    return node_of(reply.json(), path.split("/")[2])
