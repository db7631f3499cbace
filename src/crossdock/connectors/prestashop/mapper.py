"""PrestaShop's JSON in our words and back. Sources are the vendor's tables of its resources (PrestaShop/docs, 2024-03)
and its source (github PrestaShop/PrestaShop, classes/).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from crossdock.domain.events import Count, OrderLine, Parcel, Refund, ShopOrder, ShopProduct, ShopVariant
from crossdock.kit import text
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, flag
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.clock import moment
from crossdock.kit.shop.mapping import BARE, images, numbered, options, sold, that_hold
from crossdock.kit.shop.mapping import state as state_of

Settings = Mapping[str, str]
Rows = Mapping[str, Node]
Units = tuple[tuple[str, int], ...]
# The payment method of our orders; `payment` is kept as it was sent (Order::addWs hands it to validateOrder), can be
# filtered by, and staff see it. Behind one that was taken back for want of stock stands something more.
PAYMENT, TAKEN_BACK = "Crossdock ", " (taken back)"
REFUNDED = "It was set to “Refunded”."


# Products


def variant_id(product: str, attribute: str) -> str:
    """A product without combinations has the attribute 0 wherever PrestaShop names one."""
    return f"{product}-{attribute or '0'}"


def count_of(variant: str, row: Node | None, settings: Settings) -> Count:
    """`out_of_stock` says whether it is sold below zero: 0 no, 1 yes, 2 as the shop does in general."""
    if row is None or settings.get("counts") != "1":
        return Count(variant, None)
    below = row.text("out_of_stock")
    below = settings.get("backorders", "") if below == "2" else below
    return Count(variant, row.int("quantity"), backorders=below == "1")


def said(node: Node, key: str) -> str:
    """In one language it is the text itself, in several a list (WebserviceOutputJSON::renderField)."""
    several = node.rows(key)
    return several[0].text("value") if several else node.text(key)


def product_of(
    node: Node, combinations: Sequence[Node], stock: Rows, names: Mapping[str, str], shop: Shop
) -> ShopProduct:
    """`stock` is by variant, `names` are of the values of attributes."""
    parts = node.view("associations")
    if parts.rows("combinations") and not combinations:
        raise Strange(f"{node.path}.associations.combinations", "combination that can be read", None)
    variants, reasons = sold(_variant(row, node, stock, names, shop) for row in combinations or [node])
    why = _not_sold(node)
    return ShopProduct(
        number(node),
        text.label(said(node, "name")),
        variants,
        active=not why and bool(variants),
        description=text.plain(said(node, "description") or said(node, "description_short")),
        images=_images(node, parts, shop.address),
        updated_at=moment(node, "date_upd", ZoneInfo(shop.settings["zone"])),
        reasons=(*reasons, *why),
    )


def _not_sold(node: Node) -> list[str]:
    off = [name for name in ("active", "available_for_order") if flag(node.raw(name)) is False]
    pack, download = (flag(node.raw(name)) is True for name in ("cache_is_pack", "is_virtual"))
    told = {
        "It is not active or not available for order in your shop.": off or node.text("state") == "0",
        "It is hidden in your shop.": node.text("visibility") == "none",
        # OrderHistory::changeIdOrderState leaves packs out when an order gets its units.
        "It is a pack: PrestaShop does not count packs for orders from outside.": pack or node.text("type") == "pack",
        "It is a download, and PrestaShop mails its link.": download,
        "It has fields that a buyer must fill in.": node.text("customizable") == "2",
    }
    return that_hold(told)


def _variant(row: Node, product: Node, stock: Rows, names: Mapping[str, str], shop: Shop) -> tuple[ShopVariant, str]:
    """And what stands against it. `gross` is the shop's own sum with taxes and sales, asked for by `price[gross]`."""
    alone = row is product
    id_ = variant_id(number(product), "" if alone else number(row))
    parts = (Node({}, "") if alone else row).view("associations")
    held = stock.get(id_)
    count = count_of(id_, held, shop.settings)
    variant = ShopVariant(
        id_,
        text.label(row.text("reference") or product.text("reference"), 200),
        options(names.get(value.text("id"), "") for value in parts.rows("product_option_values")),
        row.money("gross", shop.settings["currency"]),
        count.count,
        barcode=text.label(row.text("ean13") or row.text("upc"), 200),
        image=next(iter(images(picture(each.text("id"), shop.address) for each in parts.rows("images"))), ""),
        backorders=count.backorders,
    )
    # OrderHistory::changeIdOrderState moves no such stock.
    advanced = held is not None and flag(held.raw("depends_on_stock"))
    return variant, "uses advanced stock management, which is not known here." if advanced else ""


