"""Products in: a page of the shop's products becomes listings, in a handful of statements whatever its size.

Compared first: what is as it was is not written again. A deleted product archives, never deletes.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import Count, ProductGone, ShopProduct, ShopVariant, Unreadable
from crossdock.domain.finding.words import folded
from crossdock.domain.for_sale import for_sale
from crossdock.domain.goods import certificate
from crossdock.domain.moderation.quotas import Quota
from crossdock.store.bulk import copy_in, lock_in_order, update_rows
from crossdock.store.crash import point
from crossdock.store.models import Connection, Listing, Variant, VariantStock
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.store.together import ask
from crossdock.usecases.accounts.quotas.gate import Room, room_for
from crossdock.usecases.catalogue.as_kept import lowest_again
from crossdock.usecases.catalogue.duplicates import find_duplicates
from crossdock.usecases.catalogue.evening.prices import hold_jumps, none_waits, write_jumps
from crossdock.usecases.catalogue.filling import (
    LONGEST_WORD,
    MOST_OPTIONS,
    Filler,
    fillers_from,
    questions,
    searchable,
    short,
)
from crossdock.usecases.catalogue.room import limited, settle_place, tell_waiting, wants_place
from crossdock.usecases.catalogue.selling.rules import Rules, rules_of
from crossdock.usecases.parties.quarantine import Intake, Tally, key_of, of_row
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.shops.shop_money import read_alike
from crossdock.usecases.stock.counts import apply_locked
from crossdock.usecases.stock.single_units import beside, end_if_sold

MOST_IMAGES = 12


def receive_products(
    *,
    connection_id: int,
    products: Sequence[ShopProduct | ProductGone | Unreadable],
    read_no: int,
    now: datetime,
    call: str = "",
    calls: Sequence[str] = (),
    page: bool = False,
    read_as: Mapping[str, str] | None = None,
    tally: Tally | None = None,
) -> int:
    """`read_no` was drawn before the request left, so the counts in the page are a read like any other.

    `read_as`: the shop's settings that it was read with; raises ReadOtherwise when amounts mean something else by now,
    or when other rules of its seller are in force.

    All at once, and one by one only when that trips: a product that does stands in quarantine alone. Returns how many
    did; `tally` is told the rest. `calls`: of each product the recorded call that
    brought it, where not all came by `call`.
    """
    tally = Tally() if tally is None else tally
    intake = Intake(QuarantineKind.PRODUCT)
    intake.refuse(product for product in products if isinstance(product, Unreadable))
    rows = [product for product in products if not isinstance(product, Unreadable)]
    rules = set[int]()

    def work(some: Sequence[ShopProduct | ProductGone]) -> None:
        with telling(now, savepoint=False) as told:
            rules.add(_receive(connection_id, some, read_no=read_no, tally=tally, told=told))

    with transaction.atomic():
        intake.take_all({row.product_id: row for row in rows}, work)
        tally.tripped = intake.end(
            connection_id=connection_id, call=call, calls=_calls_of(products, calls), page=page, now=now
        )
        if read_as is not None:
            read_alike(connection_id=connection_id, settings=read_as, rules=rules)
        return tally.tripped


def _calls_of(products: Sequence[ShopProduct | ProductGone | Unreadable], calls: Sequence[str]) -> dict[str, str]:
    """By the key of what stands in quarantine if it trips."""
    return {
        of_row(row).key if isinstance(row, Unreadable) else key_of(QuarantineKind.PRODUCT, row.product_id): call
        for row, call in zip(products, calls, strict=False)
    }


def _receive(
    connection_id: int, products: Sequence[ShopProduct | ProductGone], *, read_no: int, tally: Tally, told: Telling
) -> int:
    """The revision of the seller's rules that was followed."""
    shop = Connection.objects.select_related("seller__owner", "selling").get(pk=connection_id)
    selling = rules_of(shop)
    here = {p.product_id: for_sale(p) for p in products if isinstance(p, ShopProduct)}
    variants, made, renamed, otherwise = _keep(shop, here, selling, tally=tally, told=told)
    by_shop_id = {variant.shop_variant_id: variant.pk for variant in variants}
    others = beside([*made, *otherwise])
    tally.changed += apply_locked(
        answers={
            by_shop_id[v.variant_id]: Count(v.variant_id, v.count, backorders=v.backorders)
            for p in here.values()
            for v in p.variants
        },
        read_no=read_no,
        told=told,
        variants={variant.pk: variant for variant in variants},
        made=[VariantStock(variant=variant) for variant in made],
        also=[other.pk for some in others.values() for other in some],
    )
    end_if_sold([*made, *otherwise], others, told=told)
    find_duplicates(seller_id=shop.seller_id, variants=[*made, *renamed], now=told.now)
    for gone in products:
        if isinstance(gone, ProductGone):
            tally.changed += product_gone(shop=shop, product_id=gone.product_id, told=told)
    point("products.before_commit")
    return selling.revision


