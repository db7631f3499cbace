"""Listings as buyers find them and as sellers keep them.

Synced ones follow their shop; only those made by hand are edited here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.moderation.sellers import why_not_yours
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller, Variant, VariantStock
from crossdock.store.models.catalogue import OFFERED, ListingState
from crossdock.store.models.people import BARRED, PAUSED
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.accounts.quotas.gate import take_one
from crossdock.usecases.catalogue.duplicates import find_duplicates, keep_as_it_is
from crossdock.usecases.catalogue.filling import filler, searchable
from crossdock.usecases.catalogue.import_products import MOST_IMAGES
from crossdock.usecases.catalogue.room import wants_place
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.alerts import settle_by_fact
from crossdock.usecases.stock.linked import counted_by_hand
from crossdock.usecases.stock.reservations import availability, locked, promised, record

ONLY_LOOKED_AT = "Your shop is in shadow mode: it is only read. Go live to sell."


def offered() -> QuerySet[Listing]:
    """What sellers and their shops offer, whether or not the marketplace lets them sell."""
    rows = Listing.objects.filter(OFFERED)
    closed = [ConnectionState.PAUSED, ConnectionState.NEEDS_REAUTH, ConnectionState.DISCONNECTED]
    return rows.exclude(Q(connection__state__in=closed) | Q(connection__shadow_since__isnull=False))


def shown() -> QuerySet[Listing]:
    """What buyers may see at all; sold-out ones included."""
    return offered().exclude(seller__in=Seller.objects.filter(BARRED).values("pk"))


def not_selling() -> QuerySet[Seller]:
    """Who sells nothing for now: on holiday, or because the marketplace says so."""
    return Seller.objects.filter(PAUSED | BARRED)


def live() -> QuerySet[Listing]:
    """The same with all that a grid shows of them, newest first; without those of sellers who are on holiday and sell
    nothing meanwhile, whose pages stay and say so; the others' do not.
    """
    live_variants = Variant.objects.filter(gone=False).select_related("stock", "connection")
    return (
        offered()
        .exclude(seller__in=not_selling().values("pk"))
        .select_related("seller", "connection")
        .prefetch_related(Prefetch("variants", live_variants))
        .order_by("-id")
    )


def why_not_live(
    *,
    listing: Listing,
    now: datetime,
    stock: Mapping[int, int | None] | None = None,
    rows: Mapping[int, VariantStock] | None = None,
) -> list[str]:
    """Everything that keeps buyers from buying it, each with what to do. Empty means that it sells.

    A table of many listings gives what it knows: `stock` from availability, `rows` by variant; otherwise both are
    asked for.
    """
    reasons: list[str] = []
    if listing.state == ListingState.TAKEN_DOWN:
        reasons.append("The marketplace took it down. You read why under “Taken down”, and can appeal there.")
    if listing.state == ListingState.ARCHIVED:
        reasons.append("It is in your archive. Choose “List again” to sell it.")
    if listing.state == ListingState.LEFT_OUT:
        reasons.append("You left it out when you connected the shop. Choose “List again” to sell it.")
    if listing.state == ListingState.WAITING:
        reasons.append("You have as many listings on sale as you may. It is listed by itself when there is room.")
    if listing.gone_in_shop:
        reasons.append("The product was deleted in your shop.")
    else:
        reasons += listing.shop_reasons
        if not listing.active_in_shop and not listing.shop_reasons:
            reasons.append("The product is not published in your shop.")
    if listing.not_chosen:
        reasons.append(listing.not_chosen)
    if why := why_not_yours(listing.seller.bar):
        reasons.append(why)
    if (away := listing.seller.away) is not None and away.pauses:
        reasons.append("You are on holiday, and your listings are paused. They sell again when you are back.")
    shop = listing.connection
    if shop is not None and shop.shadow_since is not None:
        reasons.append(ONLY_LOOKED_AT)
    if shop is not None and shop.state != ConnectionState.ACTIVE:
        words = {
            "paused": "Your shop is paused here; resume it.",
            "needs_reauth": "Your shop asks you to sign in again; reconnect it.",
        }
        reasons.append(words.get(shop.state, "The shop is disconnected; connect it again."))
    variants = [variant for variant in listing.variants.all() if not variant.gone]
    if not variants and not reasons:
        reasons.append("It has no variant that can be sold.")
    if stock is None:
        stock = availability(variants=variants, now=now)
    if rows is None:
        rows = {row.pk: row for row in VariantStock.objects.filter(pk__in=stock)}
    for variant in variants:
        row, left = rows.get(variant.pk), stock[variant.pk]
        name = f"{variant.title}: " if len(variants) > 1 and variant.title else ""
        if row is not None and row.sold_as_id is not None:
            reasons.append(f"{name}It is one thing with a listing of another shop, which is sold instead.")
        elif row is not None and row.aside_why:
            reasons.append(f"{name}Not sold: {row.aside_why}. Count it and confirm.")
        elif row is not None and row.set_aside_by_id is not None:
            reasons.append(f"{name}Set aside after an order was rejected as not available. Count it and confirm.")
        elif row is None or (row.count is None and row.counted):
            reasons.append(f"{name}Its stock has not been read yet.")
        elif row.count is None:
            reasons.append(f"{name}Your shop does not count it. Switch on stock tracking for it there.")
        elif left is None:
            reasons.append(f"{name}Your shop was not heard of for too long, so its count is not believed.")
        elif left == 0:
            reasons.append(f"{name}Nothing left to sell.")
    return reasons


def _checked(*, title: str, price: Money, count: int | None, images: Sequence[str]) -> None:
    if not title.strip():
        raise Invalid("Give the listing a title.")
    if price.currency not in CURRENCIES or not 0 < price.minor <= 10**12:
        raise Invalid("Type a price above zero.")
    if count is not None and not 0 <= count <= 1_000_000:
        raise Invalid("Type the number of units that you have, from 0 to 1,000,000.")
    if len(images) > MOST_IMAGES:
        raise Invalid(f"At most {MOST_IMAGES} pictures.")


def _require_room(seller: Seller, *, by_hand: bool, now: datetime) -> None:
    """Raises NotAllowed."""
    take_one(seller, Quota.LISTINGS, now=now)
    if by_hand:
        take_one(seller, Quota.BY_HAND, now=now)


def make_listing(
    *,
    seller: Seller,
    title: str,
    description: str,
    price: Money,
    count: int,
    now: datetime,
    sku: str = "",
    images: Sequence[str] = (),
) -> Listing:
    _checked(title=title, price=price, count=count, images=images)
    with transaction.atomic():
        _require_room(seller, by_hand=True, now=now)
        listing = Listing.objects.create(
            seller=seller,
            title=title.strip()[:300],
            description=description,
            images=list(images),
            currency=price.currency,
            search=searchable(title, [sku]),
            lowest_minor=price.minor,
            created_at=now,
            updated_at=now,
        )
        variant = Variant.objects.create(listing=listing, sku=sku[:200], price_minor=price.minor)
        VariantStock.objects.create(variant=variant, count=count, count_at=now)
        record(variant_id=variant.pk, now=now, kind="made", cause="listing made by hand", after=count)
        find_duplicates(seller_id=seller.pk, variants=[variant], now=now)
    return listing


def locked_listing(listing: Listing) -> Listing:
    """Its row comes before those of its stock."""
    return Listing.objects.select_for_update(no_key=True).get(pk=listing.pk)


def edit_listing(
    *,
    listing: Listing,
    title: str,
    description: str,
    price: Money,
    count: int | None,
    now: datetime,
    images: Sequence[str] | None = None,
) -> None:
    """`count` is what the seller has left to sell; None leaves it as it is."""
    if listing.connection_id is not None:
        raise NotAllowed("This listing follows your shop; edit the product there.")
    _checked(title=title, price=price, count=count, images=images or ())
    with transaction.atomic():
        listing = locked_listing(listing)
        if price.currency != listing.currency:
            raise Invalid("A listing keeps its currency; make a new one.")
        variant = listing.variants.get()
        listing.title, listing.description, listing.updated_at = title.strip()[:300], description, now
        listing.images = list(images) if images is not None else listing.images
        words = filler(seller_id=listing.seller_id).words(listing.facts)
        listing.search, listing.lowest_minor = searchable(title, [variant.sku, *words]), price.minor
        listing.save()
        variant.price_minor = price.minor
        variant.save(update_fields=["price_minor"])
        row = locked([variant.pk])[variant.pk]
        if count is not None:
            counted_by_hand(row, now=now)
            held = promised([variant.pk]).get(variant.pk, 0)
            before, row.count, row.count_at = row.count, count + held, now
            row.save(update_fields=["count", "count_at"])
            record(
                variant_id=variant.pk,
                now=now,
                kind="edited",
                cause="the seller typed a count",
                before=before,
                after=row.count,
            )


@transaction.atomic
def _set_state(listing: Listing, state: ListingState, *, now: datetime) -> None:
    """By its seller's own word, so that an undone link does not list it again. Raises NotAllowed: what staff took down,
    they alone put back.
    """
    archived_at = now if state == ListingState.ARCHIVED else None
    rows = Listing.objects.filter(pk=listing.pk).exclude(state=ListingState.TAKEN_DOWN)
    if not rows.update(state=state, archived_at=archived_at, updated_at=now):
        raise NotAllowed("The marketplace took this listing down, so it stays as it is. You can appeal on its page.")
    keep_as_it_is(listing)


def archive_listing(*, listing: Listing, now: datetime) -> None:
    """It stops selling; its units, its orders and its history stay."""
    _set_state(listing, ListingState.ARCHIVED, now=now)


def relist(*, listing: Listing, now: datetime) -> None:
    if listing.gone_in_shop:
        raise NotAllowed("The product was deleted in your shop; it comes back here when it does there.")
    with transaction.atomic():
        if listing.state != ListingState.LIVE and wants_place(listing):
            _require_room(listing.seller, by_hand=listing.connection_id is None, now=now)
        _set_state(listing, ListingState.LIVE, now=now)
    settle_by_fact(now=now, how="Listed again.", codes=(AlertCode.UNITS_BACK,), listing=listing)


def said_after(listing: Listing, *, now: datetime) -> str:
    """What a seller reads who has just listed it again: also why it is still not for sale, where that is so."""
    listing.refresh_from_db()
    why = why_not_live(listing=listing, now=now)
    return f"Listed again, but it is not for sale: {' '.join(why)}" if why else "Listed again."


def leave_out(*, listing: Listing, now: datetime) -> None:
    if listing.connection_id is None:
        raise NotAllowed("Only products of a shop can be left out; archive this one.")
    _set_state(listing, ListingState.LEFT_OUT, now=now)
