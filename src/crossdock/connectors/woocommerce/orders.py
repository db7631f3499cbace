"""Our order in the shop.

WooCommerce refuses nothing: an unknown product and an order without stock are both 201, so what came of it is looked
at.
"""

from datetime import UTC, datetime, timedelta

from crossdock.connectors.woocommerce import goods, mapper, reading
from crossdock.connectors.woocommerce.client import PAGE, Client
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
from crossdock.domain.currencies import minor_units
from crossdock.domain.events import ShopOrder
from crossdock.domain.orders import as_found
from crossdock.domain.values import Money, share
from crossdock.kit.errors import NoAnswer, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import risk_notes
from crossdock.kit.shop.cancel import cancelled, standing
from crossdock.kit.shop.cancel_units import NOTHING_LEFT, marked, pick
from crossdock.kit.shop.concurrency import patiently
from crossdock.kit.shop.paging import Listed, seconds
from crossdock.kit.shop.placing import take_back, titles, units

MOST_PAGES = 20
SHIPPED = "Order {number} is marked as shipped in your shop. Cancelling would put units back that have left."


async def create(client: Client, command: CreateOrder) -> Outcome:
    """Create, compare the lines, read the stock; what is not as asked is cancelled there, which puts the units back
    (deleting would not).
    """
    if not all(line.product_id.isdigit() and line.variant_id.isdigit() for line in command.lines):
        return Refused(Why.INVALID, "The listing does not name a product of this shop; list it again.")
    precision = str(minor_units(command.shipping.currency))
    try:
        made = node_of(
            await client.ask("POST", "orders", query={"dp": precision}, json=mapper.body_of(command)), "order"
        )
        shop_id = reading.id_of(made)
        trouble = _differs(command, made) or await _short(client, command)
        if trouble is not None:
            return await _take_back(client, shop_id, trouble)
        order = mapper.order_of(made, (), address=client.shop.address)
    except _Unread as error:
        return Unknown(f"The order was created; the stock after it could not be read. {error}")
    return Done(shop_id, order.number, order.url, stock_taken=order.stock_taken)


async def confirm(client: Client, command: CreateOrder, found: ShopOrder) -> Outcome:
    """Only whether the shop had the units.

    The lines are compared when it is read back: the seller may have changed them since.
    """
    try:
        trouble = None if found.parcels else await _short(client, command)
    except _Unread as error:
        return Unknown(f"The order stands there; the stock after it could not be read. {error}")
    return as_found(found) if trouble is None else await _take_back(client, found.shop_id, trouble)


class _Unread(Exception):
    """The order stands, and we could not look whether the shop had the units."""


def _differs(command: CreateOrder, made: Node) -> Refused | None:
    """Lines as the shop took them, against what was asked."""
    asked = sorted(
        (line.product_id, line.variant_id, line.quantity, line.unit_price * line.quantity) for line in command.lines
    )
    currency = command.shipping.currency
    took = sorted(
        (line.product_id, line.variant_id, line.quantity, node.money("total", currency))
        for node in made.list("line_items")
        for line in [mapper.line_of(node)]
    )
    if asked == took:
        return None
    known = {(product, variant) for product, variant, *_ in took}
    if any((product, variant) not in known for product, variant, *_ in asked):
        return Refused(Why.PRODUCT_GONE, "Your shop does not know a product of this order any more.")
    return Refused(
        Why.INVALID,
        "Your shop took other quantities or prices than the order has; look for a plugin that changes orders.",
    )


async def _short(client: Client, command: CreateOrder) -> Refused | None:
    """The count after our order, where it fell below zero.

    A shop that allows backorders has said that it wants to sell so.
    """
    pairs = list({(line.product_id, line.variant_id) for line in command.lines})
    try:
        stock = await patiently(lambda: reading.stock(client, pairs))
    except Outside as error:
        raise _Unread(str(error)) from None
    if gone := tuple(variant for variant in units(command) if variant not in stock):
        return Refused(Why.PRODUCT_GONE, f"Your shop has no {titles(command, gone)} any more.", gone)
    if short := tuple(variant for variant in units(command) if _below(stock[variant])):
        return Refused(Why.NO_STOCK, f"Your shop has not enough of {titles(command, short)}.", short)
    return None


def _below(node: Node) -> bool:
    count = goods.count_of(node)
    return count is not None and count < 0 and not goods.backorders(node)


async def _take_back(client: Client, shop_id: str, why: Refused) -> Outcome:
    """Marked as ours to refuse, so that a look-up does not take it for the order."""
    mark = {"status": "cancelled", "meta_data": [{"key": mapper.REFUSED, "value": str(why.why)}]}

    async def ended() -> str:
        status = node_of(await client.ask("PUT", f"orders/{shop_id}", json=mark), "order").text("status")
        return "" if status == "cancelled" else f"“{status}”"

    return await take_back(ended, why)


