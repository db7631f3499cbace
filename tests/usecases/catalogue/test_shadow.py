"""Shadow mode: what is only looked at sells nothing and is written nothing, and its report says what its counts say."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from crossdock.domain.evening.shadow import KEPT_BACK, Fall, judged
from crossdock.domain.evening.steps import Facts, State, Step, stands
from crossdock.store.models import (
    Command,
    Connection,
    Duplicate,
    Listing,
    Movement,
    NewsLag,
    ShadowRun,
    Variant,
    VariantStock,
)
from crossdock.usecases.catalogue import listings
from crossdock.usecases.catalogue.evening import report, shadow
from crossdock.usecases.catalogue.evening.facts import facts_of
from crossdock.usecases.catalogue.queries import listings_shown
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.shops import connect, pausing, timers
from crossdock.usecases.shops.trial_orders import try_order
from market import ADDRESS, World, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


def begun(world: World) -> Connection:
    """Only looked at, and read once more since."""
    owner = world.seller.owner
    pausing.pause(connection=world.shop, actor=owner, now=world.now)
    shadow.begin_shadow(connection=world.shop, actor=owner, now=world.now)
    world.shop.refresh_from_db()
    world.shop.cursors.filter(stream="products").update(completed_at=world.now)
    return world.shop


def seen(world: World) -> report.Report:
    run = report.run_of(world.shop)
    assert run is not None
    return report.report_of(run=run, per_second=2, now=world.now)


def fell(world: World, to: int) -> None:
    world.units = to
    world.read()


def test_nothing_is_for_sale_and_the_table_takes_no_command(world: World) -> None:
    shop = begun(world)
    variant = Variant.objects.select_related("listing__seller", "connection").get(pk=world.variant.pk)
    assert not listings.live().exists() and not listings.shown().exists() and not listings_shown().exists()
    assert why_not_sold(variant) and listings.ONLY_LOOKED_AT in listings.why_not_live(
        listing=variant.listing, now=world.now
    )
    with pytest.raises(NotAllowed, match="Go live first"), transaction.atomic():
        try_order(connection=shop, variant=variant, ship_to=ADDRESS, actor=world.seller.owner, now=world.now)
    # Whoever writes it, and however.
    now = {"due_at": world.now, "created_at": world.now}
    with pytest.raises(IntegrityError, match="only looked at"), transaction.atomic():
        Command.objects.create(party=shop.party, cause="c", subject="s", kind="create_order", payload={}, **now)
    assert not Command.objects.exists()
    assert connect.access_of(connection=shop).hook_url == ""


def test_it_stays_so_when_it_is_paused_resumed_and_connected_again(world: World) -> None:
    shop, owner = begun(world), world.seller.owner
    pausing.pause(connection=shop, actor=owner, now=world.now)
    pausing.resume(connection=shop, actor=owner, now=world.now)
    connect.open_again(shop=shop, how="again", now=world.now)
    shop.refresh_from_db()
    assert shop.shadow_since is not None and not listings.live().exists()


def joined_again(world: World, *, look_first: bool) -> Connection:
    """Its seller begins from “Connect a shop”, not from “Reconnect”."""
    row, _ = connect.start_attempt(
        seller=world.seller,
        user=world.seller.owner,
        platform=world.shop.platform,
        way="key",
        address=world.shop.address,
        form={},
        now=world.later(),
    )
    proof = {"shop_id": world.shop.shop_key, "name": "Foxes", "currency": "USD", "checks": [], "settings": {}}
    connect.prove_attempt(attempt=row, secrets={"api_key": "a:b"}, proof=proof, preview=[], now=world.now)
    return connect.confirm_attempt(attempt=row, left_out=[], settings={}, now=world.now, shadow=look_first)


def test_a_shop_from_before_that_is_connected_to_be_looked_at_does_not_sell(world: World) -> None:
    owner = world.seller.owner
    connect.disconnect(connection=world.shop, actor=owner, now=world.now)
    shop = joined_again(world, look_first=True)
    assert shop.pk == world.shop.pk and shop.state == "paused" and not listings.live().exists()
    shadow.begin_shadow(connection=shop, actor=owner, now=world.now)
    connect.disconnect(connection=shop, actor=owner, now=world.now)
    for look_first in (True, False):
        shop = joined_again(world, look_first=look_first)
        assert shop.state == "active" and shop.shadow_since is not None and not listings.live().exists()
        connect.disconnect(connection=shop, actor=owner, now=world.now)
    assert ShadowRun.objects.count() == 1


def test_what_cannot_be_only_looked_at_says_why(world: World) -> None:
    owner = world.seller.owner
    with pytest.raises(Invalid, match="Pause your shop first"):
        shadow.begin_shadow(connection=world.shop, actor=owner, now=world.now)
    intent = world.hold()
    pausing.pause(connection=world.shop, actor=owner, now=world.now)
    with pytest.raises(Invalid, match="A buyer holds"):
        shadow.begin_shadow(connection=world.shop, actor=owner, now=world.now)
    world.pay(intent)
    with pytest.raises(Invalid, match="was sold here already"):
        shadow.begin_shadow(connection=world.shop, actor=owner, now=world.now)
    with pytest.raises(NotAllowed):
        shadow.begin_shadow(connection=world.shop, actor=user(), now=world.now)
    with pytest.raises(NotAllowed):
        shadow.go_live(connection=world.shop, per_second=1, actor=user(), now=world.now)


def test_the_report_says_what_the_counts_say(world: World) -> None:
    """Nine, of which two are kept back: four go, then the rest, then some come back."""
    shop = begun(world)
    Connection.objects.filter(pk=shop.pk).update(buffer=2)
    fell(world, 5)
    fell(world, 0)
    fell(world, 3)
    NewsLag.objects.bulk_create(
        NewsLag(connection=shop, at=world.later(), milliseconds=ms) for ms in (1000, 2000, 9000)
    )
    timers.count_calls(connection_id=shop.pk, calls=30, now=world.now)
    found = seen(world)
    assert (found.listed, found.not_listed, found.falls, found.units) == (1, 0, 2, 9)
    assert (found.landed, found.refused, found.late) == (7, 2, 1)
    assert (found.lag_median, found.lag_worst, found.calls) == (2.0, 9.0, 30)
    assert found.worth_minor == 7 * 1000
    run = report.run_of(shop)
    assert run is not None
    newest, oldest = report.falls_of(run, limit=9)
    assert (newest.landed, newest.why, newest.late) == (3, KEPT_BACK, True) and (oldest.landed, oldest.why) == (4, "")


def test_a_fall_is_judged_by_the_limits_of_now(world: World) -> None:
    """As what is listed is: also when they were chosen after the count that was before it was read."""
    shop = begun(world)
    fell(world, 3)
    Connection.objects.filter(pk=shop.pk).update(buffer=2)
    fell(world, 0)
    found = seen(world)
    # Nine to three leaves seven for buyers here, three to none leaves one.
    assert (found.units, found.landed, found.refused, found.late) == (9, 7, 2, 1)
    VariantStock.objects.update(buffer=0, most_shown=2)
    found = seen(world)
    assert (found.landed, found.refused) == (4, 5)


def test_what_would_not_be_listed_is_named_with_why_and_its_units_are_refused(world: World) -> None:
    shop = begun(world)
    Listing.objects.update(state="left_out")
    fell(world, 7)
    found = seen(world)
    assert (found.listed, found.not_listed, found.landed, found.refused, found.late) == (0, 1, 0, 2, 0)
    ((listing, why),) = report.not_listed(shop, now=world.now, after=0, limit=9)
    assert listing.pk == world.variant.listing_id and "You left it out" in why[0] and len(why) == 1


def test_going_live_keeps_the_report_and_sells_once_it_is_read(world: World) -> None:
    shop, owner = begun(world), world.seller.owner
    fell(world, 6)
    before = seen(world)
    for _ in range(2):
        shadow.go_live(connection=shop, per_second=2, actor=owner, now=world.now)
    run = ShadowRun.objects.get()
    kept = report.kept_report(run)
    assert kept is not None and (kept.units, kept.landed, kept.listed) == (before.units, before.landed, before.listed)
    assert not shop.cursors.filter(due_at__gt=world.now).exclude(stream="recount").exists()
    # What falls from now on is none of the report's.
    fell(world, 5)
    assert len(report.falls_of(run, limit=9)) == 1
    world.shop.refresh_from_db()
    order = world.buy()
    assert order.connection_id == shop.pk and world.claim()[0].kind == "create_order"
    assert world.available == 4


def test_it_cannot_go_live_before_it_was_read(world: World) -> None:
    shop = begun(world)
    shop.cursors.filter(stream="products").update(completed_at=None)
    with pytest.raises(Invalid, match="read for the first time"):
        shadow.go_live(connection=shop, per_second=2, actor=world.seller.owner, now=world.now)


def test_a_shop_that_is_only_looked_at_shares_no_goods(world: World) -> None:
    begun(world)
    other = World(units=3, now=world.now)
    Connection.objects.filter(pk=other.shop.pk).update(seller=world.seller)
    Listing.objects.update(seller=world.seller)
    world.shop.refresh_from_db()
    assert connect.access_of(connection=other.shop)
    from crossdock.usecases.catalogue.duplicates import find_all_duplicates

    assert find_all_duplicates(connection_id=other.shop.pk, now=world.now) == 0
    shadow.go_live(connection=world.shop, per_second=2, actor=world.seller.owner, now=world.now)
    assert Duplicate.objects.get().key == "FOX-1"


def test_goods_that_are_linked_are_not_only_looked_at(world: World) -> None:
    owner = world.seller.owner
    VariantStock.objects.filter(variant=world.variant).update(told_count=9)
    pausing.pause(connection=world.shop, actor=owner, now=world.now)
    with pytest.raises(Invalid, match="linked"):
        shadow.begin_shadow(connection=world.shop, actor=owner, now=world.now)


def test_what_the_limits_keep_back_would_not_be_listed(world: World) -> None:
    shop = begun(world)
    Connection.objects.filter(pk=shop.pk).update(buffer=9)
    assert (seen(world).listed, seen(world).not_listed) == (0, 1)
    ((_, why),) = report.not_listed(Connection.objects.get(pk=shop.pk), now=world.now, after=0, limit=9)
    assert why == ["Nothing left to sell."]
    VariantStock.objects.update(buffer=0)
    assert seen(world).listed == 1


def test_as_many_statements_however_much_fell(world: World) -> None:
    begun(world)
    fell(world, 8)
    with CaptureQueriesContext(connection) as few:
        seen(world)
    for count in (7, 6, 5, 4):
        fell(world, count)
    with CaptureQueriesContext(connection) as many:
        assert seen(world).units == 5
    assert len(few) == len(many) <= 7
    assert not any('"description"' in row["sql"] for row in many), "thousands of whole listings take seconds"
    assert Movement.objects.filter(kind="shop_count").count() >= 5


@pytest.mark.parametrize(
    ("units", "before", "after", "why_not", "landed", "late"),
    [
        (2, 5, 3, "", 2, False),
        (2, 2, 0, "", 2, True),
        (3, 1, 0, "", 1, True),
        (1, 0, 0, "", 0, False),
        (4, 4, 0, "You left it out.", 0, False),
        (2, -1, 0, "", 0, False),
    ],
)
def test_each_fall_is_judged(units: int, before: int, after: int, why_not: str, landed: int, late: bool) -> None:
    found = judged(Fall("Fox", datetime.now(UTC), units, before, after, why_not, 100))
    assert (found.landed, found.late) == (landed, late) and found.landed + found.refused == units
    assert bool(found.why) == bool(found.refused)


def test_the_steps_follow_the_facts(world: World) -> None:
    """One is next at most; what is done stays done, and shadow mode puts the test order off."""
    bare = Facts(True, False, 0, 0, False, "", "", False)
    ways = [
        bare,
        Facts(True, True, 0, 3, False, "", "", False),
        Facts(True, True, 3, 0, False, "", "", False),
        Facts(True, True, 3, 0, True, "", "", False),
        Facts(True, True, 3, 0, True, "", "passed", False),
    ]
    nexts = [[stand.step for stand in stands(facts) if stand.state is State.NEXT] for facts in ways]
    assert nexts == [[], [Step.CHOOSE], [Step.RULES], [Step.TRY], []]
    done = [sum(stand.state is State.DONE for stand in stands(facts)) for facts in ways]
    assert all(a < b for a, b in pairwise(done)) and done[-1] == len(Step)
    looking = {stand.step: stand.state for stand in stands(Facts(True, True, 3, 0, True, "", "", True))}
    assert (looking[Step.TRY], looking[Step.LIVE]) == (State.WAITS, State.NEXT)
    # Whose shop is paused does not read that buyers find it.
    choose, live = (stands(Facts(True, True, 3, 0, True, "", "passed", False, paused=True))[n] for n in (2, -1))
    assert "would be sold" in choose.sentence and live.state is State.NEXT and "paused" in live.sentence
    found = facts_of(connection=world.shop)
    assert not found.paused and found.connected and found.listed == 1 and not found.read and found.ships
