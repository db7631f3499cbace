"""A parcel entered here is written into the shop: once, with its proof, and what the shop shows of it is no news.

Counted in the shop's own ledger; the buyer hears of a parcel once, from us.
"""

# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from crossdock.domain.commands import Refused, Unknown, Why, WriteFulfilment
from crossdock.domain.events import Parcel
from crossdock.engine.engine import Engine
from crossdock.store.models import Alert, Command, Connection, Fulfilment, Mail, Order, Shipment, VariantStock
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.orders import fulfilments
from crossdock.usecases.orders.actions import change_tracking, ship_by_hand, undo_by_hand, why_not_undo
from crossdock.usecases.orders.parcels import undo_shipment
from crossdock.usecases.orders.snapshots import receive_orders
from crossdock.usecases.record.telling import telling
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import MANIFEST, Placed, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, OTHER = "9400111899223100001842", "1Z999AA10123456784"


async def landed(make: Make, engine: Engine, quantity: int = 3) -> tuple[Stall, Order]:
    stall = await sync(make)
    order = await sync(stall.buy, quantity)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    return stall, order


def ship(stall: Stall, order: Order, number: str = NUMBER, units: int | None = None, key: str = "") -> Shipment:
    line = order.lines.get()
    return ship_by_hand(
        order=order,
        lines=None if units is None else {line.pk: units},
        tracking=number,
        carrier="USPS" if number == NUMBER else "",
        actor=stall.seller.owner,
        now=datetime.now(UTC),
        key=key,
    )


def renumber(stall: Stall, shipment: Shipment, number: str) -> None:
    change_tracking(shipment=shipment, tracking=number, carrier="", actor=stall.seller.owner, now=datetime.now(UTC))


def undo(order: Order, shipment: Shipment) -> None:
    """As a voided label does."""
    now = datetime.now(UTC)
    order = Order.objects.select_related("seller__owner", "buyer", "connection__party").get(pk=order.pk)
    with telling(now) as told:
        undo_shipment(
            order=order, parcel_id=shipment.parcel_id, source="seller", sentence="It did not leave.", told=told
        )
    shipment.refresh_from_db()
    fulfilments.wish(order=order, shipment=shipment, now=now)


def state_of(shipment: Shipment) -> str:
    row = Fulfilment.objects.filter(shipment=shipment).first()
    return row.state if row else ""


def mails(order: Order) -> list[str]:
    return list(
        Mail.objects.filter(to=order.buyer.email, subject__contains=f"#{order.number} is on").values_list(
            "body", flat=True
        )
    )


def there(stall: Stall, order: Order) -> Placed:
    (standing,) = stall.truth.standing(order.reference)
    return standing


def seen(stall: Stall, order: Order) -> None:
    """What a poll makes of the shop as it is now."""
    snapshot = ToyConnector()._order(there(stall, order))
    receive_orders(connection_id=stall.shop.pk, orders=[snapshot], manifest=MANIFEST, now=datetime.now(UTC))


def alerts(order: Order) -> list[Alert]:
    return list(Alert.objects.filter(order=order, settled_at=None, code="fulfilment_not_written"))


async def settled(stall: Stall, engine: Engine, shipment: Shipment, wanted: str = "equal") -> None:
    engine.wake(stall.shop.party_id)
    await until(lambda: state_of(shipment) == wanted, what=f"the fulfilment to be {wanted}")
    await rest(engine)