async def cancel(client: Client, command: CancelOrder) -> Outcome:
    """PUT status cancelled. Looked at first: what was shipped has no units to put back."""
    order = await reading.order(client, command.shop_order_id)
    if ended := standing(command, order, SHIPPED):
        return ended
    made = node_of(await client.ask("PUT", f"orders/{order.shop_id}", json={"status": "cancelled"}), "order")
    if made.text("status") != "cancelled":
        return Unknown(f"The order is still “{made.str('status')}” in your shop.")
    return cancelled(order)


async def cancel_lines(client: Client, command: CancelLines) -> Outcome:
    """A refund of these units at what they cost, paid by nobody (`api_refund`): its restock is the one that gives back
    just them.

    The key stands in the refund's reason, which the order itself shows. WooCommerce checks no quantity, so we do.
    """
    parts = await reading.parts_of(client, command.shop_order_id)
    order = reading.shown(client, parts)
    picked = pick(order, command)
    if not isinstance(picked, dict):
        return picked
    worth, currency = _worth(parts), order.total.currency
    rows, total = [], Money.zero(currency)
    for line in order.lines:
        if taken := picked.get(line.line_id, 0):
            amount = Money(share(worth[line.line_id].minor, (taken, line.quantity - taken))[0], currency)
            rows.append({"id": line.line_id, "quantity": taken, "refund_total": str(amount)})
            total += amount
    back = command.reason not in NOTHING_LEFT
    body = {
        "amount": str(total),
        "reason": marked(command),
        "api_refund": False,
        "api_restock": back,
        "line_items": rows,
    }
    made = node_of(await client.ask("POST", f"orders/{order.shop_id}/refunds", json=body), "refund")
    return Done(made.id("id"), order.number, order.url)


def _worth(parts: reading.Parts) -> dict[str, Money]:
    """What is left of each line's total."""
    assert parts.node is not None
    currency = parts.node.str("currency")
    gone = {line: worth for line, _, worth in mapper.refunded(parts.refunds, currency)}
    whole = {line.id("id"): line.money("total", currency) for line in parts.node.list("line_items")}
    return {line: total - gone.get(line, Money.zero(currency)) for line, total in whole.items()}


async def write_risk(client: Client, command: WriteRisk) -> Outcome:
    """As a private note: WooCommerce has no other place for it, and a customer note would be mailed to the buyer.

    The notes are read first: all of them come at once, and the same note can be added twice."""
    if not command.shop_order_id.isdigit():
        return Refused(Why.NOT_FOUND, "That is no order of this shop.")
    path = f"orders/{command.shop_order_id}"
    node = await client.one(path)
    done = Done(command.shop_order_id, node.text("number"))
    seen = [each.text("note") for each in (await client.rows(f"{path}/notes", {"type": "internal"})).items]
    if ended := risk_notes.before(command, reference=mapper.reference_of(node), texts=seen, done=done):
        return ended
    body = {"note": risk_notes.note(command), "customer_note": False}
    made = node_of(await client.ask("POST", f"{path}/notes", json=body), "note")
    if made.bool("customer_note"):
        raise Strange("note.customer_note", "private note", True)
    return done


async def find(client: Client, reference: str, *, since: datetime) -> Found:
    """`search` is a LIKE over names, so the meta is compared. An empty answer is dangerous (we would create again):
    then every order since is looked at.

    Raises NoAnswer when there are too many to look at; that is not "none".
    """
    found = _exact((await _page(client, {"search": reference})).items, reference)
    oldest, page = since.astimezone(UTC) - timedelta(days=1), 0
    while not found:
        page += 1
        if page > MOST_PAGES:
            raise NoAnswer(
                f"Your shop has more than {MOST_PAGES * 100} orders since then; ours was not among those looked at."
            )
        rows = await _page(client, {"after": seconds(oldest), "dates_are_gmt": "true", "page": str(page)})
        found = _exact(rows.items, reference)
        # Newest first, and the filter is not trusted: an older row ends the search as well. Imported orders have no
        # date of their creation (woocommerce/woocommerce #68783); they say nothing about where the page ends.
        dates = [at for row in rows.items if (at := row.moment("date_created_gmt", naive_utc=True)) is not None]
        if rows.size < PAGE or (dates and dates[-1] < oldest):
            break
    return Found(tuple(sorted(found, key=lambda id_: (len(id_), id_))))


async def _page(client: Client, query: dict[str, str]) -> Listed:
    return await client.rows("orders", {"status": "any", **query})


def _exact(rows: list[Node], reference: str) -> set[str]:
    return {
        row.id("id") for row in rows if mapper.reference_of(row) == reference and mapper.REFUSED not in mapper.meta(row)
    }
