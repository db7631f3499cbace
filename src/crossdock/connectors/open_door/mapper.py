"""The open door's JSON in our words, and ours in its."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from crossdock.domain.commands import CreateOrder
from crossdock.domain.events import (
    Count,
    OrderLine,
    Parcel,
    ProductGone,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import order_with
from crossdock.kit.shop.mapping import named, names

STATES = {"open": ShopOrderState.OPEN, "cancelled": ShopOrderState.CANCELLED}
MOST_PICTURES = 20


def product(node: Node) -> ShopProduct | ProductGone:
    product_id = node.id("id")
    if node.opt_bool("deleted"):
        return ProductGone(product_id)
    currency = node.word("currency")
    variants = tuple(_variant(each, currency) for each in node.list("variants"))
    if not variants:
        raise Strange(f"{node.path}.variants", "variant", None)
    return ShopProduct(
        product_id,
        text.label(node.text("title")),
        variants,
        active=node.opt_bool("on_sale") is not False,
        description=text.plain(node.text("description")),
        images=_pictures(node.raw("images")),
        url=_web(node.raw("url")),
        updated_at=node.moment("updated_at"),
        properties=named(node.rows("properties")),
        tags=names(node.raw("tags")),
        types=names(node.raw("types")),
    )


def _variant(node: Node, currency: str) -> ShopVariant:
    return ShopVariant(
        node.id("id"),
        node.text("sku")[:200],
        text.label(node.text("title")),
        node.money("price", currency),
        node.opt_int("count"),
        barcode=node.text("barcode")[:200],
        image=_web(node.raw("image")),
        backorders=node.opt_bool("backorders") is True,
        options=named(node.rows("options")),
    )


def counts(node: Node) -> list[Count]:
    """Of one product; none when it is gone."""
    if node.opt_bool("deleted"):
        return []
    return [
        Count(each.id("id"), each.opt_int("count"), backorders=each.opt_bool("backorders") is True)
        for each in node.list("variants")
    ]


def order(node: Node) -> ShopOrder:
    reference = node.text("reference")
    with order_with(reference):
        state, currency = STATES.get(word := node.word("state")), node.word("currency")
        if state is None:
            raise Strange(f"{node.path}.state", "state", word)
        taken = node.opt_bool("stock_taken") is True
        return ShopOrder(
            shop_id=node.id("id"),
            number=text.label(node.text("number"), 100) or node.id("id"),
            reference=reference,
            state=state,
            lines=tuple(_line(each, taken=taken) for each in node.list("lines")),
            total=node.money("total", currency),
            parcels=tuple(_parcel(each) for each in node.opt_list("parcels") or ()),
            refunds=tuple(
                Refund(each.id("id"), each.money("amount", currency), text.label(each.text("note")), each.moment("at"))
                for each in node.opt_list("refunds") or ()
            ),
            stock_taken=taken,
            url=_web(node.raw("url")),
            cancel_note=text.label(node.text("note")),
            updated_at=node.moment("updated_at"),
        )


def _line(node: Node, *, taken: bool) -> OrderLine:
    units = node.int("units")
    return OrderLine(
        node.id("id"),
        node.opt_id("product_id") or "",
        node.opt_id("variant_id") or "",
        node.text("sku")[:200],
        units,
        units if taken else None,
    )


def _parcel(node: Node) -> Parcel:
    return Parcel(
        node.id("id"),
        tuple((line.id("line_id"), line.int("units")) for line in node.opt_list("lines") or ()),
        text.label(node.text("tracking_number"), 200),
        text.label(node.text("carrier"), 100),
        _web(node.raw("tracking_url")),
        node.moment("shipped_at"),
        cancelled=node.opt_bool("cancelled") is True,
    )


def parcel_keys(node: Node) -> dict[str, str]:
    """Our keys by parcel id."""
    return {each.id("id"): key for each in node.rows("parcels") if (key := each.text("key"))}


def cancelled_keys(node: Node) -> dict[str, str]:
    """Our keys of the units that were taken out; nothing else arises there."""
    return {key: "" for each in node.rows("cancellations") if (key := each.text("key"))}


def _web(value: Any) -> str:
    good = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= 2_000
    return value if good else ""


def _pictures(value: Any) -> tuple[str, ...]:
    found = value[:MOST_PICTURES] if isinstance(value, list) else []
    return tuple(url for each in found if (url := _web(each)))


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def new_order(command: CreateOrder) -> dict[str, Any]:
    to = command.ship_to
    address = {
        "name": to.name,
        "company": to.company,
        "line1": to.line1,
        "line2": to.line2,
        "city": to.city,
        "region": to.region,
        "postal_code": to.postal_code,
        "country": to.country,
        "phone": to.phone,
    }
    return {
        "reference": command.reference,
        "currency": command.shipping.currency,
        "placed_at": moment(command.placed_at),
        "email": command.email,
        "note": command.note,
        "shipping": str(command.shipping),
        "total": str(command.total),
        "ship_to": {name: value for name, value in address.items() if value or name in ("name", "line1", "city")},
        "lines": [
            {
                "product_id": line.product_id,
                "variant_id": line.variant_id,
                "sku": line.sku,
                "title": line.title,
                "units": line.quantity,
                "unit_price": str(line.unit_price),
            }
            for line in command.lines
        ],
    }


def units_of(lines: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    return [{"line_id": line, "units": units} for line, units in lines]
