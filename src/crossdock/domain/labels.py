"""Shipping labels: what a carrier is asked for, what it answers, and what rule S2 refuses before any money moves.

Weights are grams, lengths millimetres. Which service costs what is the carrier's own business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from babel import Locale

from crossdock.domain.values import COUNTRIES, Address, Money

HEAVIEST_GRAMS = 31_750
LONGEST_MM = 2_700
# The longest side and twice the two others together.
LARGEST_MM = 3_300
HOME = "US"


class LabelState(StrEnum):
    """QUOTED: prices were shown.

    INTENDED is written before the carrier is asked; UNKNOWN: its answer was lost. VOIDING waits for the carrier's
    word.
    """

    QUOTED = "quoted"
    INTENDED = "intended"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    BOUGHT = "bought"
    VOIDING = "voiding"
    VOIDED = "voided"
    VOID_REFUSED = "void_refused"


# Its price is (or may still be) owed to the carrier, and its number may be on a parcel.
BUYING = (LabelState.INTENDED, LabelState.UNKNOWN)
PAID = (LabelState.BOUGHT, LabelState.VOIDING, LabelState.VOID_REFUSED)


class Form(StrEnum):
    """What a label is printed from."""

    PDF = "pdf"
    PNG = "png"
    ZPL = "zpl"


class TrackStatus(StrEnum):
    MADE = "made"
    ACCEPTED = "accepted"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    READY_FOR_PICKUP = "ready_for_pickup"
    DELIVERED = "delivered"
    RETURNED = "returned"
    BACK = "back"
    TROUBLE = "trouble"


STATUS_WORDS = {
    TrackStatus.MADE: "The label was made.",
    TrackStatus.ACCEPTED: "The carrier has the parcel.",
    TrackStatus.IN_TRANSIT: "The parcel is on its way.",
    TrackStatus.OUT_FOR_DELIVERY: "The parcel is out for delivery.",
    TrackStatus.READY_FOR_PICKUP: "The parcel is ready for pickup.",
    TrackStatus.DELIVERED: "The parcel was delivered.",
    TrackStatus.RETURNED: "The parcel goes back to the sender.",
    TrackStatus.BACK: "The parcel is back with the sender.",
    TrackStatus.TROUBLE: "The carrier reports trouble with the parcel.",
}


# After these nothing more is expected of a parcel.
ENDS = (TrackStatus.DELIVERED, TrackStatus.BACK)


@dataclass(frozen=True, slots=True)
class Parcel:
    grams: int
    length_mm: int
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class CustomsItem:
    """One line of a customs form. `value` is for one unit; `hs_code` is the tariff number where it is known."""

    description: str
    quantity: int
    value: Money
    origin: str
    hs_code: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parcel to be labelled.

    `reference` is ours, made once per asking for prices; the carrier keeps it where it can.
    """

    reference: str
    ship_from: Address
    ship_to: Address
    parcel: Parcel
    insured: Money | None = None
    customs: tuple[CustomsItem, ...] = ()

    @property
    def abroad(self) -> bool:
        return self.ship_from.country != self.ship_to.country


@dataclass(frozen=True, slots=True)
class Quote:
    """One service and its whole price, insurance included.

    `ref` is what the carrier wants to hear when it is chosen; `insurance` is the part for that. `not_now` says why it
    cannot be bought as it was asked for; the price is then without what could not be added.
    """

    carrier: str
    service: str
    price: Money
    ref: str
    days: int | None = None
    insurance: Money | None = None
    not_now: str = ""


def cheapest_first(quotes: Iterable[Quote], first: str) -> tuple[Quote, ...]:
    """By currency, `first` before the others, and within each by price: 8.90 GBP and 9.50 USD cannot be compared."""

    def place(one: Quote) -> tuple[bool, str, bool, int]:
        return one.price.currency != first, one.price.currency, bool(one.not_now), one.price.minor

    return tuple(sorted(quotes, key=place))


@dataclass(frozen=True, slots=True)
class Purchase:
    """What is bought: the parcel as it was quoted, and the chosen service."""

    wanted: Wanted
    quote: Quote


@dataclass(frozen=True, slots=True)
class Bought:
    """The label exists and costs `price`.

    `ref` is the carrier's id of it; `carrier` is who delivers, as the buyer should read it.
    """

    ref: str
    tracking_number: str
    carrier: str
    service: str
    price: Money
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class TrackEvent:
    status: TrackStatus
    at: datetime
    place: str = ""
    sentence: str = ""

    @property
    def key(self) -> str:
        """The same event told twice is one."""
        return f"{self.status}:{self.at.isoformat(timespec='seconds')}:{self.place}"


def meant(events: Iterable[TrackEvent]) -> tuple[TrackEvent, ...]:
    """The whole story in the order of time, each event as what it means to the buyer.

    Once a parcel goes back, carriers report its way home with the same words: "in transit", and "delivered" when the
    sender has it (egg-/delivery-tracker pull request 45 of Canada Post, allegro/allegro-api issue 12775 of DPD).
    """
    found: list[TrackEvent] = []
    back = False
    for event in sorted(events, key=lambda event: event.at):
        back = back or event.status in (TrackStatus.RETURNED, TrackStatus.BACK)
        if back and event.status is not TrackStatus.TROUBLE:
            event = replace(event, status=TrackStatus.BACK if event.status in ENDS else TrackStatus.RETURNED)
        found.append(event)
    return tuple(found)


