"""What an agent has to know or to do before it can pay. Each protocol has its own words for the codes and for where it
stands.
"""

from dataclasses import dataclass
from typing import Literal

from crossdock.domain.places import COUNTRIES, US_TERRITORIES, why_not_region
from crossdock.domain.values import Address
from crossdock.usecases.accounts.buyers import NO_EMAIL, is_email
from crossdock.usecases.catalogue.sellable import why_not_sold, why_paused
from crossdock.usecases.checkout.basket import PricedBasket, PricedLine

Code = Literal[
    "",
    "out_of_stock",
    "too_few",
    "not_sold",
    "not_counted",
    "not_shipped_there",
    "missing",
    "invalid",
    "no_means",
    "declined",
    "price_change",
    "conflict",
]
# Where in a session: a line, who buys, the address and its parts, the means of payment, the totals.
Place = Literal[
    "", "line", "email", "address", "name", "street", "city", "region", "postal_code", "country", "means", "totals"
]


@dataclass(frozen=True, slots=True)
class Note:
    """`line` is its number in the session. `path` is where it stands in the protocol's own words, where the protocol
    says it itself.
    """

    kind: Literal["error", "warning", "info"]
    code: Code
    words: str
    at: Place = ""
    line: int = 0
    path: str = ""


def of_items(shown: PricedBasket, country: str | None) -> list[Note]:
    """Why lines cannot be bought, and which sellers do not ship there."""
    found = [
        Note("error", _code(line), f"{line.variant}: {line.problem}", "line", number)
        for number, line in enumerate(shown.lines)
        if line.problem
    ]
    return found + [
        Note("error", "not_shipped_there", f"{part.seller.name} does not ship to this country.", "country")
        for part in shown.parts
        if country and part.shipping is None
    ]


def _code(line: PricedLine) -> Code:
    """That nobody knows the stock is not that it is sold out."""
    if why_not_sold(line.variant) or why_paused(line.variant):
        return "not_sold"
    if line.available is None:
        return "not_counted"
    return "too_few" if line.available else "out_of_stock"


def of_person(email: str, ship_to: Address | None) -> list[Note]:
    """What is missing of the buyer and the address, or is none."""
    found = []
    if not email:
        found.append(Note("error", "missing", "The buyer's e-mail address is needed.", "email"))
    elif not is_email(email):
        found.append(Note("error", "invalid", NO_EMAIL, "email"))
    if ship_to is None:
        return [*found, Note("error", "missing", "An address is needed, to ship to and for its price.", "address")]
    needed: tuple[tuple[str, Place, str], ...] = (
        (ship_to.name, "name", "The name of who gets the parcel is needed."),
        (ship_to.line1, "street", "The street is needed."),
        (ship_to.city, "city", "The city is needed."),
        (ship_to.country, "country", "The country is needed, as its two letters."),
    )
    found += [Note("error", "missing", words, place) for value, place, words in needed if not value]
    if ship_to.country and ship_to.country not in COUNTRIES | US_TERRITORIES:
        found.append(Note("error", "invalid", f"{ship_to.country} is not a country code.", "country"))
    if why := why_not_region(ship_to.country, ship_to.region):
        found.append(Note("error", "invalid", why, "region"))
    return found
