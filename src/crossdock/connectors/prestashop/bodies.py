"""Our order in PrestaShop's words: what is sent to make a guest, an address, a cart and an order, and to replace what
stands there. Sources are as in `mapper`.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from crossdock.connectors.prestashop.mapper import PAYMENT, Settings, line_of
from crossdock.domain.commands import CreateOrder
from crossdock.domain.values import Money
from crossdock.kit.json_node import Node
from crossdock.kit.shop.placing import two_names

# A domain that can never exist (RFC 2606). validateOrder mails the customer, whatever the status (PaymentModule.php).
NOBODY = "orders.crossdock.invalid"
# Validate.php and ConstraintValidator/CustomerNameValidator.php: what each kind of text may not hold.
_NOT_NAME = re.compile(r'[0-9!<>,;?=+()/\\@#"°*`{}_^$%:¤\[\]|.。]')
_NOT_ADDRESS, _NOT_CITY = re.compile(r"[!<>?=+@{}_$%]"), re.compile(r'[!<>;?=+@#"°{}_$%]')
_NOT_POSTCODE, _NOT_PHONE = re.compile(r"[^a-zA-Z 0-9-]"), re.compile(r"[^+0-9. ()/-]")
_NOT_GENERIC, _NOT_NUMBER = re.compile(r"[<>={}]"), re.compile(r"[^~:#,%&_=()\[\].? +\-@/a-zA-Z0-9]")
_MICRO = Decimal("0.000001")
# All that an order and its rows have (resources/orders.md, order_details.md): a PUT empties what it leaves out.
ORDER = (
    "id id_address_delivery id_address_invoice id_cart id_currency id_lang id_customer id_carrier current_state"
    " module invoice_number invoice_date delivery_number delivery_date valid date_add date_upd shipping_number"
    " note id_shop_group id_shop secure_key payment recyclable gift gift_message mobile_theme total_discounts"
    " total_discounts_tax_incl total_discounts_tax_excl total_paid total_paid_tax_incl total_paid_tax_excl"
    " total_paid_real total_products total_products_wt total_shipping total_shipping_tax_incl"
    " total_shipping_tax_excl carrier_tax_rate total_wrapping total_wrapping_tax_incl total_wrapping_tax_excl"
    " round_mode round_type conversion_rate reference"
)
DETAIL = (
    "id id_order product_id product_attribute_id product_quantity_reinjected group_reduction"
    " discount_quantity_applied download_hash download_deadline id_order_invoice id_warehouse id_shop"
    " id_customization product_name product_quantity product_quantity_in_stock product_quantity_return"
    " product_quantity_refunded product_price reduction_percent reduction_amount reduction_amount_tax_incl"
    " reduction_amount_tax_excl product_quantity_discount product_ean13 product_isbn product_upc product_mpn"
    " product_reference product_supplier_reference product_weight tax_computation_method id_tax_rules_group"
    " ecotax ecotax_tax_rate download_nb unit_price_tax_incl unit_price_tax_excl total_price_tax_incl"
    " total_price_tax_excl total_shipping_price_tax_excl total_shipping_price_tax_incl purchase_supplier_price"
    " original_product_price original_wholesale_price total_refunded_tax_excl total_refunded_tax_incl"
)
CARRIER = (
    "id id_order id_carrier id_order_invoice weight shipping_cost_tax_excl shipping_cost_tax_incl tracking_number"
    " date_add"
)
_NO_REDUCTION = "reduction_percent reduction_amount reduction_amount_tax_incl reduction_amount_tax_excl group_reduction"


def whole(node: Node, names: str) -> dict[str, Any]:
    """An entity as it is sent back. Empty fields vanish from the answers (seen on 8.0.4)."""
    told = {name: node.raw(name) for name in names.split()}
    return {
        name: int(value) if isinstance(value, bool) else value if isinstance(value, str | int | float) else ""
        for name, value in told.items()
    }


def _cut(said: str, refused: re.Pattern[str], most: int) -> str:
    return " ".join(refused.sub(" ", said).split())[:most].strip()


def _names(command: CreateOrder) -> dict[str, str]:
    first, last = two_names(_cut(command.ship_to.name, _NOT_NAME, 200))
    return {"firstname": (first or "-")[:32], "lastname": (last or "-")[:32]}


def guest_of(command: CreateOrder, password: str, settings: Settings) -> dict[str, Any]:
    """The relay address stands in the private note: to `email` PrestaShop writes."""
    return {
        "id_lang": settings["id_lang"],
        "passwd": password,
        **_names(command),
        "email": f"{command.reference.lower()}@{NOBODY}",
        "note": f"Marketplace order {command.reference}. Relay address of the buyer: {command.email}",
        "active": 1,
        "is_guest": 1,
        "id_shop": settings["shop"],
        "id_shop_group": settings["group"],
    }


def address_of(command: CreateOrder, customer: str, country: str, state: str) -> dict[str, Any]:
    """A region that is no state of the shop's stands behind the second line."""
    to = command.ship_to
    region = "" if state or to.region == to.territory else _cut(to.region, _NOT_ADDRESS, 60)
    second = _cut(to.line2, _NOT_ADDRESS, 128 - len(region) - 2 if region else 128)
    return {
        "id_customer": customer,
        "id_country": country,
        "id_state": state,
        "alias": "Marketplace",
        "company": _cut(to.company, _NOT_GENERIC, 64),
        **_names(command),
        "address1": _cut(to.line1, _NOT_ADDRESS, 128),
        "address2": ", ".join(filter(None, (second, region))),
        "postcode": _cut(to.postal_code, _NOT_POSTCODE, 12),
        "city": _cut(to.city, _NOT_CITY, 64),
        "phone": _cut(to.phone, _NOT_PHONE, 32),
    }


