"""Our parcel in the shop: the number in the order's row of its carrier, then a shipped status. PrestaShop ships orders
as a whole.
"""

from crossdock.connectors.prestashop import bodies, mapper, orders, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import Done, Outcome, Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import ShopOrder
from crossdock.kit.errors import NotAllowed, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import number
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.fulfilment import NOT_YET, Cancel, Make, Renumber, left, not_begun, step

NO_RIGHT = (
    "The webservice key may not write shipments. Tick Modify (PUT) of order_carriers and Add (POST) of order_histories."
)
NO_ROW = "Order {number} has no carrier in your shop, so there is no place for a tracking number."


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    async with alone(client.shop.address):
        try:
            node, order = await reading.read(client, command.shop_order_id)
            rows = await client.of("order_carriers", "id_order", [] if node is None else [order.shop_id])
        except Outside as error:
            return not_begun(error)
        shipped = node is not None and node.text("current_state") in client.shop.settings["shipped"].split(",")
        rows.sort(key=lambda row: int(number(row)))
        wanted = step(order, command)
        try:
            match wanted:
                case Make(units):
                    if units != dict(left(order)):
                        return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.TRACKING_PARTIAL))
                    return await _sent(client, order, next(iter(rows), None), command, shipped)
                case Renumber(parcels):
                    ids = {parcel.parcel_id for parcel in parcels}
                    row = next((row for row in rows if row.text("id") in ids), None)
                    return await _sent(client, order, row, command, shipped)
                case Cancel(parcels):
                    return await _undone(client, order, rows, {parcel.parcel_id for parcel in parcels}, shipped)
                case Done() if not command.undone and not shipped:
                    # Its number stands there alone: an earlier try of ours came so far, or somebody typed it.
                    if command.only_look:
                        return Unknown(NOT_YET)
                    await orders.set_state(client, order.shop_id, client.shop.settings["shipping"])
            return wanted
        except NotAllowed:
            return Refused(Why.NOT_ALLOWED, NO_RIGHT)


async def _sent(client: Client, order: ShopOrder, row: Node | None, command: WriteFulfilment, shipped: bool) -> Outcome:
    """The number first: an order that is shipped and has none looks like a parcel without one."""
    if row is None and command.tracking_number:
        return Refused(Why.UNSUPPORTED, NO_ROW.format(number=order.number))
    if row is not None and command.tracking_number:
        await _number(client, row, command.tracking_number, command.carrier)
    if not shipped:
        await orders.set_state(client, order.shop_id, client.shop.settings["shipping"])
    return Done(mapper.BARE if row is None else row.id("id"), order.number, order.url)


async def _undone(client: Client, order: ShopOrder, rows: list[Node], ids: set[str], shipped: bool) -> Outcome:
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
