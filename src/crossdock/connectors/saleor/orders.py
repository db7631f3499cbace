"""Our order in the shop: a draft, priced and looked at, and completed. Completing takes the units, all or none, under a
lock (seen on 3.23.28: of ten at once for five units, five stand); a draft holds nothing.

`orderBulkCreate` is not used: it compares with a count that it read without a lock, and then writes no allocation
(saleor/graphql/order/bulk_mutations/order_bulk_create.py: handle_stocks, save_data), so the units stay for sale.
"""

from collections import Counter
from contextlib import suppress
from datetime import datetime

from crossdock.connectors.saleor import mapper, reading
from crossdock.connectors.saleor.client import PAGE, Client, Refusal
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteRisk,
)
from crossdock.domain.events import LookKind, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.rows import readable
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import GONE as NOT_THERE
from crossdock.kit.shop.cancel import looked_at
from crossdock.kit.shop.cancel_units import marked, pick
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.placing import NO_LISTING, titles, units

SHORT = "Your shop has not enough of {titles} in warehouses that ship to {country}."
GONE = "Your shop does not sell {titles} in this channel any more."
NO_METHOD = (
    "No shipping method of your shop fits this order: look at the shipping zones that have the country {country}."
)
SHIPPED = "Order {number} is being fulfilled in your shop, so it was not cancelled: cancel the fulfilment there first."
TAKEN = Refused(Why.CONFLICT, "Another order of your shop has our reference as its external reference.")
# What a draft's refusal says of its variants.
UNSOLD = frozenset(
    {"PRODUCT_NOT_PUBLISHED", "NOT_AVAILABLE_IN_CHANNEL", "NOT_FOUND", "PRODUCT_UNAVAILABLE_FOR_PURCHASE"}
)
ALREADY = frozenset({"PAYMENT_ERROR", "TRANSACTION_ERROR"})


async def create(client: Client, command: CreateOrder) -> Outcome:
    """Goes on with a draft that an earlier try could not take away. Nothing is placed before the last call leaves."""
    try:
        draft = await _draft(client, command)
        if isinstance(draft, Node):
            draft = await _priced(client, command, draft)
    except NoAnswer as error:
        # The buyer may cancel before the next try, and nobody asks for the draft then.
        await _discard(client, command)
        return Later(str(error), error.after_seconds)
    return await _complete(client, command, draft) if isinstance(draft, Node) else draft


async def _draft(client: Client, command: CreateOrder) -> Node | Outcome:
    """A variant that is not there has to be found before: with one, Saleor breaks off with an error of its own."""
    wanted = units(command)
    ids = list(wanted)
    try:
        data = await client.ask(
            "Before", reference=command.reference, channel=client.channel, ids=ids[:PAGE], first=PAGE
        )
    except Missing:
        return NO_LISTING
    there = data.opt_child("order")
    if there is not None and there.word("status") != mapper.DRAFT:
        return await _settled(client, command, there, already=True)
    if there is not None and mapper.reference_of(there) != command.reference:
        return TAKEN
    if there is not None and _units(there) == wanted:
        return there
    if there is not None:
        await client.do("Drop", order=there.id("id"))
    known = {reading.id_of(row) for row in readable(reading.rows_of(data.child("productVariants"), LookKind.COUNTS))}
    if gone := tuple(variant for variant in ids[:PAGE] if variant not in known):
        return _gone(command, gone)
    given = mapper.input_of(command, channel_id=client.shop.settings["channel_id"])
    try:
        return (await client.do("Create", input=given)).child("order")
    except Refusal as refusal:
        if refusal.code in UNSOLD:
            return _gone(command, tuple(variant for variant in ids if variant in refusal.ids("variants")))
        if refusal.code == "UNIQUE":
            # An earlier try's draft came in between; the next try goes on with it.
            return Later("Your shop has taken an earlier try of this order just now.", 1.0)
        return Refused(Why.INVALID, str(refusal))


def _units(draft: Node) -> dict[str, int]:
    found = Counter[str]()
    for line in draft.list("lines"):
        if line.raw("isGift") is not True:
            found[line.text("productVariantId")] += line.int("quantity")
    return dict(found)


def _gone(command: CreateOrder, variants: tuple[str, ...]) -> Refused:
    return Refused(Why.PRODUCT_GONE, GONE.format(titles=titles(command, variants or units(command))), variants)


async def _priced(client: Client, command: CreateOrder, draft: Node) -> Node | Outcome:
    """At the price paid here, as far as Saleor lets: promotions are taken off (they lower a price that is given, too),
    tax is exempted where prices are net, and what a shipping method costs more is a discount.
    """
    id_ = draft.id("id")
    try:
        for line in draft.list("lines"):
            if line.child("unitDiscount").decimal("amount") > 0:
                draft = (await client.do("Undiscount", line=line.id("id"))).child("order")
        if client.shop.settings.get("net") == "yes":
            # Without the permission the order stands with the shop's tax on top; the connection test says so.
            with suppress(AuthDead, Declined):
                await client.do("Exempt", order=id_)
        # Where none fits, the shop says so when the draft is completed; goods that nobody ships need none.
        more, method = mapper.method_for(draft.list("shippingMethods"), command)
        if method:
            draft = (await client.do("Send", order=id_, method=method)).child("order")
        return await _lowered(client, command, draft, Money(more, command.shipping.currency))
    except Refusal as refusal:
        if refusal.code == "CANNOT_DISCOUNT":
            # An earlier try's discount stands; what is left of a difference shows when the order is read back.
            return draft
        await _discard(client, command)
        return Refused(Why.INVALID, str(refusal))