def _keep(
    shop: Connection, here: Mapping[str, ShopProduct], selling: Rules, *, tally: Tally, told: Telling
) -> tuple[list[Variant], list[Variant], list[Variant], list[Variant]]:
    """The page's variants, those of them that are new, those with another SKU or barcode than before, and with another
    certificate.

    What is as it was is neither locked nor written; the rest is locked in id order, so that two pages with the same
    products don't deadlock.
    """
    owner = {v.variant_id: id_ for id_, product in here.items() for v in product.variants}
    seen, *found = ask(shop.listings.filter(shop_product_id__in=list(here)), *questions([shop.seller_id]))
    listings = {row.shop_product_id: row for row in seen}
    its = fillers_from([shop.seller_id], *found)[shop.seller_id]
    wanted_here, wanted = _wanted(here, {id_: row.by_hand for id_, row in listings.items()}, its, selling)
    kept = _kept(shop, [*listings.values()], wanted)
    at_hand: Values = {"shop": shop, "rules": selling, "listings": dict(listings), "owner": owner, "now": told.now}
    jumped = hold_jumps(kept=kept, wanted=wanted, wanted_here=wanted_here, **at_hand)
    home = {row.pk: id_ for id_, row in listings.items()}
    changed: dict[int, str] = {}
    renamed = {variant.pk for id_, variant in kept.items() if id_ in wanted and _names(variant) != _names(wanted[id_])}
    refilled = {
        v.pk for id_, v in kept.items() if id_ in wanted and certificate(v.facts) != certificate(wanted[id_]["facts"])
    }
    for id_, variant in kept.items():
        product = owner.get(id_) or home[variant.listing_id]
        if home.get(variant.listing_id) != product or _differs(variant, wanted.get(id_, _GONE)):
            changed[variant.pk] = product
    touched = {id_ for id_, row in listings.items() if _differs(row, wanted_here[id_])}
    # What happens to a variant is a change of its listing, too.
    touched |= {*changed.values(), *(owner[id_] for id_ in wanted.keys() - kept.keys()), *jumped.products}
    tally.changed, tally.new = tally.changed + len(touched & listings.keys()), tally.new + len(here) - len(listings)
    room = _room(shop, listings, wanted_here, now=told.now)
    rows = _locked(shop, [listings[id_] for id_ in touched & listings.keys()])
    if filled := {id_: row.by_hand for id_, row in rows.items() if row.by_hand != listings[id_].by_hand}:
        # The seller filled them between our reading and the lock.
        these, of_them = _wanted({id_: here[id_] for id_ in filled}, filled, its, selling)
        again = {id_: row for id_, row in kept.items() if id_ in of_them}
        jumped |= hold_jumps(kept=again, wanted=of_them, wanted_here=these, **at_hand)
        wanted_here, wanted = wanted_here | these, wanted | of_them
    write_jumps(jumped, shop=shop, told=told)
    listings |= _write_listings(rows, wanted_here, room, told=told)
    fresh_here = {id_: values for id_, values in wanted_here.items() if id_ not in listings}
    listings |= _new_listings(shop, fresh_here, room, now=told.now)
    tell_waiting(room, shop, told=told)
    if changed:
        locked = list(shop.variants.select_for_update(no_key=True, of=("self",)).filter(pk__in=changed).order_by("pk"))
        for variant in locked:
            _fill(variant, wanted.get(variant.shop_variant_id, _GONE))
            variant.listing = listings[changed[variant.pk]]
        update_rows(locked, _VARIANT)
        kept |= {variant.shop_variant_id: variant for variant in locked}
    fresh = [id_ for id_ in wanted if id_ not in kept]
    made = copy_in(
        [Variant(connection=shop, shop_variant_id=id_, **wanted[id_], listing=listings[owner[id_]]) for id_ in fresh]
    )
    for id_ in wanted.keys() & kept.keys():
        kept[id_].listing = listings[owner[id_]]
    return (
        [*(kept[id_] for id_ in wanted if id_ in kept), *made],
        [*made],
        [row for row in kept.values() if row.pk in renamed],
        [row for row in kept.values() if row.pk in refilled],
    )


