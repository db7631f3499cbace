"""An order as the API shows it.

Reads only what `orders()` has fetched, so a page of fifty asks as often as a page of one.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from crossdock.domain.values import Money as Amount
from crossdock.store.models import Order, OrderLine, Shipment, ShipmentLine, ShopCopy, TimelineEntry
from crossdock.store.together import ask
from crossdock.web.api.people import mine
from crossdock.web.api.shapes import CopyOut, EntryOut, Money, OrderLineOut, OrderOut, ParcelOut, RiskOut


def orders(request: HttpRequest) -> QuerySet[Order]:
    """Those that this token may see, with all that the answer shows. Newest first."""
    found = mine(Order, request).select_related("seller__owner", "copy")
    return found.prefetch_related("lines__variant", "shipments__lines", "timeline").order_by("-pk")


def order_of(request: HttpRequest, name: str) -> Order:
    """By its id, or by the reference that shops and people keep (CD-…): ids have no hyphen."""
    column = "reference" if "-" in name else "public_id"
    of, of_parcel = {f"order__{column}": name}, {f"shipment__order__{column}": name}
    found, *children = ask(
        mine(Order, request).filter(**{column: name}).select_related("seller__owner", "copy"),
        mine(OrderLine, request).filter(**of).select_related("variant"),
        mine(Shipment, request).filter(**of),
        mine(ShipmentLine, request).filter(**of_parcel).order_by("pk"),
        mine(TimelineEntry, request).filter(**of),
    )
    if not found:
        raise Http404
    return _whole(found[0], *children)


def _whole(
    order: Order,
    lines: list[OrderLine],
    parcels: list[Shipment],
    inside: list[ShipmentLine],
    entries: list[TimelineEntry],
) -> Order:
    """With its rows, as `prefetch_related` would have put them there, with a question for each."""
    _put(order, "lines", lines)
    _put(order, "shipments", parcels)
    _put(order, "timeline", entries)
    for parcel in parcels:
        _put(parcel, "lines", [line for line in inside if line.shipment_id == parcel.pk])
    return order


def _put(parent: Any, name: str, rows: list[Any]) -> None:
    known = getattr(parent, name).all()
    known._result_cache, known._prefetch_done = rows, True
    vars(parent).setdefault("_prefetched_objects_cache", {})[name] = known


def order_out(order: Order) -> dict[str, Any]:
    """Plain JSON values, so that it can be kept for a repeated request."""
    return OrderOut(
        id=order.public_id,
        number=order.number,
        reference=order.reference,
        seller=order.seller.slug,
        money=order.money,
        parcels=order.parcels,
        items=Money.of(order.items),
        shipping=Money.of(order.shipping),
        total=Money.of(order.total),
        credited=Money.of(order.credited),
        ship_to=order.ship_to,
        placed_at=order.placed_at,
        ship_by=order.ship_by,
        cancelled_at=order.cancelled_at,
        lines=_lines(order),
        shipments=_parcels(order),
        shop_copy=_copy(getattr(order, "copy", None)),
        risk=_risk(order),
        timeline=_timeline(order),
    ).model_dump(mode="json")


def _lines(order: Order) -> list[OrderLineOut]:
    return [
        OrderLineOut(
            id=line.pk,
            variant=line.variant.public_id,
            title=line.title,
            sku=line.sku,
            quantity=line.quantity,
            shipped=line.shipped,
            rejected=line.rejected,
            unit_price=Money.of(Amount(line.unit_price_minor, order.currency)),
        )
        for line in order.lines.all()
    ]


def _parcels(order: Order) -> list[ParcelOut]:
    return [
        ParcelOut(
            id=parcel.pk,
            tracking_number=parcel.tracking_number,
            carrier=parcel.carrier,
            tracking_url=parcel.tracking_url,
            shipped_at=parcel.shipped_at,
            source="shop" if parcel.source == "shop" else "seller",
            lines=[{"line": item.line_id, "quantity": item.quantity} for item in parcel.lines.all()],
        )
        for parcel in order.shipments.all()
        if parcel.undone_at is None
    ]


def _copy(copy: ShopCopy | None) -> CopyOut | None:
    if copy is None:
        return None
    return CopyOut(
        state=copy.state,
        shop_order_id=copy.shop_order_id,
        shop_number=copy.shop_number,
        shop_url=copy.shop_url,
        intended_at=copy.intended_at,
        sent_at=copy.sent_at,
        acknowledged_at=copy.acknowledged_at,
        equal_at=copy.equal_at,
        differences=copy.differences,
        sentence=copy.sentence,
    )


def _risk(order: Order) -> RiskOut:
    reasons = [str(reason["sentence"]) for reason in order.risk_reasons]
    return RiskOut(level=order.risk, available=order.risk_available, asked=order.risk_asked, reasons=reasons)


def _timeline(order: Order) -> list[EntryOut]:
    entries = order.timeline.all()
    return [EntryOut(at=entry.at, source=entry.source, kind=entry.kind, sentence=entry.sentence) for entry in entries]
