"""What a price rule would ask, of everything that a shop has. Nothing here writes."""

from collections.abc import Iterator
from dataclasses import dataclass

from crossdock.domain.selling.pricing import Pricing
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Variant

# Rows that are in memory at once.
_AT_ONCE = 2_000


@dataclass(slots=True)
class Changes:
    """Of all variants of the shop, those that it deleted aside, against what is asked now: how many `rise` and `fall`,
    and how many of these by more than the shop's limit of jumps (`far`; 0 without one).
    """

    whole: int = 0
    rise: int = 0
    fall: int = 0
    far: int = 0

    @property
    def changed(self) -> int:
        return self.rise + self.fall


@dataclass(frozen=True, slots=True)
class Priced:
    """A variant with its price in the shop, the one that is asked here now, and the one by the rule."""

    pk: int
    listing: str
    name: str
    shop: Money
    now: Money
    then: Money

    @property
    def percent(self) -> int:
        """Of what is asked now."""
        return round(100 * (self.then.minor - self.now.minor) / self.now.minor) if self.now.minor else 0

    def beyond(self, limit: int | None) -> bool:
        moved = abs(self.then.minor - self.now.minor)
        return limit is not None and moved * 100 > limit * self.now.minor


def changes(*, connection: Connection, rule: Pricing) -> Changes:
    """One statement, and rows as they come: however many there are, few are in memory."""
    found = Changes()
    for row in _read(connection, rule, None):
        found.whole += 1
        if row.now != row.then:
            found.rise += row.then > row.now
            found.fall += row.then < row.now
            found.far += row.beyond(connection.price_limit)
    return found


def page(*, connection: Connection, rule: Pricing, changing: bool, after: int | None, limit: int) -> list[Priced]:
    """Newest first, those behind `after` (a variant's key); `changing`: only those whose price does."""
    found = list[Priced]()
    for row in _read(connection, rule, after):
        if not changing or row.now != row.then:
            found.append(row)
            if len(found) == limit:
                break
    return found


def _read(connection: Connection, rule: Pricing, after: int | None) -> Iterator[Priced]:
    rows = Variant.objects.filter(connection=connection, gone=False, listing__gone_in_shop=False).order_by("-pk")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    columns = ("listing__public_id", "listing__title", "listing__currency", "title", "price_minor", "shop_price_minor")
    for pk, listing, product, currency, title, asked, own in rows.values_list("pk", *columns).iterator(_AT_ONCE):
        shop = Money(asked if own is None else own, currency)
        then = rule.of(shop) if shop.minor else shop
        yield Priced(pk, listing, f"{product} {title}".strip(), shop, Money(asked, currency), then)
