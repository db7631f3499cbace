"""Labels through the pump: bought once whatever happens to the answer, given back when they were bought twice,
followed by deliveries and by reading.
"""
# ruff: noqa: F811

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.carriers import sandbox
from crossdock.carriers.sandbox.carrier import Hand, SandboxCarrier
from crossdock.domain.commands import CancelReason
from crossdock.domain.labels import Form, LabelState, Parcel, Purchase, TrackStatus
from crossdock.domain.values import Money
from crossdock.engine import labels as desk
from crossdock.engine.engine import Engine
from crossdock.kit.sandbox import ledger
from crossdock.kit.webhook import told_news
from crossdock.store.models import Command, Delivery, Label, Order, Party
from crossdock.store.models.work import PartyKind
from crossdock.usecases.labels import purchase
from crossdock.usecases.orders.reject import reject_order
from crossdock.web.door import _TOLD, Door
from labelling import HOME, owed
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    opened = sandbox.carrier.opened(tmp_path, {})
    monkeypatch.setattr(desk, "open_carrier", lambda name, data, keys: opened)
    return Hand(opened)


def pressed(order: Order, carrier: SandboxCarrier) -> Label:
    from crossdock.carriers.sandbox.prices import quotes

    now = datetime.now(UTC)
    purchase.set_ship_from(seller=order.seller, address=HOME, now=now)
    wanted, lines = purchase.shipment_for(
        order=order, parcel=Parcel(120, 180, 130, 20), can=carrier.can, carrier="Sample"
    )
    found = quotes(wanted)
    label = purchase.keep_quotes(
        order=order, by=order.seller.owner, provider="sandbox", wanted=wanted, lines=lines, quotes=found, now=now
    )
    return purchase.buy_label(
        order=order, by=order.seller.owner, token=label.public_id, quote_ref=found[0].ref, can=carrier.can, now=now
    )


def ordered(stall: Stall, hand: Hand, quantity: int = 1) -> Label:
    return pressed(stall.buy(quantity), hand.carrier)


def fresh(label: Label) -> Label:
    return Label.objects.select_related("order__seller__owner").get(pk=label.pk)


async def pump(engine: Engine) -> None:
    party = await sync(Party.objects.get, kind="carrier")
    engine.wake(party.pk)


async def bought(engine: Engine, label: Label, seconds: float = 60) -> Label:
    await pump(engine)
    await until(lambda: fresh(label).state == LabelState.BOUGHT, seconds, "the label")
    await rest(engine)
    return await sync(fresh, label)


async def test_a_label_is_bought_and_every_form_of_it_is_kept(make: Make, engine: Engine, hand: Hand) -> None:
    label = await sync(ordered, await sync(make), hand)
    label = await bought(engine, label)
    (sold,) = hand.sold()
    assert (label.carrier_ref, label.reference) == (sold.ref, sold.reference)
    kept = {row.form: bytes(row.content)[:4] for row in await sync(lambda: list(label.documents.all()))}
    assert kept == {Form.PDF: b"%PDF", Form.PNG: b"\x89PNG", Form.ZPL: b"^XA\n"}
    assert await sync(owed, "carrier:sandbox") == -sold.minor


@pytest.mark.parametrize("fault", ["lost", "late", "broken", "throttle"])
async def test_whatever_happens_to_the_answer_one_label_is_bought(
    make: Make, engine: Engine, hand: Hand, fault: str
) -> None:
    hand.dial(**{fault: 1.0})
    label = await sync(ordered, await sync(make), hand)
    await pump(engine)
    await until(
        lambda: Command.objects.filter(kind="buy_label", state="waiting", attempts__gte=1).exists(),
        what="the first try",
    )
    if fault in ("broken", "throttle"):
        assert hand.sold() == []
        hand.calm()
    await bought(engine, label)
    assert len(hand.sold()) == 1