def _images(node: Node, parts: Node, address: str) -> tuple[str, ...]:
    first = node.text("id_default_image")
    ids = sorted((row.text("id") for row in parts.rows("images")), key=lambda id_: id_ != first)
    return images(picture(id_, address) for id_ in ids)


def picture(id_: str, address: str) -> str:
    """The original is in a folder for each digit (Image::getImgFolderStatic); the webservice's needs the key."""
    return f"{address}/img/p/{'/'.join(id_)}/{id_}.jpg" if is_number(id_) and len(id_) < 12 else ""


def older(version: str, than: tuple[int, ...]) -> bool:
    """False where the version is not known."""
    told = tuple(int(part[:6]) for part in re.findall(r"\d+", version)[:4])
    return re.match(r"\d", version) is not None and told < than


# Orders


def reference_of(node: Node) -> str:
    found = re.fullmatch(rf"{PAYMENT}(\S+)", node.text("payment"))
    return found[1] if found else ""


def line_of(row: Node) -> OrderLine:
    product, sku = number(row, "product_id"), text.label(row.text("product_reference"), 200)
    variant = variant_id(product, row.text("product_attribute_id"))
    return OrderLine(row.id("id"), product, variant, sku, row.int("product_quantity"))


def order_of(node: Node, sent: Sequence[Node], slips: Sequence[Node], carriers: Rows, settings: Settings) -> ShopOrder:
    id_, state = number(node), node.text("current_state")
    codes = dict(pair.split("=") for pair in settings["currencies"].split())
    currency = codes.get(node.id("id_currency"))
    if currency is None:
        raise Strange(f"{node.path}.id_currency", "currency that we know", node.raw("id_currency"))
    parts = node.view("associations")
    lines = tuple(map(line_of, parts.list("order_rows") if "order_rows" in parts else ()))
    zone = ZoneInfo(settings["zone"])
    shipped = state in settings["shipped"].split(",")
    units = tuple((line.line_id, line.quantity) for line in lines)
    parcels = _parcels(sent, units, carriers, shipped, moment(node, "delivery_date", zone))
    closed = state == settings["canceled"] or (state == settings["refunded"] and not parcels)
    return ShopOrder(
        shop_id=id_,
        number=text.label(node.text("reference"), 40) or id_,
        reference=reference_of(node),
        state=state_of(cancelled=closed),
        lines=lines,
        total=node.money("total_paid_tax_incl", currency),
        parcels=parcels,
        refunds=tuple(_refund(slip, currency, zone) for slip in slips),
        # OrderDetail::checkProductStock: every status takes them but these two, and they give them back. A payment
        # error of what was below zero before becomes the third at once (validateOrder: `product_quantity_in_stock`).
        stock_taken=state not in (settings["canceled"], settings["error"], settings.get("unpaid")),
        cancel_note=REFUNDED if closed and state == settings["refunded"] else "",
        updated_at=moment(node, "date_upd", zone),
    )


def _parcels(
    sent: Sequence[Node], units: Units, carriers: Rows, shipped: bool, at: datetime | None
) -> tuple[Parcel, ...]:
    """PrestaShop ships an order as a whole. A number without a shipped status is one that the buyer was told
    (UpdateOrderShippingDetailsHandler mails it).
    """
    rows = sorted(sent, key=lambda row: int(number(row)))
    left = [row for row in rows if row.text("tracking_number")] or (rows[:1] if shipped else [])
    if not left and shipped:
        return (Parcel(BARE, units, shipped_at=at),)
    return numbered(units, [_parcel(row, carriers.get(row.text("id_carrier")), at) for row in left])


def _parcel(row: Node, carrier: Node | None, at: datetime | None) -> Parcel:
    """A carrier named 0 has the shop's own name (Carrier.php); `url` has an @ where the number goes."""
    tracking, by = text.label(row.text("tracking_number"), 200), carrier or Node({}, "carrier")
    name, link = text.label(by.text("name"), 100), text.link(by.raw("url")).replace("@", tracking)
    return Parcel(row.id("id"), (), tracking, "" if name == "0" else name, link if tracking else "", at)


def _refund(slip: Node, currency: str, zone: ZoneInfo) -> Refund:
    amount = slip.money("total_products_tax_incl", currency) + slip.money("total_shipping_tax_incl", currency)
    return Refund(slip.id("id"), amount, at=moment(slip, "date_add", zone))