async def test_shipped_by_hand_it_stands_in_the_shop_once_and_is_proved(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    count = stall.truth.counts["v1"]
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"]
    (sent,) = there(stall, order).parcels
    assert (sent.tracking_number, sent.carrier, sent.lines) == (NUMBER, "USPS", (("l-v1", 3),))
    row = await sync(Fulfilment.objects.get, shipment=parcel)
    moments = [row.intended_at, row.sent_at, row.acknowledged_at, row.equal_at]
    assert all(moments) and moments == sorted(moments, key=lambda at: at or datetime.max.replace(tzinfo=UTC))
    assert stall.truth.counts["v1"] == count, "no stock moved"
    for _ in range(3):
        await sync(seen, stall, order)
    assert await sync(order.shipments.count) == 1 and len(await sync(mails, order)) == 1
    assert not await sync(lambda: VariantStock.objects.get(pk=stall.variant.pk).set_aside_by_id)


async def test_the_same_form_twice_ships_and_writes_once(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order, key="form")
    assert (await sync(ship, stall, order, key="form")).pk == parcel.pk
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"]


async def test_shipped_before_the_order_stands_there_it_follows(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    order = await sync(stall.buy, 2)
    parcel = await sync(ship, stall, order)
    assert await sync(Command.objects.filter(kind="write_fulfilment").count) == 0, "there is nothing to write it to"
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"]
    assert stall.truth.kinds().index("create") < stall.truth.kinds().index("fulfil")


async def test_a_lost_answer_is_looked_for_and_found(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    stall.truth.after_fulfil = lambda command, outcome: Unknown("The reply was lost.", 0.05)
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"]
    assert (stall.truth.kinds().count("fulfil"), stall.truth.kinds().count("peek")) == (1, 1)
    assert len(await sync(mails, order)) == 1


async def test_not_found_it_is_only_looked_for_until_the_earlier_try_is_over(make: Make, engine: Engine) -> None:
    """Two at once would be two parcels."""
    stall, order = await landed(make, engine)
    lost = [True]

    def before(command: WriteFulfilment) -> Unknown | None:
        return Unknown("It never arrived.", 0.05) if lost[0] and not command.only_look else None

    stall.truth.before_fulfil = before
    parcel = await sync(ship, stall, order, units=1)
    engine.wake(stall.shop.party_id)
    await until(lambda: stall.truth.kinds().count("peek") >= 2, what="it to be looked for")
    assert stall.truth.kinds().count("fulfil") == 1 and stall.truth.fulfilled == []
    lost[0] = False

    def long_ago() -> None:
        past = datetime.now(UTC) - timedelta(hours=1)
        Command.objects.filter(kind="write_fulfilment").update(last_sent_at=past, due_at=past)

    await sync(long_ago)
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"]


async def test_the_shops_news_of_it_may_come_before_its_answer(make: Make, engine: Engine) -> None:
    """The echo: a webhook is faster than the reply."""
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order, units=2)
    there(stall, order).parcels[:] = [Parcel("f1", (("l-v1", 2),), NUMBER, "USPS")]
    await sync(seen, stall, order)
    assert await sync(order.shipments.count) == 1 and len(await sync(mails, order)) == 1
    assert list((await sync(Shipment.objects.get, pk=parcel.pk)).there) == ["f1"]
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [], "the shop has it already"


async def test_a_changed_number_follows_and_the_parcel_stays_one(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel)
    old = replace(there(stall, order).parcels[0])
    await sync(renumber, stall, parcel, OTHER)
    assert await sync(state_of, parcel) == "intended"
    await sync(seen, stall, order)
    assert (await sync(Shipment.objects.get, pk=parcel.pk)).tracking_number == OTHER, "what is on its way is not undone"
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}", f"renumbered {OTHER}"]
    # A page that was read before the change arrives after it.
    fresh = there(stall, order).parcels[0]
    there(stall, order).parcels[:] = [old]
    await sync(seen, stall, order)
    there(stall, order).parcels[:] = [fresh]
    await sync(seen, stall, order)
    assert (await sync(Shipment.objects.get, pk=parcel.pk)).tracking_number == OTHER
    assert await sync(order.shipments.count) == 1
    told = await sync(lambda: [e.sentence for e in order.timeline.filter(kind="tracking")])
    assert told == [f"Tracking number changed from {NUMBER} to {OTHER}."]


async def test_changed_before_it_was_sent_only_the_last_goes_out(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)

    def both() -> Shipment:
        parcel = ship(stall, order)
        renumber(stall, parcel, OTHER)
        return parcel

    parcel = await sync(both)
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {OTHER}"]


async def test_undone_here_it_is_cancelled_there_and_comes_back_by_no_poll(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel)
    await sync(undo, order, parcel)
    await sync(seen, stall, order)
    order = await sync(Order.objects.get, pk=order.pk)
    assert order.parcels == "unshipped", "the shop still shows it, and that is no news"
    await settled(stall, engine, parcel, "cancelled")
    assert stall.truth.fulfilled == [f"made {NUMBER}", "cancelled"]
    again = await sync(ship, stall, order, OTHER)
    await settled(stall, engine, again)
    assert stall.truth.fulfilled[-1] == f"made {OTHER}"
    assert [p.tracking_number for p in there(stall, order).parcels if not p.cancelled] == [OTHER]


async def test_a_seller_undoes_what_was_entered_by_mistake(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    shipment = await sync(ship, stall, order, units=2)
    await settled(stall, engine, shipment)

    def pressed() -> None:
        client = Client()
        client.force_login(stall.seller.owner)
        page = f"/seller/orders/{order.public_id}/parcels/{shipment.pk}/"
        assert f"{page}undo/" in client.get(page).content.decode()
        asked = client.get(f"{page}undo/").content.decode()
        assert "it is cancelled there too" in asked
        assert Shipment.objects.get(pk=shipment.pk).undone_at is None, "it is only asked about"
        for _ in range(2):
            assert client.post(f"{page}undo/").status_code == 302

    await sync(pressed)
    await settled(stall, engine, shipment, "cancelled")
    assert (await sync(Order.objects.get, pk=order.pk)).parcels == "unshipped"
    parcels = (await sync(there, stall, order)).parcels
    assert all(parcel.cancelled for parcel in parcels), "it is cancelled in the shop too"
    assert await sync(order.timeline.filter(kind="unshipped").count) == 1, "pressed twice, undone once"
    await sync(seen, stall, order)
    assert (await sync(Order.objects.get, pk=order.pk)).parcels == "unshipped"
    again = await sync(ship, stall, order, "1Z999AA10123456784", units=3)
    await settled(stall, engine, again)
    assert (await sync(Order.objects.get, pk=order.pk)).parcels == "shipped"


async def test_what_is_not_the_seller_s_to_undo_here_says_why(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    shipment = await sync(ship, stall, order)
    await settled(stall, engine, shipment)

    def why(**changed: object) -> str:
        Shipment.objects.filter(pk=shipment.pk).update(source="seller")
        Connection.objects.update(push_fulfilments=changed.pop("push", True))
        Shipment.objects.filter(pk=shipment.pk).update(**changed)
        found = Shipment.objects.select_related("order__connection").get(pk=shipment.pk)
        words = why_not_undo(found)
        if words:
            with pytest.raises(NotAllowed):
                undo_by_hand(shipment=found, actor=stall.seller.owner, now=datetime.now(UTC))
        return words

    assert "Cancel it there" in await sync(why, source="shop")
    assert "writes no shipments there" in await sync(why, push=False)
    assert await sync(why) == ""
    await sync(Order.objects.filter(pk=order.pk).update, cancelled_at=datetime.now(UTC))
    assert "cancelled" in await sync(why)
    assert (await sync(Shipment.objects.get, pk=shipment.pk)).undone_at is None


async def test_undone_before_it_was_sent_nothing_goes_out(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)

    def both() -> Shipment:
        parcel = ship(stall, order)
        undo(order, parcel)
        return parcel

    parcel = await sync(both)
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert stall.truth.fulfilled == [] and await sync(state_of, parcel) == "cancelled"


async def test_what_the_shop_refuses_is_one_alert_with_its_reason_and_can_be_sent_again(
    make: Make, engine: Engine
) -> None:
    stall, order = await landed(make, engine)
    stall.truth.before_fulfil = lambda command: Refused(Why.TOO_LATE, "The order is on hold in your shop.")
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel, "refused")
    (alert,) = await sync(alerts, order)
    assert "on hold" in alert.sentence and NUMBER in alert.sentence
    order = await sync(Order.objects.get, pk=order.pk)
    assert order.parcels == "shipped", "shipping here holds whatever the shop says"
    assert len(await sync(mails, order)) == 1
    stall.truth.before_fulfil = lambda command: None
    await sync(fulfilments.send_again, shipment=parcel, actor=stall.seller.owner, now=datetime.now(UTC))
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"made {NUMBER}"] and await sync(alerts, order) == []
    with pytest.raises(NotAllowed, match="already"):
        await sync(fulfilments.send_again, shipment=parcel, actor=stall.seller.owner, now=datetime.now(UTC))


async def test_entered_there_by_hand_after_a_refusal_it_is_the_same_parcel(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    stall.truth.before_fulfil = lambda command: Refused(Why.TOO_LATE, "Not now.")
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel, "refused")
    there(stall, order).parcels.append(Parcel("f9", (("l-v1", 3),), "9400 1118 9922 3100 0018 42", "usps"))
    await sync(seen, stall, order)
    assert await sync(state_of, parcel) == "equal" and await sync(alerts, order) == []
    assert await sync(order.shipments.count) == 1 and len(await sync(mails, order)) == 1


async def test_a_missing_right_is_one_alert_for_the_shop_and_closes_nothing(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    stall.truth.before_fulfil = lambda command: Refused(Why.NOT_ALLOWED, "Your shop does not let us.")
    first = await sync(ship, stall, order, NUMBER, 1)
    await settled(stall, engine, first, "refused")
    second = await sync(ship, stall, order, OTHER, 1)
    await settled(stall, engine, second, "refused")
    assert len(await sync(alerts, order)) == 1
    assert (await sync(Connection.objects.get, pk=stall.shop.pk)).state == "active"


async def test_cancelled_in_the_shop_meanwhile_it_is_refused_with_words(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order)
    there(stall, order).cancelled = True
    await settled(stall, engine, parcel, "refused")
    assert stall.truth.fulfilled == []
    (alert,) = await sync(alerts, order)
    assert "cancelled in your shop" in alert.sentence


async def test_switched_off_nothing_is_written(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    await sync(Connection.objects.filter(pk=stall.shop.pk).update, push_fulfilments=False)
    parcel = await sync(ship, stall, order)
    engine.wake(stall.shop.party_id)
    await rest(engine)
    assert stall.truth.fulfilled == [] and await sync(state_of, parcel) == ""
    with pytest.raises(NotAllowed, match="switched off"):
        await sync(fulfilments.send_again, shipment=parcel, actor=stall.seller.owner, now=datetime.now(UTC))


async def test_a_number_added_here_to_the_shops_own_parcel_goes_there(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    there(stall, order).parcels.append(Parcel("f1", (("l-v1", 3),)))
    await sync(seen, stall, order)
    parcel = await sync(order.shipments.get)
    await sync(renumber, stall, parcel, NUMBER)
    await settled(stall, engine, parcel)
    assert stall.truth.fulfilled == [f"renumbered {NUMBER}"]
    assert await sync(order.shipments.count) == 1


async def test_changed_by_the_seller_there_it_changes_here_and_is_not_written_back(make: Make, engine: Engine) -> None:
    stall, order = await landed(make, engine)
    parcel = await sync(ship, stall, order)
    await settled(stall, engine, parcel)
    there(stall, order).parcels[:] = [replace(there(stall, order).parcels[0], tracking_number=OTHER)]
    await sync(seen, stall, order)
    await sync(seen, stall, order)
    assert (await sync(Shipment.objects.get, pk=parcel.pk)).tracking_number == OTHER
    assert await sync(state_of, parcel) == "equal"
    assert stall.truth.fulfilled == [f"made {NUMBER}"]
    there(stall, order).parcels[:] = [replace(there(stall, order).parcels[0], cancelled=True)]
    await sync(seen, stall, order)
    await sync(seen, stall, order)
    assert (await sync(Shipment.objects.get, pk=parcel.pk)).undone_at is not None
    assert stall.truth.fulfilled == [f"made {NUMBER}"]


async def test_after_two_days_it_is_given_up_with_an_alert_and_nothing_waits_behind_it(
    make: Make, engine: Engine
) -> None:
    stall, order = await landed(make, engine)
    stall.truth.before_fulfil = lambda command: Unknown("Bad gateway.", 0.05)
    parcel = await sync(ship, stall, order)
    await sync(Command.objects.filter(kind="write_fulfilment").update, created_at=datetime.now(UTC) - timedelta(days=3))
    await settled(stall, engine, parcel, "refused")
    (alert,) = await sync(alerts, order)
    assert "two days" in alert.sentence
    assert not await sync(Command.objects.filter(state="dead").exists)
