"""Reconciling with a shop: what is read again, what each difference is called and why, and what the seller may do
about it.
"""

from datetime import timedelta

import pytest
from django.db import transaction

from crossdock.domain.commands import CancelReason, Done
from crossdock.domain.events import ProductGone, ShopProduct, ShopVariant
from crossdock.domain.recount import Cause, Decision, Evidence, cause_of, suggestion
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Connection, Cursor, Delivery, Difference, Movement, Recount
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.stock import counts, reconcile
from market import World, user


@pytest.mark.parametrize(
    ("seen", "cause"),
    [
        (Evidence(5, 5), Cause.ECHO),
        (Evidence(5, 3, taken=2), Cause.ECHO),
        (Evidence(5, 6, given_back=1), Cause.ECHO),
        (Evidence(5, 7, corrected=2), Cause.ECHO),
        (Evidence(5, 4, taken=2, given_back=1), Cause.ECHO),
        (Evidence(5, -1), Cause.BOTH_PLACES),
        (Evidence(5, 1, owed=2), Cause.BOTH_PLACES),
        (Evidence(5, 9, given_back=2), Cause.RESTORED_TWICE),
        (Evidence(5, 8, given_back=2), Cause.EDITED),
        (Evidence(5, 2), Cause.EDITED),
        (Evidence(5, 2, told=True, listening=True), Cause.EDITED),
        (Evidence(5, 2, listening=True), Cause.MISSED),
        (Evidence(5, None, gone=True), Cause.GONE),
        (Evidence(5, None), Cause.EDITED),
    ],
)
def test_what_a_difference_is_called(seen: Evidence, cause: Cause) -> None:
    assert cause_of(seen) is cause


def test_the_suggestion_follows_the_evidence() -> None:
    assert suggestion(Cause.EDITED) is Decision.SHOP
    assert suggestion(Cause.RESTORED_TWICE) is Decision.OURS
    assert suggestion(Cause.BOTH_PLACES) is Decision.ASIDE


@pytest.fixture
def world(db: None) -> World:
    world = World(units=5)
    Cursor.objects.filter(connection=world.shop, stream="products").update(
        value="c1", completed_at=world.now, asked_at=world.now
    )
    Cursor.objects.create(connection=world.shop, stream="recount", due_at=world.now)
    return world


def run(world: World, *products: ShopProduct | ProductGone) -> Recount:
    """A whole run in one page; without products the shop's one product as it stands."""
    page = products or (product(world),)
    begun = reconcile.take_up(connection_id=world.shop.pk, now=world.later())
    assert begun
    read_no = counts.draw_read_no()
    now = world.later()
    gone = [item.product_id for item in page if isinstance(item, ProductGone)]
    with transaction.atomic():
        import_products.receive_products(connection_id=world.shop.pk, products=page, read_no=read_no, now=now)
        reconcile.page_read(
            run_id=begun.id, read_no=read_no, variants=1, gone=gone, cursor="c2", more=False, sweep=False, now=now
        )
    return Recount.objects.get(pk=begun.id)


def product(world: World) -> ShopProduct:
    return ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1000, "USD"), world.units),))


def difference() -> Difference:
    return Difference.objects.latest("pk")


class TestARun:
    def test_nothing_changed(self, world: World) -> None:
        done = run(world)
        assert (done.pages, done.variants, done.differences, done.echoes) == (1, 1, 0, 0)
        assert done.finished_at
        assert Cursor.objects.get(connection=world.shop, stream="recount").value == "c2"
        assert not Alert.objects.exists()

    def test_changed_in_the_shop_without_a_word(self, world: World) -> None:
        world.units = 2
        done = run(world)
        assert done.differences == 1
        found = difference()
        assert (found.cause, found.expected, found.shop) == (Cause.EDITED, 5, 2)
        assert world.available == 2
        assert found.movement and found.movement.kind == "shop_count"
        assert Alert.objects.get(settled_at=None).evidence == {"differences": 1}

    def test_a_webhook_was_missed_and_one_that_came_is_evidence(self, world: World) -> None:
        Connection.objects.filter(pk=world.shop.pk).update(hooks={"active": ["product"]})
        world.units = 3
        run(world)
        assert difference().cause == Cause.MISSED
        Delivery.objects.create(
            party=world.shop.party,
            topic="product",
            dedupe="d1",
            received_at=world.later(),
            body=b"",
            headers={},
            news={"looks": [{"kind": "product", "entity_id": "p1"}]},
        )
        world.units = 1
        run(world)
        assert difference().cause == Cause.EDITED

    def test_our_own_order_is_an_echo_and_asks_nobody(self, world: World) -> None:
        order = world.buy(2)
        (create,) = world.claim()
        world.settle(create, world.create_there(order))
        done = run(world)
        assert (done.differences, done.echoes) == (0, 1)
        assert difference().decision == Decision.SHOP
        assert not Alert.objects.exists()
        assert world.available == 3

    def test_sold_in_both_places(self, world: World) -> None:
        world.buy(2)
        world.units = 1
        run(world)
        assert difference().cause == Cause.BOTH_PLACES
        assert world.available == 0

    @pytest.mark.parametrize(("back", "cause"), [(1, Cause.ECHO), (2, Cause.RESTORED_TWICE)])
    def test_put_back_once_or_twice(self, world: World, back: int, cause: Cause) -> None:
        order = world.buy()
        (create,) = world.claim()
        world.settle(create, world.create_there(order))
        world.read()
        reject_order(
            order=order,
            reason=CancelReason.OTHER,
            expected_total=order.total,
            actor=world.seller.owner,
            now=world.later(),
        )
        (cancel,) = [one for one in world.claim() if one.kind == "cancel_order"]
        world.cancel_there("s1")
        world.settle(cancel, Done("s1"))
        world.units += back - 1
        run(world)
        assert difference().cause == cause

    def test_a_product_that_is_gone(self, world: World) -> None:
        run(world, ProductGone("p1"))
        assert difference().cause == Cause.GONE

    def test_a_newer_difference_takes_the_place_of_an_undecided_one(self, world: World) -> None:
        world.units = 4
        run(world)
        world.units = 1
        run(world)
        assert [one.shop for one in Difference.objects.filter(decision="")] == [1]


