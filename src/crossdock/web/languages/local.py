"""Numbers, money and days as the language of the page writes them (Unicode's CLDR, by Babel)."""

from datetime import datetime, timedelta
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import get_decimal_symbol
from django.utils.translation import get_language, gettext

from crossdock.domain.amounts import TwoWays, typed_decimal
from crossdock.domain.currencies import NotMoney
from crossdock.domain.mails.words import LOCALES, Fact, filled
from crossdock.domain.values import Money

# CLDR's full date without its year; it has no pattern for that with the day's whole name.
_LONG_DAYS = {"de": "EEEE, d. MMMM", "fr": "EEEE d MMMM", "es": "EEEE, d 'de' MMMM"}


def locale() -> Locale:
    """Of the page that is being drawn; English outside of one."""
    return LOCALES.get((get_language() or "en")[:2], LOCALES["en"])


def in_words(fact: Fact) -> str:
    """What a use-case says in no language yet."""
    return filled(fact, translate=gettext, locale=locale())


def money_words(value: Money) -> str:
    return value.shown(locale())


def typed_number(text: str) -> Decimal:
    """A number as somebody typed it on this page. Raises NotMoney with a sentence in the page's language."""
    try:
        return typed_decimal(text, point=get_decimal_symbol(locale()))
    except TwoWays as two:
        words = gettext("{typed} can mean two amounts. Type {one} or {other}.")
        raise NotMoney(words.format(typed=two.typed, one=two.one, other=two.other)) from None
    except NotMoney as error:
        raise NotMoney(gettext(str(error))) from None


def country_name(code: str) -> str:
    return str(locale().territories.get(code, code))


def currency_name(code: str) -> str:
    return str(locale().currencies.get(code, code))


def day_words(local: datetime) -> str:
    """ "Mon 30 Nov 2026"."""
    if locale().language == "en":
        return f"{local:%a} {local.day} {local:%b %Y}"
    return format_skeleton("yMMMEd", local, locale=locale())


def long_day_words(local: datetime, *, year: bool) -> str:
    """ "Monday, 30 November"."""
    if locale().language == "en":
        return f"{local:%A}, {local.day} {local:%B}{f' {local.year}' if year else ''}"
    return format_date(local, "full" if year else _LONG_DAYS[locale().language], locale=locale())


def moment_words(local: datetime, *, seconds: bool = False) -> str:
    """ "30 Nov 2026, 10:21 UTC"."""
    if locale().language == "en":
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        return f"{local.day} {local:%b %Y}, {clock} {local.tzname()}"
    clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{format_skeleton('yMMMd', local, locale=locale())}, {clock} {local.tzname()}"


def away_words(distance: timedelta) -> str:
    """ "3 minutes ago", "in 2 hours"."""
    return format_timedelta(distance, add_direction=True, locale=locale())
