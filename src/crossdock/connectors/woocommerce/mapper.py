"""WooCommerce's JSON in our words and back. Nearly every surprise of the platform is a line in this file."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from crossdock.domain.commands import CreateOrder
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.values import Address, Money
from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, flag, node_of, units_in, whole
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import person
from crossdock.kit.shop.placing import two_names

REFERENCE, REFUSED = "_crossdock_reference", "_crossdock_refused"
# Shipment Tracking writes this, and so does Advanced Shipment Tracking.
PLUGIN_TRACKING = "_wc_shipment_tracking_items"
FULFILLED = "_fulfillment_status"
CANCELLED = {
    "cancelled": "",
    "failed": "It was marked as failed.",
    "refunded": "It was refunded in full.",
    "trash": "It was moved to the trash.",
}
MOST_UNITS = 10**9
# Fields that we know and have no use for: what is neither read nor in this list is reported.
UNUSED = json.loads(files(__package__).joinpath("unused_fields.json").read_text("utf-8"))


# Orders


def meta(node: Node) -> dict[str, Any]:
    """Meta entries by key. A key may be there twice; the last one counts.

    Anybody's plugin writes here. Seen: entries that are `{}` or lists (woocommerce/woocommerce #24148, #19626).
    """
    return {entry.text("key"): entry.raw("value") for entry in node.rows("meta_data")}


def reference_of(node: Node) -> str:
    value = meta(node).get(REFERENCE)
    return value if isinstance(value, str) else ""


def may_have_fulfillments(node: Node) -> bool:
    """The core keeps this meta up to date (some versions on every order, as "unfulfilled"); the order's status does
    not change with it.
    """
    return (
        meta(node).get(FULFILLED) not in (None, "", "unfulfilled", "no_fulfillments")
        or node.word("status") == "completed"
    )


def order_of(node: Node, fulfillments: Sequence[Node], refunds: Sequence[Node] = (), *, address: str) -> ShopOrder:
    """`refunds` are those of /orders/{id}/refunds.

    The order's own lines and total stay what they were at first, whatever was refunded.
    """
    id_, status, currency = node.id("id"), node.word("status"), node.str("currency")
    gone = {line: units for line, units, _ in refunded(refunds, currency)}
    full = [line_of(line) for line in node.list("line_items")]
    # Refunds take no more out of a line than it has; one that a plugin set below zero is told as it is.
    lines = tuple(replace(o, quantity=o.quantity - min(gone.get(o.line_id, 0), max(0, o.quantity))) for o in full)
    paid_back = tuple(_refund(entry, currency) for entry in node.opt_list("refunds") or [])
    parcels = _parcels(node, lines, fulfillments)
    order = ShopOrder(
        shop_id=id_,
        number=text.label(node.text("number")) or id_,
        reference=reference_of(node),
        state=_state(node, status),
        lines=lines,
        # What we took out ourselves is no part of the order any more; a refund of the seller's is news of its own.
        total=sum((-refund.amount for refund in paid_back if refund.key), node.money("total", currency)),
        parcels=parcels,
        refunds=paid_back,
        stock_taken=any(line.quantity > 0 for line in lines)
        and all((line.stock_taken or 0) >= line.quantity for line in lines),
        url=f"{address}/wp-admin/post.php?post={id_}&action=edit",
        cancel_note=CANCELLED.get(status, ""),
        buyer=person(node.view("billing"), "first_name", "last_name"),
        updated_at=node.moment("date_modified_gmt", naive_utc=True),
    )
    node.ignore(*UNUSED["order"])
    node.done()
    return order


def _state(node: Node, status: str) -> ShopOrderState:
    if status == "trash":
        return ShopOrderState.GONE
    # Refunded after it was shipped: that is a refund, and the parcel is still on its way.
    shipped = status == "refunded" and node.moment("date_completed_gmt", naive_utc=True)
    return ShopOrderState.CANCELLED if status in CANCELLED and not shipped else ShopOrderState.OPEN


def line_of(node: Node) -> OrderLine:
    """`product_id` 0 is WooCommerce's word for a product that it does not know: the line is only text then."""
    product, variation = node.named_id("product_id"), node.named_id("variation_id")
    taken = meta(node).get("_reduced_stock")
    return OrderLine(
        line_id=node.id("id"),
        product_id=product,
        variant_id=variation or product,
        sku=text.label(node.text("sku")),
        quantity=_quantity(node),
        # The item's own record of what was taken; restoring removes it.
        stock_taken=units_in(taken) if taken is not None else None,
    )


def _quantity(node: Node) -> int:
    """Plugins sell parts of a unit ("1.5"): whole units are what we can compare."""
    value = node.decimal("quantity")
    if abs(value) > MOST_UNITS:
        raise Strange(f"{node.path}.quantity", "quantity", value)
    return int(value)


def _refund(node: Node, currency: str) -> Refund:
    """The order's own list of its refunds: the ids of /orders/{id}/refunds, with amounts below zero.

    One of 0.00 only put units back.
    """
    reason, total = node.text("reason"), node.money("total", currency)
    return Refund(node.id("id"), Money(abs(total.minor), currency), text.label(reason), key=key_of(reason))


def refunded(refunds: Sequence[Node], currency: str) -> list[tuple[str, int, Money]]:
    """(line id, units, their worth) of all refunds, summed by line.

    Refunds write both below zero, and name the line in a meta.
    """
    found: dict[str, tuple[int, Money]] = {}
    for item in (item for refund in refunds for item in refund.opt_list("line_items") or []):
        line = _word(meta(item).get("_refunded_item_id"))
        units, worth = found.get(line, (0, Money.zero(currency)))
        found[line] = (units - _quantity(item), worth - item.money("total", currency))
    return [(line, units, worth) for line, (units, worth) in found.items()]


