"""A parcel goes back: after "return to sender" carriers report the hand-back to the sender as "delivered". And one that
waits at a shop or a locker is not on its way.

Reported as egg-/delivery-tracker pull request 45 (Canada Post), allegro/allegro-api 12775 (DPD), thibmaek/bpost 93 and
TA2k/ioBroker.parcel 22.
"""

from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from crossdock.carriers.easypost import reading
from crossdock.domain.labels import LabelStanding, TrackEvent, TrackStatus, meant
from crossdock.store.models import Label, Mail, Order
from crossdock.usecases.labels.carrier_news import providers_under_way, under_way
from crossdock.usecases.labels.label_list import LISTS
from labelling import Counter
from market import World

pytestmark = pytest.mark.django_db


def detail(status: str, day: int, message: str) -> dict[str, Any]:
    place = {"city": "Austin", "state": "TX", "country": "US", "zip": None}
    at = f"2026-11-{day:02d}T10:00:00Z"
    return {
        "object": "TrackingDetail",
        "status": status,
        "datetime": at,
        "message": message,
        "tracking_location": place,
    }


def standing(*details: dict[str, Any]) -> LabelStanding:
    return reading.standing({"id": "shp_1", "refund_status": None, "tracker": {"tracking_details": list(details)}})


WAY_BACK = (
    detail("pre_transit", 1, "Label made"),
    detail("in_transit", 2, "Departed"),
    detail("return_to_sender", 5, "Refused, returning"),
    detail("in_transit", 6, "Departed"),
    detail("delivered", 9, "Delivered"),
)
PICKUP = (
    detail("pre_transit", 1, "Label made"),
    detail("in_transit", 2, "Departed"),
    detail("available_for_pickup", 3, "Held at post office for pickup until 10 November"),
)


def told(order: Order) -> list[str]:
    """What the buyer reads of the carrier, without place and number."""
    entries = order.timeline.filter(public=True, source="carrier").order_by("pk")
    return [entry.sentence.split(" (")[0] for entry in entries]


def mails(order: Order) -> list[Mail]:
    return list(Mail.objects.filter(order=order, cause__startswith="parcel:").order_by("pk"))


@pytest.fixture
def counter() -> Counter:
    return Counter(World())


def after(counter: Counter, *details: dict[str, Any]) -> tuple[Order, Label]:
    order = counter.world.buy()
    label = counter.bought(order)
    counter.told(label, events=standing(*details).events)
    return order, label


def test_a_parcel_that_came_back_is_not_delivered(counter: Counter) -> None:
    order, label = after(counter, *WAY_BACK)
    assert label.delivered_at is None
    assert label.back_at is not None
    assert label.returned_at is not None
    assert told(order) == [
        "The parcel is on its way.",
        "The parcel goes back to the sender.",
        "The parcel is back with the sender.",
    ]
    (mail,) = mails(order)
    assert mail.subject == f"Your parcel goes back to the sender: order #{order.number}"
    assert mail.to == order.buyer.email
    assert "elivered" not in mail.body
    assert label.events[-1]["sentence"] == "The parcel is back with the sender. The carrier says: Delivered"


def test_its_story_is_over(counter: Counter) -> None:
    _, label = after(counter, *WAY_BACK)
    assert under_way(provider="sandbox", not_read_since=counter.world.later(), limit=9) == []
    assert providers_under_way() == []
    found = {name for name, (_, where) in LISTS.items() if Label.objects.filter(where, pk=label.pk).exists()}
    assert found == {"all", "returned"}


def test_the_turn_may_be_told_late(counter: Counter) -> None:
    """The delivery was read first, and looked like one to the buyer."""
    order, label = after(counter, WAY_BACK[0], WAY_BACK[1], WAY_BACK[4])
    assert label.delivered_at is not None
    counter.told(label, events=standing(*WAY_BACK).events)
    assert label.delivered_at is None
    assert label.back_at is not None
    assert told(order)[-1] == "The parcel is back with the sender."
    before = told(order)
    counter.told(label, events=standing(*WAY_BACK).events)
    assert told(order) == before, "told once"


def test_the_order_in_which_a_story_is_told_does_not_matter() -> None:
    events = standing(*WAY_BACK).events
    right = [TrackStatus.MADE, TrackStatus.IN_TRANSIT, TrackStatus.RETURNED, TrackStatus.RETURNED, TrackStatus.BACK]
    for order in permutations(events):
        assert [event.status for event in meant(order)] == right
    assert meant(meant(events)) == meant(events)


def test_trouble_on_the_way_back_stays_trouble() -> None:
    events = standing(WAY_BACK[2], detail("failure", 6, "Damaged"), detail("available_for_pickup", 7, "Held")).events
    assert [event.status for event in meant(events)] == [
        TrackStatus.RETURNED,
        TrackStatus.TROUBLE,
        TrackStatus.RETURNED,
    ]


def test_a_plain_delivery_is_one(counter: Counter) -> None:
    order, label = after(counter, WAY_BACK[1], WAY_BACK[4])
    assert label.delivered_at is not None
    assert (label.returned_at, label.back_at) == (None, None)
    assert told(order)[-1] == "The parcel was delivered."
    assert mails(order) == []


def test_ready_for_pickup_is_told(counter: Counter) -> None:
    order, label = after(counter, *PICKUP)
    assert told(order) == ["The parcel is on its way.", "The parcel is ready for pickup."]
    (mail,) = mails(order)
    assert mail.subject == f"Your parcel is ready for pickup: order #{order.number}"
    assert "until 10 November" in mail.body
    assert label.tracking_number in mail.body
    assert label.delivered_at is None
    counter.told(label, events=standing(*PICKUP, detail("delivered", 4, "Picked up")).events)
    assert label.delivered_at is not None
    assert len(mails(order)) == 1


@pytest.mark.parametrize(
    ("story", "words"),
    [
        (WAY_BACK, "The parcel is back with the sender."),
        (WAY_BACK[:4], "The parcel goes back to the sender."),
        (PICKUP, "The parcel is ready for pickup."),
    ],
)
def test_the_buyer_s_page_says_where_it_is(
    counter: Counter, client: Client, story: tuple[dict[str, Any], ...], words: str
) -> None:
    order, _ = after(counter, *story)
    client.force_login(order.buyer)
    page = client.get(f"/orders/{order.public_id}/").content.decode()
    card = page[page.index("<h2>Parcels</h2>") : page.index("<h2>Items</h2>")]
    assert words in card
    assert "delivered" not in card


def test_events_told_one_by_one_end_in_the_same_story(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.bought(order)
    events: tuple[TrackEvent, ...] = ()
    for event in standing(*WAY_BACK).events:
        events = (*events, event)
        counter.told(label, events=events)
    assert label.delivered_at is None
    assert told(order)[-1] == "The parcel is back with the sender."
    assert len(mails(order)) == 1
