"""Our order in the store. It begins as a draft, which holds no stock; converting it takes the units, all or none, and
converting it twice is refused. So the draft is the key that makes a repeat harmless: an earlier try's is gone on with.
"""

from datetime import datetime

from crossdock.connectors.medusa import mapper, reading
from crossdock.connectors.medusa.client import Client, Query
from crossdock.domain.commands import CancelOrder, CreateOrder, Done, Found, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import as_found
from crossdock.kit.errors import Declined, Missing, Outside
from crossdock.kit.json_node import Node
from crossdock.kit.rows import readable
from crossdock.kit.shop.cancel import GONE, cancelled, standing
from crossdock.kit.shop.counted import too_few
from crossdock.kit.shop.fulfilment import live, not_begun
from crossdock.kit.shop.mapping import amount
from crossdock.kit.shop.placing import NO_LISTING, merged, refs, titles, units

# `promotions` of a draft is empty where one applies by itself; its code stands in what it takes off.
DRAFT: Query = (
    ("fields", "id,status,metadata,total,discount_total,items.adjustments.code,shipping_methods.adjustments.code"),
)
SHIPPED = "Order {number} is marked as shipped or delivered in your store, so it was not cancelled."
PACKED = "Order {number} is packed in your store: cancel its fulfilment there first, then cancel again."
COMPLETED = "Order {number} is completed in your store, and Medusa cancels no such order."
EDITED = (
    "Order {number} is being edited in your store: confirm or discard the edit there, then cancel again. (Medusa would"
    " refuse the cancel now, and refund the whole payment all the same.)"
)
NO_REGION = "No region of your store has this currency and the country {}: Settings > Regions."
NO_SHIPPING = "Your store has no shipping option, so no order can be sent: Settings > Locations & Shipping."


async def create(client: Client, command: CreateOrder) -> Outcome:
    if not all(line.variant_id.isidentifier() for line in command.lines):
        return NO_LISTING
    country = command.ship_to.country_there.lower()
    region = _region(client.shop.settings.get("regions", ""), country)
    if not region:
        return Refused(Why.INVALID, NO_REGION.format(country.upper()))
    try:
        if short := await _twice_named(client, command):
            return short
        drafts = await _ours(client, "draft-orders", "draft_orders", command.reference)
        option = None if drafts else await _option(client, country, command)
    except Outside as error:
        return not_begun(error)
    if drafts:
        draft, *spare = drafts
        for each in spare:
            await _discard(client, each.id("id"))
    elif option is None:
        return Refused(Why.INVALID, NO_SHIPPING)
    else:
        body = mapper.body_of(command, region=region, channel=client.shop.settings.get("channel", ""), option=option)
        try:
            draft = await client.one("POST", "draft-orders", "draft_order", query=DRAFT, json=body)
        except Declined as refusal:
            return await _refused(client, command, refusal)
    return await _convert(client, command, draft)


async def _convert(client: Client, command: CreateOrder, draft: Node) -> Outcome:
    id_ = reading.id_of(draft)
    try:
        await _undiscounted(client, draft)
        node = await client.one("POST", f"draft-orders/{id_}/convert-to-order", "order", query=reading.WHOLE)
    except Declined as refusal:
        seen = await reading.order(client, id_)
        if seen.state is not ShopOrderState.GONE:
            return await confirm(client, command, seen)
        await _discard(client, id_)
        return await _refused(client, command, refusal)
    order = reading.shown(client, id_, node)
    try:
        note = await _paid(client, node)
    except Outside as error:
        return Unknown(f"The order stands in your store and is not marked as paid there yet. {error}")
    return Done(order.shop_id, order.number, order.url, stock_taken=order.stock_taken, note=note)


def _region(regions: str, country: str) -> str:
    """The one with that country; in a store that names no countries, its first."""
    rows = [row.partition(":") for row in regions.split()]
    with_it = (id_ for id_, _, countries in rows if country in countries.split("."))
    return next(with_it, "") or next((id_ for id_, _, countries in rows if not countries), "")


async def _option(client: Client, country: str, command: CreateOrder) -> Node | None:
    """The way of shipping to that country whose price is nearest to what the buyer paid; a fulfilment needs one.
    (`is_return` as a filter is a 500 of 2.21.2.)
    """
    rows = await client.every("shipping-options", "shipping_options")
    there = [row for row in rows if not _for_returns(row)]
    fitting = [row for row in there if country in _countries(row)] or there
    return min(fitting, key=lambda row: abs(_price(row, command) - command.shipping.minor), default=None)


def _for_returns(option: Node) -> bool:
    rules = option.rows("rules")
    return any(rule.text("attribute") == "is_return" and rule.raw("value") in (True, "true") for rule in rules)


def _countries(option: Node) -> set[str]:
    return {zone.text("country_code").lower() for zone in option.view("service_zone").rows("geo_zones")}


def _price(option: Node, command: CreateOrder) -> int:
    currency = command.shipping.currency
    rows = [row for row in option.rows("prices") if row.text("currency_code").upper() == currency]
    return min((each.minor for row in rows if (each := row.opt_money("amount", currency))), default=0)


