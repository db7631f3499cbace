"""The named signals. Each looks at the facts and answers: it speaks against the order, for it, for neither (0), or
there is no data (None).

What a signal weighs is not said here but in a rule set, which staff change and try on history before it is in force.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.places import postal_country
from crossdock.domain.risk.facts import Facts


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Signal:
    """`look` answers 1 (the message `bad` is true), 0 (`good` is), or None.

    `praise` marks the ones whose 1 speaks for the order.
    """

    code: str
    bad: str
    good: str
    look: Callable[[Facts], int | None]
    praise: bool = False


def _check(result: str | None) -> int | None:
    return {"pass": 0, "fail": 1}.get(result or "")


def _above(value: float | None, limit: float) -> int | None:
    return None if value is None else int(value > limit)


def _yes(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _differ(one: str | None, other: str | None) -> int | None:
    """Puerto Rico and its like are the US: cards, phone numbers and networks from there are at home in both."""
    return None if not one or not other else int(postal_country(one) != postal_country(other))


def _outside_its_state(f: Facts) -> int | None:
    """Our table of postal codes is wrong for a handful of places, so alone it says nothing against an order: only where
    the bank's own look at the postal code failed as well.
    """
    if f.postal_code_fits is None or (not f.postal_code_fits and f.postal_code_check != "fail"):
        return None
    return int(not f.postal_code_fits)


def _times(value: int | None, usual: int | None, factor: float) -> int | None:
    return None if value is None or not usual else int(value > factor * usual)


def _old_account_elsewhere(f: Facts) -> int | None:
    """A good account that suddenly acts from a new device and to a new address: taken over more often than moved."""
    if f.new_device is None or f.new_address is None or not f.settled_orders:
        return None
    return int(f.new_device and f.new_address)


def _rush(f: Facts) -> int | None:
    if f.account_age_hours is None or f.total_minor is None or not f.usual_total_minor:
        return None
    return int(f.account_age_hours < 6 and f.total_minor > 2 * f.usual_total_minor)


SIGNALS: tuple[Signal, ...] = (
    Signal(
        "postal_code",
        "The card's postal code did not match.",
        "The card's postal code matched.",
        lambda f: _check(f.postal_code_check),
    ),
    Signal(
        "cvc",
        "The card's security code did not match.",
        "The card's security code matched.",
        lambda f: _check(f.cvc_check),
    ),
    Signal(
        "authenticated",
        "The buyer confirmed the payment with their bank.",
        "The buyer did not have to confirm it with their bank.",
        lambda f: None if f.three_d_secure is None else int(f.three_d_secure == "pass"),
        praise=True,
    ),
    Signal(
        "prepaid",
        "The card is a prepaid card.",
        "The card is no prepaid card.",
        lambda f: None if not f.funding else int(f.funding == "prepaid"),
    ),
    Signal(
        "gateway",
        "The payment provider's own score is high.",
        "The payment provider's own score is low.",
        lambda f: _above(f.gateway_score, 64),
    ),
    Signal(
        "countries",
        "Billing and shipping country differ.",
        "Billing and shipping country are the same.",
        lambda f: _differ(f.billing_country, f.ship_country),
    ),
    Signal(
        "card_country",
        "The card is from another country than the address.",
        "The card is from the address's country.",
        lambda f: _differ(f.card_country, f.ship_country),
    ),
    Signal(
        "amount",
        "The amount is far above what this seller usually sells.",
        "The amount is usual for this seller.",
        lambda f: _times(f.total_minor, f.usual_total_minor, 4),
    ),
    Signal(
        "amount_buyer",
        "The amount is far above what this buyer usually spends.",
        "The amount is usual for this buyer.",
        lambda f: _times(f.total_minor, f.buyers_usual_minor, 5),
    ),
    Signal("units", "Many units of one thing.", "No unusual number of units.", lambda f: _above(f.most_units, 5)),
    Signal(
        "new_account",
        "The buyer's account is younger than a day.",
        "The buyer's account is not new.",
        lambda f: None if f.account_age_hours is None else int(f.account_age_hours < 24),
    ),
    Signal("rush", "A new account that spends much at once.", "No express shipping on an expensive item.", _rush),
    Signal(
        "known_buyer",
        "The buyer has orders that went well long ago.",
        "The buyer has no such orders yet.",
        lambda f: _above(f.settled_orders, 0),
        praise=True,
    ),
    Signal(
        "orders_hour",
        "More than 3 orders within an hour.",
        "No unusual number of orders in an hour.",
        lambda f: _above(f.orders_last_hour, 3),
    ),
    Signal(
        "orders_day",
        "More than 6 orders within a day.",
        "No unusual number of orders in a day.",
        lambda f: _above(f.orders_last_day, 6),
    ),
    Signal(
        "declined_day",
        "Several declined payments of this buyer within a day.",
        "No repeated declined payments.",
        lambda f: _above(f.declined_last_day, 1),
    ),
    Signal(
        "device_declined",
        "Several declined payments from this device within a day.",
        "No repeated declined payments from this device.",
        lambda f: _above(f.device_declined_last_day, 1),
    ),
    Signal(
        "cards_buyer",
        "The buyer used more than 2 cards within a week.",
        "The buyer keeps to one or two cards.",
        lambda f: _above(f.cards_of_buyer_week, 2),
    ),
    Signal(
        "cards_device",
        "More than 2 cards were used on this device within a day.",
        "Few cards on this device.",
        lambda f: _above(f.cards_of_device_day, 2),
    ),
    Signal(
        "card_shared",
        "Other buyers used this card.",
        "Nobody else used this card.",
        lambda f: _above(f.buyers_of_card, 0),
    ),
    Signal(
        "device_shared",
        "Several other buyers use this device.",
        "This device is used by one or two people.",
        lambda f: _above(f.buyers_of_device, 1),
    ),
    Signal(
        "address_shared",
        "Several other buyers have things sent to this address.",
        "Few other buyers use this address.",
        lambda f: _above(f.buyers_of_address, 1),
    ),
    Signal(
        "ip_shared",
        "Several other buyers came from this network address today.",
        "Nobody unusual at this network address.",
        lambda f: _above(f.buyers_of_ip_day, 2),
    ),
    Signal(
        "linked_fraud",
        "The card, device, address or account was part of a fraud before.",
        "No link to an earlier fraud.",
        lambda f: _above(f.linked_frauds, 0),
    ),
    Signal(
        "taken_over",
        "A known buyer on a new device, to a new address.",
        "The buyer acts as before.",
        _old_account_elsewhere,
    ),
    Signal(
        "disposable_email",
        "The e-mail address is a throw-away one.",
        "The e-mail address is an ordinary one.",
        lambda f: _yes(f.disposable_email),
    ),
    Signal(
        "phone",
        "The phone number cannot exist.",
        "The phone number can exist.",
        lambda f: None if f.phone_valid is None else int(not f.phone_valid),
    ),
    Signal(
        "phone_country",
        "The phone number is of another country than the address.",
        "The phone number is of the address's country.",
        lambda f: _differ(f.phone_country, f.ship_country),
    ),
    Signal(
        "postal_state",
        "The postal code is not in that state.",
        "The postal code is in that state.",
        _outside_its_state,
    ),
    Signal(
        "forwarder",
        "The address is a known freight forwarder's.",
        "The address is no known forwarder's.",
        lambda f: _yes(f.forwarder),
    ),
    Signal(
        "ip_country",
        "The order was placed from another country than it goes to.",
        "The order was placed from the country it goes to.",
        lambda f: _differ(f.ip_country, f.ship_country),
    ),
    Signal(
        "ip_hosting",
        "The order was placed through a data centre.",
        "The order was placed from an ordinary network.",
        lambda f: _yes(f.ip_hosting),
    ),
    Signal(
        "blocked", "It is on the marketplace's block list.", "It is not on the block list.", lambda f: _yes(f.blocked)
    ),
    Signal(
        "trusted",
        "The buyer is on the marketplace's list of trusted buyers.",
        "The buyer is not on the list of trusted buyers.",
        lambda f: _yes(f.trusted),
        praise=True,
    ),
)
BY_CODE = {signal.code: signal for signal in SIGNALS}
