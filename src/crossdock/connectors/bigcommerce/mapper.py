"""BigCommerce's JSON in our words and back. Sources are the vendor's OpenAPI files (github bigcommerce/docs,
2026-04-01).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState, ShopProduct, ShopVariant
from crossdock.kit import text
from crossdock.kit.json_node import Node, units_in
from crossdock.kit.shop.mapping import amount, images, marked_sent, named, names, options, person, priced, that_hold
from crossdock.kit.shop.placing import staff_note, two_names

# `external_source` of our orders: others write an external order id as well.
SOURCE = "crossdock"
# Behind the reference of an order that was taken back for want of stock: no look-up takes it for the order.
TAKEN_BACK = " (taken back)"
AWAITING_FULFILMENT, CANCELLED, SHIPPED, PARTLY_SHIPPED = 11, 5, 2, 3
REFUNDED, DECLINED, COMPLETED = 4, 6, 10
WORDS = {CANCELLED: "", DECLINED: "It was declined.", REFUNDED: "It was refunded in full."}
# `shipping_provider`'s own list; `tracking_carrier` are AfterShip's names.
PROVIDERS = {"usps": "usps", "ups": "ups", "fedex": "fedex", "canada post": "canadapost", "royal mail": "royalmail"}
CARRIERS = {"usps": "usps", "ups": "ups", "fedex": "fedex", "dhl": "dhl", "dhl express": "dhl", "gls": "gls"}
COUNTED_AS_A_WHOLE = "It is counted as a whole and sold in variants: let BigCommerce track its stock by variant."


# Products


def product_of(node: Node, *, currency: str, admin: str, counts: Mapping[str, int]) -> ShopProduct:
    """`counts` by variant are the inventory's: `inventory_level` is the default location's alone (vendor: variants).
    `search_keywords` are "a comma-separated list of keywords"; `categories` are numbers alone (vendor: products).
    """
    product_id, title, tracking = node.id("id"), text.label(node.text("name")), node.word("inventory_tracking")
    told = counts if tracking != "none" else {}
    rows = [(_variant(row, node, currency, told), row) for row in node.list("variants")]
    barred = [each for each, row in rows if row.opt_bool("purchasing_disabled")]
    variants, reasons = priced((each for each, _ in rows if each not in barred), title)
    hidden = node.opt_bool("is_visible") is False or node.text("availability") == "disabled"
    why = that_hold(
        {
            "It is hidden or not purchasable in your store.": hidden,
            COUNTED_AS_A_WHOLE: tracking == "product" and len(variants) > 1,
            "Its price is hidden in your store.": node.opt_bool("is_price_hidden"),
        }
    )
    closed = [f"{each.title or each.sku or title} is not for sale in your store." for each in barred]
    return ShopProduct(
        product_id,
        title,
        tuple(variants),
        active=bool(variants) and not why,
        description=text.plain(node.text("description")),
        images=_images(node),
        url=f"{admin}/manage/products/{product_id}/edit" if admin else "",
        updated_at=moment(node, "date_modified"),
        reasons=(*closed, *reasons, *why),
        properties=named(node.rows("custom_fields")),
        tags=names(node.text("search_keywords").split(",")),
    )


def _variant(row: Node, product: Node, currency: str, counts: Mapping[str, int]) -> ShopVariant:
    """`calculated_price` is what the storefront shows; null prices are the product's."""
    price = row.opt_money("calculated_price", currency) or row.opt_money("price", currency)
    chosen, id_ = named(row.rows("option_values"), "option_display_name", "label"), row.id("id")
    return ShopVariant(
        id_,
        text.label(row.text("sku") or product.text("sku"), 200),
        options(value for _, value in chosen),
        price or product.money("calculated_price" if "calculated_price" in product else "price", currency),
        counts.get(id_),
        barcode=text.label(row.text("gtin") or row.text("upc"), 200),
        image=text.link(row.raw("image_url")),
        options=chosen,
    )


def _images(node: Node) -> tuple[str, ...]:
    rows = sorted(node.rows("images"), key=lambda row: row.raw("is_thumbnail") is not True)
    return images(text.link(row.raw("url_standard")) or row.raw("url_zoom") for row in rows)


def counted(node: Node) -> bool:
    """Whether a variant has a count of its own: a product without a base variant that is tracked as a whole has one
    number for all of them.
    """
    return node.word("inventory_tracking") != "product" or bool(node.opt_int("base_variant_id"))


def count_of(item: Node, places: Collection[str]) -> int:
    """On hand without the safety stock, over the locations that are in use."""
    used = [row for row in item.list("locations") if row.opt_bool("location_enabled") is not False]
    return sum(row.int("available_to_sell") for row in used if not places or row.id("location_id") in places)


# Orders


def moment(node: Node, key: str) -> datetime | None:
    """V2 writes RFC 2822 ("Tue, 20 Nov 2012 00:00:00 +0000"), V3 ISO 8601; None when it is neither."""
    said = node.text(key)
    if len(said) > 40 or "," not in said:
        return node.moment(key, naive_utc=True)
    try:
        at = parsedate_to_datetime(said)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return at if 1900 < at.year < 2200 else None


def reference_of(node: Node) -> str:
    said = node.text("external_order_id")
    return said if node.text("external_source") == SOURCE and not said.endswith(TAKEN_BACK) else ""


