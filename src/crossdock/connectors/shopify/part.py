"""Taking units out of an order: a refund of no money, which is what puts single units back.

An edit of the order would need one more right.
"""

import uuid
from typing import Any

from crossdock.connectors.shopify import reading
from crossdock.connectors.shopify.adjusting import stocked_at
from crossdock.connectors.shopify.client import ask, user_errors
from crossdock.connectors.shopify.mapper import gid, tail
from crossdock.domain.commands import CancelLines, Done, Outcome, Refused, Why
from crossdock.kit.connector import Shop
from crossdock.kit.part import NOTHING_LEFT, marked, pick


async def cancel_lines(shop: Shop, command: CancelLines) -> Outcome:
    """The buyer is not written to and nothing is paid.

    The key is Shopify's idempotency key too, so that a repeat makes no second refund.
    """
    order = await reading.order(shop, command.shop_order_id)
    picked = pick(order, command)
    if not isinstance(picked, dict):
        return picked
    variant = {line.line_id: line.variant_id for line in order.lines}
    items = [await _item(shop, command, line, variant[line], units) for line, units in picked.items()]
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"crossdock:{command.key}"))
    wish = {"order": gid("Order", order.shop_id), "note": marked(command), "items": items, "key": key}
    result = (await ask(shop, "TakeOut", wish)).child("refundCreate")
    if errors := user_errors(result):
        again = pick(await reading.order(shop, command.shop_order_id), command)
        words = f"Shopify did not take the units out: {errors[0][1]}"
        return Refused(Why.INVALID, words) if isinstance(again, dict) else again
    return Done(tail(result.child("refund").str("id")), order.number, order.url)


async def _item(shop: Shop, command: CancelLines, line: str, variant: str, units: int) -> dict[str, Any]:
    """CANCEL: "Use this when restocking unfulfilled line items." What is gone, or stocked nowhere, is not put back."""
    item = {"lineItemId": gid("LineItem", line), "quantity": units, "restockType": "NO_RESTOCK"}
    where = "" if command.reason in NOTHING_LEFT else await stocked_at(shop, variant)
    return {**item, "restockType": "CANCEL", "locationId": where} if where else item
