"""Our parcel in the shop: the number in the order's row of its carrier, then a shipped status. PrestaShop ships orders
as a whole.
"""

from collections.abc import Set
from functools import partial

from crossdock.connectors.prestashop import bodies, orders, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import ShopOrder
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import number
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import NOT_YET, Cancel, Make, Renumber, Step, left, looked_at
from crossdock.kit.shop.mapping import BARE

NO_RIGHT = (
    "The webservice key may not write shipments. Tick Modify (PUT) of order_carriers and Add (POST) of order_histories."
)
NO_ROW = "Order {number} has no carrier in your shop, so there is no place for a tracking number."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    async with alone(client.shop.address):
        read, act = partial(_read, client, command.shop_order_id), partial(_act, client, command)
        return await looked_at(command, read, act, no_right=NO_RIGHT)


async def _read(client: Client, shop_id: str) -> tuple[tuple[list[Node], bool], ShopOrder]:
    """The order with its rows of carriers, oldest first, and whether it is set to a shipped status."""
    node, order = await reading.read(client, shop_id)
    rows = await client.of("order_carriers", "id_order", [order.shop_id])
    shipped = node.text("current_state") in client.shop.settings["shipped"].split(",")
    return (sorted(rows, key=lambda row: int(number(row))), shipped), order


async def _act(
    client: Client, command: WriteFulfilment, seen: tuple[list[Node], bool], order: ShopOrder, wanted: Step | Outcome
) -> Outcome:
    rows, shipped = seen
    match wanted:
        case Make(units) if units != dict(left(order)):
            return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.TRACKING_PARTIAL))
        case Make():
            return await _sent(client, order, rows, command, shipped)
        case Renumber():
            return await _sent(client, order, [row for row in rows if row.text("id") in wanted.ids], command, shipped)
        case Cancel():
            return await _undone(client, order, rows, wanted.ids, shipped)
        case Done() if not command.undone and not shipped:
            # Its number stands there alone: an earlier try of ours came so far, or somebody typed it.
            if command.only_look:
                return Unknown(NOT_YET)
            await orders.set_state(client, order.shop_id, client.shop.settings["shipping"])
    return wanted


async def _sent(client: Client, order: ShopOrder, rows: list[Node], command: WriteFulfilment, shipped: bool) -> Outcome:
    """The number, in the first of these rows, then the status: what is shipped and has none looks like a parcel without
    one.
    """
    if command.tracking_number:
        if not rows:
            return Refused(Why.UNSUPPORTED, NO_ROW.format(number=order.number))
        await _number(client, rows[0], command.tracking_number, command.carrier)
    if not shipped:
        await orders.set_state(client, order.shop_id, client.shop.settings["shipping"])
    return Done(rows[0].id("id") if rows else BARE, order.number, order.url)


async def _undone(client: Client, order: ShopOrder, rows: list[Node], ids: Set[str], shipped: bool) -> Outcome:
    """The status first: with the number gone and the status left, it would be a parcel without a number."""
    if shipped and not [parcel for parcel in order.parcels if parcel.parcel_id not in ids]:
        await orders.set_state(client, order.shop_id, client.shop.settings["preparation"])
    for row in rows:
        if row.text("id") in ids and row.text("tracking_number"):
            await _number(client, row, "", "")
    return Done(",".join(sorted(ids)), order.number, order.url)


async def _number(client: Client, row: Node, tracking: str, carrier: str) -> None:
    """With a carrier of that name, where the shop has one."""
    wanted = carrier.strip().lower()
    asked = {"filter[active]": "[1]", "filter[deleted]": "[0]"}
    known = (await client.rows("carriers", asked)).items if wanted else []
    id_ = next((each.text("id") for each in known if each.text("name").strip().lower() == wanted), "")
    await client.write("PUT", "order_carriers", "order_carrier", [bodies.tracked(row, tracking, id_)])
