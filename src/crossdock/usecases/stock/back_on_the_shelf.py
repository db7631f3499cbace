"""Units that came back are for sale again: in the shop by a correction of its count, sent once; in a count that is kept
here at once. Everything that a return changes of the stock is here.
"""

from collections.abc import Mapping

from crossdock.domain.capability import Manifest
from crossdock.domain.commands import AdjustStock
from crossdock.store.models import Order, Variant
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.outbox.queue import adjust_stock_command
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import locked, record, want_reads
from crossdock.usecases.stock.restore import offer_to_list_again, why_not_correct


def why_not_restock(variant: Variant, manifest: Manifest | None) -> str:
    """Empty when a unit of it can be put back from here."""
    return "" if variant.connection_id is None else why_not_correct(variant=variant, manifest=manifest)


def restock(*, order: Order, units: Mapping[Variant, int], key: str, manifest: Manifest | None, told: Telling) -> None:
    """`key` names the return: once for each variant of it. The shop's number is known by its next read (rule 5); what
    became of a correction whose answer was lost, a person compares (rule 10).

    Raises NotAllowed where the shop's count cannot be changed from here.
    """
    rows = locked(variant.pk for variant in units)
    for variant, many in sorted(units.items(), key=lambda pair: pair[0].pk):
        if why := why_not_restock(variant, manifest):
            raise NotAllowed(f"“{variant}” cannot be put back from here: {why}")
        row = rows[variant.pk]
        if variant.connection is not None:
            command = AdjustStock(
                variant.listing.shop_product_id,
                variant.shop_variant_id,
                many,
                f"{key}:{variant.public_id}",
                f"order {order}: came back",
            )
            adjust_stock_command(party=variant.connection.party, command=command, subject=order.reference, now=told.now)
            record(variant_id=row.pk, now=told.now, kind="correction", cause=f"{order} came back", quantity=many)
        else:
            before, row.count = row.count, (row.count or 0) + many
            row.save(update_fields=["count"])
            record(
                variant_id=row.pk,
                now=told.now,
                kind="came_back",
                cause=f"order #{order.number}",
                order=order,
                before=before,
                after=row.count,
            )
    offer_to_list_again(order=order, variants=units, told=told)


def returned_in_shop(variants: Mapping[Variant, int]) -> None:
    """The seller enters the return in their shop, so only its count is read again."""
    rows = locked(variant.pk for variant in variants if variant.connection_id is not None)
    if rows:
        want_reads(rows=rows)
