"""Goods in several of one seller's shops: found, decided, sold once. The second shop's own count stands beside."""

from dataclasses import dataclass, field

import pytest

from crossdock.domain.commands import CommandKind, Done, Refused, Why
from crossdock.domain.events import Count, ShopProduct, ShopVariant
from crossdock.domain.goods import Verdict
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Command, Connection, Duplicate, Variant
from crossdock.usecases.catalogue import duplicates, import_products
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.checkout import checkout
from crossdock.usecases.errors import NotAllowed, Stale
from crossdock.usecases.outcomes import claims, settle
from crossdock.usecases.stock import counts, reservations
from crossdock.usecases.stock.confirm import confirm_count
from market import RANDOM, World, connection, graded, user

pytestmark = pytest.mark.django_db


@dataclass
class Second:
    """Another shop of the world's seller, with the same SKU."""

    world: World
    units: int
    sku: str = "fox-1"
    barcode: str = ""
    shop: Connection = field(init=False)

    def __post_init__(self) -> None:
        self.shop = connection(self.world.seller, now=self.world.now)
        self.read_products()

    def read_products(self) -> None:
        variant = ShopVariant("w1", self.sku, "", Money(1100, "USD"), self.units, barcode=self.barcode)
        import_products.receive_products(
            connection_id=self.shop.pk,
            products=[ShopProduct("q1", "Ember Fox (1999)", (variant,))],
            read_no=counts.draw_read_no(),
            now=self.world.later(),
        )

    @property
    def variant(self) -> Variant:
        return Variant.objects.select_related("listing", "connection", "stock").get(connection=self.shop)

    @property
    def left(self) -> int | None:
        Connection.objects.filter(pk=self.shop.pk).update(last_read_at=self.world.now)
        return reservations.availability(variants=[self.variant], now=self.world.now)[self.variant.pk]

    def read(self) -> None:
        counts.apply_counts(
            connection_id=self.shop.pk,
            read_no=counts.draw_read_no(),
            asked=[("q1", "w1")],
            counts=[Count("w1", self.units)],
            now=self.world.later(),
        )

    def corrections(self) -> list[claims.Claimed]:
        """What this shop is asked, taken in line."""
        return claims.claim_commands(party_id=self.shop.party_id, owner="w", limit=10, now=self.world.later())

    def correct(self) -> None:
        for claimed in self.corrections():
            asked = Command.objects.get(pk=claimed.id)
            assert asked.kind == CommandKind.ADJUST_STOCK
            self.units += asked.payload["delta"]
            settle.settle_command(command_id=claimed.id, outcome=Done("w1"), random=RANDOM, now=self.world.later())


@pytest.fixture
def world() -> World:
    return World(units=3)


def by_hand(world: World) -> Variant:
    price = Money(900, "USD")
    made = make_listing(
        seller=world.seller, title="Fox", description="", price=price, count=1, now=world.now, sku="FOX-1"
    )
    return made.variants.get()


def found(world: World) -> Duplicate:
    return Duplicate.objects.get(seller=world.seller)


def link(world: World) -> Duplicate:
    row = found(world)
    duplicates.decide_same(duplicate=row, sold_as=world.variant.public_id, actor=world.seller.owner, now=world.later())
    row.refresh_from_db()
    return row


def land(world: World) -> None:
    (claimed,) = world.claim()
    order = Command.objects.get(pk=claimed.id).subject
    world.settle(claimed, world.create_there(world.seller.orders.get(reference=order)))
    world.read()


