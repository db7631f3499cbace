"""S2: a label bought here goes only to the US and has no insurance; lifted, it crosses borders and can be insured.

What was sold is counted in the carrier's own list.
"""

import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import DESCRIBED, LIFTED, PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.carriers.sandbox.carrier import Hand
    from crossdock.kit.connector import Hook
    from crossdock.store.models import Label, Order


def _hand() -> "Hand":
    from crossdock.carriers.sandbox.carrier import Hand, SandboxCarrier
    from crossdock.web.carriers import carrier_named

    carrier = carrier_named("sandbox")
    assert isinstance(carrier, SandboxCarrier)
    return Hand(carrier)


def _asked(order: "Order", **more: Any) -> "Label":
    """The form with the parcel, and the prices that come back."""
    from crossdock.domain.labels import Parcel
    from crossdock.usecases.labels import purchase
    from crossdock.web import carriers

    carrier = carriers.carrier_named("sandbox")
    wanted, lines = purchase.shipment_for(
        order=order, parcel=Parcel(120, 180, 130, 20), can=carrier.can, carrier=carrier.label, **more
    )
    return purchase.keep_quotes(
        order=order,
        by=order.seller.owner,
        provider=carrier.name,
        wanted=wanted,
        lines=lines,
        quotes=carriers.prices(wanted),
        now=now(),
    )


def _bought(stage: Stage, label: "Label") -> "Label":
    """The cheapest is pressed twice, and carried out by the worker."""
    from crossdock.store.models import Label
    from crossdock.usecases.labels import purchase

    for _ in range(2):
        purchase.buy_label(
            order=label.order,
            by=label.seller.owner,
            token=label.public_id,
            quote_ref=label.quotes[0]["ref"],
            can=_hand().carrier.can,
            now=now(),
        )
    mine = Label.objects.filter(pk=label.pk)
    stage.trial.until(lambda: mine.get().state == "bought", PATIENCE, "the label")
    return mine.select_related("order", "seller__owner").get()


def _booked(label: "Label") -> list[int]:
    """What the books say that the carrier is owed for this order's labels."""
    from crossdock.store.models import Entry

    rows = Entry.objects.filter(account="carrier:sandbox", transfer__order=label.order)
    return [-minor for minor in rows.order_by("pk").values_list("amount_minor", flat=True)]


def _tell(stage: Stage, hook: "Hook") -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{stage.trial.port}/hooks/carrier/sandbox", data=hook.body, headers=dict(hook.headers)
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server on this machine
        assert answer.status == 200


def _refusal(order: "Order", **more: Any) -> str:
    from crossdock.usecases.errors import NotAllowed

    try:
        _asked(order, **more)
    except NotAllowed as no:
        return str(no)
    return ""


def _ships_from(stage: Stage) -> None:
    from crossdock.domain.values import Address
    from crossdock.usecases.labels import purchase

    start = Address(stage.seller.name, "5 Market St", "Austin", "US", "78701", region="TX")
    purchase.set_ship_from(seller=stage.seller, address=start, now=now())


