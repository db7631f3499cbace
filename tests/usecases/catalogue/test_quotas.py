"""Limits of one seller: what a shop brings beyond them waits and is listed by itself; two at once do not pass; near
ones are told once.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from tests.usecases.catalogue.test_import_writes import card, lately, statements, take

from crossdock.domain.cases import CaseKind
from crossdock.domain.events import ShopProduct
from crossdock.domain.moderation.quotas import KINDS, Quota
from crossdock.domain.requests.messages import Side
from crossdock.domain.values import Money
from crossdock.store.models import Alert, AuditEntry, Listing, Mail, Order, Seller
from crossdock.store.models.catalogue import OFFERED
from crossdock.usecases.accounts.quotas.gate import uses_of
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.listings import archive_listing, make_listing, relist, why_not_live
from crossdock.usecases.catalogue.room import fill_rooms, list_waiting, set_quotas
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.requests.messages import write
from crossdock.usecases.stock import counts
from crossdock.usecases.support.cases import close, open_case
from crossdock_lab.patience import patient
from market import World, user
from market import connection as a_connection

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def allow(seller: Seller, **most: int) -> None:
    seller.quotas = most
    seller.save(update_fields=["quotas"])


def on_sale(world: World) -> int:
    return Listing.objects.filter(OFFERED, seller=world.seller).count()


def waiting(world: World) -> list[str]:
    rows = Listing.objects.filter(seller=world.seller, state="waiting").order_by("pk")
    return list(rows.values_list("title", flat=True))


def cards(many: int, **more: Any) -> list[Any]:
    return [card(number, **more) for number in range(many)]


class TestImports:
    def test_what_does_not_fit_waits_and_is_listed_when_the_limit_is_lifted(self) -> None:
        world, staff = lately(), user(is_staff=True)
        allow(world.seller, listings=4)
        take(world, cards(6))
        assert (on_sale(world), waiting(world)) == (4, ["Card 3", "Card 4", "Card 5"])
        told = Alert.objects.get(code="quota_near", settled_at=None)
        assert "4 listings on sale" in told.sentence and "“Waiting”" in told.sentence
        late = Listing.objects.get(title="Card 4")
        assert any("as many listings on sale as you may" in why for why in why_not_live(listing=late, now=world.now))
        assert late.variants.get(sku="C4-0").stock.count == 5, "kept whole, counts and all"
        with pytest.raises(NotAllowed, match="Staff can give you more"):
            relist(listing=late, now=world.now)
        take(world, cards(6, price=1100))
        assert len(waiting(world)) == 3 and Listing.objects.get(title="Card 4").lowest_minor == 1100
        assert set_quotas(seller=world.seller, wanted={Quota.LISTINGS: 6}, why="Well.", actor=staff, now=world.now)
        assert (on_sale(world), waiting(world)) == (6, ["Card 5"])
        assert not Alert.objects.filter(code="quota_near", settled_at=None).exists()
        set_quotas(seller=world.seller, wanted={Quota.LISTINGS: None}, why="Well.", actor=staff, now=world.now)
        assert on_sale(world) == 7 and waiting(world) == []

    def test_who_leaves_makes_room_and_who_comes_back_needs_it(self) -> None:
        world = lately()
        allow(world.seller, listings=3)
        take(world, cards(3))
        assert waiting(world) == ["Card 2"]
        hidden = ShopProduct(**{**_fields(card(0)), "active": False})
        take(world, [hidden])
        assert fill_rooms(now=world.now) == 1 and waiting(world) == []
        take(world, [card(0)])
        assert (on_sale(world), waiting(world)) == (3, ["Card 0"])
        archive_listing(listing=Listing.objects.get(title="Card 1"), now=world.now)
        assert list_waiting(world.seller, now=world.now) == 1 and on_sale(world) == 3

    def test_a_lower_limit_takes_nothing_away(self) -> None:
        world = lately()
        take(world, cards(4))
        allow(world.seller, listings=1)
        take(world, cards(5, price=1200))
        assert (on_sale(world), waiting(world)) == (5, ["Card 4"])

    def test_only_what_comes_is_counted(self) -> None:
        """Without a limit test_import_writes.py knows the number of statements."""
        free, world = lately(), lately()
        first, again = (statements(lambda: take(free, cards(20))) for _ in range(2))
        allow(world.seller, listings=100)
        assert statements(lambda: take(world, cards(20))) == first + 2, "the lock and the count"
        assert statements(lambda: take(world, cards(20))) == again, "nothing comes, nothing is counted"


def _fields(product: Any) -> dict[str, Any]:
    return {name: getattr(product, name) for name in product.__dataclass_fields__}


def at_once(*deeds: Callable[[], object]) -> list[Exception]:
    start, wrong = Barrier(len(deeds), timeout=patient(60)), list[Exception]()

    def one(deed: Callable[[], object]) -> None:
        try:
            start.wait()
            deed()
        except (NotAllowed, Stale) as problem:
            wrong.append(problem)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as tabs:
        list(tabs.map(one, deeds))
    return wrong


@pytest.mark.django_db(transaction=True)
class TestTwoAtOnce:
    def test_two_shops_read_at_once(self) -> None:
        world = lately()
        other = a_connection(world.seller, now=world.now)
        allow(world.seller, listings=10)

        def read(shop: int, numbers: range) -> None:
            import_products.receive_products(
                connection_id=shop, products=[card(n) for n in numbers], read_no=counts.draw_read_no(), now=world.now
            )

        assert at_once(lambda: read(world.shop.pk, range(8)), lambda: read(other.pk, range(100, 108))) == []
        assert on_sale(world) == 10 and len(waiting(world)) == 7

    def test_two_checkouts_for_the_last_order_of_the_day(self) -> None:
        world = World(units=9, now=datetime.now(UTC))
        allow(world.seller, orders=2)
        assert world.buy()
        (wrong,) = at_once(world.hold, world.hold)
        assert "takes no more orders today" in str(wrong)
        with pytest.raises(Stale, match="takes no more orders today"):
            world.buy()
        assert Order.objects.count() == 1
        assert Alert.objects.filter(code="quota_near").count() == 1


class TestTheOthers:
    def test_cases_and_messages(self) -> None:
        world = World(units=2)
        allow(world.seller, cases=1, messages=1)
        order = world.buy()

        def ask(subject: str, by: Any = world.seller.owner) -> Any:
            return open_case(
                seller=world.seller, opened_by=by, kind=CaseKind.PROBLEM, subject=subject, body="So.", now=world.later()
            )

        first = ask("One")
        with pytest.raises(NotAllowed, match="You have 1 open cases"):
            ask("Two")
        assert ask("The marketplace saw it", None)
        close(case=first, actor=world.seller.owner, now=world.now)

        def say(side: Side, body: str) -> Any:
            author = order.buyer if side is Side.BUYER else world.seller.owner
            return write(order=order, side=side, author=author, body=body, now=world.now)

        assert say(Side.SELLER, "Hello") == say(Side.SELLER, "Hello"), "pressed twice is one"
        with pytest.raises(NotAllowed, match="messages to buyers within a day"):
            say(Side.SELLER, "Hello again")
        assert say(Side.BUYER, "Hello?")
        world.later(86_401)
        assert say(Side.SELLER, "Good morning")

    def test_near_is_told_once_and_full_once_more(self) -> None:
        world = lately()
        allow(world.seller, by_hand=5)

        def make() -> None:
            price = Money(100, "USD")
            make_listing(seller=world.seller, title="Fox", description="", price=price, count=1, now=world.later())

        for _ in range(3):
            make()
        assert not Alert.objects.exists()
        make()
        near = Alert.objects.get(settled_at=None)
        assert near.sentence.startswith("You have 4 of 5 listings made by hand")
        Alert.objects.update(settled_at=world.now)
        archive_listing(listing=Listing.objects.filter(connection=None).latest("pk"), now=world.now)
        make()
        assert not Alert.objects.filter(settled_at=None).exists(), "told already"
        make()
        assert Alert.objects.get(settled_at=None).sentence.startswith("You have 5 listings made by hand, as many as")

    def test_the_page_says_what_there_is(self) -> None:
        world = lately()
        allow(world.seller, listings=1)
        uses = {use.quota: use for use in uses_of(world.seller, now=world.now)}
        assert set(uses) == set(Quota) == set(KINDS)
        assert (uses[Quota.LISTINGS].used, uses[Quota.LISTINGS].most, uses[Quota.LISTINGS].full) == (1, 1, True)
        assert (uses[Quota.ORDERS].most, uses[Quota.BY_HAND].most) == (None, 10_000)


class TestStaff:
    def test_who_may_and_what_is_kept(self) -> None:
        world, staff = lately(), user(is_staff=True)
        wanted: dict[Quota, int | None] = {Quota.ORDERS: 5, Quota.LISTINGS: None}
        with pytest.raises(NotAllowed):
            set_quotas(seller=world.seller, wanted=wanted, why="So.", actor=user(), now=world.now)
        with pytest.raises(Invalid, match="Say why"):
            set_quotas(seller=world.seller, wanted=wanted, why=" ", actor=staff, now=world.now)
        with pytest.raises(Invalid, match="Orders in a day"):
            set_quotas(seller=world.seller, wanted={Quota.ORDERS: -1}, why="So.", actor=staff, now=world.now)
        assert set_quotas(seller=world.seller, wanted=wanted, why="You are new.", actor=staff, now=world.now)
        assert not set_quotas(seller=world.seller, wanted=wanted, why="You are new.", actor=staff, now=world.later())
        row = AuditEntry.objects.get(action="limits set")
        assert row.detail["is"] == {"orders": 5} and row.detail["was"] == {} and row.actor == staff
        mail = Mail.objects.get(subject="Your limits changed")
        assert "You are new." in mail.body and "Orders in a day: 5" in mail.body
