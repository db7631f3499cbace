"""What a carrier says about labels: bought, refused, taken back, on the way, delivered. Money moves in the books once
per label, whoever repeats what.

A label that was bought after its order had ended is kept and paid; its seller is told to void it.
"""

from datetime import datetime
from random import Random

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Done, Outcome, Refused, Unknown
from crossdock.domain.labels import (
    BUYING,
    PAID,
    STATUS_WORDS,
    Bought,
    Form,
    LabelStanding,
    LabelState,
    TrackEvent,
    TrackStatus,
    VoidState,
    meant,
)
from crossdock.domain.mails.orders import PARCEL_BACK, PARCEL_WAITS
from crossdock.domain.mails.words import Joined, Words
from crossdock.store.models import Command, Label, LabelDocument, Order
from crossdock.usecases.errors import Problem
from crossdock.usecases.labels.runs import told_rows
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.orders.actions import ship_by_hand, take_back
from crossdock.usecases.orders.parcel_alerts import label_voided
from crossdock.usecases.orders.parcels import tracked_by
from crossdock.usecases.outbox.payloads import LABEL
from crossdock.usecases.outcomes.settle import settle_command
from crossdock.usecases.record.telling import Telling, telling

# What a buyer has to know without looking: one mail each per parcel.
_MAILED = {
    TrackStatus.READY_FOR_PICKUP: PARCEL_WAITS,
    TrackStatus.RETURNED: PARCEL_BACK,
}


def settle_label(*, command_id: int, answer: Bought | Outcome, random: Random, now: datetime) -> None:
    """The command and its label in one transaction.

    A purchase counts whoever heard of it first; a refusal only while nothing was bought.
    """
    with telling(now) as told:
        row = Command.objects.get(pk=command_id)
        label = _locked(LABEL.validate_python(row.payload).label)
        outcome = Done(answer.ref, shop_number=answer.tracking_number) if isinstance(answer, Bought) else answer
        settle_command(command_id=command_id, outcome=outcome, random=random, now=now, told=told)
        if row.kind == CommandKind.VOID_LABEL:
            if isinstance(answer, Refused):
                _void_refused(label, answer.sentence, told=told)
        elif isinstance(answer, Bought):
            _bought(label, answer, told=told)
        elif isinstance(answer, Refused):
            _refused(label, answer.sentence, told=told)
        elif label.state in BUYING:
            label.state = LabelState.UNKNOWN if isinstance(answer, Unknown) else label.state
            label.sentence = getattr(answer, "sentence", "")
            label.save(update_fields=["state", "sentence"])


def asking(*, label_id: str, now: datetime) -> None:
    """Written down before the carrier is asked to sell."""
    Label.objects.filter(public_id=label_id).update(asked_at=now, asked_until=None)


def asked(*, label_id: str, now: datetime) -> None:
    """The asking is over, and nobody knows how it ended."""
    Label.objects.filter(public_id=label_id).update(asked_until=now)


def _locked(public_id: str) -> Label:
    """The order's lock comes first."""
    label = Label.objects.select_related("order").get(public_id=public_id)
    order = locked_order(label.order)
    label = Label.objects.select_for_update(no_key=True).get(pk=label.pk)
    label.order = order
    return label


def _bought(label: Label, answer: Bought, *, told: Telling) -> None:
    now = told.now
    if label.state not in (*BUYING, LabelState.REFUSED):
        return
    order, shown = label.order, label.price
    label.state, label.carrier_ref, label.bought_at, label.sentence = LabelState.BOUGHT, answer.ref, now, ""
    label.carrier, label.service = answer.carrier[:80], answer.service[:80]
    label.tracking_number, label.tracking_url = answer.tracking_number[:500], answer.tracking_url
    label.price_minor, label.currency = answer.price.minor, answer.price.currency
    label.save()
    books.post(
        cause=f"label:{label.reference}",
        order=order,
        sentence=f"Label {label.tracking_number} for order {order}",
        now=now,
        currency=label.currency,
        entries={
            books.seller_account(label.seller_id): label.price_minor,
            f"carrier:{label.provider}": -label.price_minor,
        },
    )
    other = f", not {shown} as shown" if shown != label.price else ""
    told.tell(
        order=order,
        source="carrier",
        kind="label_bought",
        evidence={"label": label.public_id, "tracking": label.tracking_number},
        sentence=f"A label was bought: {label.carrier} {label.service} for {label.price.words}{other}.",
    )
    _enter_parcel(label, told=told)
    told_rows(label, now=now)


