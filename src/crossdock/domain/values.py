"""Money, addresses and the small words everything else is made of. Money is integer minor units: 0 to 4 decimals."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import total_ordering
from typing import Self

from babel import Locale
from babel.numbers import format_currency

from crossdock.domain.currencies import NotMoney, minor_units
from crossdock.domain.places import COUNTRIES as COUNTRIES
from crossdock.domain.places import US_TERRITORIES

_LOCALE = "en_US"


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency (JPY 500 is 500, KWD 1.234 is 1234)."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> Self:
        """Read a decimal amount, as shops write it ("12.50").

        Raises NotMoney; more decimals than the currency has are rounded half up.
        """
        code = currency.upper()
        units = minor_units(code)
        try:
            value = Decimal(str(amount))
            scaled = value.scaleb(units).quantize(Decimal(1), rounding=ROUND_HALF_UP)
        except InvalidOperation:
            raise NotMoney(f"{amount!r} is not an amount of money.") from None
        if not value.is_finite() or abs(scaled) > 10**15:
            raise NotMoney(f"{amount!r} is not an amount of money.")
        return cls(int(scaled), code)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-minor_units(self.currency))

    def __str__(self) -> str:
        """The plain decimal that shops' APIs take: "12.50", "500", "1.234"."""
        return f"{self.decimal:f}"

    @property
    def words(self) -> str:
        """As people read it in English: "$12.50", "¥500", "KWD 1.234", with the currency's own decimals."""
        return self.shown(Locale.parse(_LOCALE))

    def shown(self, locale: Locale) -> str:
        """The same as a language writes it: "12,50 €" in German.

        Babel's decimals are those that a locale shows, which are fewer for a dozen currencies.
        """
        units = minor_units(self.currency)
        usual = locale.currency_formats["standard"].pattern
        shape = re.sub(r"0\.0+", "0" + (f".{'0' * units}" if units else ""), usual)
        shown = format_currency(self.decimal, self.currency, shape, locale=locale, currency_digits=False)
        return re.sub(r"([A-Z]{3})(?=\d)", "\\1\u00a0", shown)

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise NotMoney(f"{self.currency} and {other.currency} can be neither added nor compared.")

    def __lt__(self, other: "Money") -> bool:
        """Only equality may be asked of two currencies: 8.90 GBP is not less than 9.50 USD."""
        self._same(other)
        return self.minor < other.minor

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)


def share(total: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """Split `total` minor units by `weights` so that the parts always add up to the whole (largest remainder first)."""
    whole = sum(weights)
    if not weights or whole <= 0:
        return (0,) * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes.

    `country` is ISO 3166-1 alpha-2; `region` is the state's or province's code where there is one. Puerto Rico and the
    other islands under the US Post Office are US with their state, however they were written: one place, one address.
    """

    name: str
    line1: str
    city: str
    country: str
    postal_code: str = ""
    line2: str = ""
    region: str = ""
    company: str = ""
    phone: str = ""

    def __post_init__(self) -> None:
        if self.country in US_TERRITORIES:
            object.__setattr__(self, "region", self.country)
            object.__setattr__(self, "country", "US")

    @property
    def territory(self) -> str:
        """The island's own ISO code, for who takes it for a country; empty elsewhere."""
        return self.region if self.country == "US" and self.region in US_TERRITORIES else ""

    @property
    def region_there(self) -> str:
        """The region for who takes a territory for a country, which has none."""
        return "" if self.territory else self.region

    @property
    def country_there(self) -> str:
        """The country for who takes a territory for one."""
        return self.territory or self.country


@dataclass(frozen=True, slots=True)
class Access:
    """What it takes to speak to one connected shop: plain values, unsealed for the moment of the call.

    Never logged, never stored.
    """

    party_id: int
    platform: str
    way: str
    address: str
    secrets: Mapping[str, str] = field(repr=False)
    settings: Mapping[str, str]
    app: Mapping[str, str] = field(repr=False)
    hook_url: str
    local: bool
