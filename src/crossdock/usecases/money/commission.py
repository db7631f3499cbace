"""Commission by category and promotion: the rules that staff set, what they would change, and what a fresh order's
lines are charged. An order keeps what it was paid with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from crossdock.domain.credit import Paid
from crossdock.domain.earnings.commission import Rate, Rule, fees, in_percent, rate_of
from crossdock.domain.finding.choosing import in_category
from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.taxonomy import Category, Taxonomy
from crossdock.domain.roles import Right
from crossdock.domain.wording import moment
from crossdock.store.models import AuditTopic, CommissionRule, Listing, Order, OrderLine, Seller, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.accounts.commission import MOST
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

MOST_RULES = 500
_EXAMPLES = 5
_NO_CATEGORIES = Taxonomy()


def rules_at(now: datetime, sellers: Sequence[int]) -> QuerySet[CommissionRule]:
    """Those that may hold for one of these sellers."""
    theirs = Q(seller=None) | Q(seller__in=list(sellers))
    return _not_over(now).filter(theirs, since__lte=now).order_by("pk")


def _values(rules: Iterable[CommissionRule]) -> list[Rule]:
    return [Rule(row.pk, row.basis_points, row.since, row.until, row.seller_id, row.category) for row in rules]


def charge(order: Order, lines: Sequence[OrderLine], rules: Sequence[CommissionRule]) -> None:
    """Write on each line of a fresh order what is kept of it, with the rate and why. Nothing is saved here."""
    values = _values(rules)
    # Who sets no rate for a category is asked for none.
    taxonomy = in_force() if any(rule.category for rule in values) else _NO_CATEGORIES
    rates = [_rate(values, line.variant.listing, order.seller, taxonomy, order.placed_at) for line in lines]
    paid = [Paid(line.unit_price_minor * line.quantity, line.quantity) for line in lines]
    kept = fees(paid, order.shipping_minor, [rate.basis_points for rate in rates])
    for line, rate, minor in zip(lines, rates, kept, strict=True):
        line.fee_minor, line.fee_points, line.fee_why = minor, rate.basis_points, rate.why[:160]


def _rate(rules: Sequence[Rule], listing: Listing, seller: Seller, taxonomy: Taxonomy, at: datetime) -> Rate:
    way: tuple[Category, ...] = taxonomy.way_to(category_in(taxonomy, listing.facts)) if taxonomy else ()
    return rate_of(rules, seller=seller.pk, own=seller.fee_basis_points, way=way, at=at)


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule that staff think of. `until` is the first moment at which it no longer holds."""

    basis_points: int
    since: datetime
    until: datetime | None
    seller: Seller | None
    category: str
    why: str


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a rule would concern: live listings in all, and some of them with the rate before and then. `seen` names
    what was shown.
    """

    listings: int
    sellers: int
    examples: tuple[tuple[Listing, Rate, Rate], ...]
    overruled: str
    seen: str


def preview(*, wish: Wish, now: datetime) -> Concerned:
    """Raises Invalid."""
    taxonomy = _checked(wish, now)
    found = Listing.objects.filter(state=ListingState.LIVE)
    if wish.seller is not None:
        found = found.filter(seller=wish.seller)
    if wish.category:
        found = found.filter(facts__contains=in_category(wish.category).facts)
    at = max(wish.since, now)
    some = list(found.select_related("seller").order_by("-pk")[:_EXAMPLES])
    before = _values(rules_at(at, [listing.seller_id for listing in some]))
    seller = wish.seller.pk if wish.seller else None
    new = Rule(1 << 62, wish.basis_points, wish.since, wish.until, seller, wish.category)
    examples = tuple(
        (
            listing,
            _rate(before, listing, listing.seller, taxonomy, at),
            _rate([*before, new], listing, listing.seller, taxonomy, at),
        )
        for listing in some
    )
    sellers = found.order_by().values("seller").distinct().count()
    return Concerned(found.count(), sellers, examples, _overruled(wish, now), _seen(wish, now))


def _overruled(wish: Wish, now: datetime) -> str:
    """A rule that is as near and no longer counts while this one holds; empty where there is none."""
    same = (
        _not_over(now)
        .filter(seller=wish.seller, category=wish.category)
        .filter(Q(until=None) | Q(until__gt=wish.since))
    )
    if wish.until is not None:
        same = same.filter(since__lt=wish.until)
    last = same.order_by("-pk").first()
    if last is None:
        return ""
    return f"While it holds it takes the place of {in_percent(last.basis_points)} since {moment(last.since)}."


def _seen(wish: Wish, now: datetime) -> str:
    newest = CommissionRule.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return f"{newest} {_not_over(now).count()} {wish.basis_points} {wish.since.isoformat()} {wish.until}"


def _checked(wish: Wish, now: datetime) -> Taxonomy:
    if not 0 <= wish.basis_points <= MOST:
        raise Invalid(f"The commission is from 0 to {in_percent(MOST)}.")
    if wish.until is not None and wish.until <= max(wish.since, now):
        raise Invalid("It would be over before it begins. Choose a later last day.")
    taxonomy = in_force()
    if wish.category and wish.category not in taxonomy.categories:
        raise Invalid("There is no such category. Choose one of those that are defined.")
    if not wish.why.strip():
        raise Invalid("Say why, for those who look at it later.")
    return taxonomy


def add(*, wish: Wish, seen: str, actor: User, now: datetime) -> CommissionRule | None:
    """For orders that are paid from `since` on, never for those of before now. The same again, as by a second click,
    is None. Raises NotAllowed, Invalid.
    """
    require(actor, None, "Only staff set what the marketplace keeps.", Right.RULES)
    with transaction.atomic():
        # Two who set one at once would each not have seen the other's.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('commission'))")
        _checked(wish, now)
        given = {"seller": wish.seller, "category": wish.category, "basis_points": wish.basis_points}
        period = {"since": max(wish.since, now), "until": wish.until}
        twice = _not_over(now).filter(**given, until=wish.until, made_by=actor, since__gte=wish.since)
        if seen != _seen(wish, now):
            if twice.filter(since__lte=period["since"]).exists():
                return None
            raise Invalid("Another rule was set meanwhile. Look at what this one changes as it is now.")
        if _not_over(now).count() >= MOST_RULES:
            raise Invalid(f"There are {MOST_RULES} rules that hold or are to come. End one of them first.")
        row = CommissionRule.objects.create(**given, **period, why=wish.why.strip()[:300], made_by=actor, made_at=now)
        _noted(row, actor, "commission rule", wish.why.strip(), now)
    return row


def end(*, row: CommissionRule, actor: User, now: datetime) -> None:
    """It holds no longer; one that has not begun never does. Ended already, nothing happens."""
    require(actor, None, "Only staff set what the marketplace keeps.", Right.RULES)
    with transaction.atomic():
        row = CommissionRule.objects.select_for_update(no_key=True, of=("self",)).get(pk=row.pk)
        if row.until is not None and row.until <= now:
            return
        row.until = max(row.since, now)
        if row.since > now:
            row.since = row.until = now
        row.save(update_fields=["since", "until"])
        _noted(row, actor, "commission rule ended", row.why, now)


def _noted(row: CommissionRule, actor: User, action: str, why: str, now: datetime) -> None:
    detail = {
        "rule": row.public_id,
        "seller": row.seller.public_id if row.seller else "",
        "category": row.category,
        "is": in_percent(row.basis_points),
        "since": row.since.isoformat(),
        "until": row.until.isoformat() if row.until else "",
        "why": why,
    }
    subject = row.seller.name if row.seller else row.category or "all goods"
    note(actor=actor, action=action, subject=subject, now=now, detail=detail, topic=AuditTopic.SETTINGS)


def _not_over(now: datetime) -> QuerySet[CommissionRule]:
    return CommissionRule.objects.filter(Q(until=None) | Q(until__gt=now))


def rules(which: str, *, now: datetime) -> QuerySet[CommissionRule]:
    """`which`: set (that hold or are to come), over or all."""
    found = CommissionRule.objects.select_related("seller", "made_by")
    return {
        "set": _not_over(now).select_related("seller", "made_by"),
        "over": found.filter(until__lte=now),
        "all": found,
    }[which]
