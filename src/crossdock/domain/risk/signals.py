"""The named signals. Each looks at the facts and answers with a grade: 0 it found nothing, up to 1 the most that it can
find, or there is no data (None).

Data is only what could have spoken for or against: 0 orders of a card that nobody ever saw say nothing. What a signal
weighs is not said here but in a rule set, which staff change and try on history before it is in force. Here are those
about the past of the buyer, the card and the device.
"""

from crossdock.domain.risk.facts import Facts
from crossdock.domain.risk.grades import Grade, graded, steps, times
from crossdock.domain.risk.signal import About, Signal, count_words
from crossdock.domain.risk.signals_sale import LOOKED_UP, PAYMENT, SALE

_HOUR = {1: 0.5, 2: 0.75, 3: 0.9, 5: 1}
_DAY = {1: 0.35, 2: 0.6, 3: 0.75, 5: 0.9, 8: 1}
_CARDS = {2: 0.5, 3: 0.75, 4: 1}
_FRAUDS = {1: 0.5, 2: 0.75, 3: 0.9, 4: 1}
_OLD_THINGS = {7: 0.4, 30: 0.7, 90: 1}


def _old_account_elsewhere(f: Facts) -> Grade:
    """A good account that suddenly acts from a new device and to a new address: taken over more often than moved."""
    if f.new_device is None or f.new_address is None or not f.settled_orders:
        return None
    return float(f.new_device and f.new_address)


def _changed(new: bool | None, f: Facts) -> Grade:
    return None if new is None or not f.earlier_of_buyer else float(new)


def _age(f: Facts) -> Grade:
    age = f.account_age_hours
    return None if age is None else 1.0 if age < 1 else 0.6 if age < 24 else 0.25 if age < 24 * 7 else 0.0


def _old_account(f: Facts) -> Grade:
    return None if f.account_age_hours is None else graded(f.account_age_hours / 24, {30: 0.5, 180: 1})


def _well_known(f: Facts) -> Grade:
    """Orders that had time to be disputed and were not. A known fraud of the buyer takes that back."""
    if not f.earlier_of_buyer:
        return None
    if f.frauds_of_buyer:
        return 0.0
    return max(graded(f.settled_orders, {1: 0.6, 3: 1}) or 0, graded(f.aged_orders, {1: 0.3, 3: 0.5}) or 0)


def _own_things(f: Facts) -> Grade:
    """The card and the device that this buyer has long paid with; the shorter of the two, of those that are named. A
    robber has neither, or not for long.
    """
    known = [(f.new_card, f.card_days), (f.new_device, f.device_days)]
    days = [used or 0.0 for new, used in known if new is not None]
    if not f.earlier_of_buyer or not days:
        return None
    return 0.0 if f.frauds_of_buyer or f.frauds_of_card or f.frauds_of_device else graded(min(days), _OLD_THINGS)


def _used_to_it(f: Facts) -> Grade:
    """Who resells buys fast every time. Only where it is fast now, and with a card and device of old."""
    if not f.orders_last_day or not f.busiest_day or f.frauds_of_buyer:
        return None
    return graded(f.busiest_day / (f.orders_last_day + 1), {0.3: 0.4, 0.5: 0.7, 0.9: 1}) if _own_things(f) else 0.0


def _frauds(found: int | None, honest: int) -> Grade:
    """How many there were; less where orders that went well outweigh them: whoever was robbed comes back."""
    grade = graded(found, _FRAUDS)
    return grade and grade * min(1.0, 2 * (found or 0) / ((found or 0) + honest))


def _buyers_frauds(f: Facts) -> Grade:
    grade = _frauds(f.frauds_of_buyer, 2 * (f.aged_orders or 0)) if f.earlier_of_buyer else None
    # The robber used another device.
    clean = f.earlier_of_device and f.frauds_of_device == 0
    return grade and (grade * 0.5 if clean else grade)


def _its_frauds(earlier: int | None, frauds: int | None) -> Grade:
    """Of a card or a device, beside its other orders."""
    return _frauds(frauds, max(0, earlier - (frauds or 0))) if earlier else None


def _rush(f: Facts) -> Grade:
    usual = f.usual_total_minor or f.market_usual_minor
    if f.account_age_hours is None or f.total_minor is None or not usual:
        return None
    return float(f.account_age_hours < 6 and f.total_minor > 2 * usual)


def _linked(f: Facts) -> Grade:
    """Frauds under another name. Those of the account itself weigh less: whoever was robbed comes back."""
    if f.linked_frauds is None:
        return None
    return graded(f.linked_frauds - (f.frauds_of_buyer or 0), {1: 0.8, 3: 1}) or None


