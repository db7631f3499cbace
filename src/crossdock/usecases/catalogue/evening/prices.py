"""Prices that jump: held at import, and decided by the seller, several at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Min, OuterRef, QuerySet, Subquery

from crossdock.domain.alerts import AlertCode
from crossdock.domain.evening.jumps import LEAST, MOST, jumps
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Money
from crossdock.domain.wording import counted
from crossdock.store.bulk import lock_in_order, update_rows
from crossdock.store.models import Connection, HeldPrice, Listing, Seller, User, Variant
from crossdock.usecases.catalogue.selling.rules import Rules, rules_of
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require, theirs
from crossdock.usecases.record.telling import Telling, telling

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Jumps:
    """What a page of products changes about prices that wait, not written yet: `held` begin to, those of `over` do no
    more. `products` are theirs, by the shop's id.
    """

    held: list[HeldPrice]
    over: list[int]
    products: set[str]

    def __or__(self, other: "Jumps") -> "Jumps":
        """The other was judged later, of some of the same variants."""
        again = {row.variant_id for row in other.held}
        held = [row for row in self.held if row.variant_id not in again]
        return Jumps([*held, *other.held], [*self.over, *other.over], self.products | other.products)


def hold_jumps(
    *,
    shop: Connection,
    rules: Rules,
    kept: Mapping[str, Variant],
    wanted: dict[str, Values],
    wanted_here: dict[str, Values],
    listings: Mapping[str, Listing],
    owner: Mapping[str, str],
    now: datetime,
) -> Jumps:
    """Of a page of products: where a price of the shop jumps the one before is followed still, in `wanted` and in its
    listing's lowest.

    `kept` are the variants as they are, by the shop's id; `owner` says whose product each is. What the shop has no
    more, or sells in other money now, waits no more. Nothing is asked where the shop has no limit.
    """
    jumped = Jumps([], [], set())
    if shop.price_limit is None:
        return jumped
    rows = {row.variant_id: row for row in HeldPrice.objects.filter(variant__in=[each.pk for each in kept.values()])}
    home = {listing.pk: id_ for id_, listing in listings.items()}
    low = set[str]()
    for id_, variant in kept.items():
        row, product = rows.get(variant.pk), owner.get(id_) or home[variant.listing_id]
        told = None
        if id_ in wanted and _same_money(listings, wanted_here, product):
            told = wanted[id_]["shop_price_minor"]
        said_no = row.told_minor if row is not None and row.kept else None
        was = variant.followed_minor
        if told is None or not jumps(was=was, told=told, limit=shop.price_limit, kept=said_no):
            if row is not None:
                jumped.over.append(row.pk)
                jumped.products.add(product)
            continue
        wanted[id_] = wanted[id_] | rules.priced(Money(was, listings[product].currency))
        low.add(product)
        if row is None or row.told_minor != told:
            jumped.held.append(HeldPrice(variant=variant, told_minor=told, at=now, kept=False))
            jumped.products.add(product)
    for product in low:
        prices = [wanted[id_]["price_minor"] for id_, whose in owner.items() if whose == product and id_ in wanted]
        wanted_here[product] = wanted_here[product] | {"lowest_minor": min(prices)}
    return jumped


def write_jumps(jumped: Jumps, *, shop: Connection, told: Telling) -> None:
    """The listings of its products are locked: a seller who decides at the same time locks them first as well."""
    if jumped.held:
        fields = ["told_minor", "at", "kept"]
        rows = jumped.held
        HeldPrice.objects.bulk_create(rows, update_conflicts=True, unique_fields=["variant"], update_fields=fields)
        told.raise_alert(
            code=AlertCode.PRICE_JUMPED,
            seller=shop.seller,
            connection=shop,
            evidence={"prices": len(rows)},
            sentence=(
                f"Prices in {shop.name} changed by more than {shop.price_limit} %. The old ones stay until you take the"
                " new ones."
            ),
        )
    _over(HeldPrice.objects.filter(pk__in=jumped.over), shop, told=told)


def none_waits(*, shop: Connection, variants: QuerySet[Variant], told: Telling) -> None:
    """Of variants that the shop has no more; their listings are locked."""
    _over(HeldPrice.objects.filter(variant__in=variants), shop, told=told)


def _over(rows: QuerySet[HeldPrice], shop: Connection, *, told: Telling) -> None:
    if shop.price_limit is not None and rows.delete()[0]:
        _settled(shop, "No price of this shop waits any more.", told=told)


def _same_money(listings: Mapping[str, Listing], wanted_here: Mapping[str, Values], product: str) -> bool:
    """A price in another currency is another price; that is the currency's own alert."""
    row = listings.get(product)
    return row is not None and row.currency == wanted_here[product].get("currency", row.currency)


