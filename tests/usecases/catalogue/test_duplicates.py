"""Goods in several of one seller's shops: found, decided, sold once. The second shop's own count stands beside."""

import json
import re
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import pytest
from django.db import connection as db
from django.test.utils import CaptureQueriesContext

from crossdock.domain.commands import CommandKind, Done, Refused, Why
from crossdock.domain.events import Count, ShopProduct, ShopVariant
from crossdock.domain.finding.filling import Rule, Source
from crossdock.domain.finding.taxonomy import CATEGORY
from crossdock.domain.goods import Verdict
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Command, Connection, Duplicate, Variant, VariantStock
from crossdock.usecases.catalogue import duplicates, import_products, linking
from crossdock.usecases.catalogue.fill_rules import add_rule, set_by_hand
from crossdock.usecases.catalogue.listings import leave_out, make_listing, relist
from crossdock.usecases.catalogue.queries import members_of
from crossdock.usecases.catalogue.taxonomy import define
from crossdock.usecases.checkout import checkout, one_of_a_kind
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


def link(world: World, *alike: Variant) -> Duplicate:
    """`alike` is the same as the world's own; nothing given: all."""
    row = found(world)
    mine = world.variant.public_id
    linking.decide_same(
        duplicate=row,
        sold_as=mine,
        alike=[mine, *(each.public_id for each in alike)] if alike else None,
        actor=world.seller.owner,
        now=world.later(),
    )
    row.refresh_from_db()
    return row


def different(world: World) -> None:
    linking.decide_different(duplicate=found(world), actor=world.seller.owner, now=world.later())


def undo(world: World) -> list[Variant]:
    return linking.undo(duplicate=found(world), actor=world.seller.owner, now=world.later())


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

    @pytest.mark.parametrize(
        ("one", "other"),
        [("96385074", "6385074"), ("01234565", "00000001234565"), ("0400638133393", "4006381333931")],
    )
    def test_other_digits_that_are_equal_when_padded(self, world: World, one: str, other: str) -> None:
        Variant.objects.filter(pk=world.variant.pk).update(barcode=one)
        Second(world, units=3, sku="other", barcode=other)
        assert duplicates.find_all_duplicates(connection_id=world.shop.pk, now=world.now) == 0
        assert not Duplicate.objects.exists()

    def test_what_is_padded_is_no_member(self, world: World) -> None:
        Second(world, units=3, sku="other", barcode="96385074")
        Variant.objects.filter(pk=world.variant.pk).update(barcode="0096385074")
        Second(world, units=3, sku="another", barcode="0000096385074")
        assert len(members_of([found(world)])[found(world).pk]) == 2

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
        linking.decide_different(duplicate=found(world), actor=world.seller.owner, now=world.later())
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
        linking.undo(duplicate=row, actor=world.seller.owner, now=world.later())
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
            linking.decide_different(duplicate=row, actor=world.seller.owner, now=world.now)

    def test_nobody_elses(self, world: World) -> None:
        Second(world, units=3)
        with pytest.raises(NotAllowed):
            linking.decide_different(duplicate=found(world), actor=user(), now=world.now)


