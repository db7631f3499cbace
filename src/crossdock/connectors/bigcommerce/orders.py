"""Our order in the store. BigCommerce is not known to refuse one for want of stock, so the count is read before and
after, one order at a time, and an order that it was not enough for is taken back.
"""

from collections import Counter
from datetime import datetime

from crossdock.connectors.bigcommerce import mapper, reading
from crossdock.connectors.bigcommerce.client import PAGE, Client
from crossdock.connectors.bigcommerce.manifest import MANIFEST
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
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.errors import NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import before
from crossdock.kit.shop.concurrency import alone, patiently
from crossdock.kit.shop.fulfilment import not_begun
from crossdock.kit.shop.placing import take_back, titles, units

SHIPPED = "Order {number} is marked as shipped in your store. Cancelling would put units back that have left."
Stock = dict[str, int | None]


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all((line.product_id + line.variant_id).isdigit() for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this store; list it again.")
    async with alone(client.shop.address):
        try:
            stock = await _stock(client, command)
        except Outside as error:
            return not_begun(error)
        if short := _missing(command, stock) or _short(command, stock, units(command)):
            return short
        made = await client.one("POST", "v2/orders", json=mapper.body_of(command))
        return await _looked_at(client, command, made, stock)


async def _stock(client: Client, command: CreateOrder) -> Stock:
    pairs = list({(line.product_id, line.variant_id) for line in command.lines})
    return await patiently(lambda: reading.stock(client, pairs))


async def _looked_at(client: Client, command: CreateOrder, made: Node, earlier: Stock) -> Outcome:
    """What stands there is compared with what was asked. The evidence of its units is a count that fell by them."""
    shop_id = reading.id_of(made)
    try:
        rows = await patiently(lambda: client.every(f"v2/orders/{shop_id}/products"))
        stock = await _stock(client, command)
        trouble = _differs(command, made, rows) or _short(command, stock, {})
    except Outside as error:
        return Unknown(f"The order was created; what came of it could not be read. {error}")
    if trouble is not None:
        return await _take_back(client, command, shop_id, trouble)
    order = reading.shown(client, reading.Parts(shop_id, made, tuple(rows)))
    fell = all(_fell(earlier[variant], stock.get(variant), wanted) for variant, wanted in units(command).items())
    return Done(shop_id, order.number, order.url, stock_taken=order.stock_taken and fell)


def _fell(earlier: int | None, now: int | None, wanted: int) -> bool:
    return earlier is not None and now is not None and now <= earlier - wanted


def _missing(command: CreateOrder, stock: Stock) -> Refused | None:
    if gone := tuple(variant for variant in units(command) if variant not in stock):
        return Refused(Why.PRODUCT_GONE, f"Your store has no {titles(command, gone)} any more.", gone)
    return None


def _short(command: CreateOrder, stock: Stock, wanted: dict[str, int]) -> Refused | None:
    """What there is less than `wanted` of; with nothing wanted any more, what fell below zero."""
    counts = {variant: stock.get(variant) for variant in units(command)}
    short = tuple(variant for variant, count in counts.items() if count is not None and count < wanted.get(variant, 0))
    return Refused(Why.NO_STOCK, f"Your store has not enough of {titles(command, short)}.", short) if short else None


def _differs(command: CreateOrder, made: Node, rows: list[Node]) -> Refused | None:
    there = Counter[str]()
    for row in rows:
        line = mapper.line_of(row)
        there[line.variant_id] += line.quantity
    if +there != Counter(units(command)):
        return Refused(Why.INVALID, "Your store took other products or quantities than the order has.")
    currency = made.word("default_currency_code")
    if currency != command.shipping.currency:
        return Refused(Why.INVALID, f"Your store took the order in {currency[:10]}; check its default currency.")
    if made.money("total_inc_tax", currency) != command.total:
        return Refused(
            Why.INVALID,
            "Your store made another total of the order than the buyer paid; look for taxes, fees or an app that"
            " changes orders.",
        )
    return None


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """Only whether the store had the units: its lines may have been changed since."""
    try:
        trouble = None if found.parcels else _short(command, await _stock(client, command), {})
    except Outside as error:
        return Unknown(f"The order stands there; the stock after it could not be read. {error}")
    return as_found(found) if trouble is None else await _take_back(client, command, found.shop_id, trouble)


async def _take_back(client: Client, command: CreateOrder, shop_id: str, why: Refused) -> Outcome:
    """Under another external id, so that a look-up does not take it for the order."""
    body = {"status_id": mapper.CANCELLED, "external_order_id": command.reference + mapper.TAKEN_BACK}

    async def cancelled() -> str:
        made = await client.one("PUT", f"v2/orders/{shop_id}", json=body)
        return "" if made.int("status_id") == mapper.CANCELLED else f"“{made.text('status')}”"

    return await take_back(cancelled, why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Whether the units go back is the store's setting. Looked at first: what was shipped has none to put back."""
    parts = await reading.parts_of(client, command.shop_order_id)
    order = reading.shown(client, parts)
    done = Done(order.shop_id, order.number, order.url, note=order.cancel_note)
    if ended := before(
        command,
        None if parts.node is None else done,
        reference=order.reference,
        closed=order.state is not ShopOrderState.OPEN,
        shipped=bool(order.parcels),
        words=SHIPPED.format(number=order.number),
    ):
        return ended
    made = await client.one("PUT", f"v2/orders/{order.shop_id}", json={"status_id": mapper.CANCELLED})
    if made.int("status_id") != mapper.CANCELLED:
        return Unknown(f"The order is still “{made.text('status')[:40]}” in your store.")
    return done


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    return Refused(Why.UNSUPPORTED, MANIFEST.sentence(Capability.LINES_CANCEL))


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """Behind what stands in the staff notes already. They are one text, so writers wait for each other."""
    if not (command.shop_order_id.isascii() and command.shop_order_id.isdigit()):
        return Refused(Why.NOT_FOUND, "That is no order of this store.")
    path, done = f"v2/orders/{command.shop_order_id}", Done(command.shop_order_id, command.shop_order_id)
    async with alone(client.shop.address):
        node = await client.one("GET", path)
        notes = mapper.notes_of(node)
        if ended := risk_notes.before(command, reference=mapper.reference_of(node), texts=notes, done=done):
            return ended
        text = mapper.BETWEEN_NOTES.join([*notes, risk_notes.note(command)])
        await client.one("PUT", path, json={"staff_notes": text})
    return done


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """By the filter for it; should that ever be ignored, the page is full of others, and that is not "none"."""
    page = await client.rows("v2/orders", {"external_order_id": reference, "limit": str(PAGE)})
    found = {reading.id_of(row) for row in page.items if mapper.reference_of(row) == reference}
    if not found and page.size >= PAGE:
        raise NoAnswer("Your store did not look for our reference but gave all its orders.")
    return Found(tuple(sorted(found, key=lambda id_: (len(id_), id_))))
