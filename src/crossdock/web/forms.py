"""How every form of the site is drawn, what somebody typed, and the fields that several pages share."""

import unicodedata
from collections.abc import Container
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting
from django.http import QueryDict
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from crossdock.domain.currencies import CURRENT, NotMoney, minor_units
from crossdock.domain.places import US_TERRITORIES
from crossdock.domain.values import COUNTRIES, Money
from crossdock.web.languages.local import country_name, currency_name, typed_number

# Shown first: what most shops use.
_COMMON = ("USD", "EUR", "GBP", "CAD", "AUD", "JPY", "CHF", "SEK", "NOK", "DKK", "PLN", "NZD", "SGD", "HKD", "KWD")


def typed(values: QueryDict, name: str, *, longest: int = 100) -> str:
    """What somebody typed, or put into the address: without control characters, which the database refuses, and not
    endless.
    """
    return "".join(letter for letter in values.get(name, "") if letter.isprintable()).strip()[:longest]


def one_of(values: QueryDict, name: str, known: Container[str], otherwise: str) -> str:
    """The tab, list or kind that an address asks for; `otherwise` where there is none like it."""
    text = typed(values, name)
    return text if text in known else otherwise


def typed_day(values: QueryDict, name: str) -> date | None:
    """Nonsense in the address is no day; neither is one whose month could not be reckoned with."""
    try:
        day = parse_date(typed(values, name, longest=10))
    except ValueError:
        return None
    return day if day is not None and 1970 <= day.year < 9000 else None


class Renderer(TemplatesSetting):
    """FORM_RENDERER. {{ form }} and {{ form.field.as_field_group }} come out with our classes and aria attributes."""

    form_template_name = "parts/form.html"
    field_template_name = "parts/field.html"


def country_choices(only: frozenset[str] = COUNTRIES, *, territories: bool = False) -> list[tuple[str, str]]:
    """(code, name) by name. `territories`: with the US's, for people who look for Puerto Rico under P."""
    only = only | US_TERRITORIES if territories and "US" in only else only
    named = [(code, country_name(code)) for code in only]
    return sorted(named, key=lambda pair: _plain(pair[1]))


def _plain(name: str) -> str:
    """Österreich stands under O, and not behind Z."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


def currency_choices() -> list[tuple[str, str]]:
    rest = sorted(CURRENT - set(_COMMON))
    return [(code, f"{code}, {currency_name(code)}") for code in (*_COMMON, *rest)]


class TypedDecimal(forms.DecimalField):
    """A number as people write it, "12.50" or "12,50"; what could mean two numbers is asked about.

    A text field: a browser's number field drops the comma before anybody sees it, and 12,50 arrives as 1250.
    """

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.widget.attrs["inputmode"] = "decimal"
        self.widget.attrs["autocomplete"] = "off"

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return typed_number(str(value))
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from None


class MoneyField(TypedDecimal):
    """A decimal amount of a currency that is known only later: `money_of` turns it into minor units."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal(0), max_digits=13, decimal_places=4, **options)


class WholeNumber(forms.IntegerField):
    """A count. A text field, for the same reason: 12,5 is no 125."""

    widget = forms.TextInput

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.widget.attrs["inputmode"] = "numeric"
        self.error_messages["invalid"] = "Type a whole number in digits only, such as 1200."


def money_of(amount: Decimal, currency: str) -> Money:
    """Raises ValidationError when the amount has more decimals than the currency, be they zeros: 1.250 euros are 1,250
    where a dot groups thousands.
    """
    places = minor_units(currency)
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > places:
        words = (
            gettext("{currency} has at most {places} decimals.") if places else gettext("{currency} has no decimals.")
        )
        raise forms.ValidationError(words.format(currency=currency, places=places))
    return Money.of(amount, currency)
