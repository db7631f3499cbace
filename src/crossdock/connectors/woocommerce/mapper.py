"""WooCommerce's JSON in our words and back. Nearly every surprise of the platform is a line in this file."""

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR
from importlib.resources import files
from typing import Any

from crossdock.connectors.woocommerce.address import address_of
from crossdock.domain.commands import CreateOrder
from crossdock.domain.events import (
    OrderLine,
    Parcel,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.domain.values import Money, share
from crossdock.kit.part import key_of
from crossdock.kit.tame import Node, tame

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
_TAG = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
# Fields that we know and have no use for: what is neither read nor in this list is reported.
_UNUSED = json.loads(files(__package__).joinpath("unused_fields.json").read_text("utf-8"))


# Products


def count_of(node: Node) -> int | None:
    """None when the shop does not count it (`manage_stock` false).

    "parent" shows the parent's count. Plugins allow half units: rounded down.
    """
    if not node.raw("manage_stock"):
        return None
    quantity = node.opt_decimal("stock_quantity")
    return None if quantity is None else int(quantity.to_integral_value(ROUND_FLOOR))


def sellable(variation: Node) -> bool:
    """The shop itself would sell it: enabled (a disabled variation is "private") and with a price."""
    return variation.str("status") == "publish" and bool(variation.raw("price"))


def counts_of(variations: Sequence[Node]) -> dict[str, int | None]:
    """Count by variation id; needs all of a product's variations.

    Those with `manage_stock` "parent" draw from one shared number. Offering it for each would promise a unit several
    times, so it is dealt out in equal parts that add up to it (5 over three: 2, 2, 1). Below zero each shows the
    whole.
    """
    counts = {variation.id("id"): count_of(variation) for variation in variations}
    shared = sorted((v.id("id") for v in variations if v.raw("manage_stock") == "parent" and sellable(v)), key=int)
    total = counts[shared[0]] if shared else None
    if total is not None and total > 0:
        counts |= dict(zip(shared, share(total, (1,) * len(shared)), strict=True))
    return counts


def product_of(node: Node, variations: Sequence[Node], *, currency: str, address: str) -> ShopProduct:
    """`variations` are all of a variable product's; other types than simple and variable have none that can be
    ordered.
    """
    id_, images = node.id("id"), _images(node)
    rows: tuple[ShopVariant, ...] = ()
    if node.str("type") == "simple" and node.raw("price"):
        rows = (_variant(node, "", count_of(node), currency, images[0] if images else ""),)
    elif node.str("type") == "variable":
        counts = counts_of(variations)
        rows = tuple(
            _variant(row, _options(row), counts[row.id("id")], currency, _image(row.raw("image")))
            for row in variations
            if sellable(row)
        )
    product = ShopProduct(
        product_id=id_,
        title=html.unescape(node.str("name")),
        variants=rows,
        active=node.str("status") == "publish" and bool(rows),
        description=_plain(node.opt_str("description") or node.opt_str("short_description") or ""),
        images=images,
        url=f"{address}/wp-admin/post.php?post={id_}&action=edit",
        updated_at=node.opt_time("date_modified_gmt", naive_utc=True),
    )
    node.ignore(*_UNUSED["product"])
    node.done()
    return product


def _variant(node: Node, title: str, count: int | None, currency: str, image: str) -> ShopVariant:
    variant = ShopVariant(
        variant_id=node.id("id"),
        sku=node.opt_str("sku") or "",
        title=title,
        price=node.money("price", currency),
        count=count,
        barcode=node.opt_str("global_unique_id") or "",
        image=image,
    )
    if title:
        node.ignore("status", "date_modified_gmt", *_UNUSED["product"])
        node.done()
    return variant


def _options(node: Node) -> str:
    """ "Red / S". An empty option means "any", and is left out."""
    named = [html.unescape(str(attribute.raw("option") or "")) for attribute in node.list("attributes")]
    return " / ".join(option for option in named if option) or f"#{node.id('id')}"


def _image(entry: Any) -> str:
    """PHP writes a missing picture as null, false, an empty list or `src` false."""
    src = entry.get("src") if isinstance(entry, dict) else None
    return _url(src)


def _images(node: Node) -> tuple[str, ...]:
    entries = node.raw("images")
    return tuple(src for entry in (entries if isinstance(entries, list) else []) if (src := _image(entry)))


def _plain(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", html.unescape(_TAG.sub("", text))).strip()


# Orders


def meta(node: Node) -> dict[str, Any]:
    """Meta entries by key. A key may be there twice; the last one counts."""
    return {entry.str("key"): entry.raw("value") for entry in node.opt_list("meta_data") or []}


def reference_of(node: Node) -> str:
    value = meta(node).get(REFERENCE)
    return value if isinstance(value, str) else ""


def may_have_fulfillments(node: Node) -> bool:
    """The core keeps this meta up to date (some versions on every order, as "unfulfilled"); the order's status does
    not change with it.
    """
    return (
        meta(node).get(FULFILLED) not in (None, "", "unfulfilled", "no_fulfillments")
        or node.str("status") == "completed"
    )


def order_of(node: Node, fulfillments: Sequence[Node], refunds: Sequence[Node] = (), *, address: str) -> ShopOrder:
    """`refunds` are those of /orders/{id}/refunds.

    The order's own lines and total stay what they were at first, whatever was refunded.
    """
    id_, status, currency = node.id("id"), node.str("status"), node.str("currency")
    gone = {line: units for line, units, _ in refunded(refunds, currency)}
    whole = [line_of(line) for line in node.list("line_items")]
    lines = tuple(replace(line, quantity=max(0, line.quantity - gone.get(line.line_id, 0))) for line in whole)
    paid_back = tuple(_refund(entry, currency) for entry in node.opt_list("refunds") or [])
    billing = node.child("billing")
    parcels = _parcels(node, lines, fulfillments)
    order = ShopOrder(
        shop_id=id_,
        number=node.str("number"),
        reference=reference_of(node),
        state=_state(node, status),
        lines=lines,
        # What we took out ourselves is no part of the order any more; a refund of the seller's is news of its own.
        total=sum((-refund.amount for refund in paid_back if refund.key), node.money("total", currency)),
        parcels=parcels,
        refunds=paid_back,
        stock_taken=bool(lines) and all((line.stock_taken or 0) >= line.quantity for line in lines),
        url=f"{address}/wp-admin/post.php?post={id_}&action=edit",
        cancel_note=CANCELLED.get(status, ""),
        buyer=f"{billing.opt_str('first_name') or ''} {billing.opt_str('last_name') or ''}".strip(),
        updated_at=node.opt_time("date_modified_gmt", naive_utc=True),
    )
    node.ignore(*_UNUSED["order"])
    node.done()
    return order


def gone(shop_id: str, currency: str) -> ShopOrder:
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero(currency))


def _state(node: Node, status: str) -> ShopOrderState:
    if status == "trash":
        return ShopOrderState.GONE
    # Refunded after it was shipped: that is a refund, and the parcel is still on its way.
    shipped = status == "refunded" and node.raw("date_completed_gmt")
    return ShopOrderState.CANCELLED if status in CANCELLED and not shipped else ShopOrderState.OPEN


def line_of(node: Node) -> OrderLine:
    """`product_id` 0 is WooCommerce's word for a product that it does not know: the line is only text then."""
    product, variation = str(node.raw("product_id") or ""), str(node.raw("variation_id") or "")
    taken = meta(node).get("_reduced_stock")
    return OrderLine(
        line_id=node.id("id"),
        product_id=product,
        variant_id=variation or product,
        sku=node.opt_str("sku") or "",
        quantity=int(node.decimal("quantity")),
        # The item's own record of what was taken; restoring removes it.
        stock_taken=_units(taken) if taken is not None else None,
    )


def _refund(node: Node, currency: str) -> Refund:
    """The order's own list of its refunds: the ids of /orders/{id}/refunds, with amounts below zero."""
    reason = node.opt_str("reason") or ""
    return Refund(node.id("id"), -node.money("total", currency), reason, key=key_of(reason))


def refunded(refunds: Sequence[Node], currency: str) -> list[tuple[str, int, Money]]:
    """(line id, units, their worth) of all refunds, summed by line.

    Refunds write both below zero, and name the line in a meta.
    """
    found: dict[str, tuple[int, Money]] = {}
    for item in (item for refund in refunds for item in refund.opt_list("line_items") or []):
        line = str(meta(item).get("_refunded_item_id") or "")
        units, worth = found.get(line, (0, Money.zero(currency)))
        found[line] = (units - int(item.decimal("quantity")), worth - item.money("total", currency))
    return [(line, units, worth) for line, (units, worth) in found.items()]


def _units(value: Any) -> int:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 0


# Parcels


def _parcels(order: Node, lines: Sequence[OrderLine], fulfillments: Sequence[Node]) -> tuple[Parcel, ...]:
    """From the core's fulfilments, else from a plugin's meta; an order that is completed without either was shipped
    without a number.
    """
    found = [_core(entry) for entry in fulfillments if _is(entry.raw("is_fulfilled")) and not entry.raw("date_deleted")]
    found = found or list(_plugin(meta(order).get(PLUGIN_TRACKING)))
    completed = order.str("status") == "completed" or (
        order.str("status") == "refunded" and bool(order.raw("date_completed_gmt"))
    )
    if not completed:
        return tuple(found)
    at = order.opt_time("date_completed_gmt", naive_utc=True)
    if not found:
        return (Parcel("t1", (), shipped_at=at),)
    rest = {line.line_id: line.quantity for line in lines}
    for line_id, units in (pair for parcel in found for pair in parcel.lines):
        rest[line_id] = rest.get(line_id, 0) - units
    left = tuple((line_id, units) for line_id, units in rest.items() if units > 0)
    if left and all(parcel.lines for parcel in found):
        found.append(Parcel("rest", left, shipped_at=at))
    return tuple(found)


def _is(value: Any) -> bool:
    """`is_fulfilled` is true in the answer to a POST and "1" when read again."""
    return value in (True, 1, "1", "yes", "true")


def _core(node: Node) -> Parcel:
    facts = meta(node)
    provider = str(facts.get("_shipment_provider") or "")
    items = facts.get("_items")
    lines = [tame(item, f"{node.path}._items") for item in (items if isinstance(items, list) else [])]
    parcel = Parcel(
        parcel_id=f"f{node.id('id')}",
        lines=tuple((line.id("item_id"), _units(line.raw("qty"))) for line in lines),
        tracking_number=str(facts.get("_tracking_number") or "").strip(),
        carrier=str(facts.get("_provider_name") or "") or provider,
        tracking_url=_url(facts.get("_tracking_url")),
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
        node = tame(raw, f"{PLUGIN_TRACKING}[{place}]")
        listed = node.raw("products_list")
        parts = [tame(part, f"{node.path}.products_list") for part in listed] if isinstance(listed, list) else []
        lines = tuple((part.id("item_id"), _units(part.raw("qty"))) for part in parts if part.raw("item_id"))
        yield Parcel(
            parcel_id=f"t-{node.id('tracking_id')}" if lines and node.raw("tracking_id") else f"t{place}",
            lines=lines,
            tracking_number=str(node.raw("tracking_number") or "").strip(),
            carrier=str(node.raw("custom_tracking_provider") or node.raw("tracking_provider") or ""),
            tracking_url=_url(node.raw("custom_tracking_link")),
            shipped_at=_moment(node.raw("date_shipped")),
        )


def _url(value: Any) -> str:
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else ""


def _moment(value: Any) -> datetime | None:
    """Unix seconds, or "2026-11-23 10:00:00" in UTC.

    None when unreadable: a shipping date is not worth losing the number for.
    """
    text = str(value or "").strip()
    try:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


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