def _enter_parcel(label: Label, *, told: Telling) -> None:
    """The same way as by hand, so that buyer and shop hear of it.

    What ended meanwhile is not shipped: the label is there to be voided.
    """
    order = label.order
    left = {line.pk: line.left for line in order.lines.all()}
    units = {int(pk): min(n, left.get(int(pk), 0)) for pk, n in label.lines.items()}
    try:
        shipment = ship_by_hand(
            order=order,
            lines=units,
            tracking=label.tracking_number,
            carrier=label.carrier,
            # In the seller's name: staff who bought it for them may have left since.
            actor=order.seller.owner,
            now=told.now,
            told=told,
            key=f"label-{label.public_id}",
        )
    except Problem as why:
        told.raise_alert(
            code=AlertCode.LABEL_UNUSED,
            seller=order.seller,
            order=order,
            connection=order.connection,
            key=unused_key(label),
            evidence={"label": label.public_id, "tracking": label.tracking_number},
            sentence=(
                f"Order {order}: the label {label.tracking_number} was bought for {label.price.words}, but"
                f" nothing can be shipped with it. {why} Void the label to get its price back."
            ),
        )
        return
    label.shipment = shipment
    label.save(update_fields=["shipment"])
    order.refresh_from_db()


def unused_key(label: Label) -> str:
    return f"label_unused:{label.pk}"


def _refused(label: Label, sentence: str, *, told: Telling) -> None:
    if label.state not in BUYING:
        return
    label.state, label.sentence = LabelState.REFUSED, sentence
    label.save(update_fields=["state", "sentence"])
    told_rows(label, now=told.now)
    told.tell(
        order=label.order,
        source="carrier",
        kind="label_refused",
        evidence={"label": label.public_id},
        sentence=f"No label was bought, and nothing was charged: {sentence}",
    )


def _void_refused(label: Label, sentence: str, *, told: Telling) -> None:
    if label.state != LabelState.VOIDING:
        return
    label.state, label.sentence = LabelState.VOID_REFUSED, sentence
    label.save(update_fields=["state", "sentence"])
    told.tell(
        order=label.order,
        source="carrier",
        kind="label_void_refused",
        evidence={"label": label.public_id},
        sentence=f"The label {label.tracking_number} was not taken back: {sentence}",
    )


def receive_standing(*, public_id: str, standing: LabelStanding, now: datetime) -> None:
    """A bought label as the carrier sees it. Told twice, late or in another order it is the same."""
    with telling(now) as told:
        label = _locked(public_id)
        if label.state not in PAID:
            return
        label.read_at = now
        _follow(label, standing.events, told=told)
        label.save(update_fields=["read_at", "events", "delivered_at", "returned_at", "back_at"])
        match standing.void:
            case VoidState.DONE:
                _voided(label, told=told)
            case VoidState.REFUSED:
                _void_refused(label, standing.sentence or "The carrier gives no money back for it.", told=told)
            case VoidState.ASKED if label.state != LabelState.VOIDING:
                # Asked for at the carrier's own site, or again after a refusal.
                label.state, label.void_asked_at = LabelState.VOIDING, now
                label.save(update_fields=["state", "void_asked_at"])
            case _:
                pass


def _follow(label: Label, events: tuple[TrackEvent, ...], *, told: Telling) -> None:
    """The story so far with what is new in it, read as a whole: that a parcel turned around may be told late."""
    known = {event["key"]: event for event in label.events}
    last = label.events[-1]["status"] if label.events else TrackStatus.MADE
    new = [(event.key, event) for event in events if event.key not in known]
    before = [(key, _event(kept)) for key, kept in known.items()]
    story = sorted((*before, *new), key=lambda pair: pair[1].at)
    meaning = meant(event for _, event in story)
    label.events = [_kept(key, event, what) for (key, event), what in zip(story, meaning, strict=True)]
    label.delivered_at = _first(meaning, TrackStatus.DELIVERED)
    label.returned_at, label.back_at = _first(meaning, TrackStatus.RETURNED), _first(meaning, TrackStatus.BACK)
    fresh = {key for key, _ in new}
    changed = {
        now["key"] for now in label.events if now["key"] in known and now["status"] != known[now["key"]]["status"]
    }
    for (key, _), event in zip(story, meaning, strict=True):
        # Ten scans on the way are one piece of news.
        if key in fresh | changed and event.status not in (last, TrackStatus.MADE):
            _tell_event(label, event, told=told)
        if key in fresh | changed:
            last = str(event.status)


