"""Signals about the payment and the sale: the bank's words, what can be looked up offline, the amount, the seller."""

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.grades import Grade, check, differ, graded, listed, ratio, steps, yes
from crossdock.domain.risk.signal import About, Signal, count_words, times_words
from crossdock.domain.wording import counted


def _outside_its_state(f: Facts) -> Grade:
    """Our table of postal codes is wrong for a handful of places, so alone it says nothing against an order: only where
    the bank's own look at the postal code failed as well.
    """
    if f.postal_code_fits is None or (not f.postal_code_fits and f.postal_code_check != "fail"):
        return None
    return float(not f.postal_code_fits)


def _seller_fraud(f: Facts) -> Grade:
    """The share of its latest sales that are known as fraud, drawn towards none while there are few."""
    if not f.seller_orders or f.seller_frauds is None:
        return None
    return graded(f.seller_frauds / (f.seller_orders + 8), {0.02: 0.3, 0.06: 0.6, 0.15: 1})


def _seller_busy(f: Facts) -> Grade:
    """Against its own usual day; very few sales make no day busy."""
    if f.seller_orders_day is None or not f.seller_usual_day:
        return None
    return graded(f.seller_orders_day / (f.seller_usual_day + 1), {2: 0.4, 4: 0.7, 8: 1})


PAYMENT: tuple[Signal, ...] = (
    Signal(
        "postal_code",
        About.BANK,
        "The card's postal code did not match.",
        "The card's postal code matched.",
        lambda f: check(f.postal_code_check),
    ),
    Signal(
        "cvc",
        About.BANK,
        "The card's security code did not match.",
        "The card's security code matched.",
        lambda f: check(f.cvc_check),
    ),
    Signal(
        "authenticated",
        About.BANK,
        "The buyer confirmed the payment with their bank.",
        "The buyer did not have to confirm it with their bank.",
        lambda f: None if f.three_d_secure is None else float(f.three_d_secure == "pass"),
        praise=True,
    ),
    Signal(
        "prepaid",
        About.PERSON,
        "The card is a prepaid card.",
        "The card is no prepaid card.",
        lambda f: None if not f.funding else float(f.funding == "prepaid"),
    ),
    Signal(
        "gateway",
        About.BANK,
        "The payment provider's own score is high.",
        "The payment provider's own score is low.",
        steps("gateway_score", {65: 0.6, 75: 1}),
    ),
    Signal(
        "countries",
        About.PERSON,
        "Billing and shipping country differ.",
        "Billing and shipping country are the same.",
        lambda f: differ(f.billing_country, f.ship_country),
    ),
    Signal(
        "card_country",
        About.PERSON,
        "The card is from another country than the address.",
        "The card is from the address's country.",
        lambda f: differ(f.card_country, f.ship_country),
    ),
)
SALE: tuple[Signal, ...] = (
    Signal(
        "amount",
        About.SALE,
        "The amount is far above what this seller usually sells.",
        "The amount is usual for this seller.",
        ratio("total_minor", "usual_total_minor", {2: 0.4, 4: 0.75, 8: 1}),
        figures=times_words("total_minor", "usual_total_minor", "this seller usually sells"),
    ),
    Signal(
        "amount_market",
        About.SALE,
        "The amount is above what is usual on this marketplace.",
        "The amount is usual on this marketplace.",
        ratio("total_minor", "market_usual_minor", {1: 0.1, 1.5: 0.25, 2: 0.4, 3: 0.6, 4: 0.75, 6: 0.9, 10: 1}),
        figures=times_words("total_minor", "market_usual_minor", "is usual on this marketplace"),
    ),
    Signal(
        "amount_buyer",
        About.PAST,
        "The amount is far above what this buyer usually spends.",
        "The amount is usual for this buyer.",
        ratio("total_minor", "buyers_usual_minor", {2: 0.3, 4: 0.7, 8: 1}),
        figures=times_words("total_minor", "buyers_usual_minor", "this buyer usually spends"),
    ),
    Signal(
        "units",
        About.SALE,
        "Many units of one thing.",
        "No unusual number of units.",
        lambda f: None if f.most_units is None or f.most_units <= 5 else 1.0,
        figures=count_words("most_units", "{} of one thing.", "unit"),
    ),
    Signal(
        "seller_fraud",
        About.SALE,
        "Some of this seller's latest sales turned out to be fraud.",
        "None of this seller's latest sales is known as fraud.",
        _seller_fraud,
        figures=lambda f: f"Of this seller's latest {f.seller_orders} sales {f.seller_frauds} turned out to be fraud.",
    ),
    Signal(
        "seller_busy",
        About.SALE,
        "The seller sold unusually much within a day.",
        "The seller sells as much as usual.",
        _seller_busy,
        figures=lambda f: (
            f"The seller made {counted(f.seller_orders_day or 0, 'sale')} within a day; {f.seller_usual_day:.1f} are"
            " usual."
        ),
    ),
)
LOOKED_UP: tuple[Signal, ...] = (
    Signal(
        "disposable_email",
        About.PERSON,
        "The e-mail address is a throw-away one.",
        "The e-mail address is an ordinary one.",
        lambda f: yes(f.disposable_email),
    ),
    Signal(
        "phone",
        About.PERSON,
        "The phone number cannot exist.",
        "The phone number can exist.",
        lambda f: None if f.phone_valid is None else float(not f.phone_valid),
    ),
    Signal(
        "phone_country",
        About.PERSON,
        "The phone number is of another country than the address.",
        "The phone number is of the address's country.",
        lambda f: differ(f.phone_country, f.ship_country),
    ),
    Signal(
        "postal_state",
        About.PERSON,
        "The postal code is not in that state.",
        "The postal code is in that state.",
        _outside_its_state,
    ),
    Signal(
        "forwarder",
        About.PERSON,
        "The address is a known freight forwarder's.",
        "The address is no known forwarder's.",
        lambda f: listed(f.forwarder),
    ),
    Signal(
        "ip_country",
        About.PERSON,
        "The order was placed from another country than it goes to.",
        "The order was placed from the country it goes to.",
        lambda f: differ(f.ip_country, f.ship_country),
    ),
    Signal(
        "ip_hosting",
        About.PERSON,
        "The order was placed through a data centre.",
        "The order was placed from an ordinary network.",
        lambda f: yes(f.ip_hosting),
    ),
    Signal(
        "blocked",
        About.PERSON,
        "It is on the marketplace's block list.",
        "It is not on the block list.",
        lambda f: listed(f.blocked),
    ),
    Signal(
        "trusted",
        About.PERSON,
        "The buyer is on the marketplace's list of trusted buyers.",
        "The buyer is not on the list of trusted buyers.",
        lambda f: listed(f.trusted),
        praise=True,
    ),
)
