"""A seller's list of orders: each filter, by an index; tabs of one's own with their numbers."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.house.test_flat import copies_of, only_by, plan

from crossdock.domain.daily.filters import OrderFilter
from crossdock.store.models import Order, OrderView, Shipment, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.daily import views
from crossdock.usecases.orders.daily.order_list import MOST_COUNTED, counts_of, found_in, in_list
from crossdock.usecases.orders.daily.views import keep_view, views_of
from market import World, connection, user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World(units=50)


def listed(world: World, **wanted: object) -> list[int]:
    found = in_list(seller=world.seller, wanted=OrderFilter(**wanted), now=NOON)  # type: ignore[arg-type]
    return [order.pk for order in found]


def changed(order: Order, **fields: object) -> Order:
    Order.objects.filter(pk=order.pk).update(**fields)
    return order


def page_of(who: User, query: str, status: int = 200) -> str:
    client = Client()
    client.force_login(who)
    answer = client.get(f"/seller/orders/{query}")
    assert answer.status_code == status
    return " ".join(unescape(answer.content.decode()).split())


def test_each_filter_finds_what_it_says_and_no_other(world: World) -> None:
    other, hand = connection(world.seller), changed(world.buy(), connection=None)
    far = changed(world.buy(), connection=other)
    Order.objects.filter(pk=far.pk).update(ship_to={**far.ship_to, "country": "JP"}, risk="high")
    dear = changed(world.buy(), items_minor=99_500, total_minor=100_000)
    sent = world.buy()
    parcel = sent.shipments.create(parcel_id="a", source="seller", carrier="Royal Mail", shipped_at=NOON)
    undone = dear.shipments.create(parcel_id="b", source="seller", carrier="Royal Mail", shipped_at=NOON)
    Shipment.objects.filter(pk=undone.pk).update(undone_at=NOON)
    assert listed(world, shop=other.public_id) == [far.pk] and listed(world, shop="none") == [hand.pk]
    assert listed(world, risk="high") == listed(world, country="JP") == [far.pk]
    assert listed(world, carrier="royal mail") == [sent.pk] and parcel.pk
    assert listed(world, low=100_000, currency="USD") == [dear.pk] and listed(world, low=1, currency="EUR") == []
    assert (
        dear.pk not in listed(world, high=99_999, currency="USD")
        and len(listed(world, high=99_999, currency="USD")) == 3
    )
    assert listed(world, country="JP", risk="low") == []
    assert listed(World(), shop=other.public_id) == [], "another seller's"


def test_due_is_counted_in_the_seller_s_own_days(world: World) -> None:
    """At noon in UTC it is the 26th already in Auckland, and still the 25th in New York."""
    world.seller.time_zone = "Pacific/Auckland"
    late, today, tomorrow, later = (
        changed(world.buy(), ship_by=at).pk
        for at in (
            NOON - timedelta(minutes=1),
            datetime(2026, 11, 26, 10, 59, 59, tzinfo=UTC),
            datetime(2026, 11, 27, 10, 0, tzinfo=UTC),
            NOON + timedelta(days=20),
        )
    )
    gone = changed(world.buy(), ship_by=NOON, cancelled_at=NOON)
    assert listed(world, due="late") == [late]
    assert listed(world, due="today") == [late, today]
    assert listed(world, due="tomorrow") == listed(world, due="week") == [late, today, tomorrow]
    world.seller.time_zone = "America/New_York"
    assert listed(world, due="today") == [late], "there the 26th is tomorrow"
    page = found_in(seller=world.seller, wanted=OrderFilter(due="week"), now=NOON, after=late)
    assert [order.pk for order in page] == [today, tomorrow] and later and gone


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (OrderFilter(risk="high"), "order_by_risk"),
        (OrderFilter(country="JP"), "order_by_country"),
        (OrderFilter(low=5_000_000, currency="USD"), "order_by_total"),
        (OrderFilter(carrier="Royal Mail"), "parcel_by_carrier"),
    ],
)
def test_what_is_rare_is_found_by_an_index(world: World, wanted: OrderFilter, index: str) -> None:
    order = world.buy()
    copies_of(order, 3000)
    order.shipments.create(parcel_id="a", source="seller", carrier="Royal Mail", shipped_at=NOON)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE store_shipment")
    rows = found_in(seller=world.seller, wanted=wanted, now=NOON)[:41]
    with only_by():
        assert index in plan(rows)


def test_a_shop_of_few_orders_is_found_by_its_index(world: World) -> None:
    order, other = world.buy(), connection(world.seller)
    copies_of(order, 3000)
    changed(world.buy(), connection=other)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE store_order")
    for queue in ("all", "to_ship"):
        wanted = OrderFilter(queue, shop=other.public_id)
        found = plan(found_in(seller=world.seller, wanted=wanted, now=NOON)[:41])
        assert "store_order_connection_id" in found and "InitPlan" not in found
    tabs = [OrderFilter(shop=other.public_id), OrderFilter(shop="gone"), OrderFilter("to_ship", shop=other.public_id)]
    with CaptureQueriesContext(database) as seen:
        assert counts_of(seller=world.seller, wanted=tabs, now=NOON) == [1, 0, 1]
    assert len(seen) == 2 and counts_of(seller=World().seller, wanted=tabs, now=NOON) == [0, 0, 0]


def test_numbers_of_all_tabs_are_one_question_and_end_somewhere(world: World) -> None:
    copies_of(world.buy(), MOST_COUNTED + 20)
    wanted = [OrderFilter(country="US"), OrderFilter(country="JP"), OrderFilter(risk="high")]
    with CaptureQueriesContext(database) as seen:
        assert counts_of(seller=world.seller, wanted=wanted, now=NOON) == [MOST_COUNTED, 0, 0]
    assert len(seen) == 1 and "COUNT(" not in seen[0]["sql"]
    assert counts_of(seller=world.seller, wanted=[], now=NOON) == []
    assert counts_of(seller=world.seller, wanted=wanted[1:2], now=NOON) == [0]


class TestTabs:
    def keep(self, world: World, name: str, **wanted: str) -> OrderView:
        chosen = OrderFilter(**wanted)  # type: ignore[arg-type]
        return keep_view(seller=world.seller, actor=world.seller.owner, name=name, wanted=chosen, now=NOON)

    def test_kept_shown_renamed_and_removed(self, world: World) -> None:
        world.buy()
        client, owner = Client(), world.seller.owner
        client.force_login(owner)
        asked = {"wanted": "queue=all&country=US", "name": "At  home"}
        assert client.post("/seller/orders/tabs/keep/", asked)["Location"] == "/seller/orders/?queue=all&country=US"
        client.post("/seller/orders/tabs/keep/", asked | {"name": "Home"})
        (view,) = views_of(seller=world.seller, person=owner)
        page = page_of(owner, "?queue=all&country=US")
        assert 'aria-current="page">Home <span class="count calm">1</span>' in page and "Remove the tab “Home”" in page
        assert page.count('aria-current="page"') == 2, "one in the side navigation, one tab"
        assert "Remove the tab" not in page_of(owner, "?queue=all")
        client.post(f"/seller/orders/tabs/{view.public_id}/remove/")
        assert client.post(f"/seller/orders/tabs/{view.public_id}/remove/").status_code == 404
        assert not OrderView.objects.exists() and "Home" not in page_of(owner, "?queue=all")

    def test_what_is_no_tab(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(Invalid, match="Give the tab a name"):
            self.keep(world, "  ", country="US")
        with pytest.raises(Invalid, match="is a tab already"):
            self.keep(world, "All", queue="all")
        self.keep(world, "Home", country="US")
        with pytest.raises(Invalid, match="already"):
            self.keep(world, "home", country="JP")
        monkeypatch.setattr(views, "MOST", 1)
        with pytest.raises(Invalid, match="Remove one first"):
            self.keep(world, "Japan", country="JP")
        stranger = user()
        with pytest.raises(NotAllowed):
            keep_view(seller=world.seller, actor=stranger, name="x", wanted=OrderFilter(country="US"), now=NOON)
        assert not views_of(seller=world.seller, person=stranger).exists()

    def test_a_page_with_tabs_asks_one_question_more(self, world: World) -> None:
        world.buy()
        client = Client()
        client.force_login(world.seller.owner)

        def asked() -> int:
            with CaptureQueriesContext(database) as seen:
                assert client.get("/seller/orders/?queue=all&country=US").status_code == 200
            return len(seen)

        # The first page of a session is kept as its last sign of life.
        asked()
        few = asked()
        for country in ("US", "JP", "DE", "FR"):
            self.keep(world, country, country=country)
        assert asked() == few + 1, "the tabs themselves are asked for anyway; their numbers are one more"

    @pytest.mark.parametrize("words", ["a%00b", "a%0Ab", "w" * 300])
    def test_a_tab_is_read_as_its_page_reads_it(self, world: World, words: str) -> None:
        """What no field sends may stand in an address that somebody else wrote."""
        client = Client()
        client.force_login(world.seller.owner)
        page = client.post("/seller/orders/tabs/keep/", {"wanted": f"queue=all&q={words}", "name": "Odd"})["Location"]
        shown = unescape(client.get(page).content.decode())
        assert "Remove the tab “Odd”" in shown and "Odd" in page_of(world.seller.owner, "")

    def test_what_is_too_long_to_be_kept_is_not_kept_cut(self, world: World) -> None:
        client, wanted = Client(), OrderFilter(words="字" * 100, carrier="字" * 20)
        client.force_login(world.seller.owner)
        asked = {"wanted": wanted.address, "name": "Long"}
        assert b"too long to be kept" in client.post("/seller/orders/tabs/keep/", asked, follow=True).content
        assert not OrderView.objects.exists()

    def test_tabs_that_search_are_counted_by_the_same_one_question(self, world: World) -> None:
        order = world.buy()
        wanted = [OrderFilter(words=words) for words in ("zzz", order.reference, str(order.number))]
        with CaptureQueriesContext(database) as seen:
            assert counts_of(seller=world.seller, wanted=wanted, now=NOON) == [0, 1, 1]
        assert len(seen) == 1

    def test_a_tab_of_what_is_not_understood_any_more_still_opens(self, world: World) -> None:
        view = self.keep(world, "Old", country="US")
        OrderView.objects.filter(pk=view.pk).update(address="queue=gone&country=XX&low=zz")
        page = page_of(world.seller.owner, "?queue=all")
        at = f"?queue=gone&country=XX&low=zz&tab={view.public_id}"
        assert f'href="{at}"' in page and "Remove the tab" not in page
        page = page_of(world.seller.owner, at)
        assert "Remove the tab “Old”" in page and "means nothing any more" in page


def test_the_page_says_what_is_chosen_and_what_was_not_understood(world: World) -> None:
    changed(world.buy(), risk="high")
    owner = world.seller.owner
    page = page_of(owner, "?queue=all&risk=high&low=12&q=fox")
    assert "High risk" in page and "$12.00 and more" in page and "“fox”" in page
    assert 'href="?queue=all&q=fox&risk=high"' in page, "each can be taken off"
    page = page_of(owner, "?queue=all&low=lots")
    assert "The smallest total is left out." in page and '<details class="narrow-list" open>' in page
    page = page_of(owner, "?queue=all&country=JP")
    assert "No order fits the search and all filters above" in page
    export = Client()
    export.force_login(owner)
    rows = b"".join(export.get("/seller/orders/export.csv?queue=all&country=JP")).decode()
    assert len(rows.splitlines()) == 1
    assert b"1 packing slip" in export.get("/seller/orders/print/slips/?queue=to_ship&risk=high").content
    assert b"0 packing slips" in export.get("/seller/orders/print/slips/?queue=to_ship&risk=low").content