def held_of(seller: Seller, *, kept: bool) -> QuerySet[HeldPrice]:
    """Newest first."""
    rows = theirs(HeldPrice, seller).filter(kept=kept, variant__gone=False)
    return rows.select_related("variant__listing", "variant__connection").order_by("-pk")


def set_price_limit(*, connection: Connection, limit: int | None, actor: User, now: datetime) -> None:
    """None takes every price, those that wait as well. Raises Invalid, NotAllowed."""
    require(actor, connection.seller, duty=Duty.LISTINGS)
    if limit is not None and not LEAST <= limit <= MOST:
        raise Invalid(f"Type a limit from {LEAST} to {MOST} percent, or leave it empty to take every price.")
    with transaction.atomic():
        rows = HeldPrice.objects.filter(variant__connection=connection)
        if limit is None:
            _take(rows, now=now)
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("seller__owner")
        locked = shop.get(pk=connection.pk)
        locked.price_limit = limit
        locked.save(update_fields=["price_limit"])
        said = {"shop": locked.public_id, "percent": limit}
        settings_note(actor=actor, action="price limit", subject=locked.name, now=now, detail=said)
        with telling(now, savepoint=False) as told:
            _settled(locked, "You changed the limit.", told=told)


def decide_prices(*, seller: Seller, chosen: Mapping[int, int], take: bool, actor: User, now: datetime) -> int:
    """`chosen`: each held price with what the shop asked when its seller saw it; one that moved on is left as it is.
    How many were decided. Raises NotAllowed.
    """
    require(actor, seller, duty=Duty.LISTINGS)
    with transaction.atomic():
        rows = theirs(HeldPrice, seller).filter(pk__in=chosen)
        lock_in_order(Listing.objects.filter(pk__in=rows.values("variant__listing")))
        seen = [row.pk for row in rows if row.told_minor == chosen[row.pk]]
        rows = rows.filter(pk__in=seen)
        shops = list(
            Connection.objects.filter(pk__in=rows.values("variant__connection")).select_related("seller__owner")
        )
        many = _take(rows, now=now) if take else rows.filter(kept=False).update(kept=True)
        if many:
            action = "prices taken" if take else "prices kept"
            settings_note(actor=actor, action=action, subject=seller.name, now=now, detail={"prices": many})
        with telling(now, savepoint=False) as told:
            for shop in shops:
                _settled(shop, "You decided.", told=told)
    return many


def _take(rows: QuerySet[HeldPrice], *, now: datetime) -> int:
    """The shop's prices are asked from now on. Listings are locked before their variants, as an import does."""
    listings = Listing.objects.filter(pk__in=list(rows.values_list("variant__listing", flat=True)))
    lock_in_order(listings)
    lock_in_order(Variant.objects.filter(pk__in=rows.values("variant")))
    found = rows.select_for_update(of=("self",)).select_related("variant__listing", "variant__connection__selling")
    held = list(found.order_by("pk"))
    for row in held:
        shop = row.variant.connection
        assert shop is not None, "only a shop's prices wait"
        priced = rules_of(shop).priced(row.told)
        row.variant.price_minor, row.variant.shop_price_minor = priced["price_minor"], priced["shop_price_minor"]
    update_rows([row.variant for row in held], ["price_minor", "shop_price_minor"])
    HeldPrice.objects.filter(pk__in=[row.pk for row in held]).delete()
    left = Variant.objects.filter(listing=OuterRef("pk"), gone=False).order_by().values("listing")
    listings.update(lowest_minor=Subquery(left.annotate(least=Min("price_minor")).values("least")), updated_at=now)
    return len(held)


def _settled(shop: Connection, how: str, *, told: Telling) -> None:
    if not HeldPrice.objects.filter(variant__connection=shop, kept=False).exists():
        told.settle_by_fact(how=how, codes=(AlertCode.PRICE_JUMPED,), connection=shop)


def in_words(many: int, *, take: bool) -> str:
    """What is said after a decision."""
    if not many:
        return "Nothing was changed: choose some prices, or look at what the shop asks now."
    return f"{counted(many, 'price')} {'taken' if take else 'kept as they are here'}."


def seen_in(words: Iterable[str]) -> dict[int, int]:
    """Held prices and what the shop asked, as the page sends them (“key:amount”); what is no such pair is left out."""
    pairs = [word.partition(":") for word in words]
    return {int(key): int(told) for key, _, told in pairs if _number(key) and _number(told)}


def _number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19
