"""A unit with a certificate of its own is one in the world: which other variants are it, and the end of a listing whose
unit was sold from another.
"""

from collections.abc import Collection, Mapping, Sequence

from django.db.models import F

from crossdock.domain.alerts import AlertCode
from crossdock.domain.goods import CERTIFICATE, certificate, same_unit
from crossdock.store.models import Order, OrderLine, Variant, VariantStock
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import locked, record


def is_one_of_a_kind(variant: Variant) -> bool:
    return bool(certificate(variant.facts)[0])


def same_units(
    variants: Sequence[Variant], *, seller_only: bool = True, gone: bool = False
) -> dict[int, list[Variant]]:
    """Of these, all with a certificate, the others that are the same unit by it: in the seller's other listings, or in
    anybody's; with `gone` also those that their shop has no more. One statement, over an index.
    """
    numbers = sorted({f"{CERTIFICATE}={certificate(variant.facts)[0]}" for variant in variants})
    found = Variant.objects.filter(facts__contains=[CERTIFICATE], facts__overlap=numbers) if numbers else None
    if found is None:
        return {}
    if seller_only:
        found = found.filter(listing__seller__in={variant.listing.seller_id for variant in variants})
    if not gone:
        found = found.filter(gone=False, listing__gone_in_shop=False)
    rows = list(found.select_related("listing__seller", "connection__party", "stock").order_by("pk"))
    return {variant.pk: [row for row in rows if _same(row, variant, seller_only)] for variant in variants}


def _same(row: Variant, variant: Variant, seller_only: bool) -> bool:
    mine = not seller_only or row.listing.seller_id == variant.listing.seller_id
    return row.pk != variant.pk and mine and same_unit(row.facts, variant.facts)


def beside(variants: Sequence[Variant]) -> dict[int, list[Variant]]:
    """What the same seller has, or had, of the unit of each that has a certificate: to be locked with them."""
    return same_units([variant for variant in variants if is_one_of_a_kind(variant)], gone=True)


def end_if_sold(variants: Sequence[Variant], others: Mapping[int, Collection[Variant]], *, told: Telling) -> None:
    """These appeared, or got their certificate, and their seller sold the unit here from one of `others`, whose rows
    are locked: so an order of it that is being written is known. One that was cancelled sold nothing, and
    of one with a return the unit may be back.
    """
    about = {other.pk for some in others.values() for other in some}
    lines = OrderLine.objects.filter(variant__in=about, order__cancelled_at=None, rejected__lt=F("quantity"))
    lines = lines.filter(order__returns=None) if about else lines.none()
    sold = {line.variant_id: line for line in lines.select_related("order", "variant__connection").order_by("pk")}
    if not sold:
        return
    rows = locked([variant.pk for variant in variants], "variant__listing__seller")
    for variant in variants:
        line = next((sold[other.pk] for other in others.get(variant.pk, ()) if other.pk in sold), None)
        if line is not None and variant.pk in rows:
            end_listing(rows[variant.pk], line.variant, line.order, told=told)


def end_listing(row: VariantStock, sold: Variant, order: Order, *, told: Telling) -> None:
    """Its unit was sold from another listing, by the same seller or by somebody else. Its row is locked."""
    other, number = row.variant, certificate(sold.facts)[0]
    place = other.connection.name if other.connection else "your listings made by hand"
    if other.listing.seller_id == order.seller_id:
        where = sold.connection.name if sold.connection else "a listing made by hand"
        why = f"Sold as order #{order.number}"
        sentence = (
            f"“{other}”, certificate {number}, was sold from {where} as order #{order.number}. Its listing from"
            f" {place} ended here at once. Take it off there as well, so that nobody buys it there."
        )
    else:
        why = "Another seller sold this certificate"
        sentence = (
            f"Another seller sold a unit with the certificate {number}, which “{other}” from {place} names as well. It"
            " is not sold here until you have looked at yours and confirmed its count."
        )
    row.aside_why = why
    row.save(update_fields=["aside_why"])
    record(variant_id=row.pk, now=told.now, kind="set_aside", cause=why.lower())
    told.raise_alert(
        code=AlertCode.SOLD_ELSEWHERE,
        seller=other.listing.seller,
        listing=other.listing,
        connection=other.connection,
        key=f"variant:{row.pk}",
        evidence={"certificate": number, "variant": other.public_id},
        sentence=sentence,
    )
