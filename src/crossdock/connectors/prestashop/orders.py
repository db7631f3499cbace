"""Our order in the shop: guest, address, cart, order. PrestaShop works its price out again from the cart; where that is
another one than was paid, it stands as “Payment error” and has taken no units (PaymentModule::validateOrder). So it is
made as not paid, gets its prices, and then the status that books the payment and takes the units. It
refuses nothing for want of stock.
"""

import secrets
from collections import Counter
from datetime import datetime

from crossdock.connectors.prestashop import bodies, mapper, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.manifest import MANIFEST
from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import Count, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Declined, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import before
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import take_back, titles, units

SHIPPED = "Order {number} is shipped in your shop. Cancelling would put units back that have left."
NO_COUNTRY = "Your shop does not sell to {country}: make it active in International > Locations."
NO_NOTE = "Your PrestaShop keeps no internal note with an order; that came with 1.7.8."
UNDER_WAY = "The order may still be under way in your shop; it is looked at again before anything is repeated."
WITH_NOTES = (1, 7, 8)
MOST_FOUND = 100
BETWEEN_NOTES = "\n\n"
Stock = dict[str, Count]


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(line.variant_id.replace("-", "").isdigit() for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this shop; list it again.")
    async with alone(client.shop.address):
        try:
            earlier = await _stock(client, command)
            if short := _missing(command, earlier) or _short(command, earlier, units(command)):
                return short
            where = await _country(client, command)
            cart, customer, address = await _cart(client, command, *where)
        except Declined:
            raise
        except Outside as error:
            # A guest and a cart without an order are nobody's order.
            return not_begun(error)
        settings, module = client.shop.settings, client.shop.secrets.get("module") or "ps_wirepayment"
        body = bodies.new_order(command, cart, customer, address, module, settings)
        made = await client.write("POST", "orders", "order", [body])
        return await _finished(client, command, mapper.number(made, "id"), earlier)


async def _stock(client: Client, command: CreateOrder) -> Stock:
    pairs = list({(line.product_id, line.variant_id) for line in command.lines})
    return await patiently(lambda: reading.stock(client, pairs))


async def _country(client: Client, command: CreateOrder) -> tuple[str, str]:
    """PrestaShop's ids of the country and the state. To one that is not active it makes no order (validateOrder).
    Puerto Rico and its like are countries there, and states of the US as well (localization/us.xml).
    """
    to = command.ship_to
    rows = await client.of("countries", "iso_code", filter(None, (to.territory, to.country)))
    active = {row.text("iso_code"): mapper.number(row, "id") for row in rows if row.opt_bool("active") is not False}
    if to.territory in active:
        return active[to.territory], ""
    if to.country not in active:
        raise Declined(NO_COUNTRY.format(country=to.country))
    country = active[to.country]
    states = await client.of("states", "id_country", [country] if to.region else [])
    return country, next((row.text("id") for row in states if row.text("iso_code") == to.region), "")


async def _cart(client: Client, command: CreateOrder, country: str, state: str) -> tuple[str, str, str]:
    settings = client.shop.settings
    guest = bodies.guest_of(command, secrets.token_urlsafe(24), settings)
    customer = mapper.number(await client.write("POST", "customers", "customer", [guest]), "id")
    to = bodies.address_of(command, customer, country, state)
    address = mapper.number(await client.write("POST", "addresses", "address", [to]), "id")
    cart = bodies.cart_of(command, customer, address, settings)
    return mapper.number(await client.write("POST", "carts", "cart", [cart]), "id"), customer, address


async def _finished(client: Client, command: CreateOrder, shop_id: str, earlier: Stock | None) -> Outcome:
    """What stands there is compared, gets its prices and then its status; the count says whether there was enough.
    Nothing of it is done twice: what an earlier try did is seen in what is read.
    """
    try:
        node, order = await patiently(lambda: reading.read(client, shop_id))
        if trouble := _differs(command, order):
            return await _take_back(client, command, shop_id, trouble)
        if node is None:
            return Unknown("The order was created and cannot be read.")
        if order.total != command.total or not order.stock_taken:
            await _price(client, command, node, unpaid=not order.stock_taken)
        if not order.stock_taken:
            await set_state(client, shop_id, client.shop.settings["paid"])
        _, order = await patiently(lambda: reading.read(client, shop_id))
        stock = await _stock(client, command)
        trouble = _unlike(command, order) or _short(command, stock, {})
    except Outside as error:
        return Unknown(f"The order was created; what came of it is not known yet. {error}")
    if trouble is not None:
        return await _take_back(client, command, shop_id, trouble)
    if earlier is None:
        return as_found(order)
    fell = all(_fell(earlier[variant], stock.get(variant), n) for variant, n in units(command).items())
    return Done(shop_id, order.number, order.url, stock_taken=order.stock_taken and fell)


async def _price(client: Client, command: CreateOrder, node: Node, *, unpaid: bool) -> None:
    details = await client.of("order_details", "id_order", [mapper.number(node, "id")])
    order, rows = bodies.priced(node, details, command, unpaid=unpaid)
    await client.write("PUT", "order_details", "order_detail", rows)
    await client.write("PUT", "orders", "order", [order])


async def set_state(client: Client, shop_id: str, state: str) -> None:
    """Without `sendemail` nobody is written to (OrderHistory::addWs)."""
    body = {"id_order": shop_id, "id_order_state": state}
    await client.write("POST", "order_histories", "order_history", [body])


def _fell(earlier: Count, now: Count | None, wanted: int) -> bool:
    return earlier.count is not None and now is not None and (now.count or 0) <= earlier.count - wanted


def _missing(command: CreateOrder, stock: Stock) -> Refused | None:
    if gone := tuple(variant for variant in units(command) if variant not in stock):
        return Refused(Why.PRODUCT_GONE, f"Your shop has no {titles(command, gone)} any more.", gone)
    return None


def _short(command: CreateOrder, stock: Stock, wanted: dict[str, int]) -> Refused | None:
    """What there is less than `wanted` of; with nothing wanted any more, what fell below zero. A shop that allows
    orders without stock has said that it wants to sell so.
    """
    there = {variant: stock[variant] for variant in units(command) if variant in stock}
    short = tuple(
        variant
        for variant, row in there.items()
        if row.count is not None and not row.backorders and row.count < wanted.get(variant, 0)
    )
    return Refused(Why.NO_STOCK, f"Your shop has not enough of {titles(command, short)}.", short) if short else None


def _differs(command: CreateOrder, order: ShopOrder) -> Refused | None:
    """A cart whose products come from several carriers or warehouses becomes several orders (validateOrder)."""
    there = Counter[str]()
    for line in order.lines:
        there[line.variant_id] += line.quantity
    if order.state is ShopOrderState.GONE or +there == Counter(units(command)):
        return None
    return Refused(Why.INVALID, "Your shop took other products or quantities than the order has, or split it in parts.")


def _unlike(command: CreateOrder, order: ShopOrder) -> Refused | None:
    if order.total == command.total:
        return None
    return Refused(Why.INVALID, "Your shop keeps another total than the buyer paid; look for a module that changes it.")


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """What an earlier try left undone is done now; an order that is under way is left alone."""
    if found.parcels or found.refunds:
        return as_found(found)
    async with alone(client.shop.address):
        if found.stock_taken and found.total == command.total:
            try:
                trouble = _short(command, await _stock(client, command), {})
            except Outside as error:
                return Unknown(f"The order stands there; the stock after it could not be read. {error}")
            return as_found(found) if trouble is None else await _take_back(client, command, found.shop_id, trouble)
        if not found.stock_taken and (wait := _under_way(client, found)) > 0:
            return Unknown(UNDER_WAY, after_seconds=wait)
        return await _finished(client, command, found.shop_id, None)


def _under_way(client: Client, found: ShopOrder) -> float:
    """Seconds until a status that was sent before can do nothing more: two at once both see "Payment error" and both
    take the units (changeIdOrderState reads `$old_os` and has no lock). Prices are set just before the status is.
    """
    if found.updated_at is None:
        return 0.0
    return MANIFEST.lag.late_execution - (client.shop.now() - found.updated_at).total_seconds()


async def _take_back(client: Client, command: CreateOrder, shop_id: str, why: Refused) -> Outcome:
    """All that came of the cart: cancelled first, then marked, so that no look-up takes it for the order."""

    async def cancelled() -> str:
        for id_ in {shop_id, *await _found(client, command.reference)}:
            node, order = await reading.read(client, id_)
            if node is None:
                continue
            if order.state is not ShopOrderState.CANCELLED:
                await set_state(client, id_, client.shop.settings["canceled"])
                node, order = await reading.read(client, id_)
            if node is None or order.state is not ShopOrderState.CANCELLED:
                return "open"
            marked = {"payment": mapper.PAYMENT + command.reference + mapper.TAKEN_BACK}
            await client.write("PUT", "orders", "order", [bodies.whole(node, bodies.ORDER) | marked])
        return ""

    return await take_back(cancelled, why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Looked at first: what was shipped has no units to put back. Two at once would both put them back."""
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        done = Done(order.shop_id, order.number, order.url, note=order.cancel_note)
        if ended := before(
            command,
            None if node is None else done,
            reference=order.reference,
            closed=order.state is not ShopOrderState.OPEN,
            shipped=bool(order.parcels),
            words=SHIPPED.format(number=order.number),
        ):
            return ended
        await set_state(client, order.shop_id, client.shop.settings["canceled"])
    return done


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.LINES_CANCEL))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """Behind what stands in the internal note already (SetInternalOrderNoteCommand): one text, so writers wait."""
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        if node is None:
            return Refused(Why.NOT_FOUND, "That is no order of this shop.")
        if mapper.older(client.shop.settings["version"], WITH_NOTES):
            # A PUT would set the order's status once more there, with its mails (PrestaShop #20623).
            return Refused(Why.UNSUPPORTED, NO_NOTE)
        notes = [note for note in node.text("note").split(BETWEEN_NOTES) if note.strip()]
        done = Done(order.shop_id, order.number)
        if ended := risk_notes.before(command, reference=order.reference, texts=notes, done=done):
            return ended
        changed = {"note": BETWEEN_NOTES.join([*notes, risk_notes.note(command)])}
        await client.write("PUT", "orders", "order", [bodies.whole(node, bodies.ORDER) | changed])
        node, _ = await reading.read(client, command.shop_order_id)
        kept = node is not None and command.key in node.text("note")
    return done if kept else Refused(Why.UNSUPPORTED, NO_NOTE)


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return Found(tuple(sorted(await _found(client, reference), key=lambda id_: (len(id_), id_))))


async def _found(client: Client, reference: str) -> set[str]:
    """By the filter for it; should that ever be ignored, the page is full of others, and that is not "none"."""
    asked = {"filter[payment]": f"[{mapper.PAYMENT}{reference}]", "limit": str(MOST_FOUND)}
    page = await client.rows("orders", asked, display="[id,payment]")
    found = {reading.id_of(row) for row in page.items if mapper.reference_of(row) == reference}
    if not found and page.size >= MOST_FOUND:
        raise NoAnswer("Your shop did not look for our reference but gave all its orders.")
    return found