async def _twice_named(client: Client, command: CreateOrder) -> Refused | None:
    """Lines of one variant at two prices stay two lines, whose stock is looked at one by one: then we look before."""
    twice = len(merged(command)) > len(units(command))
    short = await _short(client, command) if twice else ()
    return _no_stock(command, short) if short else None


async def _short(client: Client, command: CreateOrder) -> tuple[str, ...]:
    """Variants that the store has less of than the order wants."""
    rows = readable(await reading.counts(client, refs(command)))
    return too_few({row.variant_id: row for row in rows}, units(command))


def _no_stock(command: CreateOrder, short: tuple[str, ...]) -> Refused:
    which = titles(command, short or units(command))
    return Refused(Why.NO_STOCK, f"Your store has not enough of {which} at one stock location.", short)


async def _refused(client: Client, command: CreateOrder, refusal: Declined) -> Outcome:
    """Medusa does not name the variant that has too little stock: it is looked up."""
    said = str(refusal)
    if "do not exist or belong to a product that is not published" in said:
        gone = tuple(variant for variant in units(command) if variant in said)
        return Refused(Why.PRODUCT_GONE, f"Your store does not sell {titles(command, gone)} any more.", gone)
    if "required inventory" in said or "Not enough stock" in said:
        return _no_stock(command, await _short(client, command))
    return Refused(Why.INVALID, said)


async def _ours(client: Client, path: str, key: str, reference: str) -> list[Node]:
    """`q` looks into addresses, and finds our reference in the billing address; filters on metadata are ignored (200,
    all orders). So each row is compared.
    """
    rows = await client.every(path, key, (("q", reference), *DRAFT))
    return [row for row in rows if mapper.reference_of(row) == reference]


async def _discard(client: Client, id_: str) -> None:
    """A draft holds nothing: where it cannot be deleted, it just stays."""
    try:
        await client.send("DELETE", f"draft-orders/{id_}")
    except (Declined, Missing):
        return


async def _undiscounted(client: Client, draft: Node) -> None:
    """An automatic promotion lowers even a price that is given: an edit of the draft takes it off again. An edit that
    an earlier try began is gone on with.
    """
    lowered = [*draft.rows("items"), *draft.rows("shipping_methods")]
    codes = sorted({code for row in lowered for each in row.rows("adjustments") if (code := each.text("code"))})
    if not codes:
        return
    edit = f"draft-orders/{reading.id_of(draft)}/edit"
    try:
        await client.send("POST", edit, json={})
    except Declined as refusal:
        if "active order change" not in str(refusal):
            raise
    await client.send("DELETE", f"{edit}/promotions", json={"promo_codes": codes})
    await client.send("POST", f"{edit}/confirm", json={})


async def _paid(client: Client, node: Node) -> str:
    """Marks the order as paid: the buyer paid here. A second collection would make it half paid, so one that an earlier
    try left is used. Why not, where Medusa refuses; the order stands all the same.
    """
    held = node.opt_list("payment_collections") or []
    if any(row.word("status") != "not_paid" for row in held):
        return ""
    id_, currency = reading.id_of(node), node.word("currency_code").upper()
    total = amount(node.money("total", currency))
    try:
        if not held and total > 0:
            body = {"order_id": id_, "amount": total}
            held = [await client.one("POST", "payment-collections", "payment_collection", json=body)]
        if held:
            path = f"payment-collections/{reading.id_of(held[0])}/mark-as-paid"
            await client.one("POST", path, "payment_collection", json={"order_id": id_})
    except Declined as refusal:
        return f"The order stands in your store and could not be marked as paid there. {refusal}"
    return ""


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """An order of ours took its units when it became one. It may not be marked as paid yet."""
    node = await reading.whole(client, found.shop_id)
    if node is None:
        return Unknown("The order that was found is not there any more.")
    if found.state is ShopOrderState.OPEN:
        await _paid(client, node)
    return as_found(found)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """Looked at first. A cancel during an edit is refused with 400 and has refunded the whole payment by then: so it is
    not sent.
    """
    node = await reading.whole(client, command.shop_order_id)
    order = reading.shown(client, command.shop_order_id, node)
    if order.state is ShopOrderState.GONE:
        return GONE
    if ended := standing(command, order, SHIPPED if live(order) else PACKED):
        return ended
    if node is not None and node.word("status") in mapper.COMPLETED:
        return Refused(Why.TOO_LATE, COMPLETED.format(number=order.number))
    if await being_edited(client, order.shop_id):
        return Refused(Why.CONFLICT, EDITED.format(number=order.number))
    await client.one("POST", f"orders/{order.shop_id}/cancel", "order", query=(("fields", "id,status"),))
    return cancelled(order)


async def being_edited(client: Client, order_id: str) -> bool:
    query = (("status[]", "pending"), ("status[]", "requested"), ("fields", "id,status"))
    return (await client.rows(f"orders/{order_id}/changes", "order_changes", query)).size > 0


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    return Found(tuple(reading.id_of(row) for row in await _ours(client, "orders", "orders", reference)))
