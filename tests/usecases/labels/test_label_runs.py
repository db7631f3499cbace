"""Labels for many orders in one go: prices that buy nothing, one purchase for each, and none for a second time."""

from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import run_turns
from crossdock.domain.commands import CancelReason, Refused, Why
from crossdock.domain.labels import Quote, Wanted
from crossdock.domain.values import Money
from crossdock.engine.daily import prices
from crossdock.kit.errors import BadInput, NoAnswer
from crossdock.store.models import BulkRun, Command, Label, Order, Shipment
from crossdock.usecases.errors import Stale
from crossdock.usecases.labels import carrier_news, purchase, runs
from crossdock.usecases.orders.daily import bulk_rows
from crossdock.usecases.orders.reject import reject_order
from crossdock.web.seller.daily import label_prices
from labelling import CAN, CHEAP, FAST, Counter, asked
from market import World

pytestmark = pytest.mark.django_db
LIST = "/seller/orders/"
SIZE = {"weight_unit": "oz", "length": "9", "width": "6", "height": "1", "size_unit": "in"}


class Teller:
    """The carrier's prices: by weight, or what it is told to say."""

    name, label, can = "sandbox", "Sample Post", CAN

    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        self.trouble: Exception | None = None

    def missing(self) -> str:
        return ""

    async def quote(self, wanted: Wanted) -> tuple[Quote, ...]:
        self.asked.append(wanted)
        if self.trouble is not None:
            raise self.trouble
        return (CHEAP, FAST)


@pytest.fixture
def world() -> World:
    return World(units=60)


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Teller:
    one = Teller()
    monkeypatch.setattr(prices, "opened", lambda name: one)
    monkeypatch.setattr(label_prices, "chosen_carrier", lambda: one)
    return one


