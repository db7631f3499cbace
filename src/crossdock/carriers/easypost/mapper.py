"""Our parcel in EasyPost's words: ounces and inches, customs lines with whole values and weights.

Raises BadInput for what cannot be declared.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any

from crossdock.domain.labels import CustomsItem, Wanted
from crossdock.domain.values import Address, Money, share
from crossdock.kit.errors import BadInput

_GRAMS_PER_OUNCE, _MM_PER_INCH, _TENTH = Decimal("28.349523125"), Decimal("25.4"), Decimal("0.1")
# Above it the US wants a filing of its own, whose number we have no field for.
DECLARED_UP_TO = Decimal(2500)
NO_FILING = "NOEEI 30.37(a)"


def shipment(wanted: Wanted) -> dict[str, Any]:
    made: dict[str, Any] = {
        "reference": wanted.reference,
        "from_address": address(wanted.ship_from),
        "to_address": address(wanted.ship_to),
        "parcel": {
            "weight": float(_ounces(wanted.parcel.grams)),
            "length": _inches(wanted.parcel.length_mm),
            "width": _inches(wanted.parcel.width_mm),
            "height": _inches(wanted.parcel.height_mm),
        },
        "options": {"label_format": "PNG", "label_size": "4x6"},
    }
    if wanted.abroad:
        made["customs_info"] = customs(wanted)
    return made


def address(value: Address) -> dict[str, str]:
    words = {
        "name": value.name,
        "company": value.company,
        "street1": value.line1,
        "street2": value.line2,
        "city": value.city,
        "state": value.region,
        "zip": value.postal_code,
        "country": value.country,
        "phone": value.phone,
    }
    return {name: word for name, word in words.items() if word}


def customs(wanted: Wanted) -> dict[str, Any]:
    total = sum((item.value * item.quantity for item in wanted.customs), Money.zero(wanted.customs[0].value.currency))
    if total.currency == "USD" and total.decimal > DECLARED_UP_TO:
        raise BadInput(
            "Goods worth more than 2,500 USD need an export filing of their own; such a label cannot be bought here."
        )
    weights = share(wanted.parcel.grams, tuple(item.quantity for item in wanted.customs))
    return {
        "contents_type": "merchandise",
        "customs_certify": True,
        "customs_signer": wanted.ship_from.name,
        "non_delivery_option": "return",
        "restriction_type": "none",
        "eel_pfc": NO_FILING,
        "customs_items": [_item(item, grams) for item, grams in zip(wanted.customs, weights, strict=True)],
    }


def _item(item: CustomsItem, grams: int) -> dict[str, Any]:
    """`value` and `weight` are those of the whole line."""
    made: dict[str, Any] = {
        "description": item.description,
        "quantity": item.quantity,
        "value": float((item.value * item.quantity).decimal),
        "weight": float(_ounces(grams)),
        "origin_country": item.origin,
        "currency": item.value.currency,
    }
    return made | ({"hs_tariff_number": item.hs_code} if item.hs_code else {})


def _ounces(grams: int) -> Decimal:
    """Rounded up: a parcel that is heavier than declared costs extra."""
    return max(_TENTH, (Decimal(grams) / _GRAMS_PER_OUNCE).quantize(_TENTH, rounding=ROUND_CEILING))


def _inches(millimetres: int) -> float:
    return float(max(_TENTH, (Decimal(millimetres) / _MM_PER_INCH).quantize(_TENTH)))