class TestFinding:
    def test_the_same_sku_in_a_second_shop(self, world: World) -> None:
        assert not Duplicate.objects.exists()
        Second(world, units=3)
        assert (found(world).kind, found(world).key, found(world).verdict) == ("sku", "FOX-1", "")

    @pytest.mark.parametrize("sku", ["", "0", "000", "n/a", "N/A ", "Does not apply", "-", "x"])
    def test_what_names_nothing(self, sku: str) -> None:
        world = World()
        Variant.objects.filter(pk=world.variant.pk).update(sku=sku)
        Second(world, units=3, sku=sku)
        assert not Duplicate.objects.exists()

    def test_one_barcode_written_in_two_ways(self, world: World) -> None:
        Variant.objects.filter(pk=world.variant.pk).update(barcode="0 36000-29145 2")
        Second(world, units=3, sku="other", barcode="0036000291452")
        assert (found(world).kind, found(world).key) == ("barcode", "00036000291452")

    def test_a_barcode_with_a_wrong_check_digit_names_nothing(self, world: World) -> None:
        Variant.objects.filter(pk=world.variant.pk).update(barcode="036000291453")
        Second(world, units=3, sku="other", barcode="036000291453")
        assert not Duplicate.objects.exists()

    def test_another_sellers_is_none_of_ours(self, world: World) -> None:
        Second(World(units=1), units=3, sku="other")
        assert not Duplicate.objects.exists()

    def test_twice_in_one_shop_is_that_shops_own(self, world: World) -> None:
        product = ShopProduct("p2", "Ember Fox", (ShopVariant("v2", "FOX-1", "", Money(1000, "USD"), 1),))
        import_products.receive_products(
            connection_id=world.shop.pk, products=[product], read_no=counts.draw_read_no(), now=world.later()
        )
        assert not Duplicate.objects.exists()

    def test_made_by_hand_beside_a_shops(self, world: World) -> None:
        by_hand(world)
        assert found(world).key == "FOX-1"

    def test_what_stood_here_before_is_found_by_a_look_at_all(self, world: World) -> None:
        Second(world, units=3)
        Duplicate.objects.all().delete()
        assert duplicates.find_all_duplicates(connection_id=world.shop.pk, now=world.now) == 1
        assert duplicates.find_all_duplicates(connection_id=world.shop.pk, now=world.now) == 0

    def test_different_is_not_asked_again(self, world: World) -> None:
        second = Second(world, units=3)
        duplicates.decide_different(duplicate=found(world), actor=world.seller.owner, now=world.later())
        second.sku = "FOX-1"
        second.read_products()
        assert found(world).verdict == Verdict.DIFFERENT
        assert second.left == 3


