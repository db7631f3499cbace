"""What the marketplace keeps of what was bought: which rate holds for a line and why, and the fee of each line, so that
the fees of an order's lines are the order's fee to the smallest unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from crossdock.domain.credit import Paid, with_shipping
from crossdock.domain.finding.taxonomy import Category

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Holds from `since`, before `until`. `seller` None: of all sellers; one for a single seller is a promotion.
    `category` empty: of all goods, or else of those in it and below it.
    """

    id: int
    basis_points: int
    since: datetime
    until: datetime | None = None
    seller: int | None = None
    category: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """`why` reads on after "8 %, "."""

    basis_points: int
    why: str

    @property
    def words(self) -> str:
        return f"{in_percent(self.basis_points)}, {self.why}"


def rate_of(rules: Sequence[Rule], *, seller: int, own: int, way: Sequence[Category], at: datetime) -> Rate:
    """A promotion of this seller before what holds for all, the nearest category before those around it and all goods,
    and of two alike the one that was made last. Where nothing is set it is the seller's `own` commission. `way` leads
    from the top down to the listing's category.
    """
    depth = {"": 0} | {category.key: place for place, category in enumerate(way, 1)}
    fitting = [
        rule
        for rule in rules
        if rule.since <= at
        and (rule.until is None or at < rule.until)
        and rule.seller in (None, seller)
        and rule.category in depth
    ]
    if not fitting:
        return Rate(own, "own commission")
    best = max(fitting, key=lambda rule: (rule.seller is not None, depth[rule.category], rule.id))
    return Rate(best.basis_points, _why(best, {category.key: category.name for category in way}))


def _why(rule: Rule, names: dict[str, str]) -> str:
    until = f" until {rule.until - timedelta(days=1):%d %B %Y}" if rule.until else ""
    where = names.get(rule.category, "")
    if rule.seller is not None:
        return f"own promotion{f' for {where}' if where else ''}{until}"
    return f"the rate of {where}{until}" if where else f"the rate for all goods{until}"


def fees(lines: Sequence[Paid], shipping: int, basis_points: Sequence[int]) -> tuple[int, ...]:
    """Minor units of each line with its share of the shipping. Rounded down once for the whole order, in the seller's
    favour, so that lines of one rate cost what their sum would.
    """
    weights = tuple(whole * points for whole, points in zip(with_shipping(lines, shipping), basis_points, strict=True))
    found = [weight // WHOLE for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda place: (-(weights[place] % WHOLE), place))
    for place in by_rest[: sum(weights) // WHOLE - sum(found)]:
        found[place] += 1
    return tuple(found)


def in_percent(basis_points: int) -> str:
    """ "7.25 %"."""
    return f"{(Decimal(basis_points) / 100).normalize():f} %"