def _word(value: Any) -> str:
    """What a plugin wrote, in one line; empty when it is no text and no number."""
    return text.label(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else ""


# Parcels


def _parcels(order: Node, lines: Sequence[OrderLine], fulfillments: Sequence[Node]) -> tuple[Parcel, ...]:
    """From the core's fulfilments, else from a plugin's meta; an order that is completed without either was shipped
    without a number.
    """
    found = [core_parcel(entry) for entry in fulfillments if is_fulfilled(entry) and not entry.raw("date_deleted")]
    found = found or list(_plugin(meta(order).get(PLUGIN_TRACKING)))
    at = order.moment("date_completed_gmt", naive_utc=True)
    completed = order.word("status") == "completed" or (order.word("status") == "refunded" and at is not None)
    if not completed:
        return tuple(found)
    if not found:
        return (Parcel("t1", (), shipped_at=at),)
    rest = {line.line_id: line.quantity for line in lines}
    for line_id, units in (pair for parcel in found for pair in parcel.lines):
        rest[line_id] = rest.get(line_id, 0) - units
    left = tuple((line_id, units) for line_id, units in rest.items() if units > 0)
    if left and all(parcel.lines for parcel in found):
        found.append(Parcel("rest", left, shipped_at=at))
    return tuple(found)


def is_fulfilled(node: Node) -> bool:
    """True in the answer to a POST and "1" when read again; a draft is neither."""
    return flag(node.raw("is_fulfilled")) is True


def core_parcel(node: Node) -> Parcel:
    facts = meta(node)
    provider = _word(facts.get("_shipment_provider"))
    lines = node_of(facts, f"{node.path}.meta_data").rows("_items")
    parcel = Parcel(
        parcel_id=f"f{node.id('id')}",
        lines=tuple((line.id("item_id"), units_in(line.raw("qty"))) for line in lines),
        tracking_number=_word(facts.get("_tracking_number")),
        carrier=_word(facts.get("_provider_name")) or provider,
        tracking_url=text.link(facts.get("_tracking_url")),
        shipped_at=_moment(facts.get("_date_fulfilled")),
    )
    node.ignore("fulfillment_id", "entity_type", "entity_id", "status", "is_fulfilled", "date_updated", "date_deleted")
    node.done()
    return parcel


def _plugin(value: Any) -> Iterable[Parcel]:
    """Entries of the tracking plugins. After a deletion PHP writes the list as an object.

    The plain plugin knows no lines and "changes" a number by deleting and adding, so such an entry is the same parcel
    by its place in the list.
    """
    entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    for place, raw in enumerate(entries, 1):
        if not isinstance(raw, dict):
            continue
        node = node_of(raw, f"{PLUGIN_TRACKING}[{place}]")
        lines = tuple((p.id("item_id"), units_in(p.raw("qty"))) for p in node.rows("products_list") if p.raw("item_id"))
        yield Parcel(
            parcel_id=f"t-{node.id('tracking_id')}" if lines and node.raw("tracking_id") else f"t{place}",
            lines=lines,
            tracking_number=_word(node.raw("tracking_number")),
            carrier=_word(node.raw("custom_tracking_provider")) or _word(node.raw("tracking_provider")),
            tracking_url=text.link(node.raw("custom_tracking_link")),
            shipped_at=_moment(node.raw("date_shipped")),
        )


def _moment(value: Any) -> datetime | None:
    """Unix seconds, or "2026-11-23 10:00:00" in UTC.

    None when unreadable: a shipping date is not worth losing the number for.
    """
    if (seconds := whole(value)) is not None:
        try:
            return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
        except (ValueError, OverflowError, OSError):
            return None
    return node_of({"at": value}, "date").moment("at", naive_utc=True)


# Our order in their words


def body_of(command: CreateOrder) -> dict[str, Any]:
    """The order for POST /orders.

    "processing" takes the stock at once, `set_paid` false or not. The billing e-mail is left out because the shop
    mails whoever stands there and no switch turns that off ("" is refused: it is no e-mail address); the relay address
    stands in the note. The reference stands in the shipping line's title because `search` looks there in both
    storages.
    """
    lines = []
    for line in command.lines:
        total = str(line.unit_price * line.quantity)
        lines.append(
            {"product_id": int(line.product_id), "quantity": line.quantity, "subtotal": total, "total": total}
            | ({"variation_id": int(line.variant_id)} if line.variant_id != line.product_id else {})
        )
    where = address_of(command.ship_to)
    contact = f"Relay address of the buyer: {command.email}" if command.email else ""
    return {
        "status": "processing",
        "set_paid": False,
        "currency": command.shipping.currency,
        "payment_method": "crossdock",
        "payment_method_title": "Paid on the marketplace",
        "transaction_id": command.reference,
        "customer_note": "\n".join(text for text in (command.note, contact) if text),
        "billing": where,
        "shipping": {**where, "phone": command.ship_to.phone},
        "line_items": lines,
        "shipping_lines": [
            {
                "method_id": "crossdock",
                "method_title": f"Marketplace order {command.reference}",
                "total": str(command.shipping),
            }
        ],
        "meta_data": [
            {"key": REFERENCE, "value": command.reference},
            # The total is what the buyer paid; without this the shop adds its taxes on top.
            {"key": "is_vat_exempt", "value": "yes"},
        ],
    }


def address_of(address: Address) -> dict[str, str]:
    """Puerto Rico and its like are countries there, and no states of US (i18n/countries.php, i18n/states.php)."""
    first, last = two_names(address.name)
    return {
        "first_name": first,
        "last_name": last,
        "company": address.company,
        "address_1": address.line1,
        "address_2": address.line2,
        "city": address.city,
        "state": address.region_there,
        "postcode": address.postal_code,
        "country": address.country_there,
    }
