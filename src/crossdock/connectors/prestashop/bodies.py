"""Our order in PrestaShop's words: what is sent to make a guest, an address, a cart and an order, and to replace what
stands there. Sources are as in `mapper`.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from crossdock.connectors.prestashop.client import FACTS
from crossdock.connectors.prestashop.mapper import PAYMENT, Settings, line_of
from crossdock.domain.commands import CreateOrder
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop import facts
from crossdock.kit.shop.placing import both_names, worth

MADE, WHOLE, ZERO, FITS, REFUSED = (FACTS[name] for name in ("made", "whole", "zero", "fits", "refused"))
_MICRO = Decimal("0.000001")


def whole(node: Node, kind: str) -> dict[str, Any]:
    """An entity as it is sent back. Empty fields vanish from the answers (seen on 8.0.4)."""
    names = WHOLE[kind].split()
    return {name: int(raw) if isinstance(raw := node.raw(name), bool) else node.text(name) for name in names}


def _names(command: CreateOrder) -> dict[str, str]:
    return both_names(facts.fitting(command.ship_to.name, REFUSED["name"], 200), 32)


def guest_of(command: CreateOrder, password: str, settings: Settings) -> dict[str, str]:
    key, names = command.reference.lower(), _names(command)
    return facts.filled(MADE["customer"], command=command, key=key, password=password, settings=settings) | names


def address_of(command: CreateOrder, customer: str, country: str, state: str) -> dict[str, str]:
    """A region that is no state of the shop's stands behind the second line."""
    to = command.ship_to
    said = facts.filled(MADE["address"], to=to, customer=customer, country=country, state=state)
    said |= {name: facts.fitting(said[name], REFUSED[kind], longest) for name, (kind, longest) in FITS.items()}
    if not state and to.region != to.territory and (region := facts.fitting(to.region, REFUSED["address"], 60)):
        second = said["address2"][: 128 - len(region) - 2].strip()
        said["address2"] = ", ".join(filter(None, (second, region)))
    return said | _names(command)


def cart_of(command: CreateOrder, customer: str, address: str, settings: Settings) -> dict[str, Any]:
    rows = []
    for variant, (units, _) in worth(command).items():
        product, _, attribute = variant.partition("-")
        rows.append(facts.filled(MADE["cart_row"], product=product, attribute=attribute, address=address, units=units))
    cart = facts.filled(MADE["cart"], customer=customer, address=address, settings=settings)
    return {**cart, "associations": {"cart_rows": {"cart_row": rows}}}


def new_order(
    command: CreateOrder, cart: str, customer: str, address: str, module: str, settings: Settings
) -> dict[str, str]:
    payment, all_of_it = PAYMENT + command.reference, MADE["cart"] | MADE["order"]
    return facts.filled(
        all_of_it, cart=cart, customer=customer, address=address, module=module, payment=payment, settings=settings
    )


def priced(
    order: Node, details: Iterable[Node], command: CreateOrder, *, unpaid: bool
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The order and its rows at what the buyer paid, with the shop's own rates of tax for that address. `unpaid` where
    the status that books the payment is still to come.
    """
    rows, net, ordered = [], Decimal(0), worth(command)
    for detail in details:
        if (variant := line_of(detail).variant_id) not in ordered:
            raise Strange(f"{detail.path}.product_id", "product of the order", variant)
        units, cost = ordered[variant]
        gross, without = detail.decimal("unit_price_tax_incl"), detail.decimal("unit_price_tax_excl")
        rate = without / gross if 0 < without <= gross else Decimal(1)
        # Of several rows of one product each has its share.
        paid = (cost.decimal * detail.int("product_quantity") / units).quantize(_MICRO)
        total, one = (paid * rate).quantize(_MICRO), (cost.decimal / units * rate).quantize(_MICRO)
        net += total
        row = {
            "product_price": one,
            "unit_price_tax_excl": one,
            "unit_price_tax_incl": (cost.decimal / units).quantize(_MICRO),
            "total_price_tax_excl": total,
            "total_price_tax_incl": paid,
        }
        rows.append(whole(detail, "order_detail") | ZERO["order_detail"] | row)
    rate = 1 + (order.opt_decimal("carrier_tax_rate") or Decimal(0)) / 100
    carriage = (command.shipping.decimal / (rate if rate > 0 else 1)).quantize(_MICRO)
    return {
        **whole(order, "order"),
        **ZERO["order"],
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
    sent = whole(row, "order_carrier") | ({"id_carrier": carrier} if carrier else {})
    return sent | {"tracking_number": re.sub(REFUSED["number"], "", tracking)[:64]}