class TestOfThree:
    """A decision is kept for each listing of a name."""

    def test_two_are_one_thing_and_the_third_another(self, world: World) -> None:
        second, third = Second(world, units=3), Second(world, units=2)
        link(world, second.variant)
        assert (second.left, third.left) == (0, 2)
        second.units = 1
        second.read()
        assert (world.available, third.left) == (1, 2)
        third.sku = "FOX-1"
        third.read_products()
        assert found(world).verdict == Verdict.SAME, "it is remembered of the third"
        Second(world, units=1)
        assert found(world).verdict == Verdict.OPEN, "nothing was said of a fourth"

    def test_a_third_shop_is_another_thing_and_the_first_two_stay_linked(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        third = Second(world, units=2)
        row = link(world, second.variant)
        assert row.said == {"same": sorted([world.variant.pk, second.variant.pk]), "apart": [third.variant.pk]}
        assert (second.left, third.left) == (0, 2)

    def test_different_unlinks_what_was_linked(self, world: World) -> None:
        second = Second(world, units=2)
        link(world)
        third = Second(world, units=1)
        different(world)
        assert (world.available, second.left, third.left) == (3, 2, 1)
        assert second.variant.listing.state == "live"

    def test_who_is_unticked_leaves_the_link(self, world: World) -> None:
        second = Second(world, units=2)
        link(world)
        third = Second(world, units=1)
        link(world, third.variant)
        assert (world.available, second.left, third.left) == (1, 2, 0)
        assert (second.variant.listing.state, third.variant.listing.state) == ("live", "left_out")

    def test_a_third_shop_of_different_things_is_asked_about(self, world: World) -> None:
        second = Second(world, units=3)
        different(world)
        third = Second(world, units=2)
        assert found(world).verdict == Verdict.OPEN
        link(world, third.variant)
        assert (second.left, third.left) == (3, 0)

    def test_the_barcode_of_some_of_them_is_answered_too(self, world: World) -> None:
        code = "4006381333931"
        Variant.objects.filter(pk=world.variant.pk).update(barcode=code)
        second, third = Second(world, units=3, barcode=code), Second(world, units=3)
        row = Duplicate.objects.get(kind="sku")
        linking.decide_different(duplicate=row, actor=world.seller.owner, now=world.later())
        beside = Duplicate.objects.get(kind="barcode")
        assert beside.verdict == Verdict.DIFFERENT
        assert third.variant.pk not in beside.said["apart"] and second.variant.pk in beside.said["apart"]

    def test_one_more_place_than_the_seller_looked_at(self, world: World) -> None:
        Second(world, units=3)
        row = found(world)
        seen = [world.variant.public_id, Variant.objects.exclude(pk=world.variant.pk).get().public_id]
        Second(world, units=3)
        with pytest.raises(Stale, match="other places"):
            linking.decide_different(duplicate=row, seen=seen, actor=world.seller.owner, now=world.later())

    def test_counts_that_differ_are_owed_once(self, world: World) -> None:
        Second(world, units=1)
        link(world)
        Second(world, units=1)
        link(world)
        assert world.available == 1

    def test_undone_by_one_name_the_other_is_asked_again(self, world: World) -> None:
        """A and B share a SKU, B and C a barcode, and all are one thing."""
        code = "4006381333931"
        Second(world, units=3)
        Variant.objects.filter(pk=world.variant.pk).update(barcode=code)
        link(world)
        third = Second(world, units=3, sku="other", barcode=code)
        row = Duplicate.objects.get(kind="barcode")
        sold_as = world.variant.public_id
        linking.decide_same(duplicate=row, sold_as=sold_as, actor=world.seller.owner, now=world.later())
        assert third.left == 0
        row.refresh_from_db()
        linking.undo(duplicate=row, actor=world.seller.owner, now=world.later())
        assert not Duplicate.objects.exclude(verdict=Verdict.OPEN).exists()
        assert third.left == 3

    def test_what_was_renamed_since_is_undone_too(self, world: World) -> None:
        second = Second(world, units=2)
        link(world)
        Variant.objects.filter(pk=second.variant.pk).update(sku="RENAMED")
        undo(world)
        assert second.left == 2


class TestReadBeforeTheAnswer:
    """A read finds the other shop's count lower before the answer to our correction is here."""

    def asked(self, world: World) -> tuple[Second, claims.Claimed]:
        """One of three was sold, and the other shop is just asked to take it out."""
        second = Second(world, units=3)
        link(world)
        world.buy(1)
        land(world)
        (claimed,) = second.corrections()
        return second, claimed

    def answered(self, second: Second, claimed: claims.Claimed, outcome: Done | Refused | None = None) -> None:
        answer = outcome or Done("w1")
        settle.settle_command(command_id=claimed.id, outcome=answer, random=RANDOM, now=second.world.later())
        second.read()

    def test_it_is_held_until_the_answer_explains_it(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 1
        second.read()
        assert world.available == 1, "it may be a sale"
        self.answered(second, claimed)
        assert (second.units, world.available) == (2, 2)
        assert not Alert.objects.filter(settled_at=None).exists()
        assert not second.corrections() and not world.claim()

    def test_the_answer_comes_while_a_read_is_on_its_way(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 1
        read_no = counts.draw_read_no()
        settle.settle_command(command_id=claimed.id, outcome=Done("w1"), random=RANDOM, now=world.later())
        counts.apply_counts(
            connection_id=second.shop.pk,
            read_no=read_no,
            asked=[("q1", "w1")],
            counts=[Count("w1", second.units)],
            now=world.later(),
        )
        second.read()
        assert world.available == 2
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_a_sale_beside_it_is_held_at_once_and_stays(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 2
        second.read()
        assert world.available == 0, "one of them is a sale, and nobody knows that the other is none"
        self.answered(second, claimed)
        assert world.available == 1
        assert Alert.objects.filter(listing=world.variant.listing, settled_at=None).exists()

    def test_a_sale_before_it_is_carried_out_stays(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 1
        second.read()
        second.units -= 1
        self.answered(second, claimed)
        assert world.available == 1

    def test_a_sale_before_it_was_sent_stays_though_the_count_rises(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        world.buy(1)
        land(world)
        second.units -= 1
        second.read()
        second.correct()
        second.units += 1
        second.read()
        assert world.available == 1, "a rise gives the others nothing"

    def test_two_corrections_in_a_row(self) -> None:
        world = World(units=5)
        second = Second(world, units=5)
        link(world)
        for _ in range(2):
            world.buy(1)
            land(world)
        for left in (2, 1):
            claimed = second.corrections()[0]
            second.units -= 1
            second.read()
            assert world.available == 2
            self.answered(second, claimed)
            assert world.available == 3, f"{left - 1} to go"
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_refused_it_explains_nothing(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 1
        second.read()
        self.answered(second, claimed, Refused(Why.UNSUPPORTED, "Crossdock cannot change counts there."))
        assert world.available == 1
        assert Alert.objects.filter(listing=world.variant.listing, settled_at=None).exists()
        confirm_count(variant=second.variant, count=None, actor=world.seller.owner, now=world.later())
        second.read()
        assert world.available == 1, "what its seller says of one count is not about the other"

    def test_undone_meanwhile_each_is_sold_by_its_own_count(self, world: World) -> None:
        second, claimed = self.asked(world)
        second.units -= 1
        second.read()
        undo(world)
        self.answered(second, claimed)
        assert (world.available, second.left) == (2, 2)
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_of_a_unit_with_a_certificate(self) -> None:
        world = World(units=1)
        second = Second(world, units=1, sku="other")
        for variant in (world.variant, second.variant):
            graded(variant.listing)
        world.units = 0
        world.read()
        (claimed,) = second.corrections()
        second.units = 0
        second.read()
        self.answered(second, claimed)
        assert not Alert.objects.filter(settled_at=None).exists()
        assert not world.claim()


class TestUndone:
    def sold_here(self, world: World) -> Second:
        """One of three is sold, and the other shop is to take it out of its count."""
        second = Second(world, units=3)
        link(world)
        world.buy(1)
        land(world)
        return second

    def test_what_was_not_sent_is_withdrawn(self, world: World) -> None:
        second = self.sold_here(world)
        assert not undo(world)
        assert not second.corrections()
        assert second.left == 3

    def test_what_is_being_sent_stays_held_until_the_shop_was_read(self, world: World) -> None:
        second = self.sold_here(world)
        (claimed,) = second.corrections()
        assert undo(world) == [second.variant]
        assert second.left == 2, "the shop may have taken it out"
        second.units -= 1
        settle.settle_command(command_id=claimed.id, outcome=Done("w1"), random=RANDOM, now=world.later())
        second.read()
        assert second.left == 2

    def test_what_is_done_stays_held_until_the_shop_was_read(self, world: World) -> None:
        second = self.sold_here(world)
        second.correct()
        assert not undo(world)
        assert second.left == 2, "three were counted before the correction"
        second.read()
        assert second.left == 2

    def test_linked_again_meanwhile_it_is_corrected_once(self, world: World) -> None:
        second = self.sold_here(world)
        (claimed,) = second.corrections()
        undo(world)
        link(world)
        second.units -= 1
        settle.settle_command(command_id=claimed.id, outcome=Done("w1"), random=RANDOM, now=world.later())
        second.read()
        assert (world.available, second.units) == (2, 2)
        assert not second.corrections() and not world.claim()

    def test_what_was_refused_is_owed_no_more(self, world: World) -> None:
        second = self.sold_here(world)
        (claimed,) = second.corrections()
        refused = Refused(Why.UNSUPPORTED, "Crossdock cannot change counts there.")
        settle.settle_command(command_id=claimed.id, outcome=refused, random=RANDOM, now=world.later())
        undo(world)
        assert second.left == 3
        assert not Alert.objects.filter(settled_at=None).exists()

    def test_what_its_seller_left_out_stays_out(self, world: World) -> None:
        second = Second(world, units=3)
        link(world)
        relist(listing=second.variant.listing, now=world.later())
        leave_out(listing=second.variant.listing, now=world.later())
        undo(world)
        assert second.variant.listing.state == "left_out"

    def test_made_by_hand_it_keeps_what_is_left(self, world: World) -> None:
        mine = by_hand(world)
        link(world)
        world.units = 2
        world.read()
        undo(world)
        left = reservations.availability(variants=[mine], now=world.now)
        assert left[mine.pk] == 0, "the one that it had was sold"


class TestLocks:
    """In one order, so that nobody waits in a circle."""

    def tables(self, statements: list[dict[str, str]]) -> list[str]:
        locks = [re.search(r'FROM "store_(\w+)"', each["sql"]) for each in statements if "FOR NO KEY" in each["sql"]]
        return [found[1] for found in locks if found is not None]

    def test_a_decision_takes_names_last_as_an_import_does(self, world: World) -> None:
        Second(world, units=3)
        with CaptureQueriesContext(db) as seen:
            link(world)
        assert self.tables(seen.captured_queries) == ["command", "listing", "variantstock", "duplicate"]
        with CaptureQueriesContext(db) as seen:
            undo(world)
        assert self.tables(seen.captured_queries)[:4] == ["command", "listing", "variantstock", "duplicate"]

    def test_a_read_writes_no_stock_row_but_those_that_it_locked(self, world: World) -> None:
        """Made by hand it is locked by nobody here: a checkout may hold it and wait for the shop's."""
        mine = by_hand(world)
        link(world)
        world.units = 2
        before = VariantStock.objects.get(pk=mine.pk).count
        world.read()
        assert VariantStock.objects.get(pk=mine.pk).count == before
        assert reservations.availability(variants=[mine], now=world.now)[mine.pk] == 0


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

    def test_listed_in_another_shop_while_somebody_pays_it_ends(self, world: World) -> None:
        graded(world.variant.listing)
        intent = world.hold()
        second = Second(world, units=1, sku="other")
        graded(second.variant.listing)
        order = world.pay(intent)
        assert second.variant.stock.aside_why == f"Sold as order #{order.number}"

    def test_listed_in_the_moment_of_the_payment(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """After it was looked for, and before the rows are locked: all is begun again."""
        graded(world.variant.listing)
        intent, looks, look = world.hold(), [0], one_of_a_kind.same_units

        def not_there_at_first(*given: Any, **named: Any) -> Any:
            looks[0] += 1
            return {} if looks[0] == 1 else look(*given, **named)

        second = Second(world, units=1, sku="other")
        graded(second.variant.listing)
        monkeypatch.setattr(one_of_a_kind, "same_units", not_there_at_first)
        order = world.pay(intent)
        assert looks[0] == 4
        assert second.variant.stock.aside_why == f"Sold as order #{order.number}"
        assert world.seller.orders.count() == 1

    def imported(self, world: World, number: str) -> Second:
        """A shop that says its card's certificate itself."""
        second = Second(world, units=1, sku="other")
        words = (("Certificate", number), ("Grader", "psa"))
        variant = ShopVariant("w1", "other", "", Money(1100, "USD"), 1, options=words)
        import_products.receive_products(
            connection_id=second.shop.pk,
            products=[ShopProduct("q1", "Ember Fox (1999)", (variant,), types=("Graded",))],
            read_no=counts.draw_read_no(),
            now=world.later(),
        )
        return second

    @pytest.fixture
    def attributes(self, world: World) -> None:
        """Certificate and category are filled from what the shop says."""
        cards = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
        define(document=cards, actor=user(is_staff=True, roles="admin"), now=world.now)
        for rule in (
            Rule(Source.TYPE, "", "Graded", CATEGORY, "graded"),
            Rule(Source.OPTION, "Certificate", "", "certificate", ""),
            Rule(Source.OPTION, "Grader", "", "grader", ""),
        ):
            add_rule(seller=world.seller, rule=rule, actor=world.seller.owner, now=world.now)

    @pytest.mark.usefixtures("attributes")
    def test_listed_after_the_sale_it_is_not_for_sale(self, world: World) -> None:
        graded(world.variant.listing)
        order = world.buy()
        second = self.imported(world, "45678901")
        assert second.variant.stock.aside_why == f"Sold as order #{order.number}"
        assert self.imported(world, "another").left == 1
        confirm_count(variant=second.variant, count=None, actor=world.seller.owner, now=world.later())
        second.read()
        assert second.left == 1, "its seller has looked"

    @pytest.mark.usefixtures("attributes")
    def test_listed_after_the_product_of_the_sale_is_gone(self, world: World) -> None:
        graded(world.variant.listing)
        world.buy()
        Variant.objects.filter(pk=world.variant.pk).update(gone=True)
        assert self.imported(world, "45678901").left == 0

    @pytest.mark.usefixtures("attributes")
    def test_of_an_order_that_was_cancelled_nothing_was_sold(self, world: World) -> None:
        graded(world.variant.listing)
        order = world.buy()
        type(order).objects.filter(pk=order.pk).update(cancelled_at=world.now)
        assert self.imported(world, "45678901").left == 1

    @pytest.mark.usefixtures("attributes")
    def test_a_certificate_set_by_hand_after_the_sale(self, world: World) -> None:
        graded(world.variant.listing)
        world.buy()
        second = Second(world, units=1, sku="other")
        listing = second.variant.listing
        values = {CATEGORY: ["graded"], "certificate": ["45678901"], "grader": ["psa"]}
        set_by_hand(listing=listing, values=values, actor=world.seller.owner, now=world.later())
        assert second.left == 0
