"""Numbers, money and days as the language of the page writes them (Unicode's CLDR, by Babel)."""

from datetime import datetime, timedelta

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from django.utils.translation import get_language

from crossdock.domain.values import Money

# English stays what it was before there were others.
_LOCALES = {"en": Locale("en", "US"), "de": Locale("de"), "fr": Locale("fr"), "es": Locale("es")}


def locale() -> Locale:
    """Of the page that is being drawn; English outside of one."""
    return _LOCALES.get((get_language() or "en")[:2], _LOCALES["en"])


def money_words(value: Money) -> str:
    return value.shown(locale())


def country_name(code: str) -> str:
    return str(locale().territories.get(code, code))


def day_words(local: datetime) -> str:
    """ "Mon 30 Nov 2026"."""
    if locale().language == "en":
        return f"{local:%a} {local.day} {local:%b %Y}"
    return format_date(local, "EEE d MMM y", locale=locale())


def moment_words(local: datetime, *, seconds: bool = False) -> str:
    """ "30 Nov 2026, 10:21 UTC"."""
    if locale().language == "en":
        clock = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
        return f"{local.day} {local:%b %Y}, {clock} {local.tzname()}"
    shape = f"d MMM y, HH:mm{':ss' if seconds else ''}"
    return f"{format_datetime(local, shape, locale=locale())} {local.tzname()}"


def away_words(distance: timedelta) -> str:
    """ "3 minutes ago", "in 2 hours"."""
    return format_timedelta(distance, add_direction=True, locale=locale())