def _kept(shop: Connection, listings: Sequence[Listing], wanted: Collection[str]) -> dict[str, Variant]:
    """The variants of these listings, and what moved here from another product."""
    kept = {row.shop_variant_id: row for row in shop.variants.filter(listing__in=listings)}
    if strange := [id_ for id_ in wanted if id_ not in kept]:
        kept |= {row.shop_variant_id: row for row in shop.variants.filter(shop_variant_id__in=strange)}
    return kept


Values = dict[str, Any]


def _wanted(
    here: Mapping[str, ShopProduct],
    by_hand: Mapping[str, Mapping[str, Sequence[str]]],
    its: Filler,
    selling: Rules,
) -> tuple[dict[str, Values], dict[str, Values]]:
    """What the listings, and the variants, shall be."""
    listings, variants = dict[str, Values](), dict[str, Values]()
    for id_, product in here.items():
        values = _of_product(product)
        values["not_chosen"] = selling.why_not(values["said"], product)
        own = [_of_variant(each, product, place, selling) for place, each in enumerate(product.variants)]
        values["lowest_minor"] = min((each["price_minor"] for each in own), default=None)
        filled = its.of(values["said"], [(each["options"], each["title"]) for each in own], by_hand.get(id_, {}))
        words = [*(each.sku for each in product.variants), *its.words(filled.listing)]
        listings[id_] = values | {"facts": filled.listing, "search": searchable(product.title, words)}
        for each, of_it, facts in zip(product.variants, own, filled.variants, strict=True):
            variants[each.variant_id] = of_it | {"facts": facts}
    return listings, variants


def _locked(shop: Connection, seen: Sequence[Listing]) -> dict[str, Listing]:
    """As they are now, by the product's id."""
    if not seen:
        return {}
    rows = shop.listings.select_for_update(no_key=True).filter(pk__in=[row.pk for row in seen]).order_by("pk")
    return {row.shop_product_id: row for row in rows}


def _write_listings(
    rows: Mapping[str, Listing], wanted: Mapping[str, Values], room: Room, *, told: Telling
) -> Mapping[str, Listing]:
    for id_, listing in rows.items():
        if listing.gone_in_shop:
            how = "The product is back in the shop."
            told.settle_by_fact(how=how, codes=(AlertCode.PRODUCT_DELETED,), listing=listing)
        before = wants_place(listing)
        _fill(listing, {**wanted[id_], "updated_at": told.now})
        settle_place(listing, before=before, room=room)
    update_rows([*rows.values()], _LISTING)
    return rows


def _room(shop: Connection, seen: Mapping[str, Listing], wanted: Mapping[str, Values], *, now: datetime) -> Room:
    """Asked for where a listing of this page may come to be on sale: its lock comes before those of the listings."""
    coming = limited(shop.seller) and any(id_ not in seen or not wants_place(seen[id_]) for id_ in wanted)
    return room_for(shop.seller, Quota.LISTINGS, now=now) if coming else Room(shop.seller, Quota.LISTINGS)


def _new_listings(shop: Connection, wanted: Mapping[str, Values], room: Room, *, now: datetime) -> dict[str, Listing]:
    left_out = set(shop.settings.get("left_out", []))
    made = [
        Listing(
            seller=shop.seller,
            connection=shop,
            shop_product_id=id_,
            created_at=now,
            updated_at=now,
            state=ListingState.LEFT_OUT if id_ in left_out else ListingState.LIVE,
            **{"currency": shop.currency, **values},
        )
        for id_, values in wanted.items()
    ]
    for listing in made:
        settle_place(listing, before=False, room=room)
    return {listing.shop_product_id: listing for listing in copy_in(made)}