async def test_an_order_that_ended_before_the_carrier_was_asked_costs_nothing(
    make: Make, engine: Engine, hand: Hand
) -> None:
    stall = await sync(make)
    order = await sync(stall.buy)
    label = await sync(pressed, order, hand.carrier)
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.LOST,
        actor=order.seller.owner,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    await pump(engine)
    await until(lambda: fresh(label).state == LabelState.REFUSED, what="the refusal")
    assert hand.sold() == []
    assert await sync(owed, "carrier:sandbox") == 0


async def test_a_label_that_was_lost_and_whose_order_ended_is_found_and_kept(
    make: Make, engine: Engine, hand: Hand
) -> None:
    hand.dial(late=1.0)
    stall = await sync(make)
    order = await sync(stall.buy)
    label = await sync(pressed, order, hand.carrier)
    await pump(engine)
    await until(lambda: fresh(label).state == LabelState.UNKNOWN, what="the lost answer")
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.LOST,
        actor=order.seller.owner,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    await bought(engine, label)
    assert len(hand.sold()) == 1
    assert await sync(order.alerts.filter(code="label_unused", settled_at=None).count) == 1
    assert await sync(order.shipments.count) == 0


async def test_what_was_bought_twice_by_whatever_accident_is_given_back(make: Make, engine: Engine, hand: Hand) -> None:
    label = await sync(ordered, await sync(make), hand)
    wanted: Purchase = await sync(purchase.purchase_of, label=label)
    for _ in range(2):
        await hand.carrier.buy(wanted)
    await sync(
        Command.objects.filter(kind="buy_label").update, unresolved=True, attempts=1, last_sent_at=datetime.now(UTC)
    )
    label = await bought(engine, label)
    first, second = hand.sold()
    assert (label.carrier_ref, first.void, second.void) == (first.ref, "none", "done")
    with hand.carrier.ledger.book() as db:
        assert ledger.times_asked(db, "buy") == 2, "it was looked for, not bought again"


async def test_deliveries_are_hints_and_an_hour_of_silence_is_read(make: Make, engine: Engine, hand: Hand) -> None:
    label = await bought(engine, await sync(ordered, await sync(make), hand))
    party = await sync(Party.objects.get, kind="carrier")
    hook = hand.move(label.tracking_number, TrackStatus.ACCEPTED, datetime.now(UTC))
    news = told_news(hand.carrier, hook, datetime.now(UTC))
    looks = [{"kind": "label", "entity_id": look.entity_id} for look in (*news.looks, *news.looks)]
    await sync(
        Delivery.objects.create,
        party=party,
        topic=news.topic,
        dedupe=news.dedupe,
        body=hook.body,
        received_at=datetime.now(UTC),
        news={
            "topic": news.topic,
            "dedupe": news.dedupe,
            "looks": [*looks, {"kind": "label", "entity_id": "nobody's"}],
        },
    )
    await pump(engine)
    await until(lambda: len(fresh(label).events) == 1, what="the news")
    await until(lambda: not Delivery.objects.filter(handled_at=None).exists(), what="the delivery to be handled")
    hand.move(label.tracking_number, TrackStatus.DELIVERED, datetime.now(UTC))
    assert await desk.read_under_way(engine) == 0, "it was read a moment ago"
    await sync(Label.objects.filter(pk=label.pk).update, read_at=datetime.now(UTC) - timedelta(hours=2))
    assert await desk.read_under_way(engine) == 1
    assert (await sync(fresh, label)).delivered_at is not None
    assert await desk.read_under_way(engine) == 0, "its story is over"


async def test_a_label_is_voided_also_when_the_answer_is_lost(make: Make, engine: Engine, hand: Hand) -> None:
    label = await bought(engine, await sync(ordered, await sync(make), hand))
    hand.dial(lost=1.0)
    await sync(purchase.void_label, label=label, by=label.order.seller.owner, now=datetime.now(UTC))
    await pump(engine)
    await until(lambda: fresh(label).state == LabelState.VOIDED, what="the void")
    await rest(engine)
    assert [row.void for row in hand.sold()] == ["done"]
    assert await sync(owed, "carrier:sandbox") == 0