async def _lowered(client: Client, command: CreateOrder, draft: Node, more: Money) -> Node:
    """By what shipping costs more there. A discount takes the place of promotions of the whole order, and their gift
    goes with them (saleor/order/utils.py: create_manual_order_discount), so one of nothing can be needed.
    """
    total = mapper.money(draft.child("total").child("gross"))
    gift = any(line.raw("isGift") is True for line in draft.list("lines"))
    if more.minor < 0 or (total == command.total and not gift) or not (more.minor or gift or total < command.total):
        return draft
    about = {"value": str(more), "reason": "As paid on the marketplace"}
    return (await client.do("Discount", order=draft.id("id"), **about)).child("order")


async def _complete(client: Client, command: CreateOrder, draft: Node) -> Outcome:
    id_ = draft.id("id")
    try:
        node = (await client.do("Complete", order=id_)).child("order")
    except Refusal as refusal:
        seen = await reading.whole(client, id_)
        if seen is not None:
            return await _settled(client, command, seen, already=True)
        await _discard(client, command)
        return _refused(command, draft, refusal)
    return await _settled(client, command, node, already=False)


def _refused(command: CreateOrder, draft: Node, refusal: Refusal) -> Refused:
    """Its errors name lines of the draft."""
    named, country = refusal.ids("orderLines"), command.ship_to.country_there
    lines = {line.id("id"): line.text("productVariantId") for line in draft.list("lines")}
    variants = tuple(dict.fromkeys(variant for line, variant in lines.items() if line in named and variant))
    if refusal.code == "INSUFFICIENT_STOCK":
        short = titles(command, variants or units(command))
        return Refused(Why.NO_STOCK, SHORT.format(titles=short, country=country), variants)
    if refusal.code == "SHIPPING_METHOD_REQUIRED":
        return Refused(Why.INVALID, NO_METHOD.format(country=country))
    return _gone(command, variants) if refusal.code in UNSOLD else Refused(Why.INVALID, str(refusal))


async def _discard(client: Client, command: CreateOrder) -> None:
    """A draft holds nothing: where it cannot be deleted, it just stays."""
    with suppress(Outside):
        node = await _ours(client, command.reference)
        if node is not None and node.word("status") == mapper.DRAFT:
            await client.do("Drop", order=node.id("id"))


async def _ours(client: Client, reference: str) -> Node | None:
    node = await client.one("Find", "order", reference=reference)
    return node if node is not None and mapper.reference_of(node) == reference else None


async def _settled(client: Client, command: CreateOrder, node: Node, *, already: bool) -> Outcome:
    """An order that stands: it is marked as paid, without which nothing of it can be fulfilled."""
    order = reading.shown(client, node)
    if order.reference != command.reference:
        return TAKEN
    note = ""
    if order.state is ShopOrderState.OPEN:
        try:
            note = await pay(client, node, command.reference)
        except Outside as error:
            return Unknown(f"The order stands in your shop and is not marked as paid there yet. {error}")
    return Done(order.shop_id, order.number, order.url, stock_taken=order.stock_taken, already=already, note=note)


async def pay(client: Client, node: Node, reference: str) -> str:
    """Why not, where the shop refuses; the order stands all the same. A second time is refused: there is a payment."""
    if node.bool("isPaid"):
        return ""
    try:
        await client.do("Paid", order=node.id("id"), reference=reference)
    except Refusal as refusal:
        return "" if refusal.code in ALREADY else f"The order could not be marked as paid in your shop. {refusal}"
    return ""


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """It took its units when it became an order. It may not be marked as paid yet."""
    node = await reading.whole(client, found.shop_id)
    if node is None:
        return Unknown("The order that was found is not there any more.")
    outcome = await _settled(client, command, node, already=True)
    return outcome if not isinstance(outcome, Done) or found.state is ShopOrderState.OPEN else as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Saleor refuses the second cancel."""

    async def sent(order: ShopOrder) -> str:
        await client.do("Cancel", order=order.shop_id)
        return ""

    return await looked_at(command, lambda: reading.order(client, command.shop_order_id), sent, SHIPPED)


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    """As returned without having left: Saleor keeps the lines, and our key stands in the reason. Alone, since what is
    left to return is looked at before anything is locked there.
    """
    async with alone(client.shop.address):
        node, order = await reading.read(client, command.shop_order_id)
        if node is None:
            return NOT_THERE
        picked = pick(order, command, dict.fromkeys(mapper.taken_out(node), ""))
        if not isinstance(picked, dict):
            return picked
        lines = [{"orderLineId": line, "quantity": units} for line, units in picked.items()]
        try:
            await client.do("TakeOut", order=order.shop_id, lines=lines, reason=marked(command))
        except Refusal as refusal:
            return Refused(Why.CONFLICT, f"Order {order.number}: the units were not taken out. {refusal}")
    return Done("", order.number, order.url)


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a note of the order's history, which is for staff alone (Order.events needs MANAGE_ORDERS)."""
    node = await reading.whole(client, command.shop_order_id, notes=True)
    if node is None:
        return NOT_THERE
    return await risk_notes.beside(
        command,
        [row.text("message") for row in node.rows("events")],
        reference=mapper.reference_of(node),
        write=lambda note: client.do("AddNote", order=command.shop_order_id, message=note),
        number=node.text("number"),
    )


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """A draft is no order yet; `create` goes on with it."""
    node = await _ours(client, reference)
    return Found((node.id("id"),) if node is not None and node.word("status") != mapper.DRAFT else ())
