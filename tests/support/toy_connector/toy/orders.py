"""Our order in the corner shop, which keeps our reference and takes it once."""

from datetime import datetime

from crossdock.connectors.toy import mapper, reading
from crossdock.connectors.toy.client import Client
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
    WriteRisk,
)
from crossdock.domain.events import ShopOrder
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Missing
from crossdock.kit.shop.cancel_units import key_of, marked, pick

REASONS = {"no_stock": Why.NO_STOCK, "product_gone": Why.PRODUCT_GONE}


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    node = await client.get("/api/orders", reference=reference)
    return Found(tuple(item.id("id") for item in node.list("items")))


async def create(client: Client, command: CreateOrder) -> Outcome:
    node = await client.post("/api/orders", mapper.order_request(command))
    if "error" in node:
        return Refused(REASONS.get(node.str("error"), Why.INVALID), node.str("sentence"), tuple(node.strs("short")))
    return Done(node.id("id"), node.id("number"), stock_taken=True, already=node.bool("already"))


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    return as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    node = await client.post(f"/api/orders/{command.shop_order_id}/cancel", {})
    if "error" in node:
        return Refused(Why.TOO_LATE, node.str("sentence"))
    return Done(command.shop_order_id, already=node.bool("already"))


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    path = f"/api/orders/{command.shop_order_id}"
    try:
        node = await client.get(path)
    except Missing:
        picked = pick(reading.gone(client, command.shop_order_id), command, {})
    else:
        picked = pick(mapper.order(node), command, {key_of(note): "" for note in node.strs("taken")})
    if not isinstance(picked, dict):
        return picked
    await client.post(f"{path}/take", {"lines": picked, "note": marked(command)})
    return Done("", command.shop_order_id)


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    body = {"delta": command.delta, "key": command.key}
    node = await client.post(f"/api/variants/{command.variant_id}/adjust", body)
    return Done(command.variant_id, already=node.bool("already"))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.RISK_WRITE))