def desk(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def words(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())


def work(world: World) -> None:
    run_turns.work_asking(lambda: world.now)


def ask_prices(world: World, orders: list[Order], **more: str) -> BulkRun:
    form = {"deed": "price", "picks": " ".join(order.public_id for order in orders), "weight": "4", **SIZE, **more}
    answer = desk(world).post(f"{LIST}bulk/", form)
    assert answer.status_code == 302, words(answer)
    world.later()
    work(world)
    return BulkRun.objects.latest("pk")


def buy(world: World, run: BulkRun, confirmed: str = "") -> BulkRun:
    world.later()
    run.refresh_from_db()
    words = confirmed or runs.offer_of(run=run, now=world.now).words
    begun = runs.begin_buying(run=run, confirmed=words, actor=world.seller.owner, now=world.now)
    work(world)
    return begun


def ends(run: BulkRun) -> list[tuple[str, str]]:
    return list(run.rows.values_list("state", "sentence"))


def test_prices_are_shown_with_their_sum_and_buy_nothing(world: World, teller: Teller) -> None:
    Counter(world)
    first, second, abroad, gone = (world.buy() for _ in range(4))
    Order.objects.filter(pk=abroad.pk).update(ship_to={**abroad.ship_to, "country": "DE"})
    reject_order(order=gone, reason=CancelReason.LOST, actor=None, expected_total=None, now=world.later())
    page = words(desk(world).get(f"{LIST}bulk/?deed=price&pick={first.public_id}&pick={gone.public_id}"))
    assert "Labels for 1 order" in page and "The order is cancelled" in page and not teller.asked
    run = ask_prices(world, [first, second, abroad, gone], **{f"weight-{second.public_id}": "8"})
    assert [state for state, _ in ends(run)] == ["done", "done", "skipped", "skipped"]
    assert "goes only to the US" in ends(run)[2][1] and ends(run)[0][1] == "$5.20: Sample Post Ground, 4 days."
    assert [wanted.parcel.grams for wanted in teller.asked] == [114, 227]
    page = words(desk(world).get(f"{LIST}runs/{run.public_id}/"))
    assert "Buy 2 labels for $10.40" in page and f"/seller/labels/{Label.objects.first().public_id}/" in page
    assert asked() == [] and not Shipment.objects.exists()


def test_each_is_bought_once_however_often_it_is_pressed(world: World, teller: Teller) -> None:
    counter = Counter(world)
    orders = [world.buy() for _ in range(2)]
    run = ask_prices(world, orders)
    client, at = desk(world), f"{LIST}runs/{run.public_id}/buy/"
    gone_to = {client.post(at, {"sum": "$10.40"})["Location"] for _ in range(2)}
    world.later()
    work(world)
    bought = BulkRun.objects.get(kind="label")
    assert gone_to == {f"{LIST}runs/{bought.public_id}/"} and asked() == ["buy_label"] * 2
    assert ends(bought) == [("asked", runs.BUYING)] * 2
    assert "2 asked of the carrier" in words(client.get(*gone_to))
    counter.answer(counter.sold())
    counter.answer(Refused(Why.CONFLICT, "No such street."))
    work(world)
    bought.refresh_from_db()
    (first, number), (second, why) = ends(bought)
    assert (first, second, bought.state) == ("done", "failed", "done")
    assert number == f"Sample Post Ground for $5.20, number {Shipment.objects.get().tracking_number}."
    assert "No such street." in why and "nothing was charged" in why
    # In another tab the prices are still to be seen: what is bought is not offered.
    assert client.post(at, {"sum": "$10.40"})["Location"] in gone_to and asked() == ["buy_label"] * 2
    again = ask_prices(world, orders)
    assert [state for state, _ in ends(again)] == ["skipped", "done"]
    page = words(client.get(f"{LIST}print/slips/?run={bought.public_id}"))
    assert f"#{orders[0].number}" in page and f"#{orders[1].number}" not in page


def test_two_runs_over_one_order_buy_one_label(world: World, teller: Teller) -> None:
    counter, order = Counter(world), world.buy()
    priced = [ask_prices(world, [order]) for _ in range(2)]
    bought = [buy(world, run) for run in priced]
    assert asked() == ["buy_label"] and ends(bought[0]) == [("asked", runs.BUYING)]
    assert ends(bought[1])[0][0] == "failed" and "has a label already" in ends(bought[1])[0][1]
    counter.answer(counter.sold())
    assert Shipment.objects.count() == 1 and ends(bought[0])[0][0] == "done"


def test_what_changed_since_the_prices_is_not_bought(world: World, teller: Teller) -> None:
    Counter(world)
    moved, gone, stays = (world.buy() for _ in range(3))
    run = ask_prices(world, [moved, gone, stays])
    with pytest.raises(Stale, match=r"cost \$15\.60 now"):
        buy(world, run, "$15.00")
    Order.objects.filter(pk=moved.pk).update(ship_to={**moved.ship_to, "line1": "2 Elm St"})
    reject_order(order=gone, reason=CancelReason.LOST, actor=None, expected_total=None, now=world.later())
    bought = buy(world, run)
    assert [state for state, _ in ends(bought)] == ["failed", "failed", "asked"] and asked() == ["buy_label"]
    assert "address has changed" in ends(bought)[0][1]


def test_prices_grow_old(world: World, teller: Teller) -> None:
    Counter(world)
    run = ask_prices(world, [world.buy()])
    Label.objects.update(quoted_at=world.now - purchase.QUOTES_LAST - timedelta(minutes=1))
    with pytest.raises(Stale, match="half an hour"):
        buy(world, run)
    page = words(desk(world).get(f"{LIST}runs/{run.public_id}/"))
    assert "Ask for the prices again" in page and "Buy 1 label" not in page and asked() == []


@pytest.mark.parametrize("trouble", [NoAnswer("no answer"), BadInput("The parcel is too thin."), ValueError("odd")])
def test_a_carrier_in_trouble_stops_nothing_and_is_asked_again(
    world: World, teller: Teller, trouble: Exception
) -> None:
    Counter(world)
    teller.trouble = trouble
    run = ask_prices(world, [world.buy() for _ in range(2)])
    assert [state for state, _ in ends(run)] == ["failed"] * 2 and not Label.objects.exists()
    teller.trouble = None
    assert desk(world).post(f"{LIST}runs/{run.public_id}/again/").status_code == 302
    world.later()
    work(world)
    assert [state for state, _ in ends(run)] == ["done"] * 2 and Label.objects.count() == 2


@pytest.mark.parametrize("name", ["bulk.before_written", "bulk.row", "bulk.prices_heard", "bulk.label_settled"])
def test_whoever_is_killed_anywhere_buys_each_once(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """At each point the transaction that is open is gone, and whoever comes next goes on."""
    counter, order = Counter(world), world.buy()
    died: list[str] = []

    def dies(at: str) -> None:
        if at == name and not died:
            died.append(at)
            raise OperationalError("killed")

    for module in (bulk_rows, prices, runs):
        monkeypatch.setattr(module, "point", dies)
    run = ask_prices(world, [order])
    for _ in range(2):
        world.now += timedelta(minutes=2)
        work(world)
    bought = buy(world, run)
    if name == "bulk.label_settled":
        claimed = counter.claim()
        for _ in range(2):
            try:
                carrier_news.settle_label(
                    command_id=claimed.id, answer=counter.sold(), random=counter.random, now=world.later()
                )
            except OperationalError:
                assert ends(bought) == [("asked", runs.BUYING)]
    else:
        counter.answer(counter.sold())
    world.now += timedelta(minutes=2)
    work(world)
    bought.refresh_from_db()
    assert died == [name] and bought.state == "done" and ends(bought)[0][0] == "done"
    assert Shipment.objects.count() == 1 == Command.objects.filter(kind="buy_label").count()
    assert Label.objects.exclude(state="quoted").count() == 1


def test_weights_are_asked_for_and_read(world: World, teller: Teller) -> None:
    Counter(world)
    first, second = world.buy(), world.buy()
    form = {"deed": "price", "picks": f"{first.public_id} {second.public_id}", "weight": "", **SIZE}
    answer = desk(world).post(f"{LIST}bulk/", form)
    assert answer.status_code == 422 and words(answer).count(runs.NO_WEIGHT) == 2
    answer = desk(world).post(f"{LIST}bulk/", form | {f"weight-{first.public_id}": "heavy"})
    assert answer.status_code == 422 and "cannot be read: “heavy”" in words(answer) and 'value="heavy"' in words(answer)
    run = ask_prices(world, [first, second], **{"weight": "", f"weight-{first.public_id}": "4,5"})
    assert ends(run) == [("done", "$5.20: Sample Post Ground, 4 days."), ("skipped", runs.NO_WEIGHT)]


def test_without_an_address_or_a_carrier_nothing_is_asked(
    world: World, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.buy()
    at = f"{LIST}bulk/?deed=price&pick={order.public_id}"
    assert "Say first where you ship from" in words(desk(world).get(at))
    Counter(world)
    monkeypatch.setattr(Teller, "missing", lambda self: "no key")
    assert "Labels cannot be bought here at the moment" in words(desk(world).get(at))


def test_pages_ask_the_same_however_many_orders(world: World, teller: Teller) -> None:
    Counter(world)
    client, counts = desk(world), []
    for many in (1, 4):
        orders = [world.buy() for _ in range(many)]
        picks = "&".join(f"pick={order.public_id}" for order in orders)
        with CaptureQueriesContext(connection) as preview:
            answer = client.get(f"{LIST}bulk/?deed=price&{picks}")
        assert f"Labels for {many} order" in words(answer), answer.status_code
        counts.append(len(preview))
        run = ask_prices(world, orders)
        with CaptureQueriesContext(connection) as page:
            client.get(f"{LIST}runs/{run.public_id}/")
        counts.append(len(page))
    assert counts[:2] == counts[2:]


def test_the_cheapest_that_can_be_bought_is_taken() -> None:
    quotes = (Quote("A", "x", Money(100, "USD"), "r1", not_now="No drop-off."), CHEAP)
    label = SimpleNamespace(quotes=purchase.QUOTES.dump_python(quotes, mode="json"))
    assert runs.cheapest(label) == CHEAP  # type: ignore[arg-type]
