"""What a seller is asked about parcels that left: a number that is missing, one that nobody can follow, a label that
was voided after all.

Asked again after every change of a parcel, so that the answer settles the question whoever gave it.
"""

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import Alert, Order, Shipment
from crossdock.usecases.record.telling import Telling


def ask_about_parcels(*, order: Order, told: Telling) -> None:
    """The caller holds the order's lock."""
    parcels = list(order.shipments.filter(undone_at=None).order_by("pk"))
    bare = [parcel for parcel in parcels if not parcel.tracking_number]
    # A carrier's name is enough for a buyer to look it up; the number alone is not.
    strange = [parcel for parcel in parcels if parcel.tracking_number and not (parcel.carrier or parcel.tracking_url)]
    _ask(
        AlertCode.TRACKING_MISSING,
        order,
        bare,
        "A tracking number came.",
        told=told,
        sentence=(
            f"Order {order} was marked shipped without a tracking number. Add it so that the buyer can follow the"
            " parcel."
        ),
    )
    numbers = ", ".join(parcel.tracking_number for parcel in strange)
    _ask(
        AlertCode.TRACKING_UNKNOWN,
        order,
        strange,
        "The parcel can be followed now.",
        told=told,
        sentence=(
            f"Order {order}: no carrier that we know has numbers like {numbers}, so the buyer cannot follow the parcel."
            " Check the number, or name the carrier."
        ),
    )
    numbered = {parcel.tracking_number for parcel in parcels}
    for alert in order.alerts.filter(code=AlertCode.LABEL_VOIDED, settled_at=None):
        if alert.evidence.get("tracking") not in numbered:
            how = "The parcel has another number, or was undone."
            told.settle_by_fact(how=how, codes=(AlertCode.LABEL_VOIDED,), order=order, key=_label_key(order, alert))


def _ask(code: AlertCode, order: Order, parcels: list[Shipment], how: str, *, sentence: str, told: Telling) -> None:
    if not parcels:
        told.settle_by_fact(how=how, codes=(code,), order=order)
        return
    told.raise_alert(
        code=code,
        seller=order.seller,
        order=order,
        connection=order.connection,
        sentence=sentence,
        evidence={"parcels": [parcel.pk for parcel in parcels]},
        if_changed=True,
    )


def _label_key(order: Order, alert: Alert) -> str:
    return f"label:{order.pk}:{alert.evidence['tracking']}"


def label_voided(*, order: Order, tracking: str, why: str, told: Telling) -> None:
    """A bought label is not valid any more, by whoever's doing.

    Only a parcel that left with it needs its seller. The caller holds the order's lock.
    """
    told.tell(
        order=order,
        source="carrier",
        kind="label_voided",
        sentence=f"The label {tracking} was voided: {why}",
        evidence={"tracking": tracking},
    )
    left = order.shipments.filter(undone_at=None, tracking_number=tracking).first()
    if left is not None:
        told.raise_alert(
            code=AlertCode.LABEL_VOIDED,
            seller=order.seller,
            order=order,
            connection=order.connection,
            key=f"label:{order.pk}:{tracking}",
            evidence={"tracking": tracking, "parcels": [left.pk]},
            sentence=(
                f"Order {order}: the label {tracking} was voided ({why}), but a parcel was shipped with it. The carrier"
                " will not take it, or charges for it again. Give the parcel the number that it travels with."
            ),
        )
