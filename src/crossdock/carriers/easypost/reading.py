"""EasyPost's objects in our words. Fields that do not apply are null or missing; nothing is taken for granted."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from crossdock.domain.currencies import NotMoney
from crossdock.domain.labels import Bought, LabelStanding, Quote, TrackEvent, TrackStatus, VoidState, cheapest_first
from crossdock.domain.values import Money
from crossdock.kit.errors import Strange

_STATUSES = {
    "pre_transit": TrackStatus.MADE,
    "in_transit": TrackStatus.IN_TRANSIT,
    "available_for_pickup": TrackStatus.READY_FOR_PICKUP,
    "out_for_delivery": TrackStatus.OUT_FOR_DELIVERY,
    "delivered": TrackStatus.DELIVERED,
    "return_to_sender": TrackStatus.RETURNED,
    "failure": TrackStatus.TROUBLE,
    "error": TrackStatus.TROUBLE,
}
_VOIDS = {"submitted": VoidState.ASKED, "refunded": VoidState.DONE, "rejected": VoidState.REFUSED}
# Accounts are named after contracts ("UPSDAP", "FedExDefault"); a buyer knows the house.
_HOUSES = ("USPS", "UPS", "FedEx", "DHL")
# Beside the postage, as EasyPost's page on insurance says; what was really taken stands in the fees of the purchase.
INSURANCE_PERCENT, INSURANCE_LEAST = Decimal(1), Decimal(1)
INSURED_APART = "It is priced in {} and the insurance in {}, so it cannot be bought insured. Leave the insurance out."
_LONGEST_NAME = 200


def insurance_of(value: Money) -> Money:
    return Money.of(max(INSURANCE_LEAST, value.decimal * INSURANCE_PERCENT / 100), value.currency)


def quotes(shipment: Any, insured: Money | None) -> tuple[Quote, ...]:
    """Cheapest first within each currency. Rates that cannot be read are left out.

    EasyPost bills its insurance in US dollars, so it cannot be added to a rate in another currency: that one is shown,
    and cannot be bought insured.
    """
    extra = insurance_of(insured) if insured else None
    found = []
    for rate in parts(shipment, "rates"):
        try:
            price = Money.of(str(rate["rate"]), str(rate["currency"] or "USD"))
            if price.minor < 0:
                continue
            apart = extra is not None and extra.currency != price.currency
            whole = price + extra if extra and not apart else price
            days = rate.get("delivery_days")
            found.append(
                Quote(
                    house(str(rate["carrier"])),
                    _service(str(rate["service"])),
                    whole,
                    f"{shipment['id']}/{rate['id']}",
                    int(days) if days is not None else None,
                    None if apart else extra,
                    INSURED_APART.format(price.currency, extra.currency) if apart and extra else "",
                )
            )
        except (KeyError, TypeError, ValueError, OverflowError, NotMoney):
            continue
    return cheapest_first(found, extra.currency if extra else "USD")


def why_no_rates(shipment: Any) -> str:
    """What the carriers said, for the seller."""
    said = [str(message.get("message") or "") for message in parts(shipment, "messages")]
    words = next((word.strip() for word in said if word.strip()), "")
    return f"No carrier has a price for this parcel. {words}".strip()[:300]


def bought(shipment: Any, insured: Money | None) -> Bought | None:
    """None while no postage was bought for it."""
    if not part(shipment, "postage_label") or not part(shipment, "tracking_code"):
        return None
    rate = part(shipment, "selected_rate")
    if not rate or not isinstance(rate, Mapping):
        raise Strange("selected_rate", "rate", rate)
    url = part(part(shipment, "tracker"), "public_url")
    return Bought(
        _named(shipment, "id"),
        _named(shipment, "tracking_code"),
        house(str(rate.get("carrier") or "")),
        _service(str(rate.get("service") or "")),
        _price(shipment, rate, insured),
        url if isinstance(url, str) and url.startswith(("https://", "http://")) else "",
    )


def _named(shipment: Any, name: str) -> str:
    value = part(shipment, name)
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_NAME:
        raise Strange(name, "text", value)
    return value.strip()


def _price(shipment: Any, rate: Any, insured: Money | None) -> Money:
    """What was taken: the fees, where the postage is among them; a carrier that bills by itself leaves it out, so the
    rate stands for it.
    """
    currency = str(rate.get("currency") or "USD")
    fees = [fee for fee in parts(shipment, "fees") if fee.get("type")]
    try:
        if currency != "USD":
            return Money.of(str(rate["rate"]), currency)
        taken = sum((Decimal(str(fee["amount"])) for fee in fees), Decimal(0))
        if not any(fee["type"] == "PostageFee" for fee in fees):
            taken += Decimal(str(rate["rate"]))
        if insured and not any(fee["type"] == "InsuranceFee" for fee in fees):
            taken += insurance_of(insured).decimal
        if taken < 0:
            raise Strange("fees", "amounts", fees)
        return Money.of(taken, currency)
    except (KeyError, InvalidOperation, NotMoney):
        raise Strange("fees", "amounts", fees) from None


def standing(shipment: Any) -> LabelStanding:
    void = _VOIDS.get(str(part(shipment, "refund_status") or ""), VoidState.NONE)
    events = (_event(detail) for detail in parts(part(shipment, "tracker"), "tracking_details"))
    said = (
        "EasyPost says that the carrier rejected the refund; it can be asked for again."
        if void is VoidState.REFUSED
        else ""
    )
    return LabelStanding(void, tuple(event for event in events if event is not None), said)


def _event(detail: Any) -> TrackEvent | None:
    status = _STATUSES.get(str(detail.get("status") or ""))
    try:
        at = datetime.fromisoformat(str(detail.get("datetime")))
    except ValueError:
        return None
    if status is None or at.tzinfo is None:
        return None
    place = part(detail, "tracking_location")
    words = ", ".join(str(word) for name in ("city", "state", "country") if (word := part(place, name)))
    return TrackEvent(status, at, words[:120], str(detail.get("message") or "")[:300])


def house(account: str) -> str:
    return next((name for name in _HOUSES if account.upper().startswith(name.upper())), account)


def _service(name: str) -> str:
    """ "GroundAdvantage" and "FEDEX_GROUND" as people write them."""
    if "_" in name or name.isupper():
        return name.replace("_", " ").title() if "_" in name else name
    return "".join(
        f" {letter}" if letter.isupper() and at and not name[at - 1].isupper() else letter
        for at, letter in enumerate(name)
    )


def part(thing: Any, name: str) -> Any:
    """A field, or None when it did not come."""
    return thing.get(name) if isinstance(thing, Mapping) else None


def parts(thing: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; what else is in it, or stands in its place, is left out."""
    found = part(thing, name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list | tuple) else []