def order_of(
    node: Node,
    lines: Sequence[Node] = (),
    shipments: Sequence[Node] = (),
    refunds: Sequence[Node] = (),
    *,
    admin: str,
    takes: str,
) -> ShopOrder:
    id_, status, currency = node.id("id"), node.int("status_id"), node.word("default_currency_code")
    rows = tuple(line_of(line) for line in lines)
    shipped = status in (SHIPPED, COMPLETED) or bool(shipments)
    return ShopOrder(
        shop_id=id_,
        number=id_,
        reference=reference_of(node),
        state=_state(node, status, shipped=shipped),
        lines=rows,
        total=node.money("total_inc_tax", currency),
        parcels=_parcels(node, status, rows, shipments),
        refunds=tuple(_refund(each, currency) for each in refunds),
        stock_taken=_taken(status, takes),
        url=f"{admin}/manage/orders/{id_}" if admin else "",
        cancel_note=WORDS.get(status, ""),
        buyer=person(node.view("billing_address"), "first_name", "last_name"),
        updated_at=moment(node, "date_modified"),
    )


def _state(node: Node, status: int, *, shipped: bool) -> ShopOrderState:
    if node.opt_bool("is_deleted"):
        return ShopOrderState.GONE
    # Refunded after it was shipped: that is a refund, and the parcel is still on its way.
    closed = status in (CANCELLED, DECLINED) or (status == REFUNDED and not shipped)
    return ShopOrderState.CANCELLED if closed else ShopOrderState.OPEN


def _taken(status: int, takes: str) -> bool:
    """By the store's setting `update_stock_behavior` (vendor: settings, GET /settings/inventory)."""
    if takes == "order_placed":
        return status not in (0, CANCELLED, DECLINED, REFUNDED)
    return takes == "order_completed_or_shipped" and status in (SHIPPED, COMPLETED)


def line_of(node: Node) -> OrderLine:
    """Of a product that is not in the catalogue, both ids are 0."""
    product, variant = node.named_id("product_id"), node.named_id("variant_id")
    return OrderLine(node.id("id"), product, variant, text.label(node.text("sku"), 200), node.int("quantity"))


def marked_alone(order: Node, lines: Sequence[Node], shipments: Sequence[Node]) -> bool:
    """Whether it is marked as shipped and shipments hold less than its lines. Reads loosely, and decides nothing but
    to look again.
    """
    held = sum(units_in(row.raw("quantity")) for each in shipments for row in each.rows("items"))
    whole = sum(units_in(line.raw("quantity")) for line in lines)
    return order.raw("status_id") in (SHIPPED, COMPLETED) and held < whole


def _parcels(order: Node, status: int, lines: Sequence[OrderLine], shipments: Sequence[Node]) -> tuple[Parcel, ...]:
    """What no shipment holds of an order that is marked as shipped left without a number."""
    found = [_parcel(each) for each in shipments]
    return marked_sent(lines, found, moment(order, "date_shipped"), sent=status in (SHIPPED, COMPLETED))


def _parcel(node: Node) -> Parcel:
    carrier = node.text("tracking_carrier") or node.text("shipping_provider") or node.text("shipping_method")
    return Parcel(
        node.id("id"),
        tuple((row.id("order_product_id"), row.int("quantity")) for row in node.list("items")),
        text.label(node.text("tracking_number"), 200),
        text.label(carrier, 100),
        text.link(node.raw("tracking_link")) or text.link(node.raw("generated_tracking_link")),
        moment(node, "date_created"),
    )


def _refund(node: Node, currency: str) -> Refund:
    return Refund(
        node.id("id"),
        node.money("total_amount", currency),
        text.label(node.text("reason")),
        moment(node, "created"),
    )


# Our order in their words


def body_of(command: CreateOrder) -> dict[str, Any]:
    """The order for POST /v2/orders. The e-mail address is left out, since shipments and statuses are mailed to
    whoever stands there; the relay address stands in the staff notes.
    """
    address = address_of(command)
    return {
        "status_id": AWAITING_FULFILMENT,
        "external_source": SOURCE,
        "external_order_id": command.reference,
        "payment_method": "Paid on the marketplace",
        "customer_message": command.note,
        "staff_notes": staff_note(command),
        "billing_address": address,
        "shipping_addresses": [address],
        "shipping_cost_inc_tax": str(command.shipping),
        "shipping_cost_ex_tax": str(command.shipping),
        "products": [
            {
                "product_id": int(line.product_id),
                "variant_id": int(line.variant_id),
                "quantity": line.quantity,
                "price_inc_tax": amount(line.unit_price),
                "price_ex_tax": amount(line.unit_price),
            }
            for line in command.lines
        ],
    }


def address_of(command: CreateOrder) -> dict[str, str]:
    """`zip` is required, with two characters or more (vendor: billingAddress_Base); where there is none, 00."""
    to = command.ship_to
    first, last = two_names(to.name)
    return {
        "first_name": first,
        "last_name": last,
        "company": to.company,
        "street_1": to.line1,
        "street_2": to.line2,
        "city": to.city,
        "state": to.region_there,
        "zip": to.postal_code if len(to.postal_code) > 1 else "00",
        "country_iso2": to.country_there,
        "phone": to.phone,
    }


def shipment_of(command: WriteFulfilment) -> dict[str, Any]:
    """What a shipment says beside its units. A carrier that BigCommerce has no name for stands in the method."""
    name = command.carrier.strip().lower()
    known = name in PROVIDERS or name in CARRIERS
    return {
        "tracking_number": command.tracking_number,
        "shipping_provider": PROVIDERS.get(name, ""),
        "tracking_carrier": CARRIERS.get(name, ""),
        "tracking_link": command.tracking_url,
        "shipping_method": "" if known else command.carrier,
    }


def items_of(units: Mapping[str, int]) -> list[dict[str, int]]:
    return [{"order_product_id": int(line), "quantity": n} for line, n in units.items()]