class VoidState(StrEnum):
    """What the carrier says about taking a label back. Many ask for weeks: until then it is only ASKED."""

    NONE = "none"
    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LabelStanding:
    """A bought label as the carrier sees it now."""

    void: VoidState = VoidState.NONE
    events: tuple[TrackEvent, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Can:
    """What a carrier can do where rule S2 is lifted, and in which forms it prints.

    `insures_up_to` is in whole units of `currency`.
    """

    international: bool = False
    insurance: bool = False
    insures_up_to: int = 0
    currency: str = "USD"
    forms: tuple[Form, ...] = (Form.PDF,)


def country_name(code: str) -> str:
    # Read when it is first asked for: the names of a language take four megabytes.
    return str(Locale("en").territories.get(code, code))


def why_not_parcel(parcel: Parcel) -> str:
    """Empty when its weight and size can be true."""
    if not 1 <= parcel.grams <= HEAVIEST_GRAMS:
        return f"Type the parcel's weight: between 1 g and {HEAVIEST_GRAMS / 1000:g} kg (70 lb)."
    sides = sorted((parcel.length_mm, parcel.width_mm, parcel.height_mm))
    if sides[0] < 1 or sides[2] > LONGEST_MM:
        return f"Type the parcel's length, width and height: each more than 0 and at most {LONGEST_MM // 10} cm."
    if sides[2] + 2 * (sides[0] + sides[1]) > LARGEST_MM:
        return (
            f"This parcel is too large: its length and twice its width and height may be {LARGEST_MM // 10} cm"
            " together."
        )
    return ""


def why_not_address(address: Address, *, whose: str) -> str:
    """Empty when a carrier can work with it. `whose`: "the ship-from address"."""
    bare = [
        word
        for word, value in (
            ("name", address.name),
            ("street", address.line1),
            ("city", address.city),
            ("country", address.country),
        )
        if not value.strip()
    ]
    if address.country == HOME:
        bare += [
            word for word, value in (("state", address.region), ("ZIP code", address.postal_code)) if not value.strip()
        ]
    if bare:
        return f"{whose[:1].upper()}{whose[1:]} has no {', '.join(bare)}."
    if address.country not in COUNTRIES:
        return f"{whose[:1].upper()}{whose[1:]} has a country that we do not know."
    digits = address.postal_code.replace("-", "").replace(" ", "")
    if address.country == HOME and not (digits.isascii() and digits.isdigit() and len(digits) in (5, 9)):
        return f"{whose[:1].upper()}{whose[1:]} has a ZIP code that is none; it has five digits."
    return ""


def why_not_customs(items: tuple[CustomsItem, ...]) -> str:
    """Empty when a customs form can be filled from them."""
    if not items:
        return "This parcel crosses a border: say for customs what is in it."
    for item in items:
        if not item.description.strip() or len(item.description) > 100:
            return "Customs: describe each item in at most 100 letters."
        if not 1 <= item.quantity <= 10_000:
            return f"Customs: type how many units of “{item.description}” there are."
        if item.value.minor <= 0 or item.value.currency != items[0].value.currency:
            return f"Customs: type what one unit of “{item.description}” is worth."
        if item.origin not in COUNTRIES:
            return f"Customs: choose the country in which “{item.description}” was made."
        if item.hs_code and not (item.hs_code.isascii() and item.hs_code.isdigit() and 6 <= len(item.hs_code) <= 10):
            return (
                f"Customs: the HS code of “{item.description}” has 6 to 10 digits; leave it empty if you don't know it."
            )
    return ""


def why_not_label(wanted: Wanted, *, lifted: bool, can: Can, carrier: str) -> str:
    """Rule S2, before anybody outside is asked. As described: from and to the US, without extra insurance."""
    for address, whose in ((wanted.ship_from, "the ship-from address"), (wanted.ship_to, "the buyer's address")):
        if why := why_not_address(address, whose=whose):
            return why
    if why := why_not_parcel(wanted.parcel):
        return why
    if not lifted:
        if wanted.ship_to.country != HOME:
            return (
                "A label bought here goes only to the US, and this order goes to"
                f" {country_name(wanted.ship_to.country)}. Ship it any other way you like and enter the parcel by hand."
            )
        if wanted.ship_from.country != HOME:
            return (
                "A label bought here starts in the US, and your ship-from address is elsewhere. Ship it any other way"
                " you like and enter the parcel by hand."
            )
        if wanted.insured is not None:
            return (
                "A label bought here has no extra insurance. Leave it out, or ship the parcel another way and enter it"
                " by hand."
            )
        return ""
    if wanted.abroad and not can.international:
        return f"{carrier} sends nothing abroad. Ship it any other way you like and enter the parcel by hand."
    if wanted.abroad and (why := why_not_customs(wanted.customs)):
        return why
    if wanted.insured is not None:
        if not can.insurance:
            return f"{carrier} offers no insurance. Leave it out, or ship the parcel another way."
        if wanted.insured.currency != can.currency or not 0 < wanted.insured.decimal <= can.insures_up_to:
            return f"{carrier} insures up to {can.insures_up_to} {can.currency}."
    return ""