def described(stage: Stage) -> None:
    """Refused before money moves; bought once though the answer was lost; followed; taken back."""
    from crossdock.domain.labels import TrackStatus
    from crossdock.domain.values import Money
    from crossdock.store.models import Label, Mail
    from crossdock.usecases.labels import purchase

    hand = _hand()
    _ships_from(stage)
    _, variant = stage.item(5, "10.00")
    order = stage.buy(variant)
    stage.lands(order)
    insured = _refusal(order, insured=Money(2000, "USD"))
    home, order.ship_to = order.ship_to, {**order.ship_to, "country": "DE", "region": "", "postal_code": "10115"}
    abroad, order.ship_to = _refusal(order), home
    none = not any(row.reference.startswith(order.reference) for row in hand.sold())
    stage.see("no extra insurance" in insured and none, "S2", f"refused before money moves: {insured}", DESCRIBED)
    stage.see("only to the US" in abroad and none, "S2", f"refused before money moves: {abroad}", DESCRIBED)
    hand.dial(lost=1.0)
    try:
        label = _bought(stage, _asked(order))
    finally:
        hand.calm()
    sold = [row for row in hand.sold() if row.reference.startswith(order.reference)]
    stage.see(
        len(sold) == 1 and _booked(label) == [sold[0].minor] == [label.price_minor],
        "S2",
        f"pressed twice, the carrier's answer lost: sold once in its list, booked once at {label.price}",
        DESCRIBED,
    )
    mail = Mail.objects.filter(order=order, to=order.buyer.email, body__contains=label.tracking_number)
    stage.see(mail.count() == 1, "S2", "the buyer has the tracking number", DESCRIBED)
    for hours, status in enumerate((TrackStatus.ACCEPTED, TrackStatus.DELIVERED)):
        hook = hand.move(label.tracking_number, status, now() + timedelta(hours=hours))
        for _ in range(2):
            _tell(stage, hook)
    mine = Label.objects.filter(pk=label.pk)
    stage.trial.until(lambda: mine.get().delivered_at is not None, PATIENCE, "the delivery to be told")
    told = order.timeline.filter(kind="tracking", source="carrier").count()
    stage.see(told == 2, "S2", "told twice by the carrier, written once: accepted, delivered", DESCRIBED)
    other = _bought(stage, _asked(stage.buy(variant)))
    purchase.void_label(label=other, by=other.seller.owner, now=now())
    gone = Label.objects.filter(pk=other.pk, state="voided")
    stage.trial.until(gone.exists, PATIENCE, "the label to be taken back")

    def back() -> bool:
        """Once the shop was told and read again: a reading that began before may show the parcel once more."""
        other.order.refresh_from_db()
        unshipped = sum(_booked(other)) == 0 and other.order.parcels == "unshipped"
        return unshipped and stage.copy_is(other.order, "equal", "differs")

    stage.trial.until(back, PATIENCE, "its price and its parcel to be back")
    stage.see(back(), "S2", "a voided label's price is back, its parcel is to be shipped", DESCRIBED)


def lifted(stage: Stage) -> None:
    """Abroad with a customs form, and insured; both stand in the carrier's list."""
    from crossdock.domain.labels import CustomsItem
    from crossdock.domain.values import Address, Money
    from crossdock.usecases.record import policy
    from crossdock_lab.buying import Till

    hand = _hand()
    _ships_from(stage)
    _, variant = stage.item(2, "10.00")
    end = Address("Jo Käufer", "Hauptstr. 1", "Berlin", "DE", "10115")
    order = Till(stage.trial.folder).buy(buyer=stage.buyer, variant=variant, ship_to=end)
    card = CustomsItem("Trading card", 1, Money(1000, "USD"), "JP", "950490")
    policy.switch(rule="S2", lift=True, actor=staff(), now=now())
    try:
        bare = _refusal(order)
        stage.see("customs" in bare, "S2", f"abroad: {bare}", LIFTED)
        label = _bought(stage, _asked(order, customs=(card,), insured=Money(30_000, "USD")))
        (row,) = [row for row in hand.sold() if row.reference.startswith(order.reference)]
        wanted = row.wanted
        stage.see(
            wanted["ship_to"]["country"] == "DE"
            and wanted["customs"][0]["hs_code"] == "950490"
            and wanted["insured"]["minor"] == 30_000
            and _booked(label) == [row.minor],
            "S2",
            f"to Germany with a customs form, insured for 300 USD, booked once at {label.price}",
            LIFTED,
        )
    finally:
        policy.switch(rule="S2", lift=False, actor=staff(), now=now())


SCENES: tuple[Scene, ...] = (described, lifted)
BUGS: dict[str, tuple[Scene, ...]] = {}
