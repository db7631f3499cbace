"""The right to withdraw from a contract made at a distance: who has it, and until when, by the marketplace's policy.

Directive 2011/83/EU, articles 9 to 16; that it is a function of the page with two steps and a receipt: article 11a
(directive (EU) 2023/2673), in force since 19 June 2026.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Where it is law: the European Union's and the European Economic Area's.
_EUROPE = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO"
COUNTRIES = frozenset(_EUROPE.split())


@dataclass(frozen=True, slots=True)
class Policy:
    """`days` from delivery, 0 where the marketplace offers none; `undelivered` from when the last parcel left, while
    nobody knows whether it arrived. `everywhere`: for buyers in other countries too.
    """

    days: int
    undelivered: int
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """What counts of an order. `left_at` is when its last parcel left, `delivered_at` when all had arrived; both None
    where nothing was shipped. `heard_at` is when we heard that it left: no word of the seller's, so what they may
    not put off counts from it. `private`: its seller sells as a private person. `over`: cancelled or credited
    in whole.
    """

    country: str
    private: bool
    over: bool
    left_at: datetime | None = None
    delivered_at: datetime | None = None
    heard_at: datetime | None = None


def ends(sale: Sale, policy: Policy) -> datetime | None:
    """None while nothing was shipped: the time has not begun. The day on which it begins does not count."""
    if sale.delivered_at is not None:
        return sale.delivered_at + timedelta(days=policy.days + 1)
    if sale.left_at is not None:
        return sale.left_at + timedelta(days=max(policy.undelivered, policy.days) + 1)
    return None


def why_no_withdrawal(sale: Sale, policy: Policy, now: datetime) -> str:
    """Empty when the buyer can withdraw."""
    if policy.days <= 0:
        return "This marketplace offers no withdrawal; ask to cancel on the order's page instead."
    if sale.country not in COUNTRIES and not policy.everywhere:
        return "The right to withdraw is for deliveries to the European Union and the European Economic Area."
    if sale.private:
        return "This seller sells as a private person, so the law gives no right to withdraw."
    if sale.over:
        return "This order is cancelled or credited in full already; there is nothing to withdraw from."
    last = ends(sale, policy)
    if last is not None and now >= last:
        return f"The time to withdraw ended on {last - timedelta(days=1):%d %B %Y}."
    return ""