def _first(events: tuple[TrackEvent, ...], status: TrackStatus) -> datetime | None:
    return next((event.at for event in events if event.status is status), None)


def _event(kept: dict[str, str]) -> TrackEvent:
    at = datetime.fromisoformat(kept["at"])
    return TrackEvent(TrackStatus(kept["status"]), at, kept["place"], kept["sentence"])


def _kept(key: str, event: TrackEvent, meaning: TrackEvent) -> dict[str, str]:
    """What the carrier said is kept; where it means something else to the buyer, that stands first."""
    words = STATUS_WORDS[meaning.status]
    sentence = event.sentence or words
    if meaning.status is not event.status:
        sentence = f"{words} The carrier says: {sentence}"
    return {
        "key": key,
        "status": str(meaning.status),
        "at": event.at.isoformat(),
        "place": event.place[:120],
        "sentence": sentence[:300],
    }


def _tell_event(label: Label, event: TrackEvent, *, told: Telling) -> None:
    order, place = label.order, f" ({event.place})" if event.place else ""
    words = f"{STATUS_WORDS[event.status]}{place}"
    told.tell(
        order=order,
        source="carrier",
        kind="tracking",
        public=True,
        sentence=f"{words} {label.carrier} {label.tracking_number}",
        evidence={"label": label.public_id, "at": event.at.isoformat()},
    )
    if kind := _MAILED.get(event.status):
        told.write_letter(
            cause=f"parcel:{label.reference}:{event.status}",
            order=order,
            letter=kind.letter(
                number=order.number,
                state=Joined((Words(STATUS_WORDS[event.status], {}), place.strip(), event.sentence)),
                tracking=tracked_by(f"{label.carrier} {label.tracking_number}".strip(), label.tracking_url),
            ),
        )


def _voided(label: Label, *, told: Telling) -> None:
    """The carrier gives the price back, once.

    A parcel that its seller called back has not left; one that the carrier voided by itself is an alert.
    """
    now = told.now
    order, asked = label.order, label.state == LabelState.VOIDING
    label.state, label.voided_at, label.sentence = LabelState.VOIDED, now, ""
    label.save(update_fields=["state", "voided_at", "sentence"])
    books.post(
        cause=f"label_void:{label.reference}",
        order=order,
        sentence=f"Label {label.tracking_number} voided",
        now=now,
        currency=label.currency,
        entries={
            f"carrier:{label.provider}": label.price_minor,
            books.seller_account(label.seller_id): -label.price_minor,
        },
    )
    if asked:
        _take_back_parcel(label, order, told=told)
    why = "as you asked" if asked else "by the carrier"
    label_voided(order=order, tracking=label.tracking_number, why=why, told=told)
    told.settle_by_fact(
        how="The label was voided.", codes=(AlertCode.LABEL_UNUSED,), order=order, key=unused_key(label)
    )


def _take_back_parcel(label: Label, order: Order, *, told: Telling) -> None:
    parcel = label.shipment
    if parcel is not None and parcel.undone_at is None and parcel.tracking_number == label.tracking_number:
        sentence = f"The label {label.tracking_number} was voided before the parcel left; it gets another one."
        take_back(order=order, shipment=parcel, sentence=sentence, told=told)


def label_of_news(*, provider: str, carrier_ref: str) -> str | None:
    """The label that a carrier said something about; None when it is none of ours (any more)."""
    rows = Label.objects.filter(provider=provider, carrier_ref=carrier_ref, state__in=PAID)
    return rows.values_list("public_id", flat=True).first()


def under_way(*, provider: str, not_read_since: datetime, limit: int) -> list[str]:
    """Bought labels whose story is not over, longest unread first."""
    rows = Label.objects.filter(provider=provider, state__in=PAID, delivered_at=None, back_at=None).exclude(
        read_at__gt=not_read_since
    )
    return list(rows.order_by("read_at", "pk").values_list("public_id", flat=True)[:limit])


def providers_under_way() -> list[str]:
    rows = Label.objects.filter(state__in=PAID, delivered_at=None, back_at=None)
    return list(rows.values_list("provider", flat=True).distinct().order_by("provider"))


def keep_document(*, label: Label, form: Form, content: bytes) -> None:
    LabelDocument.objects.update_or_create(label=label, form=form, defaults={"content": content})


def document_of(*, label: Label, form: Form) -> bytes | None:
    """What was kept when the label was bought; None when it has to be asked for."""
    row = LabelDocument.objects.filter(label=label, form=form).first()
    return bytes(row.content) if row else None