def summed(command: CreateOrder) -> dict[str, tuple[int, Money]]:
    """Units and what they cost by variant: a cart has each product once (the key of `cart_product`)."""
    found: dict[str, tuple[int, Money]] = {}
    for line in command.lines:
        units, cost = found.get(line.variant_id, (0, Money.zero(command.shipping.currency)))
        found[line.variant_id] = (units + line.quantity, cost + line.unit_price * line.quantity)
    return found


def cart_of(command: CreateOrder, customer: str, address: str, settings: Settings) -> dict[str, Any]:
    rows = []
    for variant, (units, _) in summed(command).items():
        product, _, attribute = variant.partition("-")
        rows.append(
            {
                "id_product": product,
                "id_product_attribute": attribute,
                "id_address_delivery": address,
                "quantity": units,
            }
        )
    return {**_whose(customer, address, settings), "associations": {"cart_rows": {"cart_row": rows}}}


def _whose(customer: str, address: str, settings: Settings) -> dict[str, Any]:
    return {
        "id_address_delivery": address,
        "id_address_invoice": address,
        "id_currency": settings["id_currency"],
        "id_customer": customer,
        "id_lang": settings["id_lang"],
        "id_shop_group": settings["group"],
        "id_shop": settings["shop"],
        "id_carrier": 0,
    }


def new_order(command: CreateOrder, cart: str, customer: str, address: str, module: str, settings: Settings) -> Any:
    """What it costs is worked out again from the cart; only `module`, `payment` and `total_paid` are used
    (Order::addWs). `total_paid` is booked as a payment (validateOrder: `$order->addOrderPayment($amount_paid, ...)`),
    and the status that comes last books the whole total as one more, for it overlooks what stands there
    (changeIdOrderState without `$use_existing_payment`). So nothing is paid at first.
    """
    return {
        **_whose(customer, address, settings),
        "id_cart": cart,
        "module": module,
        "payment": PAYMENT + command.reference,
        **dict.fromkeys(("total_paid", "total_paid_real", "total_products", "total_products_wt"), 0),
        "conversion_rate": 1,
    }


def priced(
    order: Node, details: Iterable[Node], command: CreateOrder, *, unpaid: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The order and its rows at what the buyer paid, with the shop's own rates of tax for that address. `unpaid` where
    the status that books the payment is still to come.
    """
    rows, net = [], Decimal(0)
    for detail in details:
        units, cost = summed(command)[line_of(detail).variant_id]
        gross, without = detail.decimal("unit_price_tax_incl"), detail.decimal("unit_price_tax_excl")
        rate = without / gross if gross > 0 and without > 0 else Decimal(1)
        # Of several rows of one product each has its share.
        paid = (cost.decimal * detail.int("product_quantity") / units).quantize(_MICRO)
        total, one = (paid * rate).quantize(_MICRO), (cost.decimal / units * rate).quantize(_MICRO)
        net += total
        rows.append(
            {
                **whole(detail, DETAIL),
                **dict.fromkeys(_NO_REDUCTION.split(), 0),
                "product_price": one,
                "unit_price_tax_excl": one,
                "unit_price_tax_incl": (cost.decimal / units).quantize(_MICRO),
                "total_price_tax_excl": total,
                "total_price_tax_incl": paid,
            }
        )
    rate = 1 + (order.opt_decimal("carrier_tax_rate") or Decimal(0)) / 100
    carriage = (command.shipping.decimal / (rate if rate > 0 else 1)).quantize(_MICRO)
    return {
        **whole(order, ORDER),
        **_three("total_discounts", Decimal(0), Decimal(0)),
        **_three("total_wrapping", Decimal(0), Decimal(0)),
        **_three("total_shipping", command.shipping.decimal, carriage),
        **_three("total_paid", command.total.decimal, net + carriage),
        # changeIdOrderState: `$order->total_paid_real += $payment->amount`.
        **({"total_paid_real": 0} if unpaid else {}),
        "total_products": net,
        "total_products_wt": command.total.decimal - command.shipping.decimal,
    }, rows


def _three(name: str, gross: Decimal, net: Decimal) -> dict[str, Decimal]:
    return {name: gross, f"{name}_tax_incl": gross, f"{name}_tax_excl": net}


def tracked(row: Node, tracking: str, carrier: str) -> dict[str, Any]:
    """A row of a carrier with another number; `carrier` only where the shop has it."""
    changed = {"tracking_number": _NOT_NUMBER.sub("", tracking)[:64]} | ({"id_carrier": carrier} if carrier else {})
    return {**whole(row, CARRIER), **changed}
