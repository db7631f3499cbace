"""Whether the marketplace's protection covers an order, from its parcels, labels and holds. Nothing here writes."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import OuterRef, Subquery

from crossdock.domain.earnings.protection import Facts, Parcel, Verdict, verdict
from crossdock.domain.labels import TrackStatus
from crossdock.domain.orders import ParcelState
from crossdock.domain.payments import DisputeState
from crossdock.store.models import Label, LostDispute, Order, RiskPolicy, Shipment, TimelineEntry
from crossdock.store.models.risk import RiskChoice
from crossdock.usecases.accounts.working_days import due_now
from crossdock.usecases.money.rounds import TOLD

_SAME_PLACE = ("line1", "city", "postal_code", "country")


def covered(order: Order, lost: LostDispute | None, *, now: datetime) -> Verdict:
    """`lost` is the order's last dispute that was lost, if there is one; without one the bank's word for a dispute that
    runs counts.
    """
    return verdict(facts_of(order, lost.reason if lost else "", now=now), now=now)


def facts_of(order: Order, reason: str = "", *, now: datetime) -> Facts:
    """Two statements."""
    told = TimelineEntry.objects.filter(order=OuterRef("pk"), kind=TOLD).order_by("-pk").values("evidence")[:1]
    sent = list(Shipment.objects.filter(order=order, undone_at=None).select_related("label").order_by("pk"))
    rule = RiskPolicy.objects.filter(changed_at__lte=OuterRef("placed_at")).order_by("-pk").values("choice")[:1]
    risk = Order.objects.filter(pk=order.pk).values_list(
        "risk_hold", "risk_hold__cleared_at", Subquery(rule), Subquery(told)
    )
    ((hold, free, chosen, dispute),) = risk
    runs = dispute is not None and dispute.get("state") in (DisputeState.ASKED, DisputeState.TAKEN)
    # When it left is the seller's own word: it counts from when we heard of it, if that is later.
    left = [max(parcel.shipped_at, parcel.heard_at or parcel.shipped_at) for parcel in sent]
    return Facts(
        ship_by=due_now(order, now=now),
        shipped_at=max(left) if left and order.parcels == ParcelState.SHIPPED else None,
        cancelled=order.cancelled_at is not None,
        held=hold is not None and free is None,
        left_held=hold is not None and any(free is None or at < free for at in left),
        parcels=tuple(_parcel(parcel, order) for parcel in sent),
        fraud_ours=chosen == RiskChoice.GUARANTEE,
        reason=reason or (str(dispute.get("reason", "")) if runs else ""),
        calendar=order.seller.calendar,
    )


def _parcel(parcel: Shipment, order: Order) -> Parcel:
    label: Label | None = getattr(parcel, "label", None)
    if label is None:
        return Parcel(parcel.tracking_number, heard=False, scanned=False, to_order=None)
    scanned = any(event["status"] not in (TrackStatus.MADE, TrackStatus.TROUBLE) for event in label.events)
    return Parcel(parcel.tracking_number, True, scanned, _same_place(label.wanted.get("ship_to"), order.ship_to))


def _same_place(sent_to: Mapping[str, str] | None, paid: Mapping[str, str]) -> bool | None:
    """None once one of them was taken out at a buyer's request."""
    if not sent_to or not sent_to.get("line1") or not paid.get("line1"):
        return None
    return all(_plain(sent_to.get(name)) == _plain(paid.get(name)) for name in _SAME_PLACE)


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()