def _spent(f: Facts) -> Grade:
    """With this order; a first order of the day is its amount, which another signal looks at."""
    if not f.earlier_of_buyer or f.spent_last_day_minor is None or f.total_minor is None:
        return None
    if not f.orders_last_day:
        return 0.0
    whole = times(f.spent_last_day_minor + f.total_minor, f.market_usual_minor)
    return graded(whole, {2: 0.3, 4: 0.55, 8: 0.8, 16: 1})


PAST: tuple[Signal, ...] = (
    Signal(
        "new_account",
        About.PERSON,
        "The buyer's account is younger than a week.",
        "The buyer's account is not new.",
        _age,
    ),
    Signal("rush", About.PERSON, "A new account that spends much at once.", "No large sum on a new account.", _rush),
    Signal(
        "known_buyer",
        About.PAST,
        "The buyer has earlier orders that went well.",
        "The buyer has no such orders yet.",
        _well_known,
        praise=True,
    ),
    Signal(
        "old_account",
        About.PERSON,
        "The buyer's account is older than a month.",
        "The buyer's account is younger than a month.",
        _old_account,
        praise=True,
    ),
    Signal(
        "own_things",
        About.PAST,
        "The buyer has long paid with this card and on this device.",
        "The buyer has not long used this card and device.",
        _own_things,
        praise=True,
    ),
    Signal(
        "used_to_it",
        About.PAST,
        "The buyer bought this fast before, and it went well.",
        "The buyer never bought this fast before.",
        _used_to_it,
        praise=True,
    ),
    Signal(
        "orders_hour",
        About.PAST,
        "The buyer ordered several times within an hour.",
        "No other order of this buyer within an hour.",
        steps("orders_last_hour", _HOUR, once="earlier_of_buyer"),
        figures=count_words("orders_last_hour", "The buyer placed {} in the hour before.", "order"),
    ),
    Signal(
        "orders_day",
        About.PAST,
        "The buyer ordered several times within a day.",
        "No other order of this buyer within a day.",
        steps("orders_last_day", _DAY, once="earlier_of_buyer"),
        figures=count_words("orders_last_day", "The buyer placed {} in the day before.", "order"),
    ),
    Signal(
        "orders_week",
        About.PAST,
        "The buyer ordered often within a week.",
        "Few orders of this buyer within a week.",
        steps("orders_last_week", {1: 0.25, 2: 0.5, 4: 0.75, 8: 1}, once="earlier_of_buyer"),
        figures=count_words("orders_last_week", "The buyer placed {} in the week before.", "order"),
    ),
    Signal(
        "spent_day",
        About.PAST,
        "The buyer spends much within a day.",
        "The buyer's spending within a day is nothing unusual.",
        _spent,
    ),
    Signal(
        "declined_day",
        About.PAST,
        "Declined payments of this buyer within a day.",
        "No declined payments of this buyer within a day.",
        steps("declined_last_day", {1: 0.3, 2: 0.7, 4: 1}, once="earlier_of_buyer"),
        figures=count_words("declined_last_day", "{} of this buyer within a day.", "declined payment"),
    ),
    Signal(
        "card_hour",
        About.PAST,
        "The card was used several times within an hour.",
        "No other use of this card within an hour.",
        steps("card_orders_hour", _HOUR, once="earlier_of_card"),
        figures=count_words("card_orders_hour", "The card paid {} in the hour before.", "order"),
    ),
    Signal(
        "card_day",
        About.PAST,
        "The card was used several times within a day.",
        "No other use of this card within a day.",
        steps("card_orders_day", _DAY, once="earlier_of_card"),
        figures=count_words("card_orders_day", "The card paid {} in the day before.", "order"),
    ),
    Signal(
        "device_hour",
        About.PAST,
        "Several orders from this device within an hour.",
        "No other order from this device within an hour.",
        steps("device_orders_hour", _HOUR, once="earlier_of_device"),
        figures=count_words("device_orders_hour", "{} from this device in the hour before.", "order"),
    ),
    Signal(
        "device_day",
        About.PAST,
        "Several orders from this device within a day.",
        "No other order from this device within a day.",
        steps("device_orders_day", _DAY, once="earlier_of_device"),
        figures=count_words("device_orders_day", "{} from this device in the day before.", "order"),
    ),
    Signal(
        "device_declined",
        About.PAST,
        "Declined payments from this device within a day.",
        "No declined payments from this device within a day.",
        steps("device_declined_last_day", {1: 0.3, 2: 0.7, 4: 1}, once="earlier_of_device"),
        figures=count_words("device_declined_last_day", "{} from this device within a day.", "declined payment"),
    ),
)
LINKS: tuple[Signal, ...] = (
    Signal(
        "cards_buyer",
        About.PAST,
        "The buyer used several cards within a week.",
        "The buyer keeps to one card.",
        steps("cards_of_buyer_week", _CARDS, once="earlier_of_buyer"),
        figures=count_words("cards_of_buyer_week", "The buyer used {} within a week.", "card"),
    ),
    Signal(
        "devices_buyer",
        About.PAST,
        "The buyer used several devices within a week.",
        "The buyer keeps to one device or two.",
        steps("devices_of_buyer_week", {2: 0.3, 3: 0.7, 4: 1}, once="earlier_of_buyer"),
        figures=count_words("devices_of_buyer_week", "The buyer used {} within a week.", "device"),
    ),
    Signal(
        "cards_device",
        About.PAST,
        "Several cards were used on this device within a day.",
        "One card on this device.",
        steps("cards_of_device_day", _CARDS, once="earlier_of_device"),
        figures=count_words("cards_of_device_day", "{} were used on this device within a day.", "card"),
    ),
    Signal(
        "card_shared",
        About.PAST,
        "Other buyers used this card.",
        "Nobody else used this card.",
        steps("buyers_of_card", {1: 0.8, 2: 1}, once="earlier_of_card"),
        figures=count_words("buyers_of_card", "{} used this card.", "other buyer"),
    ),
    Signal(
        "device_shared",
        About.PAST,
        "Other buyers use this device.",
        "Nobody else uses this device.",
        steps("buyers_of_device", {1: 0.4, 2: 0.75, 4: 1}, once="earlier_of_device"),
        figures=count_words("buyers_of_device", "{} used this device.", "other buyer"),
    ),
    Signal(
        "address_shared",
        About.PAST,
        "Several other buyers have things sent to this address.",
        "Few other buyers use this address.",
        lambda f: (
            graded(f.buyers_of_address, {2: 0.6, 4: 1}) if f.buyers_of_address or f.new_address is False else None
        ),
        figures=count_words("buyers_of_address", "{} had things sent to this address.", "other buyer"),
    ),
    Signal(
        "ip_shared",
        About.PAST,
        "Several other buyers came from this network address today.",
        "Nobody unusual at this network address.",
        lambda f: graded(f.buyers_of_ip_day, {3: 0.7, 6: 1}) or None,
        figures=count_words("buyers_of_ip_day", "{} came from this network address within a day.", "other buyer"),
    ),
    Signal(
        "buyer_fraud",
        About.PAST,
        "Earlier orders of this buyer turned out to be fraud.",
        "No earlier order of this buyer is known as fraud.",
        _buyers_frauds,
        figures=count_words("frauds_of_buyer", "{} of this buyer turned out to be fraud.", "earlier order"),
    ),
    Signal(
        "card_fraud",
        About.PAST,
        "Earlier orders paid with this card turned out to be fraud.",
        "No earlier order paid with this card is known as fraud.",
        lambda f: _its_frauds(f.earlier_of_card, f.frauds_of_card),
        figures=count_words("frauds_of_card", "{} paid with this card turned out to be fraud.", "earlier order"),
    ),
    Signal(
        "device_fraud",
        About.PAST,
        "Earlier orders from this device turned out to be fraud.",
        "No earlier order from this device is known as fraud.",
        lambda f: _its_frauds(f.earlier_of_device, f.frauds_of_device),
        figures=count_words("frauds_of_device", "{} from this device turned out to be fraud.", "earlier order"),
    ),
    Signal(
        "linked_fraud",
        About.PAST,
        "The card, device or address was part of another buyer's fraud.",
        "No link to another buyer's fraud.",
        _linked,
    ),
    Signal(
        "new_card",
        About.PAST,
        "A known buyer with a card not seen before.",
        "The buyer pays with a card used before.",
        lambda f: _changed(f.new_card, f),
    ),
    Signal(
        "new_device",
        About.PAST,
        "A known buyer on a device not seen before.",
        "The buyer's device was seen before.",
        lambda f: _changed(f.new_device, f),
    ),
    Signal(
        "taken_over",
        About.PAST,
        "A known buyer on a new device, to a new address.",
        "The buyer acts as before.",
        _old_account_elsewhere,
    ),
)
SIGNALS: tuple[Signal, ...] = (*PAYMENT, *SALE, *PAST, *LINKS, *LOOKED_UP)
BY_CODE = {signal.code: signal for signal in SIGNALS}