class TestLinked:
    def test_one_listing_is_sold_the_other_leaves_the_market(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        assert world.available == 3
        assert second.left == 0
        assert second.variant.listing.state == "left_out"

    def test_a_sale_in_the_other_shop_lowers_at_once(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        second.units = 1
        second.read()
        assert world.available == 1

    def test_the_last_unit_is_sold_once(self) -> None:
        world = World(units=1)
        second = Second(world, units=1)
        link(world)
        second.units = 0
        second.read()
        with pytest.raises(Stale):
            world.hold()

    def test_a_sale_here_is_taken_out_of_the_other_shop(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        world.buy(2)
        land(world)
        assert world.available == 1
        second.correct()
        second.read()
        assert (second.units, world.available) == (1, 1)
        assert not second.corrections(), "its own lower count is not another sale"
        assert not world.claim()

    def test_a_correction_and_a_sale_in_one_read(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        world.buy(1)
        land(world)
        second.correct()
        second.units -= 1
        second.read()
        assert world.available == 1

    def test_a_platform_that_cannot_be_corrected_is_asked_of_the_seller(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        second.units = 2
        second.read()
        (claimed,) = world.claim()
        world.settle(claimed, Refused(Why.UNSUPPORTED, "Crossdock cannot change counts there."))
        assert Alert.objects.get(settled_at=None).listing == world.variant.listing
        assert world.available == 2
        world.units = 2
        confirm_count(variant=world.variant, count=None, actor=world.seller.owner, now=world.later())
        world.read()
        assert world.available == 2
        assert not second.corrections()

    def test_a_fall_that_the_seller_may_have_made_corrects_no_shop(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        second.units = 2
        second.read()
        world.units = 2
        world.read()
        assert world.available == 1, "never more than there may be"
        assert not second.corrections()
        assert Alert.objects.filter(listing=second.variant.listing, settled_at=None).exists()

    def test_counts_that_differ_sell_the_lower(self, world: World) -> None:
        Second(world, units=1)
        link(world)
        assert world.available == 1
        confirm_count(variant=world.variant, count=None, actor=world.seller.owner, now=world.later())
        world.read()
        assert world.available == 3

    def test_undone_each_is_sold_by_itself(self, world: World) -> None:
        second = Second(world, units=1)
        row = link(world)
        duplicates.undo(duplicate=row, actor=world.seller.owner, now=world.later())
        assert world.available == 3
        assert second.left == 1
        assert second.variant.listing.state == "live"
        assert found(world).verdict == ""

    def test_a_third_shop_is_asked_about(self, world: World) -> None:
        Second(world, units=3)
        link(world)
        third = Second(world, units=2)
        assert found(world).verdict == ""
        link(world)
        assert world.available == 2
        third.units = 1
        third.read()
        assert world.available == 1

    def test_not_while_the_other_is_being_sold(self, world: World) -> None:
        shops, world.variant = world.variant, by_hand(world)
        world.hold()
        world.variant = shops
        with pytest.raises(NotAllowed, match="being sold just now"):
            link(world)

    def test_two_tabs_decide_once(self, world: World) -> None:
        Second(world, units=3)
        row = found(world)
        link(world)
        with pytest.raises(Stale, match="decided already"):
            duplicates.decide_different(duplicate=row, actor=world.seller.owner, now=world.now)

    def test_nobody_elses(self, world: World) -> None:
        Second(world, units=3)
        with pytest.raises(NotAllowed):
            duplicates.decide_different(duplicate=found(world), actor=user(), now=world.now)


class TestOneOfAKind:
    """A certificate's number is one unit, in whichever listing."""

    def test_paid_in_one_listing_it_ends_in_the_others(self, world: World) -> None:
        second = Second(world, units=1, sku="other")
        for variant in (world.variant, second.variant):
            graded(variant.listing)
        order = world.buy()
        assert second.variant.stock.aside_why == f"Sold as order #{order.number}"
        assert second.left == 0
        assert second.variant.listing.title in Alert.objects.get(code="sold_elsewhere").sentence

    def test_held_in_one_listing_nobody_buys_another(self, world: World) -> None:
        second = Second(world, units=1, sku="other")
        for variant in (world.variant, second.variant):
            graded(variant.listing)
        world.hold()
        world.variant = second.variant
        assert second.left == 1
        with pytest.raises(Stale, match="there is one of it only"):
            world.hold()

    def test_paid_late_after_another_listing_was_sold(self, world: World) -> None:
        second = Second(world, units=1, sku="other")
        for variant in (world.variant, second.variant):
            graded(variant.listing)
        late = world.hold()
        world.later(16 * 60)
        checkout.expire_checkouts(now=world.now)
        assert second.left == 1
        world.variant = second.variant
        world.hold()
        with pytest.raises(Stale, match="there is one of it only"):
            world.pay(late)

    def test_another_grader_gave_the_same_number(self, world: World) -> None:
        second = Second(world, units=1, sku="other")
        graded(world.variant.listing)
        graded(second.variant.listing, grader="cgc")
        world.buy()
        assert second.left == 1

    def test_another_sellers_ends_until_they_have_looked(self, world: World) -> None:
        theirs = World(units=1)
        for variant in (world.variant, theirs.variant):
            graded(variant.listing)
        theirs.hold()
        order = world.buy()
        theirs.later()
        assert theirs.available == 0
        sentence = Alert.objects.get(seller=theirs.seller).sentence
        assert str(order.number) not in sentence and world.seller.name not in sentence
        confirm_count(variant=theirs.variant, count=None, actor=theirs.seller.owner, now=theirs.later())
        theirs.read()
        assert theirs.available == 0, "its own buyer holds it"
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_sold_in_a_shop_the_other_shop_is_told(self) -> None:
        world = World(units=1)
        second = Second(world, units=1, sku="other")
        for variant in (world.variant, second.variant):
            graded(variant.listing)
        world.units = 0
        world.read()
        assert second.left == 0
        second.correct()
        second.read()
        assert (second.units, second.left) == (0, 0)
        assert not world.claim()
