"""A parcel of ours as a fulfillment of the shop's fulfillment orders: one for each location that it leaves, all with
the same number. `notifyCustomer` is false: the buyer hears of it from us.

fulfillmentCreate takes no idempotency key (it is not among the mutations with @idempotent), so what an earlier
try made is found by its number, or by its units.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossdock.connectors.shopify import reading
from crossdock.connectors.shopify.client import Client, Forbidden, Said
from crossdock.connectors.shopify.manifest import FULFILMENT_SCOPES
from crossdock.connectors.shopify.mapper import gid, tail
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, not_begun, step
from crossdock.kit.shop.graphql import connected

NO_RIGHT = (
    f"Shopify does not let our app fulfil orders: the right {FULFILMENT_SCOPES[0]} is missing. Give it to the app and"
    " connect the shop again; until then shipments entered here stay here."
)
# Why a fulfillment order cannot be fulfilled now, by its status.
STATES = {
    "ON_HOLD": "is on hold in Shopify: release it there first",
    "SCHEDULED": "is scheduled for later in Shopify",
    "IN_PROGRESS": "is being fulfilled by another service in Shopify",
    "OPEN": "is to be fulfilled by another service in Shopify",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a fulfillment order with what can be fulfilled of it. `status` is the order's when nothing can."""

    group: str
    item: str
    line: str
    units: int
    location: str
    status: str = ""


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    try:
        order = await reading.order(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    wanted = step(order, command, split=True)
    try:
        match wanted:
            case Make(units, beside):
                try:
                    rows = await _fulfillable(client, order)
                except Forbidden:
                    raise
                except Outside as error:
                    return not_begun(error)
                made = await _make(client, rows, order.number, command, units)
                if isinstance(made, Refused):
                    return made
                ids = [*(parcel.parcel_id for parcel in beside), *made]
            case Renumber(parcels):
                ids = [await _renumber(client, order, command, parcel) for parcel in parcels]
            case Cancel(parcels):
                ids = [await _cancel(client, parcel) for parcel in parcels]
            case _:
                return wanted
    except Forbidden:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    except Said as said:
        # Somebody was faster, perhaps an earlier try of ours: the order says what stands there now.
        again = step(await reading.order(client, command.shop_order_id), command, split=True)
        words = f"Shopify did not do it: {said}"
        return Refused(Why.CONFLICT, words) if isinstance(again, Make | Renumber | Cancel) else again
    return Done(",".join(dict.fromkeys(ids)), order.number, order.url)


async def _make(
    client: Client, rows: Sequence[_Row], number: str, command: WriteFulfilment, units: dict[str, int]
) -> list[str] | Refused:
    """ "The fulfillment orders [...] are assigned to the same location" (fulfillmentCreate): one call for each."""
    chosen: dict[str, list[tuple[_Row, int]]] = defaultdict(list)
    for line, wanted in units.items():
        for row in (row for row in rows if row.line == line and not row.status):
            here = min(wanted, row.units)
            if here > 0:
                chosen[row.location].append((row, here))
                wanted -= here
        if wanted:
            return Refused(Why.TOO_LATE, f"Order {number} {_why_not(rows, line)}.")
    made = []
    for parts in chosen.values():
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row, here in parts:
            groups[row.group].append({"id": row.item, "quantity": here})
        wish = {
            "lineItemsByFulfillmentOrder": [
                {"fulfillmentOrderId": group, "fulfillmentOrderLineItems": items} for group, items in groups.items()
            ],
            "notifyCustomer": False,
            **({"trackingInfo": _tracking(command)} if command.tracking_number else {}),
        }
        result = await client.change("Fulfil", "fulfillmentCreate", {"fulfillment": wish})
        made.append(tail(result.child("fulfillment").str("id")))
    return made


async def _fulfillable(client: Client, order: ShopOrder) -> list[_Row]:
    data = await client.ask("Fulfillable", {"id": gid("Order", order.shop_id)})
    node = data.opt_child("order")
    rows: list[_Row] = []
    for group in node.child("fulfillmentOrders").list("nodes") if node else []:
        actions = {each.str("action") for each in group.list("supportedActions")}
        status = "" if "CREATE_FULFILLMENT" in actions else group.word("status")
        where = group.child("assignedLocation").opt_child("location")
        for item in await _items(client, group):
            if left := item.int("remainingQuantity"):
                line = tail(item.child("lineItem").str("id"))
                rows.append(_Row(group.str("id"), item.str("id"), line, left, where.str("id") if where else "", status))
    return rows


async def _items(client: Client, group: Node) -> list[Node]:
    async def more(after: str) -> Node | None:
        again = (await client.ask("MoreFulfillable", {"id": group.str("id"), "after": after})).opt_child("node")
        return again.child("lineItems") if again else None

    return await connected(group.child("lineItems"), more)


def _why_not(rows: Sequence[_Row], line: str) -> str:
    held = [row.status for row in rows if row.line == line and row.status]
    return next((STATES[status] for status in held if status in STATES), "has nothing left to fulfil for us in Shopify")


def _tracking(command: WriteFulfilment) -> dict[str, str]:
    words = {"number": command.tracking_number, "company": command.carrier, "url": command.tracking_url}
    return {name: word for name, word in words.items() if word}


async def _renumber(client: Client, order: ShopOrder, command: WriteFulfilment, parcel: Parcel) -> str:
    """A fulfillment may have several numbers, each a parcel here: the others stay in their places."""
    base = parcel.parcel_id.partition("/")[0]
    parts = [each for each in order.parcels if each.parcel_id.partition("/")[0] == base]
    tracking: dict[str, Any] = dict(_tracking(command))
    if len(parts) > 1:
        pairs = [
            (command.tracking_number, command.tracking_url)
            if each.parcel_id == parcel.parcel_id
            else (each.tracking_number, each.tracking_url)
            for each in parts
        ]
        urls = [url for _, url in pairs]
        company = {"company": command.carrier or parcel.carrier} if command.carrier or parcel.carrier else {}
        tracking = {"numbers": [number for number, _ in pairs], **company, **({"urls": urls} if all(urls) else {})}
    wish = {"id": gid("Fulfillment", base), "tracking": tracking}
    await client.change("Renumber", "fulfillmentTrackingInfoUpdate", wish)
    return parcel.parcel_id


async def _cancel(client: Client, parcel: Parcel) -> str:
    base = parcel.parcel_id.partition("/")[0]
    await client.change("Unfulfil", "fulfillmentCancel", {"id": gid("Fulfillment", base)})
    return parcel.parcel_id