async def test_a_settled_price_is_the_carriers_not_the_pages(make: Make, engine: Engine, hand: Hand) -> None:
    """A price that the carrier does not know (any more) buys nothing, rather than something else."""
    label = await sync(ordered, await sync(make), hand)
    quotes = [{**quote, "price": {"minor": 1, "currency": "USD"}} for quote in label.quotes]
    await sync(Label.objects.filter(pk=label.pk).update, quotes=quotes)
    await pump(engine)
    await until(lambda: fresh(label).state == LabelState.REFUSED, what="the refusal")
    assert hand.sold() == []
    assert Money(1, "USD") != label.price


async def test_a_slow_sale_that_also_comes_to_light_late_is_not_bought_again(
    make: Make, engine: Engine, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The horizon counts from the end of the asking, not from its beginning."""
    good, slow = hand.carrier._buy, hand.carrier.horizon.total_seconds() - 0.4

    def late(purchase: Purchase, until: float) -> object:
        time.sleep(slow)
        return good(purchase, until)

    monkeypatch.setattr(hand.carrier, "_buy", late)
    hand.dial(late=1.0)
    label = await bought(engine, await sync(ordered, await sync(make), hand), seconds=30)
    assert len(hand.sold()) == 1
    assert label.carrier_ref == hand.sold()[0].ref


async def test_a_death_before_the_carrier_was_asked_costs_no_wait_and_one_after_it_does(
    make: Make, engine: Engine, hand: Hand
) -> None:
    stall = await sync(make)
    first = await sync(ordered, stall, hand)
    await sync(Command.objects.filter(kind="buy_label").update, unresolved=True, attempts=1)
    # Were it waited for, the label would not come before the test's own end.
    hand.carrier.patience = timedelta(hours=1)
    await bought(engine, first)
    hand.carrier.patience = timedelta(seconds=1)
    second = await sync(ordered, stall, hand)
    await sync(Command.objects.filter(subject__endswith=second.public_id).update, unresolved=True, attempts=1)
    await sync(Label.objects.filter(pk=second.pk).update, asked_at=datetime.now(UTC))
    begun = time.monotonic()
    await bought(engine, second)
    assert time.monotonic() - begun > hand.carrier.patience.total_seconds(), "it may still be sold"
    assert len(hand.sold()) == 2


async def test_the_door_takes_what_the_carrier_signed_and_nothing_else(
    make: Make, engine: Engine, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_TOLD, "carrier", (PartyKind.CARRIER, lambda name: hand.carrier))  # type: ignore[arg-type]
    label = await bought(engine, await sync(ordered, await sync(make), hand))
    hook, door = hand.move(label.tracking_number, TrackStatus.DELIVERED, datetime.now(UTC)), Door()

    async def knock(path: str, headers: Mapping[str, str], body: bytes) -> int:
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        await door({"type": "http", "method": "POST", "path": path, "headers": lines}, receive, send)
        return int(said[0]["status"])

    here = "/hooks/carrier/sandbox"
    assert await knock(here, {}, hook.body) == 401
    assert await knock(here, hook.headers, hook.body + b" ") == 401
    assert await knock("/hooks/carrier/nobody", hook.headers, hook.body) == 404
    assert await knock("/hooks/payments/" + "sandbox/x", hook.headers, hook.body) == 404
    assert await sync(Delivery.objects.count) == 0, "nothing of a forged one is kept"
    for _ in range(2):
        assert await knock(here, hook.headers, hook.body) == 200
    await door.close()
    assert await sync(Delivery.objects.count) == 1, "one that waits already is only counted"
    await pump(engine)
    await until(lambda: fresh(label).delivered_at is not None, what="the news")
