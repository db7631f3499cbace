"""Our order in the shop: guest, address, cart, order. PrestaShop works its price out again from the cart; where that is
another one than was paid, it stands as “Payment error” and has taken no units (PaymentModule::validateOrder). So it is
made as not paid, gets its prices, and then the status that books the payment and takes the units. It
refuses nothing for want of stock.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial

from crossdock.connectors.prestashop import bodies, mapper, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.manifest import MANIFEST
from crossdock.domain.commands import CancelOrder, CreateOrder, Found, Outcome, Refused, Unknown, Why, WriteRisk
from crossdock.domain.events import Count, ShopOrder
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Declined
from crossdock.kit.json_node import Node
from crossdock.kit.shop import counted, risk_notes
from crossdock.kit.shop.addresses import number
from crossdock.kit.shop.cancel import cancelled, standing
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.placing import NO_LISTING, ended, oldest_first, ours, take_back, under_way

SHIPPED = "Order {number} is shipped in your shop. Cancelling would put units back that have left."
NO_COUNTRY = "Your shop does not sell to {country}: make it active in International > Locations."
NO_NOTE = "Your PrestaShop keeps no internal note with an order; that came with 1.7.8."
# A cart whose products come from several carriers or warehouses becomes several orders (validateOrder).
LOOK = "look for a module that changes it, or for carriers and warehouses that split it in parts"
UNDER_WAY = "The order may still be under way in your shop; it is looked at again before anything is repeated."
WITH_NOTES = (1, 7, 8)
MOST_FOUND = 100


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(line.variant_id.replace("-", "").isdigit() for line in command.lines):
        return NO_LISTING

    async def send(earlier: object) -> str:
        with counted.unsent():
            cart = await _cart(client, command)
        return number(await client.write("POST", "orders", "order", [cart]))

    finish, stock = partial(_finished, client, command), _stock(client, command)
    return await counted.sent(command, address=client.shop.address, stock=stock, send=send, finish=finish)


def _stock(client: Client, command: CreateOrder) -> Callable[[], Awaitable[Mapping[str, Count]]]:
    return partial(counted.of_order, command, partial(reading.counts, client))


async def _country(client: Client, command: CreateOrder) -> tuple[str, str]:
    """PrestaShop's ids of the country and the state. To one that is not active it makes no order (validateOrder).
    Puerto Rico and its like are countries there, and states of the US as well (localization/us.xml).
    """
    to = command.ship_to
    rows = await client.of("countries", "iso_code", filter(None, (to.territory, to.country)))
    active = {row.text("iso_code"): number(row) for row in rows if row.opt_bool("active") is not False}
    if to.territory in active:
        return active[to.territory], ""
    if to.country not in active:
        raise Declined(NO_COUNTRY.format(country=to.country))
    country = active[to.country]
    states = await client.of("states", "id_country", [country] if to.region else [])
    return country, next((row.text("id") for row in states if row.text("iso_code") == to.region), "")


async def _cart(client: Client, command: CreateOrder) -> dict[str, str]:
    """A guest, its address and its cart; and the order that is made of them."""
    settings, module = client.shop.settings, client.shop.secrets.get("module") or "ps_wirepayment"
    country, state = await _country(client, command)
    guest = bodies.guest_of(command, secrets.token_urlsafe(24), settings)
    customer = number(await client.write("POST", "customers", "customer", [guest]))
    to = bodies.address_of(command, customer, country, state)
    address = number(await client.write("POST", "addresses", "address", [to]))
    body = bodies.cart_of(command, customer, address, settings)
    cart = number(await client.write("POST", "carts", "cart", [body]))
    return bodies.new_order(command, cart, customer, address, module, settings)


async def _finished(client: Client, command: CreateOrder, shop_id: str, earlier: Mapping[str, Count] | None) -> Outcome:
    read, taken_back = partial(_completed, client, command, shop_id), partial(_take_back, client, command)
    stock = _stock(client, command)
    return await counted.finished(command, earlier, read=read, stock=stock, take_back=taken_back, look=LOOK)


async def _completed(client: Client, command: CreateOrder, shop_id: str) -> tuple[Node, ShopOrder]:
    """The order with its prices and then its status, where it is the one that was asked for. Nothing of it is done
    twice: what an earlier try did is seen in what is read.
    """
    node, order = await patiently(lambda: reading.read(client, shop_id))
    if counted.differs(command, order, at_our_price=False):
        return node, order
    if order.total != command.total or not order.stock_taken:
        await _price(client, command, node, unpaid=not order.stock_taken)
    if not order.stock_taken:
        await set_state(client, shop_id, client.shop.settings["paid"])
    return await patiently(lambda: reading.read(client, shop_id))


async def _price(client: Client, command: CreateOrder, node: Node, *, unpaid: bool) -> None:
    details = await client.of("order_details", "id_order", [number(node)])
    order, rows = bodies.priced(node, details, command, unpaid=unpaid)
    await client.write("PUT", "order_details", "order_detail", rows)
    await client.write("PUT", "orders", "order", [order])


async def set_state(client: Client, shop_id: str, state: str) -> None:
    """Without `sendemail` nobody is written to (OrderHistory::addWs)."""
    body = {"id_order": shop_id, "id_order_state": state}
    await client.write("POST", "order_histories", "order_history", [body])


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """What an earlier try left undone is done now; an order that is under way is left alone: two statuses at once both
    see "Payment error" and both take the units (changeIdOrderState reads `$old_os` and has no lock). Prices are set
    just before the status is.
    """
    if found.parcels or found.refunds:
        return as_found(found)
    async with alone(client.shop.address):
        if found.stock_taken and found.total == command.total:
            taken_back = partial(_take_back, client, command)
            return await counted.confirm(command, found, stock=_stock(client, command), take_back=taken_back)
        wait = 0.0 if found.stock_taken else under_way(found, MANIFEST.lag.late_execution, client.shop.now())
        if wait > 0:
            return Unknown(UNDER_WAY, after_seconds=wait)
        return await _finished(client, command, found.shop_id, None)


async def _take_back(client: Client, command: CreateOrder, shop_id: str, why: Refused) -> Outcome:
    """All that came of the cart: cancelled first, then marked, so that no look-up takes it for the order."""
    canceled = client.shop.settings["canceled"]
    marked = {"payment": mapper.PAYMENT + command.reference + mapper.TAKEN_BACK}

    async def mark(node: Node) -> None:
        await client.write("PUT", "orders", "order", [bodies.whole(node, "order") | marked])

    async def all_ended() -> str:
        every = {shop_id, *await _found(client, command.reference)}
        both = [(partial(reading.read, client, id_), partial(set_state, client, id_, canceled)) for id_ in every]
        return max([await ended(read, cancel, mark) for read, cancel in both])

    return await take_back(all_ended, why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Looked at first: what was shipped has no units to put back. Two at once would both put them back."""
    async with alone(client.shop.address):
        order = await reading.order(client, command.shop_order_id)
        if ended := standing(command, order, SHIPPED):
            return ended
        await set_state(client, order.shop_id, client.shop.settings["canceled"])
    return cancelled(order)


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """Behind what stands in the internal note already (SetInternalOrderNoteCommand): one text, so writers wait."""
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        if mapper.older(client.shop.settings["version"], WITH_NOTES):
            # A PUT would set the order's status once more there, with its mails (PrestaShop #20623).
            return Refused(Why.UNSUPPORTED, NO_NOTE)

        async def write(notes: str) -> None:
            await client.write("PUT", "orders", "order", [bodies.whole(node, "order") | {"note": notes}])
            again, _ = await reading.read(client, order.shop_id)
            if command.key not in again.text("note"):
                raise Declined(NO_NOTE, Why.UNSUPPORTED)

        return await risk_notes.behind(command, node.text("note"), reference=order.reference, write=write)


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return oldest_first(await _found(client, reference))


async def _found(client: Client, reference: str) -> set[str]:
    asked = {"filter[payment]": f"[{mapper.PAYMENT}{reference}]", "limit": str(MOST_FOUND)}
    page = await client.rows("orders", asked, display="[id,payment]")
    return {number(row) for row in ours(page, MOST_FOUND, reference, mapper.reference_of)}
