"""Labels at the panel, as a seller presses: refused before anybody is asked, prices, bought once, printed, taken back;
and the list of all of them.
"""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crossdock.domain.commands import Done, Refused, Why
from crossdock.domain.labels import Bought, TrackEvent, TrackStatus, VoidState
from crossdock.domain.values import Money
from crossdock.kit.errors import NoAnswer
from crossdock.store.models import Command, Label, LabelDocument, Order, Seller, Shipment
from crossdock.usecases.labels import purchase
from crossdock.usecases.money import books
from crossdock.usecases.record import policy
from labelling import Counter, asked
from market import World, user

pytestmark = pytest.mark.django_db
BERLIN = {
    "name": "Jörg Weiß",
    "line1": "Hauptstr. 1",
    "city": "Berlin",
    "country": "DE",
    "postal_code": "10115",
    "phone": "+49 30 1234567",
}
PARCEL = {"weight": "4", "weight_unit": "oz", "length": "9", "width": "6", "height": "1", "size_unit": "in"}


class Desk:
    """A seller at the panel; `page` is the last one."""

    def __init__(self, seller: Seller) -> None:
        self.client = Client()
        self.client.force_login(seller.owner)
        self.page, self.url, self.status = "", "", 0

    def get(self, url: str) -> str:
        return self._seen(self.client.get(url, follow=True))

    def post(self, url: str, **form: Any) -> str:
        return self._seen(self.client.post(url, form, follow=True))

    def _seen(self, answer: Any) -> str:
        self.url = answer.redirect_chain[-1][0] if answer.redirect_chain else answer.request["PATH_INFO"]
        self.status, self.page = answer.status_code, unescape(answer.content.decode())
        return self.page


@pytest.fixture
def world() -> World:
    return World(units=5, now=datetime.now(UTC))


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world.seller)


