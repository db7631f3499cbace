"""Our order in the shop: a draft that is made or gone on with, priced and completed, and then marked as paid.
Completing takes the units, all or none, under a lock (seen on 3.23.28: of ten at once for five units, five stand); a
draft holds nothing.

`orderBulkCreate` is not used: it compares with a count that it read without a lock, and then writes no allocation
(saleor/graphql/order/bulk_mutations/order_bulk_create.py: handle_stocks, save_data), so the units stay for sale.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial

from crossdock.connectors.saleor import mapper, reading
from crossdock.connectors.saleor.client import CODES, PAGE, Client, Refusal
from crossdock.domain.commands import CancelLines, CancelOrder, CreateOrder, Done, Found, Outcome, Why, WriteRisk
from crossdock.domain.events import LookKind, ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money
from crossdock.kit.errors import AuthDead, Declined, NoAnswer, Outside, Throttled
from crossdock.kit.json_node import Node
from crossdock.kit.rows import id_of, readable
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.answers import found
from crossdock.kit.shop.cancel import GONE as NOT_THERE
from crossdock.kit.shop.cancel import looked_at
from crossdock.kit.shop.cancel_units import marked, pick
from crossdock.kit.shop.concurrency import alone
from crossdock.kit.shop.mapping import summed
from crossdock.kit.shop.placing import NO_LISTING, titles, units

SHORT = "Your shop has not enough of {titles} in warehouses that ship to {country}."
GONE = "Your shop does not sell {titles} in this channel any more."
NO_METHOD = (
    "No shipping method of your shop fits this order: look at the shipping zones that have the country {country}."
)
TAKEN = "Another order of your shop has our reference as its external reference."
SHIPPED = "Order {number} is being fulfilled in your shop, so it was not cancelled: cancel the fulfilment there first."
UNPAID = "The order stands in your shop and is not marked as paid there yet. {}"


async def create(client: Client, command: CreateOrder) -> Outcome:
    """Nothing is placed before the last call leaves."""
    try:
        draft = await _draft(client, command)
    except NoAnswer as error:
        # The buyer may cancel before the next try, and nobody asks for the draft then.
        await _discard(client, command)
        raise Throttled(str(error), error.after_seconds) from error
    node, already = await _completed(client, command, draft)
    return await _settled(client, command, node, already=already)


async def _draft(client: Client, command: CreateOrder) -> Node:
    """With its price; or the order that stands under our reference already. Goes on with a draft that an earlier try
    could not take away. A variant that is not there has to be found before: with one, Saleor breaks off with an error
    of its own.
    """
    wanted = units(command)
    ids = list(wanted)[:PAGE]
    data = await found(client.ask("Before", reference=command.reference, ids=ids))
    if data is None:
        raise Declined(NO_LISTING.sentence)
    there = data.opt_child("order")
    if there is not None and not mapper.is_draft(there):
        return there
    if there is not None and mapper.reference_of(there) != command.reference:
        raise Declined(TAKEN, Why.CONFLICT)
    if there is not None and _units(there) != wanted:
        await client.do("Drop", order=there.id("id"))
        there = None
    known = [id_of(row) for row in readable(reading.rows_of(data.child("productVariants"), LookKind.COUNTS))]
    if there is None and (gone := tuple(variant for variant in ids if variant not in known)):
        raise _gone(command, gone)
    return await _priced(client, command, there or await _created(client, command, wanted))


def _units(draft: Node) -> dict[str, int]:
    lines = [line for line in draft.list("lines") if line.raw("isGift") is not True]
    return dict(summed((line.text("productVariantId"), line.int("quantity")) for line in lines))


def _gone(command: CreateOrder, variants: tuple[str, ...]) -> Declined:
    return Declined(GONE.format(titles=titles(command, variants or units(command))), Why.PRODUCT_GONE, variants)


async def _created(client: Client, command: CreateOrder, wanted: Mapping[str, int]) -> Node:
    given = mapper.input_of(command, channel_id=client.shop.settings["channel_id"])
    try:
        return (await client.do("Create", input=given)).child("order")
    except Refusal as refusal:
        if refusal.code in CODES["unsold"]:
            raise _gone(command, tuple(each for each in wanted if each in refusal.ids("variants"))) from None
        if refusal.code == "UNIQUE":
            # An earlier try's draft came in between; the next try goes on with it.
            raise Throttled("Your shop has taken an earlier try of this order just now.", 1.0) from None
        raise


async def _priced(client: Client, command: CreateOrder, draft: Node) -> Node:
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
        raise


async def _lowered(client: Client, command: CreateOrder, draft: Node, more: Money) -> Node:
    """By what shipping costs more there. A discount takes the place of promotions of the whole order, and their gift
    goes with them (saleor/order/utils.py: create_manual_order_discount), so one of nothing can be needed.
    """
    total = mapper.money(draft.child("total").child("gross"))
    gift = any(line.raw("isGift") is True for line in draft.list("lines"))
    if more.minor < 0 or not (gift or total < command.total or (more.minor and total != command.total)):
        return draft
    return (await client.do("Discount", order=draft.id("id"), value=str(more))).child("order")


async def _completed(client: Client, command: CreateOrder, draft: Node) -> tuple[Node, bool]:
    """The order, and whether it stood there already."""
    if not mapper.is_draft(draft):
        return draft, True
    try:
        return (await client.do("Complete", order=draft.id("id"))).child("order"), False
    except Refusal as refusal:
        if (seen := await reading.whole(client, draft.id("id"))) is not None:
            return seen, True
        await _discard(client, command)
        raise _refused(command, draft, refusal) from None


def _refused(command: CreateOrder, draft: Node, refusal: Refusal) -> Declined:
    """Its errors name lines of the draft."""
    named, country = refusal.ids("orderLines"), command.ship_to.country_there
    short = [line.text("productVariantId") for line in draft.list("lines") if line.id("id") in named]
    variants = tuple(dict.fromkeys(filter(None, short)))
    if refusal.code == "INSUFFICIENT_STOCK":
        which = titles(command, variants or units(command))
        return Declined(SHORT.format(titles=which, country=country), Why.NO_STOCK, variants)
    if refusal.code == "SHIPPING_METHOD_REQUIRED":
        return Declined(NO_METHOD.format(country=country))
    return _gone(command, variants) if refusal.code in CODES["unsold"] else refusal


async def _discard(client: Client, command: CreateOrder) -> None:
    """A draft holds nothing: where it cannot be deleted, it just stays."""
    with suppress(Outside):
        node = await reading.ours(client, command.reference)
        if node is not None and mapper.is_draft(node):
            await client.do("Drop", order=node.id("id"))


async def _settled(client: Client, command: CreateOrder, node: Node, *, already: bool) -> Done:
    order = reading.shown(client, node)
    if order.reference != command.reference:
        raise Declined(TAKEN, Why.CONFLICT)
    try:
        note = await pay(client, node, command.reference) if order.state is ShopOrderState.OPEN else ""
    except Outside as error:
        raise NoAnswer(UNPAID.format(error)) from error
    return Done(order.shop_id, order.number, order.url, stock_taken=order.stock_taken, already=already, note=note)


async def pay(client: Client, node: Node, reference: str) -> str:
    """Why not, where the shop refuses; the order stands all the same. A second time is refused: there is a payment."""
    try:
        if not node.bool("isPaid"):
            await client.do("Paid", CODES["paid"], order=node.id("id"), reference=reference)
    except Refusal as refusal:
        return f"The order could not be marked as paid in your shop. {refusal}"
    return ""


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """It took its units when it became an order. It may not be marked as paid yet."""
    node = await reading.whole(client, found.shop_id)
    if node is None:
        raise NoAnswer("The order that was found is not there any more.")
    done = await _settled(client, command, node, already=True)
    return done if found.state is ShopOrderState.OPEN else as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Saleor refuses the second cancel."""
    read = partial(reading.order, client, command.shop_order_id)
    return await looked_at(command, read, lambda order: client.do("Cancel", order=order.shop_id), SHIPPED)


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
            raise Declined(f"Order {order.number}: the units were not taken out. {refusal}", Why.CONFLICT) from None
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
    node = await reading.ours(client, reference)
    return Found((node.id("id"),) if node is not None and not mapper.is_draft(node) else ())