_LISTING = (
    "state",
    "title",
    "description",
    "images",
    "currency",
    "active_in_shop",
    "gone_in_shop",
    "shop_url",
    "shop_reasons",
    "said",
    "facts",
    "search",
    "not_chosen",
    "lowest_minor",
    "shop_lowest_minor",
    "updated_at",
)


def _of_product(product: ShopProduct) -> Values:
    values = {
        "title": product.title[:300] or "Untitled",
        "description": product.description,
        "images": list(product.images)[:MOST_IMAGES],
        "active_in_shop": product.active,
        "gone_in_shop": False,
        "shop_url": product.url,
        "shop_reasons": list(product.reasons),
        "said": _said(product),
    }
    if not product.variants:
        return values | {"shop_lowest_minor": None}
    lowest = min(max(0, variant.price.minor) for variant in product.variants)
    return values | {"currency": product.variants[0].price.currency, "shop_lowest_minor": lowest}


def _said(product: ShopProduct) -> Values:
    """Nothing is kept of a shop that has neither."""
    said = {"tags": short(product.tags), "types": short(product.types)}
    return {name: words for name, words in said.items() if words}


_VARIANT = (
    *("listing", "sku", "title", "barcode", "image", "price_minor", "shop_price_minor", "position", "gone"),
    *("options", "facts"),
)
# A variant that its product no longer has, whatever its last count was.
_GONE = {"gone": True}


def _of_variant(value: ShopVariant, product: ShopProduct, position: int, selling: Rules) -> Values:
    # Some platforms repeat the product's name in each variant's; the listing says it already.
    own_words = value.title.removeprefix(product.title[:300] or "Untitled").strip(" -–,:")
    return {
        "sku": value.sku[:200],
        "title": own_words[:300],
        "barcode": value.barcode[:60],
        "image": value.image,
        **selling.priced(value.price),
        "position": position,
        "gone": False,
        "options": _options(value, product),
    }


def _options(value: ShopVariant, product: ShopProduct) -> list[list[str]]:
    """Its own, and what the shop says of the whole product under other names."""
    own = {folded(name) for name, _ in value.options}
    pairs = (*value.options, *(pair for pair in product.properties if folded(pair[0]) not in own))
    return [[name[:100], word[:LONGEST_WORD]] for name, word in pairs[:MOST_OPTIONS] if word]


def _differs(row: Model, values: Mapping[str, Any]) -> bool:
    return any(getattr(row, name) != value for name, value in values.items())


def _names(of: "Variant | Values") -> tuple[str, str]:
    return (of.sku, of.barcode) if isinstance(of, Variant) else (of["sku"], of["barcode"])


def _fill(row: Model, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def variants_gone(*, connection_id: int, variants: Iterable[str], told: Telling) -> None:
    """The shop was asked for these and does not know them any more; the product's next reading corrects it. A product
    without any variant left is gone.
    """
    shop = Connection.objects.select_related("seller").get(pk=connection_id)
    here = Variant.objects.filter(connection=shop, shop_variant_id__in=list(variants))
    listings = Listing.objects.filter(pk__in=list(here.values_list("listing", flat=True)))
    lock_in_order(listings)
    lock_in_order(here)
    here.update(gone=True)
    none_waits(shop=shop, variants=here, told=told)
    lowest_again(listings)
    for listing in listings.order_by("pk"):
        if not listing.variants.filter(gone=False).exists():
            product_gone(shop=shop, product_id=listing.shop_product_id, told=told)


def product_gone(*, shop: Connection, product_id: str, told: Telling) -> bool:
    """Archived, so that units and orders keep their place; the seller decides whether to list again when it comes
    back. False when it is no listing.
    """
    listing = (
        Listing.objects.select_for_update(no_key=True)
        .filter(connection=shop, shop_product_id=product_id, gone_in_shop=False)
        .first()
    )
    if listing is None:
        return False
    listing.gone_in_shop, listing.updated_at = True, told.now
    listing.save(update_fields=["gone_in_shop", "updated_at"])
    told.raise_alert(
        code=AlertCode.PRODUCT_DELETED,
        seller=shop.seller,
        connection=shop,
        listing=listing,
        sentence=(
            f"“{listing.title}” was deleted in {shop.name}. The listing is kept in your archive and comes back if the"
            " product does."
        ),
    )
    return True
