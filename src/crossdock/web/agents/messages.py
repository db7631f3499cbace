"""What an agent has to know or to do before it can pay, each with where it stands in the session."""

from typing import Any

from crossdock.domain.places import COUNTRIES, US_TERRITORIES, why_not_region
from crossdock.domain.values import Address
from crossdock.usecases.catalogue.sellable import why_not_sold, why_paused
from crossdock.usecases.checkout.basket import PricedBasket, PricedLine

Message = dict[str, Any]
_TO = "$.fulfillment_details.address"


def error(code: str, content: str, param: str = "", resolution: str = "recoverable") -> Message:
    said = {"type": "error", "code": code, "severity": "high", "resolution": resolution}
    return {**said, **({"param": param} if param else {}), "content_type": "plain", "content": content}


def warning(code: str, content: str, param: str = "") -> Message:
    said = {"type": "warning", "code": code, "severity": "medium"}
    return {**said, **({"param": param} if param else {}), "content_type": "plain", "content": content}


def info(content: str, param: str = "") -> Message:
    said = {"type": "info", "severity": "info"}
    return {**said, **({"param": param} if param else {}), "content_type": "plain", "content": content}


def of_items(shown: PricedBasket, country: str | None) -> list[Message]:
    """Why lines cannot be bought, and which sellers do not ship there."""
    found = [
        error(_code(line), f"{line.variant}: {line.problem}", f"$.line_items[{number}]")
        for number, line in enumerate(shown.lines)
        if line.problem
    ]
    return found + [
        error("region_restricted", f"{part.seller.name} does not ship to this country.", f"{_TO}.country")
        for part in shown.parts
        if country and part.shipping is None
    ]


def _code(line: PricedLine) -> str:
    """The protocol's list has no word for a stock that nobody knows; `conflict` says that it is not sold out."""
    if why_not_sold(line.variant) or why_paused(line.variant):
        return "not_found"
    if line.available is None:
        return "conflict"
    return "quantity_exceeded" if line.available else "out_of_stock"


def of_person(email: str, ship_to: Address | None) -> list[Message]:
    """What is missing of the buyer and the address."""
    by_buyer = "requires_buyer_input"
    found = []
    if not email:
        found.append(error("missing", "The buyer's e-mail address is needed.", "$.buyer.email", by_buyer))
    if ship_to is None:
        return [*found, error("missing", "An address is needed, to ship to and for its price.", _TO, by_buyer)]
    if ship_to.country not in COUNTRIES | US_TERRITORIES:
        found.append(error("invalid", f"{ship_to.country} is not a country code.", f"{_TO}.country", by_buyer))
    if why := why_not_region(ship_to.country, ship_to.region):
        found.append(error("invalid", why, f"{_TO}.state", by_buyer))
    return found
