"""Runs over many orders: what is previewed, what becomes of each order, and that no order is done twice."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import run_turns
from crossdock.domain.commands import CancelReason
from crossdock.domain.daily.bulk import MOST, BulkKind, ForAll, ForOne
from crossdock.domain.daily.filters import OrderFilter
from crossdock.store.models import AuditEntry, BulkRow, BulkRun, Mail, Order, Shipment, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.daily import bulk, bulk_rows
from crossdock.usecases.orders.daily.notes import tags_of
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.privacy.steps import STEPS
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.support import retention
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db
LIST = "/seller/orders/"


@pytest.fixture
def world() -> World:
    return World(units=50)


def work(world: World) -> None:
    run_turns.work(lambda: world.now)


def run_over(
    world: World, kind: BulkKind, orders: list[Order], each: dict[int, ForOne] | None = None, **given: Any
) -> BulkRun:
    said = {order.public_id: one for order in orders if (one := (each or {}).get(order.pk))}
    key = given.pop("key", f"key-{BulkRun.objects.count()}")
    return bulk.begin(
        seller=world.seller,
        kind=kind,
        judged=bulk.judge(kind=kind, orders=bulk.picked(seller=world.seller, ids=[o.public_id for o in orders])),
        given=ForAll(**given),
        each=said,
        key=key,
        actor=given.pop("actor", world.seller.owner),
        now=world.now,
    )


def ends(run: BulkRun) -> list[str]:
    return [row.state for row in run.rows.all()]


def said(run: BulkRun) -> list[str]:
    return [row.sentence for row in run.rows.all()]


def desk(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def words(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())


def test_orders_ship_each_with_its_own_number_and_one_that_may_not_is_skipped(world: World) -> None:
    first, second, gone = (world.buy() for _ in range(3))
    reject_order(order=gone, reason=CancelReason.LOST, actor=None, expected_total=None, now=world.later())
    gone.refresh_from_db()
    run = run_over(world, BulkKind.SHIP, [first, second, gone], {first.pk: ForOne("T-1", "UPS")}, carrier="DHL")
    assert ends(run) == ["waiting", "waiting", "skipped"] and "cancelled" in said(run)[2]
    assert not Shipment.objects.exists(), "nothing is done by the page itself"
    work(world)
    parcels = {parcel.order_id: (parcel.tracking_number, parcel.carrier) for parcel in Shipment.objects.all()}
    assert parcels == {first.pk: ("T-1", "UPS"), second.pk: ("", "DHL Express")}
    run.refresh_from_db()
    assert (run.state, ends(run)) == ("done", ["done", "done", "skipped"])
    assert said(run)[0] == "Shipped with T-1. The buyer is told."
    entry = AuditEntry.objects.get(action="began to ship in one go")
    assert (entry.actor, entry.subject) == (world.seller.owner, "2 orders")


def test_a_form_sent_twice_and_a_row_played_twice_ship_once(world: World) -> None:
    order = world.buy(2)
    run = run_over(world, BulkKind.SHIP, [order], key="same")
    assert run_over(world, BulkKind.SHIP, [order], key="same") == run
    (row,) = run.rows.values_list("pk", flat=True)
    for _ in range(2):
        bulk_rows.play(run=run, row_id=row, now=world.now)
    other = run_over(world, BulkKind.TAG, [order], tag="x")
    assert BulkRun.objects.count() == 2 and other != run
    assert Shipment.objects.count() == 1 and order.timeline.filter(kind="shipped").count() == 1
    assert Mail.objects.filter(order=order, cause__contains="shipped").count() <= 1


def test_two_runs_over_the_same_orders_ship_them_once(world: World) -> None:
    """Two tabs of a browser: the second run says what was in its way, order by order."""
    order = world.buy()
    runs = [run_over(world, BulkKind.SHIP, [order]) for _ in range(2)]
    work(world)
    assert [ends(run) for run in runs] == [["done"], ["failed"]] and Shipment.objects.count() == 1
    assert said(runs[1]) == ["Everything is shipped already."]


def test_an_odd_row_concerns_itself_alone_and_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [world.buy() for _ in range(3)]
    run, good = run_over(world, BulkKind.SHIP, orders), bulk_rows.ship_by_hand

    def odd(**given: Any) -> Any:
        if given["order"].pk == orders[1].pk:
            raise ValueError("never seen")
        return good(**given)

    monkeypatch.setattr(bulk_rows, "ship_by_hand", odd)
    work(world)
    assert ends(run) == ["done", "failed", "done"] and said(run)[1] == bulk_rows.ODD
    monkeypatch.setattr(bulk_rows, "ship_by_hand", good)
    run.refresh_from_db()
    assert bulk.again(run=run, actor=world.seller.owner, now=world.now) == 1
    assert bulk.again(run=run, actor=world.seller.owner, now=world.now) == 0, "pressed twice"
    work(world)
    assert ends(run) == ["done"] * 3 and Shipment.objects.count() == 3


def test_a_worker_that_dies_between_rows_leaves_the_rest_to_another(world: World) -> None:
    orders = [world.buy() for _ in range(3)]
    run = run_over(world, BulkKind.SHIP, orders)
    claimed = bulk_rows.claim(now=world.now)
    assert claimed is not None and bulk_rows.claim(now=world.now) is None, "it is claimed"
    bulk_rows.play(run=claimed, row_id=bulk_rows.next_rows(run=claimed)[0], now=world.now)
    work(world)
    assert ends(run) == ["done", "waiting", "waiting"]
    world.now += bulk_rows.CLAIM + timedelta(seconds=1)
    work(world)
    bulk_rows.give_back(run=claimed, now=world.now)
    run.refresh_from_db()
    assert ends(run) == ["done"] * 3 and run.state == "done" and Shipment.objects.count() == 3


def test_a_row_is_undone_with_its_result_where_the_database_fails(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.buy()
    run = run_over(world, BulkKind.SHIP, [order])

    def fails(name: str) -> None:
        if name == "bulk.before_written":
            raise OperationalError("gone")

    monkeypatch.setattr(bulk_rows, "point", fails)
    work(world)
    run.refresh_from_db()
    assert ends(run) == ["waiting"] and not Shipment.objects.exists() and run.due_at > world.now
    monkeypatch.undo()
    world.now += timedelta(seconds=5)
    work(world)
    assert ends(run) == ["done"] and Shipment.objects.count() == 1


def test_a_reject_credits_what_was_confirmed_and_no_other_amount(world: World) -> None:
    first, second, third = (world.buy() for _ in range(3))
    each = {first.pk: ForOne(back=first.total_minor), second.pk: ForOne(back=first.total_minor - 1)}
    with pytest.raises(Invalid, match="Choose a reason"):
        run_over(world, BulkKind.REJECT, [first], each)
    run = run_over(world, BulkKind.REJECT, [first, second, third], each, reason="lost")
    assert said(run)[2] == bulk.NOT_SEEN
    work(world)
    assert ends(run) == ["done", "failed", "skipped"] and "Look again" in said(run)[1]
    assert [order.credits.count() for order in (first, second, third)] == [1, 0, 0]
    run.refresh_from_db()
    with pytest.raises(Invalid, match="confirmed anew"):
        bulk.again(run=run, actor=world.seller.owner, now=world.now)
    page = words(desk(world).get(f"{LIST}bulk/?deed=reject&of={run.public_id}"))
    assert f"#{second.number}" in page and f"#{first.number}" not in page and "Reject 2 and credit $30.00" in page


def test_tags_are_put_on_and_taken_off(world: World) -> None:
    first, second = world.buy(), world.buy()
    work_of = [run_over(world, BulkKind.TAG, [first], tag="Gift")]
    work(world)
    work_of.append(run_over(world, BulkKind.TAG, [first, second], tag=" gift "))
    work(world)
    assert [ends(run) for run in work_of] == [["done"], ["skipped", "done"]]
    assert tags_of(seller=world.seller) == ["Gift"] and said(work_of[1])[0] == "It is tagged Gift already."
    off = run_over(world, BulkKind.UNTAG, [first, second], tag="GIFT")
    work(world)
    assert ends(off) == ["done", "done"] and tags_of(seller=world.seller) == []
    with pytest.raises(Invalid, match="30 characters"):
        run_over(world, BulkKind.TAG, [first], tag="x" * 31)


def test_what_is_stopped_stays_as_it_was(world: World) -> None:
    orders = [world.buy() for _ in range(2)]
    run = run_over(world, BulkKind.SHIP, orders)
    bulk_rows.play(run=run, row_id=bulk_rows.next_rows(run=run)[0], now=world.now)
    assert desk(world).post(f"{LIST}runs/{run.public_id}/stop/").status_code == 302
    work(world)
    assert ends(run) == ["done", "skipped"] and said(run)[1] == bulk.STOPPED and Shipment.objects.count() == 1


def test_nobody_else_begins_stops_or_repeats_one(world: World) -> None:
    order, wrong = world.buy(), user()
    with pytest.raises(NotAllowed):
        bulk.begin(
            seller=world.seller,
            kind=BulkKind.SHIP,
            judged=bulk.judge(kind=BulkKind.SHIP, orders=[order]),
            given=ForAll(),
            each={},
            key="k",
            actor=wrong,
            now=world.now,
        )
    run = run_over(world, BulkKind.SHIP, [order])
    for deed in (bulk.stop, bulk.again):
        with pytest.raises(NotAllowed):
            deed(run=run, actor=wrong, now=world.now)
    # Who may no more when its turn comes is refused order by order.
    BulkRun.objects.filter(pk=run.pk).update(asked_by=wrong)
    work(world)
    assert ends(run) == ["failed"] and not Shipment.objects.exists()
    assert bulk.picked(seller=a_seller(), ids=[order.public_id]) == []


@pytest.mark.parametrize(
    ("lost", "why"), [({"works_as": "reader"}, "Only the owner"), ({"is_active": False}, "is suspended")]
)
def test_who_loses_the_right_in_the_middle_of_a_run_is_stopped_at_the_next_order(
    world: World, lost: dict[str, Any], why: str
) -> None:
    orders, member = [world.buy() for _ in range(2)], user()
    User.objects.filter(pk=member.pk).update(works_for=world.seller, works_as="orders")
    each = {order.pk: ForOne(back=order.total_minor) for order in orders}
    run = run_over(world, BulkKind.REJECT, orders, each, reason="lost")
    BulkRun.objects.filter(pk=run.pk).update(asked_by=member)
    claimed = bulk_rows.claim(now=world.now)
    assert claimed is not None
    first, second = bulk_rows.next_rows(run=claimed)
    bulk_rows.play(run=claimed, row_id=first, now=world.now)
    User.objects.filter(pk=member.pk).update(**lost)
    bulk_rows.play(run=claimed, row_id=second, now=world.now)
    assert ends(run) == ["done", "failed"] and why in said(run)[1]
    assert [order.credits.count() for order in orders] == [1, 0]


class TestPages:
    def test_ticked_orders_are_previewed_and_shipped(self, world: World) -> None:
        first, second = world.buy(), world.buy()
        client = desk(world)
        picks = f"pick={first.public_id}&pick={second.public_id}"
        page = words(client.get(f"{LIST}bulk/?deed=ship&which=ticked&{picks}"))
        assert "Ship: 2 orders" in page and "Nothing has happened yet. 2 will be done" in page
        form = {"deed": "ship", "picks": f"{first.public_id} {second.public_id}", "key": "a" * 16}
        pasted = f"{first.number}\tTRACK-1\tUPS\n4711\tTRACK-2\n{second.number}\t9.4E+21"
        page = words(client.post(f"{LIST}bulk/", form | {"fill": "yes", "pasted": pasted}))
        assert 'value="TRACK-1"' in page and 'value="UPS"' in page and not BulkRun.objects.exists()
        assert "Line 2: none of the orders below has the number 4711." in page and "Line 3: A spreadsheet" in page
        numbers = {f"number-{first.public_id}": "T-1", f"carrier-{first.public_id}": "UPS", "carrier": "DHL"}
        at = {client.post(f"{LIST}bulk/", form | numbers)["Location"] for _ in range(2)}
        run = BulkRun.objects.get()
        assert at == {f"{LIST}runs/{run.public_id}/"}
        page = words(client.get(*at))
        assert "0 done, 2 to go" in page and 'http-equiv="refresh"' in page
        world.later()
        work(world)
        page = words(client.get(*at))
        assert "2 done." in page and "refresh" not in page and "Shipped with T-1" in page
        assert "Ship: 2" in words(client.get(f"{LIST}runs/"))
        assert {parcel.carrier for parcel in Shipment.objects.all()} == {"UPS", "DHL Express"}

    def test_one_number_for_two_orders_is_asked_about(self, world: World) -> None:
        first, second, other = (world.buy() for _ in range(3))
        client, picks = desk(world), f"{first.public_id} {second.public_id} {other.public_id}"
        form = {"deed": "ship", "picks": picks, "key": "b" * 16, f"number-{other.public_id}": "T-9"}
        same = {f"number-{first.public_id}": "1z 999", f"number-{second.public_id}": "1Z999"}
        filled = words(client.post(f"{LIST}bulk/", form | same | {"fill": "yes", "pasted": f"{other.number},T-99"}))
        assert f"1Z999 is the number of #{first.number}, #{second.number}." in filled
        answer = client.post(f"{LIST}bulk/", form | same)
        assert answer.status_code == 422 and "Say first whether" in words(answer) and not BulkRun.objects.exists()
        assert 'name="together"' in words(answer) and 'value="1z 999"' in words(answer)
        assert client.post(f"{LIST}bulk/", form | same | {"together": "yes"}).status_code == 302
        world.later()
        work(world)
        assert Shipment.objects.count() == 3

    def test_all_that_the_filter_finds_with_its_number(self, world: World) -> None:
        orders = [world.buy() for _ in range(3)]
        Order.objects.filter(pk=orders[0].pk).update(risk="high")
        client = desk(world)
        assert "All 3 of this list…" in words(client.get(f"{LIST}?queue=to_ship"))
        page = words(client.get(f"{LIST}?queue=to_ship&risk=high"))
        assert "All 1 of this list…" in page
        listed = "queue%3Dto_ship%26risk%3Dhigh"
        page = words(client.get(f"{LIST}bulk/?deed=tag&which=all&list={listed}"))
        assert "Tag: 1 order" in page and f"#{orders[0].number}" in page and f"#{orders[1].number}" not in page

    def test_more_than_a_run_takes_is_said(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            world.buy()
        monkeypatch.setattr(bulk, "MOST", 2)
        orders, more = bulk.listed(seller=world.seller, wanted=OrderFilter("to_ship"), now=world.now)
        assert len(orders) == 2 and more
        page = words(desk(world).get(f"{LIST}bulk/?deed=tag&which=all&list=queue%3Dto_ship"))
        assert "The list has more." in page and MOST == 300

    def test_nothing_ticked_and_nothing_said_lose_nothing(self, world: World) -> None:
        order, client = world.buy(), desk(world)
        answer = client.get(f"{LIST}bulk/?deed=ship&which=ticked&list=queue%3Dto_ship%26risk%3Dhigh", follow=True)
        assert "Tick the orders first" in words(answer) and "queue=to_ship&risk=high" in answer.redirect_chain[0][0]
        form = {"deed": "tag", "picks": order.public_id, "tag": " "}
        answer = client.post(f"{LIST}bulk/", form)
        assert answer.status_code == 422 and "Choose a tag" in words(answer) and not BulkRun.objects.exists()
        assert client.post(f"{LIST}bulk/", form | {"picks": "nobodys"}).status_code == 404

    def test_pages_ask_the_same_however_many_orders(self, world: World) -> None:
        client = desk(world)
        for kind, given in (
            (BulkKind.SHIP, {}),
            (BulkKind.REJECT, {"reason": "price_error"}),
            (BulkKind.TAG, {"tag": "x"}),
        ):
            counts = []
            for many in (1, 4):
                orders = [world.buy() for _ in range(many)]
                picks = "&".join(f"pick={order.public_id}" for order in orders)
                with CaptureQueriesContext(connection) as seen:
                    client.get(f"{LIST}bulk/?deed={kind}&{picks}")
                each = {order.pk: ForOne(back=order.total_minor) for order in orders}
                run = run_over(world, kind, orders, each, **given)
                with CaptureQueriesContext(connection) as more:
                    client.get(f"{LIST}runs/{run.public_id}/")
                counts.append((len(seen), len(more)))
                work(world)
            assert counts[0] == counts[1], kind


def test_statements_of_a_row_are_counted(world: World) -> None:
    """What a run asks for beside what its order would cost by hand."""
    plain, rowed = world.buy(), world.buy()
    with CaptureQueriesContext(connection) as by_hand:
        ship_by_hand(order=plain, lines=None, tracking="A", carrier="UPS", actor=world.seller.owner, now=world.now)
    run = run_over(world, BulkKind.SHIP, [rowed], {rowed.pk: ForOne("B", "UPS")})
    claimed = bulk_rows.claim(now=world.now)
    assert claimed is not None
    (row,) = bulk_rows.next_rows(run=claimed)
    with CaptureQueriesContext(connection) as in_run:
        bulk_rows.play(run=claimed, row_id=row, now=world.now)
    assert ends(run) == ["done"] and len(in_run) - len(by_hand) <= 10


def test_a_run_goes_after_its_days_and_with_a_buyer_who_leaves(world: World) -> None:
    order = world.buy()
    old = run_over(world, BulkKind.TAG, [order], tag="For Zoë Müller")
    fresh = run_over(world, BulkKind.TAG, [world.buy()], tag="gift")
    BulkRun.objects.filter(pk=old.pk).update(asked_at=world.now - timedelta(days=91))
    retention.run(now=world.now)
    assert BulkRun.objects.get() == fresh and BulkRow.objects.count() == 1
    other = run_over(world, BulkKind.TAG, [order], tag="For Zoë Müller")
    whose = Whose(order.buyer)
    for step in STEPS:
        if step.table in ("store.BulkRun", "store.BulkRow") and (found := list(step.rows(whose))):
            step.do(found, whose)
    assert BulkRun.objects.get() == fresh and BulkRow.objects.count() == 1 and other.pk


def test_what_a_run_did_stands_in_the_story_with_who_asked_for_it(world: World) -> None:
    order, noor = world.buy(), user(name="Noor Vega", works_for=world.seller, works_as="orders")
    run = run_over(world, BulkKind.SHIP, [order])
    BulkRun.objects.filter(pk=run.pk).update(asked_by=noor)
    work(world)
    assert order.timeline.filter(kind="shipped", evidence__by=noor.pk).exists()
    assert "Noor Vega" in words(desk(world).get(f"{LIST}{order.public_id}/"))


def test_an_order_that_was_pasted_twice_is_not_shipped_with_the_last_of_its_numbers(world: World) -> None:
    first, second = world.buy(), world.buy()
    pasted = f"{first.number},TRACK-1\n{second.number},TRACK-2\n{first.number},TRACK-9\n{second.number},TRACK-2"
    page = words(
        desk(world).post(
            f"{LIST}bulk/",
            {"deed": "ship", "picks": f"{first.public_id} {second.public_id}", "pasted": pasted, "fill": "yes"},
        )
    )
    assert f"Line 3: #{first.number} has another number in line 1" in page and "TRACK-1" in page
    assert 'value="TRACK-9"' not in page and 'value="TRACK-1"' in page and "Line 4" not in page


def test_enter_in_a_number_asks_for_nothing_that_was_not_pasted(world: World) -> None:
    """A scanner ends each number with it, and a browser then presses the form's first button."""
    order = world.buy()
    page = words(
        desk(world).post(
            f"{LIST}bulk/",
            {"deed": "ship", "picks": order.public_id, f"number-{order.public_id}": "T-1", "pasted": "", "fill": "yes"},
        )
    )
    assert 'value="T-1"' in page and "Paste at least one line" not in page


def test_a_page_that_was_sent_already_is_not_taken_for_what_is_on_it_now(world: World) -> None:
    """The back button shows the form once more; with other numbers in it, it is no second run and says so."""
    order, client = world.buy(), desk(world)
    form = {"deed": "ship", "picks": order.public_id, "key": "k" * 16, "begin": "yes"}
    client.post(f"{LIST}bulk/", {**form, f"number-{order.public_id}": "T-1"})
    same = words(client.post(f"{LIST}bulk/", {**form, f"number-{order.public_id}": "T-1"}, follow=True))
    other = words(client.post(f"{LIST}bulk/", {**form, f"number-{order.public_id}": "T-2"}, follow=True))
    assert BulkRun.objects.count() == 1
    assert "was begun already" not in same and "was begun already" in other
    bare = words(client.post(f"{LIST}bulk/", {**form, "deed": "tag"}, follow=True))
    assert "was begun already" in bare and BulkRun.objects.count() == 1
