"""Products in: a page of the shop's products becomes listings, in a handful of statements whatever its size.

A deleted product archives, never deletes.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import Count, ProductGone, ShopProduct, ShopVariant, Unreadable
from crossdock.domain.for_sale import for_sale
from crossdock.store.crash import point
from crossdock.store.models import Connection, Listing, Variant, VariantStock
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.parties.quarantine import Intake
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.shops.shop_money import read_alike
from crossdock.usecases.stock.counts import apply_locked

MOST_IMAGES = 12


def folded(text: str) -> str:
    """Without accents and case, for searching: "Pokémon" is found by "pokemon"."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()


def searchable(title: str, skus: Iterable[str]) -> str:
    return folded(" ".join([title, *skus]))[:2000]


def receive_products(
    *,
    connection_id: int,
    products: Sequence[ShopProduct | ProductGone | Unreadable],
    read_no: int,
    now: datetime,
    call: str = "",
    page: bool = False,
    read_as: Mapping[str, str] | None = None,
) -> int:
    """`read_no` was drawn before the request left, so the counts in the page are a read like any other.

    `read_as`: the shop's settings that it was read with; raises ReadOtherwise when amounts mean something else by now.

    All at once, and one by one only when that trips: a product that does stands in quarantine alone. Returns how many
    did.
    """
    intake = Intake(QuarantineKind.PRODUCT)
    intake.refuse(product for product in products if isinstance(product, Unreadable))
    rows = [product for product in products if not isinstance(product, Unreadable)]
    with transaction.atomic():
        intake.take_all(
            {row.product_id: row for row in rows},
            lambda some: _receive(connection_id, some, read_no=read_no, now=now),
        )
        tripped = intake.end(connection_id=connection_id, call=call, page=page, now=now)
        if read_as is not None:
            read_alike(connection_id=connection_id, settings=read_as)
        return tripped


def _receive(connection_id: int, products: Sequence[ShopProduct | ProductGone], *, read_no: int, now: datetime) -> None:
    with transaction.atomic():
        shop = Connection.objects.select_related("seller__owner").get(pk=connection_id)
        here = {p.product_id: for_sale(p) for p in products if isinstance(p, ShopProduct)}
        listings = _listings(shop, here, now=now)
        variants = _variants(shop, here, listings)
        answers = {
            variants[v.variant_id].pk: Count(v.variant_id, v.count, backorders=v.backorders)
            for p in here.values()
            for v in p.variants
            if v.variant_id in variants
        }
        apply_locked(answers=answers, read_no=read_no, now=now)
        for gone in products:
            if isinstance(gone, ProductGone):
                product_gone(shop=shop, product_id=gone.product_id, now=now)
        point("products.before_commit")


def not_as_kept(*, connection_id: int, products: Sequence[ShopProduct]) -> list[ShopProduct]:
    """Those whose prices, variants or being for sale are not what is kept here: of a sweep only these are written."""
    rows = Variant.objects.filter(
        connection_id=connection_id,
        listing__shop_product_id__in=[product.product_id for product in products],
        listing__gone_in_shop=False,
        gone=False,
    ).values_list(
        "listing__shop_product_id", "listing__active_in_shop", "listing__currency", "shop_variant_id", "price_minor"
    )
    kept: dict[str, set[tuple[bool, str, str, int]]] = {}
    for product_id, active, currency, variant_id, price in rows:
        kept.setdefault(product_id, set()).add((active, currency, variant_id, price))
    return [product for product in products if kept.get(product.product_id, set()) != _as_kept(product)]


def _as_kept(product: ShopProduct) -> set[tuple[bool, str, str, int]]:
    return {
        (product.active, product.variants[0].price.currency, each.variant_id, max(0, each.price.minor))
        for each in product.variants
    }


def _listings(shop: Connection, here: dict[str, ShopProduct], *, now: datetime) -> dict[str, Listing]:
    """Locked in id order, so that two pages with the same products don't deadlock."""
    known = {
        listing.shop_product_id: listing
        for listing in (
            Listing.objects.select_for_update(no_key=True)
            .filter(connection=shop, shop_product_id__in=here)
            .order_by("pk")
        )
    }
    left_out = set(shop.settings.get("left_out", []))
    fresh = [
        Listing(
            seller=shop.seller,
            connection=shop,
            shop_product_id=product.product_id,
            created_at=now,
            updated_at=now,
            currency=shop.currency,
            state=ListingState.LEFT_OUT if product.product_id in left_out else ListingState.LIVE,
        )
        for product in here.values()
        if product.product_id not in known
    ]
    back = [listing for listing in known.values() if listing.gone_in_shop]
    for listing in [*known.values(), *fresh]:
        _fill(listing, here[listing.shop_product_id], now=now)
    for listing in back:
        settle_by_fact(
            now=now, how="The product is back in the shop.", codes=(AlertCode.PRODUCT_DELETED,), listing=listing
        )
    Listing.objects.bulk_update(
        known.values(),
        [
            "title",
            "description",
            "images",
            "currency",
            "active_in_shop",
            "gone_in_shop",
            "shop_url",
            "shop_reasons",
            "search",
            "updated_at",
        ],
        batch_size=250,
    )
    return known | {listing.shop_product_id: listing for listing in Listing.objects.bulk_create(fresh)}