@pytest.fixture
def nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A carrier that must not hear anything."""

    def heard(_: object) -> None:
        raise AssertionError("the carrier was asked")

    monkeypatch.setattr("crossdock.web.seller.labels.prices", heard)


def at(order: Order, tail: str = "") -> str:
    return f"/seller/orders/{order.public_id}/{tail}"


def units(order: Order, n: int) -> dict[str, str]:
    return {f"line_{line.pk}": str(n) for line in order.lines.all()}


def lift() -> None:
    policy.switch(rule="S2", lift=True, actor=user(is_staff=True), now=datetime.now(UTC))


def test_first_where_parcels_start(world: World, desk: Desk) -> None:
    order = world.buy()
    page = desk.get(at(order, "label/"))
    assert desk.url.startswith("/seller/profile/ship-from/") and "Where you ship from" in page
    home = {
        "name": "Ember Cards",
        "line1": "5 Market St",
        "city": "Austin",
        "country": "US",
        "postal_code": "7870",
        "region": "TX",
    }
    desk.post(f"/seller/profile/ship-from/?order={order.public_id}", **home)
    assert desk.status == 422 and "5 digits" in desk.page and purchase.ship_from(seller=world.seller) is None
    desk.post(f"/seller/profile/ship-from/?order={order.public_id}", **{**home, "postal_code": "78701"})
    assert desk.url == at(order, "label/") and "5 Market St" in desk.page
    kept = purchase.ship_from(seller=world.seller)
    assert kept is not None and kept.city == "Austin"


def test_bought_once_however_often_it_is_pressed(world: World, desk: Desk) -> None:
    order, counter = world.buy(2), Counter(world)
    assert "Buy a label" in desk.get(at(order))
    desk.get(at(order, "label/"))
    desk.post(at(order, "label/"), **PARCEL, **units(order, 1))
    label = Label.objects.get()
    assert desk.url == f"/seller/labels/{label.public_id}/" and label.state == "quoted"
    shown = purchase.quotes_of(label=label)
    assert len(shown) > 1 and all(f"Buy for ${quote.price}" in desk.page for quote in shown)
    assert "114 g (4.0 oz), 22.9 × 15.3 × 2.6 cm (9 × 6 × 1 in)" in desk.page
    assert asked() == [], "prices buy nothing"

    desk.post(desk.url + "buy/", quote="no-such-price")
    assert "Choose one of the prices" in desk.page and asked() == []
    desk.post(desk.url + "buy/", quote=shown[0].ref)
    assert "is being bought" in desk.page
    desk.post(desk.url + "buy/", quote=shown[1].ref)
    other_tab = Desk(world.seller)
    other_tab.post(desk.url + "buy/", quote=shown[1].ref)
    assert asked() == ["buy_label"] and Label.objects.get().price == shown[0].price, "the first press counts, once"

    assert "Being bought" in desk.get(at(order)), "the order's page says so"
    world.now = datetime.now(UTC)
    counter.answer(counter.sold(quote=shown[0]))
    label.refresh_from_db()
    LabelDocument.objects.create(label=label, form="pdf", content=b"%PDF-1.4 label")
    LabelDocument.objects.create(label=label, form="zpl", content=b"^XA^XZ")
    page = desk.get(f"/seller/labels/{label.public_id}/")
    assert label.tracking_number in page and "Print 4 × 6 in" in page and "Void the label" in page
    printed = desk.client.get(f"/seller/labels/{label.public_id}/print.pdf")
    assert printed.content == b"%PDF-1.4 label" and printed["Content-Type"] == "application/pdf"
    assert "inline" in printed["Content-Disposition"] and printed["Cache-Control"].find("no-store") >= 0
    zpl = desk.client.get(f"/seller/labels/{label.public_id}/print.zpl")
    assert zpl.content == b"^XA^XZ" and "attachment" in zpl["Content-Disposition"]
    assert desk.client.get(f"/seller/labels/{label.public_id}/print.exe").status_code == 302

    order.refresh_from_db()
    page = desk.get(at(order))
    assert "with a label from here" in page and "Partly shipped" in page
    # The same address again, as after "back": the label, and nothing more is bought.
    assert "Print 4 × 6 in" in desk.get(f"/seller/labels/{label.public_id}/") and asked() == ["buy_label"]


def test_abroad_is_refused_before_anybody_is_asked(world: World, desk: Desk, nobody_asked: None) -> None:
    order = world.buy()
    Order.objects.filter(pk=order.pk).update(ship_to=BERLIN)
    page = desk.get(at(order, "label/"))
    assert "goes only to the US, and this order goes to Germany" in page and "See prices" not in page
    assert "Enter the parcel by hand" in page, "the way out stands there"
    desk.post(at(order, "label/"), **PARCEL, **units(order, 1))
    assert desk.status == 409 and "goes only to the US" in desk.page
    assert not Label.objects.exists() and asked() == []


def test_insurance_is_refused_before_anybody_is_asked(world: World, desk: Desk, nobody_asked: None) -> None:
    order = world.buy()
    Counter(world)
    assert "Insure for" not in desk.get(at(order, "label/"))
    desk.post(at(order, "label/"), **PARCEL, **units(order, 1), insured="50")
    assert desk.status == 422 and "has no extra insurance" in desk.page
    assert not Label.objects.exists() and asked() == []


def test_lifted_it_goes_abroad_with_customs_and_insurance(world: World, desk: Desk) -> None:
    order = world.buy(2)
    Counter(world)
    Order.objects.filter(pk=order.pk).update(ship_to=BERLIN)
    lift()
    page = desk.get(at(order, "label/"))
    assert "For customs" in page and "Insure for (USD)" in page
    (line,) = order.lines.all()
    customs = {
        f"what_{line.pk}": "Trading card",
        f"value_{line.pk}": "10",
        f"from_{line.pk}": "JP",
        f"hs_{line.pk}": "9504.90",
    }
    desk.post(at(order, "label/"), **PARCEL, **units(order, 2), **{**customs, f"value_{line.pk}": "0"})
    assert desk.status == 422 and "worth" in desk.page and not Label.objects.exists()
    desk.post(at(order, "label/"), **PARCEL, **units(order, 2), **customs, insured="9999999")
    assert desk.status == 422 and "insures up to" in desk.page
    desk.post(at(order, "label/"), **PARCEL, **units(order, 2), **customs, insured="20")
    label = Label.objects.get()
    wanted = purchase.wanted_of(label=label)
    (item,) = wanted.customs
    assert (item.description, item.quantity, item.value, item.origin, item.hs_code) == (
        "Trading card",
        2,
        Money(1000, "USD"),
        "JP",
        "950490",
    )
    assert wanted.insured == Money(2000, "USD") and "for the insurance" in desk.page and "World" in desk.page


def test_a_carrier_that_does_not_answer(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order = world.buy()
    Counter(world)

    def silent(_: object) -> None:
        raise NoAnswer("The shop did not answer within 10 seconds.")

    monkeypatch.setattr("crossdock.web.seller.labels.prices", silent)
    desk.post(at(order, "label/"), **PARCEL, **units(order, 1))
    assert desk.status == 422 and "did not answer with prices. Nothing was bought; try again" in desk.page
    assert 'value="9"' in desk.page and not Label.objects.exists(), "what was typed stays"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"weight": "0"}, "greater than or equal to"),
        ({"weight": "200", "weight_unit": "lb"}, "between 1 g and"),
        ({"length": "99999"}, "at most 270 cm"),
        ({"weight": "NaN"}, "number"),
        ({"weight_unit": "stone"}, "valid choice"),
    ],
)
def test_parcels_that_cannot_be(
    world: World, desk: Desk, nobody_asked: None, changed: dict[str, str], said: str
) -> None:
    order = world.buy()
    Counter(world)
    desk.post(at(order, "label/"), **{**PARCEL, **changed}, **units(order, 1))
    assert desk.status == 422 and said in desk.page and not Label.objects.exists()


def test_no_unit_and_too_many(world: World, desk: Desk, nobody_asked: None) -> None:
    order = world.buy(2)
    Counter(world)
    for n, said in ((0, "at least one unit"), (3, "less than or equal to 2")):
        desk.post(at(order, "label/"), **PARCEL, **units(order, n))
        assert desk.status == 422 and said in desk.page


def test_old_prices_buy_nothing(world: World, desk: Desk) -> None:
    order, counter = world.buy(), Counter(world)
    label = counter.quoted(order)
    Label.objects.update(quoted_at=datetime.now(UTC) - timedelta(minutes=31))
    assert "Ask for prices again" in desk.get(f"/seller/labels/{label.public_id}/")
    desk.post(f"/seller/labels/{label.public_id}/buy/", quote="q-ground")
    assert "more than half an hour old" in desk.page and asked() == []


def test_taken_back_and_followed(world: World, desk: Desk) -> None:
    order, counter = world.buy(), Counter(world)
    label = counter.bought(order)
    moved = TrackEvent(TrackStatus.IN_TRANSIT, datetime(2026, 11, 23, 15, tzinfo=UTC), "Dallas, TX")
    url = f"/seller/labels/{label.public_id}/"
    assert "The carrier has not scanned it yet" in desk.get(url)
    LabelDocument.objects.create(label=label, form="pdf", content=b"%PDF-1.4 label")
    assert desk.client.get(url + "print.pdf").status_code == 200
    desk.post(url + "void/")
    desk.post(url + "void/")
    assert asked() == ["buy_label", "void_label"] and "was asked to take it back" in desk.page
    assert desk.client.get(url + "print.pdf").status_code == 302, "a label on its way back is not handed out"
    world.now = datetime.now(UTC)
    counter.answer(Done("lbl-1"))
    counter.told(label, void=VoidState.DONE)
    page = desk.get(url)
    assert "Do not put this label on a parcel" in page and "Print 4 × 6" not in page
    assert "Buy a label" in desk.get(at(order)), "the units can be shipped again"

    second = counter.bought(order, "lbl-2")
    counter.told(second, events=(moved,))
    page = desk.get(f"/seller/labels/{second.public_id}/")
    assert "Dallas, TX" in page
    assert "has the parcel already" in page
    assert "Void the label…" not in page
    assert "The parcel is on its way. (Dallas, TX)" in desk.get(at(order))


def test_refused_by_the_carrier(world: World, desk: Desk) -> None:
    order, counter = world.buy(), Counter(world)
    label = counter.intended(order)
    counter.answer(Refused(Why.INVALID, "The address does not exist."))
    page = desk.get(f"/seller/labels/{label.public_id}/")
    assert "No label was bought, and nothing was charged" in page and "The address does not exist." in page


def test_the_list_its_filters_its_sum_and_its_file(world: World, desk: Desk) -> None:
    counter = Counter(world)
    first, second = world.buy(), world.buy()
    kept, back = counter.bought(first), counter.bought(second, "lbl-2")
    counter.quoted(world.buy())
    Label.objects.filter(pk=kept.pk).update(carrier="=HYPERLINK(1)")
    purchase.void_label(label=back, by=world.seller.owner, now=world.later())
    counter.told(back, void=VoidState.DONE)
    page = desk.get("/seller/labels/")
    assert "2 labels, " in page and ">$5.20</span> in all" in page, (
        "what was voided costs nothing; prices alone are no label"
    )
    assert "1 label" in desk.get("/seller/labels/?show=voided") and back.tracking_number in desk.page
    assert kept.tracking_number not in desk.page
    assert "1 label" in desk.get(f"/seller/labels/?q=%23{first.number}") and kept.tracking_number in desk.page
    assert "No label fits" in desk.get("/seller/labels/?until=2020-01-01")
    assert "2 labels" in desk.get("/seller/labels/?since=9999-99-99&until=0000-00-00&show=nonsense&after=x")
    lines = desk.client.get("/seller/labels/export.csv").getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and lines[0].startswith("order,reference,bought_at,state")
    assert "'=HYPERLINK(1)" in lines[2] and "5.20" in lines[2]
    stranger = Desk(World(units=1, now=datetime.now(UTC)).seller)
    assert "No labels yet" in stranger.get("/seller/labels/") and kept.tracking_number not in stranger.page
    assert stranger.client.get(f"/seller/labels/{kept.public_id}/").status_code == 404
    assert stranger.client.post(f"/seller/labels/{kept.public_id}/void/").status_code == 404
    assert asked().count("void_label") == 1


def test_a_purchase_that_was_given_up_can_be_sent_again(world: World, desk: Desk) -> None:
    """Labels stand in lines of their own behind the order's reference.

    Its page and its button know them all the same.
    """
    order = world.buy()
    Counter(world).intended(order)
    command = Command.objects.get(kind="buy_label")
    Command.objects.update(state="dead", sentence="The carrier did not answer for a day.")
    assert "We gave up sending this" in desk.get(at(order)) and "did not answer for a day" in desk.page
    stranger = Desk(World().seller)
    stranger.post(f"/seller/commands/{command.pk}/resend/")
    assert Command.objects.get(pk=command.pk).state == "dead"
    assert "tried again now" in desk.post(f"/seller/commands/{command.pk}/resend/")
    assert desk.url == at(order) and Command.objects.get(pk=command.pk).state == "waiting"
    assert order.timeline.filter(kind="resent").count() == 1


def test_staff_see_the_labels_of_an_order(world: World) -> None:
    order, counter = world.buy(), Counter(world)
    label = counter.bought(order)
    client = Client()
    client.force_login(user(is_staff=True))
    page = unescape(client.get(f"/staff/orders/{order.public_id}/").content.decode())
    assert label.tracking_number in page and "through sandbox as lbl-1" in page and page.count("Buy label") == 1


def test_two_parcels_by_hand_each_with_its_units(world: World, desk: Desk) -> None:
    order = world.buy(3)
    url = at(order, "ship/")
    for left, n, number in ((3, 1, "1Z999AA10123456784"), (2, 2, "986578788855")):
        page = desk.get(url)
        assert f'data-label="Left">{left}<' in page
        key = page.split('name="key" value="')[1].split('"')[0]
        for _ in range(2):
            desk.post(url, key=key, tracking=number, carrier="", next="1", **units(order, n))
        assert desk.url == at(order), "sent twice it leads to the order"
    parcels = Shipment.objects.filter(order=order).order_by("pk")
    assert [(one.carrier, sum(part.quantity for part in one.lines.all())) for one in parcels] == [
        ("UPS", 1),
        ("FedEx", 2),
    ]
    order.refresh_from_db()
    assert order.parcels == "shipped"


def test_after_the_first_parcel_comes_the_next(world: World, desk: Desk) -> None:
    order = world.buy(2)
    desk.post(at(order, "ship/"), key="k-1", tracking="T-1", carrier="Bike", next="1", **units(order, 1))
    assert desk.url == at(order, "ship/") and 'data-label="Left">1<' in desk.page
    desk.post(at(order, "ship/"), key="k-2", tracking="T-2", carrier="Bike", next="1", **units(order, 1))
    assert desk.url == at(order), "nothing is left"


def test_what_labels_cost_stands_in_the_order_s_sum_in_its_own_currency(world: World, desk: Desk) -> None:
    order, counter = world.buy(2), Counter(world)
    (line,) = order.lines.all()
    before = books.payout_of(order=order)
    counter.bought(order, lines={line.pk: 1})
    assert books.payout_of(order=order) == before - 520
    assert "Labels</dt><dd>−$5.20" in desk.get(at(order))
    counter.intended(order, lines={line.pk: 1})
    counter.answer(Bought("lbl-2", "940019900", "Sample Post", "Ground", Money(777, "EUR")))
    assert books.payout_of(order=order) == before - 520, "euros are no dollars"
    assert "goes off your balance in EUR" in desk.get(at(order)) and "−€7.77" in desk.page
