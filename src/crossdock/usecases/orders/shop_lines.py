"""Our lines and the lines of the shop's copy, matched once and kept (domain/parcels.py). The caller holds the order's
lock.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from crossdock.domain.events import OrderLine as ShopRow
from crossdock.domain.parcels import Bond, Ours, match, rows_of
from crossdock.store.models import Order, OrderLine, ShopLine


def ours_of(order: Order, lines: Sequence[OrderLine] | None = None) -> tuple[Ours, ...]:
    """`lines` where they are at hand."""
    return tuple(
        Ours(line.pk, line.shop_product_id, line.shop_variant_id, line.sku, line.kept, line.left)
        for line in (order.lines.all() if lines is None else lines)
    )


def bonds_of(order: Order) -> tuple[Bond, ...]:
    """What is kept; empty while the copy was never read."""
    rows = ShopLine.objects.filter(line__order=order)
    return tuple(Bond(row.line_id, row.shop_line_id, row.units) for row in rows)


def keep_lines(order: Order, rows: Sequence[ShopRow], lines: Sequence[OrderLine]) -> tuple[tuple[Bond, ...], bool]:
    """What is known of the copy's lines after this reading, and whether that is new; what is new is kept."""
    known = bonds_of(order)
    found = match(ours_of(order, lines), rows, known)
    for before, bond in zip(known, found, strict=False):
        if before != bond:
            ShopLine.objects.filter(line_id=bond.key, shop_line_id=bond.there).update(units=bond.units)
    ShopLine.objects.bulk_create(
        ShopLine(line_id=bond.key, shop_line_id=bond.there, units=bond.units) for bond in found[len(known) :]
    )
    return found, tuple(found) != known


def forget_lines(order: Order) -> None:
    """The order stands in the shop as another one now: its lines have other ids."""
    ShopLine.objects.filter(line__order=order).delete()


def article_of(lines: Sequence[OrderLine], bonds: Sequence[Bond]) -> dict[str, str]:
    """The shop's line id -> the variant that was sold, also when the shop does not know it any more."""
    variants = {line.pk: line.shop_variant_id for line in lines}
    return {bond.there: variants[bond.key] for bond in reversed(bonds)}


def rows_there(order: Order, units: Mapping[int, int]) -> tuple[tuple[str, int], ...]:
    """Units of our lines by the shop's line ids, out of what no parcel there has; empty when not all of them are known
    there.
    """
    taken = Counter[str]()
    for shipment in order.shipments.filter(undone_at=None):
        for told in shipment.there.values():
            taken.update(dict(told.get("lines") or ()))
    found = rows_of(units, bonds_of(order), taken)
    return tuple(found.items()) if sum(found.values()) == sum(units.values()) else ()