def _fill(listing: Listing, product: ShopProduct, *, now: datetime) -> None:
    listing.title = product.title[:300] or "Untitled"
    listing.description, listing.images = product.description, list(product.images)[:MOST_IMAGES]
    listing.currency = product.variants[0].price.currency if product.variants else listing.currency
    listing.active_in_shop, listing.gone_in_shop, listing.shop_url = product.active, False, product.url
    listing.shop_reasons = list(product.reasons)
    listing.search = searchable(product.title, [variant.sku for variant in product.variants])
    listing.updated_at = now


def _variants(shop: Connection, here: dict[str, ShopProduct], listings: dict[str, Listing]) -> dict[str, Variant]:
    seen = {v.variant_id: (v, listings[p.product_id], i) for p in here.values() for i, v in enumerate(p.variants)}
    known = {
        variant.shop_variant_id: variant
        for variant in (
            Variant.objects.select_for_update(no_key=True, of=("self",))
            .filter(connection=shop, shop_variant_id__in=seen)
            .order_by("pk")
        )
    }
    fresh = [
        Variant(connection=shop, listing=listing, shop_variant_id=id_)
        for id_, (_, listing, _) in seen.items()
        if id_ not in known
    ]
    for variant in [*known.values(), *fresh]:
        value, listing, position = seen[variant.shop_variant_id]
        _fill_variant(variant, value, listing, position)
    Variant.objects.bulk_update(
        known.values(),
        ["listing", "sku", "title", "barcode", "image", "price_minor", "position", "gone"],
        batch_size=500,
    )
    made = Variant.objects.bulk_create(fresh)
    VariantStock.objects.bulk_create(VariantStock(variant=variant) for variant in made)
    # A variant that its product no longer has is gone, whatever its last count was.
    Variant.objects.filter(listing__in=[listing.pk for listing in listings.values()], gone=False).exclude(
        shop_variant_id__in=seen
    ).update(gone=True)
    return known | {variant.shop_variant_id: variant for variant in made}


def _fill_variant(variant: Variant, value: ShopVariant, listing: Listing, position: int) -> None:
    # Some platforms repeat the product's name in each variant's; the listing says it already.
    own_words = value.title.removeprefix(listing.title).strip(" -–,:")
    variant.listing, variant.sku, variant.title = listing, value.sku[:200], own_words[:300]
    variant.barcode, variant.image = value.barcode[:60], value.image
    variant.price_minor, variant.position, variant.gone = max(0, value.price.minor), position, False


def variants_gone(*, connection_id: int, variants: Iterable[str], now: datetime) -> None:
    """The shop was asked for these and does not know them any more; the product's next reading corrects it. A product
    without any variant left is gone.
    """
    shop = Connection.objects.select_related("seller").get(pk=connection_id)
    here = Variant.objects.filter(connection=shop, shop_variant_id__in=list(variants))
    listings = Listing.objects.filter(pk__in=list(here.values_list("listing", flat=True)))
    here.update(gone=True)
    for listing in listings.order_by("pk"):
        if not listing.variants.filter(gone=False).exists():
            product_gone(shop=shop, product_id=listing.shop_product_id, now=now)


def product_gone(*, shop: Connection, product_id: str, now: datetime) -> None:
    """Archived, so that units and orders keep their place; the seller decides whether to list again when it comes
    back.
    """
    listing = (
        Listing.objects.select_for_update(no_key=True)
        .filter(connection=shop, shop_product_id=product_id, gone_in_shop=False)
        .first()
    )
    if listing is None:
        return
    listing.gone_in_shop, listing.updated_at = True, now
    listing.save(update_fields=["gone_in_shop", "updated_at"])
    raise_alert(
        code=AlertCode.PRODUCT_DELETED,
        seller=shop.seller,
        connection=shop,
        listing=listing,
        now=now,
        sentence=(
            f"“{listing.title}” was deleted in {shop.name}. The listing is kept in your archive and comes back if the"
            " product does."
        ),
    )
