"""Our order in the shop, by a guest's cart: an order that is posted as one is saved and reserves nothing
(magento2#26575, #40313). Prices are the shop's own. Stock is looked at and then reserved without a lock, so it is read
again after.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from crossdock.connectors.adobe_commerce import mapper, reading
from crossdock.connectors.adobe_commerce.client import PAGE, Client
from crossdock.domain.commands import CancelOrder, CreateOrder, Found, Outcome, Refused, Unknown, Why, WriteRisk
from crossdock.domain.events import LookKind, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money
from crossdock.kit.errors import Declined, Missing, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.rows import certain, read_parts, readable
from crossdock.kit.shop import counted, paging, risk_notes
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.cancel import cancelled, standing
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.placing import NO_LISTING, ended, ours, take_back, units

SHIPPED = "Order {number} is shipped in your shop; Magento cancels only what was not."
PART = (
    "A part of order {number} is invoiced in your shop: Magento cancelled the rest and left that part standing. Make a"
    " credit memo for it there."
)
INVOICED = "Order {number} is invoiced in your shop, and Magento cancels no such order: make a credit memo there."
NO_COUNTRY = "Your shop does not sell to {country}: allow it in Stores > Configuration > General > Country Options."
NO_SHIPPING = (
    "Your shop has no way of shipping for this order{named}: look at Stores > Configuration > Sales > Delivery."
)
NO_PAYMENT = (
    "Your shop has no offline payment method for this order{named}: enable “Purchase Order” or “Check / Money Order” in"
    " Stores > Configuration > Sales > Payment Methods."
)
OFFLINE = ("purchaseorder", "checkmo", "banktransfer", "cashondelivery", "free")
Stock = Mapping[str, reading.Salable]


async def create(client: Client, command: CreateOrder) -> Outcome:
    """What some module does after the order is saved can fail as well, and is told like a refusal: it is looked for."""
    if not all(is_number(line.variant_id) for line in command.lines):
        return NO_LISTING

    async def send(earlier: Stock) -> str:
        with counted.unsent():
            cart, payment = await _cart(client, command, earlier)
        made = (await client.send("PUT", f"guest-carts/{cart}/order", json={"paymentMethod": payment})).json()
        return number(Node({"id": made}, "order"))

    finish, find = partial(_finished, client, command), partial(_found, client, command.reference)
    stock, address = _stock(client, command), client.shop.address
    return await counted.sent(command, address=address, stock=stock, send=send, finish=finish, find=find)


def _stock(client: Client, command: CreateOrder) -> Callable[[], Awaitable[Stock]]:
    return partial(counted.of_order, command, partial(reading.counts, client))


async def _cart(client: Client, command: CreateOrder, stock: Stock) -> tuple[str, dict[str, Any]]:
    """Filled, addressed and with a way of shipping; and how it is paid. All but the items, which add up, can be asked
    for again.
    """
    address = mapper.address_of(command, await _region(client, command))
    cart = (await patiently(lambda: client.send("POST", "guest-carts"))).json()
    if not isinstance(cart, str) or not re.fullmatch("[A-Za-z0-9]{8,64}", cart):
        raise Strange("guest-carts", "cart's id", cart)
    for variant, n in units(command).items():
        item = {"sku": stock[variant].sku, "qty": n, "quote_id": cart}
        await client.send("POST", f"guest-carts/{cart}/items", json={"cartItem": item})
    carrier, method = await _shipping(client, command, cart, address)
    both = {"shipping_address": address, "billing_address": mapper.billing_of(command, address)}
    wanted = both | {"shipping_carrier_code": carrier, "shipping_method_code": method}
    path = f"guest-carts/{cart}/shipping-information"
    answer = (await patiently(lambda: client.send("POST", path, json={"addressInformation": wanted}))).json()
    ways = {row.text("code") for row in node_of(answer, path).list("payment_methods")}
    named = client.shop.secrets.get("payment", "")
    chosen = next((code for code in ([named] if named else OFFLINE) if code in ways), "")
    if not chosen and not all(re.fullmatch(r"[\w.-]{1,120}", code) for code in ways):
        raise Strange(f"{path}.payment_methods", "payment method", None)
    if not chosen:
        raise Declined(NO_PAYMENT.format(named=f" that is called {named}" if named else ""))
    return cart, {"method": chosen, **({"po_number": command.reference} if chosen == "purchaseorder" else {})}


async def _region(client: Client, command: CreateOrder) -> Node | None:
    """To a country that is not allowed in the store there is no order (CountryInformationAcquirer: not found)."""
    to = command.ship_to
    try:
        reply = await patiently(lambda: client.send("GET", f"directory/countries/{to.country}"))
    except Missing:
        raise Declined(NO_COUNTRY.format(country=to.country)) from None
    rows = node_of(reply.json(), "country").rows("available_regions")
    known = {row.text(key).lower(): row for key in ("name", "code") for row in rows if row.text(key)}
    return known.get(to.region.strip().lower())


async def _shipping(client: Client, command: CreateOrder, cart: str, address: dict[str, Any]) -> tuple[str, str]:
    """The one that the seller named; otherwise one that costs what the buyer paid for it, or the cheapest."""
    path = f"guest-carts/{cart}/estimate-shipping-methods"
    answer = (await patiently(lambda: client.send("POST", path, json={"address": address}))).json()
    wanted, named = command.shipping, client.shop.secrets.get("shipping", "")

    def fitting(row: Node) -> list[tuple[bool, Money, str, str]]:
        name = (row.word("carrier_code"), row.word("method_code"))
        if not row.bool("available") or named not in ("", "_".join(name)):
            return []
        price = row.money("price_incl_tax", wanted.currency)
        return [(price != wanted, price, *name)]

    rows = paging.entries(LookKind.ORDER, paging.listed(path, answer, client.shop.now()), lambda row: "")
    read = read_parts(LookKind.ORDER, rows, lambda row: "", fitting)
    # What cannot be understood matters only where nothing else is offered.
    ways = readable(read) or certain(read)
    if not ways:
        raise Declined(NO_SHIPPING.format(named=f" that is called {named}" if named else ""))
    return min(ways, key=lambda way: (way[0], way[1].minor))[2:]


async def _finished(client: Client, command: CreateOrder, shop_id: str, earlier: Stock | None) -> Outcome:
    """Of the price only the note speaks. From a last unit on it may be sold uncounted (`count_of`)."""
    read = partial(patiently, partial(reading.read, client, shop_id))
    stock, taken_back, note = _stock(client, command), partial(_take_back, client), partial(_noted, client, command)
    return await counted.finished(
        command, earlier, read=read, stock=stock, take_back=taken_back, note=note, at_our_price=False, uncounted=True
    )


async def _noted(client: Client, command: CreateOrder, node: Node, order: ShopOrder) -> str:
    """Where the totals differ it says so in the order. That it could not be written is no reason against the order."""
    said = mapper.price_note(command, order)
    if order.total == command.total or any(command.reference in note for note in mapper.notes(node)):
        return ""
    try:
        await comment(client, node, said)
    except Outside:
        return f"{said} That could not be written to the order."
    return ""


async def comment(client: Client, node: Node, words: str) -> None:
    id_ = reading.order_id(node)
    await client.send("POST", f"orders/{id_}/comments", json=mapper.comment_of(id_, node.text("status"), words))


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    if found.parcels or found.refunds:
        return as_found(found)
    async with alone(client.shop.address):
        return await _finished(client, command, found.shop_id, None)


async def _take_back(client: Client, shop_id: str, why: Refused) -> Outcome:
    read, cancel = partial(reading.read, client, shop_id), partial(client.send, "POST", f"orders/{shop_id}/cancel")

    async def mark(node: Node) -> None:
        if mapper.TAKEN_BACK not in " ".join(mapper.notes(node)):
            await comment(client, node, f"{why.sentence} {mapper.TAKEN_BACK}")

    return await take_back(partial(ended, read, cancel, mark), why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Two at once would both put the units back. Magento answers false where it does not (Order::canCancel), and true
    as well where a part was invoiced: that part stays, and the order goes on (Order::registerCancellation).
    """
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        if ended := standing(command, order, SHIPPED):
            return ended
        if node.text("state") == mapper.HELD:
            return Refused(Why.CONFLICT, mapper.ON_HOLD.format(number=order.number))
        answer = (await client.send("POST", f"orders/{order.shop_id}/cancel")).json()
        try:
            _, order = await patiently(lambda: reading.read(client, command.shop_order_id))
        except Outside as error:
            return Unknown(f"Your shop was told to cancel the order; it could not be read after it. {error}")
    if order.state is ShopOrderState.CANCELLED:
        return cancelled(order) if answer is True else as_found(order)
    return Refused(Why.TOO_LATE, (PART if answer is True else INVOICED).format(number=order.number))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        texts, write = mapper.notes(node), partial(comment, client, node)
        return await risk_notes.beside(command, texts, reference=order.reference, number=order.number, write=write)


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return Found(tuple(await _found(client, reference)))


async def _found(client: Client, reference: str) -> list[str]:
    """By the guest's address."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", reference):
        return []
    page = await client.rows("orders", [("customer_email", "eq", mapper.email_of(reference))], sort="entity_id")
    found = ours(page, PAGE, reference, mapper.reference_of)
    return [reading.order_id(row) for row in found if mapper.TAKEN_BACK not in " ".join(mapper.notes(row))]
