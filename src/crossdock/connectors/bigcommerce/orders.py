"""Our order in the store. BigCommerce is not known to refuse one for want of stock, so the count is read before and
after, one order at a time, and an order that it was not enough for is taken back.
"""

from datetime import datetime
from functools import partial

from crossdock.connectors.bigcommerce import mapper, reading
from crossdock.connectors.bigcommerce.client import PAGE, Client
from crossdock.domain.commands import CancelOrder, CreateOrder, Found, Outcome, Refused, Unknown, Why, WriteRisk
from crossdock.domain.events import ShopOrder
from crossdock.kit.json_node import Node
from crossdock.kit.shop import counted, risk_notes
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.cancel import cancelled, standing
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.placing import NO_LISTING, ours, refs, take_back

SHIPPED = "Order {number} is marked as shipped in your store. Cancelling would put units back that have left."


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(is_number(line.product_id) and is_number(line.variant_id) for line in command.lines):
        return NO_LISTING

    async def send(earlier: object) -> Node:
        return await client.one("POST", "v2/orders", json=mapper.body_of(command))

    async def read(node: Node) -> ShopOrder:
        """The answer has no lines."""
        id_ = number(node)
        rows = await client.every(f"v2/orders/{id_}/products")
        return reading.shown(client, reading.Parts(id_, node, tuple(rows)))

    return await counted.place(
        command,
        address=client.shop.address,
        stock=partial(reading.stock, client, refs(command)),
        send=send,
        read=read,
        take_back=partial(_take_back, client, command),
    )


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    stock, taken_back = partial(reading.stock, client, refs(command)), partial(_take_back, client, command)
    return await counted.confirm(command, found, stock=stock, take_back=taken_back)


async def _take_back(client: Client, command: CreateOrder, shop_id: str, why: Refused) -> Outcome:
    """Under another external id, so that a look-up does not take it for the order."""
    body = {"status_id": mapper.CANCELLED, "external_order_id": command.reference + mapper.TAKEN_BACK}

    async def cancelled() -> str:
        made = await client.one("PUT", f"v2/orders/{shop_id}", json=body)
        return "" if made.int("status_id") == mapper.CANCELLED else f"“{made.text('status')}”"

    return await take_back(cancelled, why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Whether the units go back is the store's setting. Looked at first: what was shipped has none to put back."""
    order = await reading.order(client, command.shop_order_id)
    if ended := standing(command, order, SHIPPED):
        return ended
    made = await client.one("PUT", f"v2/orders/{order.shop_id}", json={"status_id": mapper.CANCELLED})
    if made.int("status_id") != mapper.CANCELLED:
        return Unknown(f"The order is still “{made.text('status')[:40]}” in your store.")
    return cancelled(order)


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    if not is_number(command.shop_order_id):
        return Refused(Why.NOT_FOUND, "That is no order of this store.")
    path = f"v2/orders/{command.shop_order_id}"
    async with alone(client.shop.address):
        node = await client.one("GET", path)
        return await risk_notes.behind(
            command,
            node.text("staff_notes"),
            reference=mapper.reference_of(node),
            write=lambda notes: client.one("PUT", path, json={"staff_notes": notes}),
        )


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    page = await client.rows("v2/orders", {"external_order_id": reference, "limit": str(PAGE)})
    found = set(map(number, ours(page, PAGE, reference, mapper.reference_of, place="store")))
    return Found(tuple(sorted(found, key=lambda id_: (len(id_), id_))))