class TestWhenItRuns:
    def test_not_before_the_first_reading_is_finished(self, world: World) -> None:
        Cursor.objects.filter(connection=world.shop).update(completed_at=None)
        assert reconcile.take_up(connection_id=world.shop.pk, now=world.now) is None
        with pytest.raises(NotAllowed, match="first reading"):
            reconcile.ask_for_recount(connection=world.shop, actor=world.seller.owner, now=world.now)

    def test_twice_asked_is_one_run_and_only_its_seller_may(self, world: World) -> None:
        first = reconcile.ask_for_recount(connection=world.shop, actor=world.seller.owner, now=world.now)
        again = reconcile.ask_for_recount(connection=world.shop, actor=world.seller.owner, now=world.now)
        assert first == again
        with pytest.raises(NotAllowed):
            reconcile.ask_for_recount(connection=world.shop, actor=user(), now=world.now)

    def test_from_where_the_last_one_ended(self, world: World) -> None:
        run(world)
        Cursor.objects.filter(connection=world.shop, stream="products").update(value="c9")
        begun = reconcile.take_up(connection_id=world.shop.pk, now=world.later())
        assert begun and begun.cursor == "c2"

    def test_after_an_outage_from_where_polling_stopped(self, world: World) -> None:
        soon, late = world.now + timedelta(minutes=20), world.now + timedelta(minutes=31)
        assert not reconcile.after_outage(connection_id=world.shop.pk, now=soon)
        assert reconcile.after_outage(connection_id=world.shop.pk, now=late)
        assert reconcile.after_outage(connection_id=world.shop.pk, now=late)
        begun = Recount.objects.get()
        assert (begun.occasion, begun.cursor) == ("outage", "c1")
        world.now = late
        run(world)
        assert not reconcile.after_outage(connection_id=world.shop.pk, now=world.later())

    def test_a_sweep_reads_every_count_in_batches(self, world: World) -> None:
        begun = reconcile.take_up(connection_id=world.shop.pk, now=world.now)
        assert begun
        reconcile.page_read(
            run_id=begun.id,
            read_no=counts.draw_read_no(),
            variants=0,
            gone=(),
            cursor="c2",
            more=False,
            sweep=True,
            now=world.later(),
        )
        swept = reconcile.take_up(connection_id=world.shop.pk, now=world.now)
        assert swept and swept.after == 0
        after, refs = reconcile.to_sweep(run_id=begun.id, limit=100, now=world.now)
        assert refs == (("p1", "v1"),)
        world.units = 1
        read_no, now = counts.draw_read_no(), world.later()
        from crossdock.domain.events import Count

        counts.apply_counts(connection_id=world.shop.pk, read_no=read_no, asked=refs, counts=[Count("v1", 1)], now=now)
        reconcile.batch_read(run_id=begun.id, read_no=read_no, variants=1, after=after, more=False, now=now)
        done = Recount.objects.get()
        assert (done.pages, done.batches, done.differences) == (1, 1, 1)
        assert done.finished_at


class TestTheRecorder:
    def test_a_movement_says_what_brought_it_and_what_was_left(self, world: World) -> None:
        order = world.buy(2)
        (create,) = world.claim()
        world.settle(create, world.create_there(order))
        world.read()
        told = {move.kind: move for move in Movement.objects.filter(variant=world.variant)}
        assert told["held"].left == 3
        assert told["sold"].left == 3
        assert told["fenced"].event == f"command:{create.id}"
        last = Movement.objects.filter(kind="shop_count").latest("pk")
        assert (last.count_before, last.count_after, last.left) == (5, 3, 3)
        assert last.event == told["hold_ended_read"].event
        assert last.event.startswith("read:")
