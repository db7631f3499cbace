"""A parcel that is packed in the shop and has not left is told to the seller once; nobody is mailed."""

# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crossdock.domain.events import Parcel
from crossdock.engine.engine import Engine
from crossdock.store.models import Mail, Shipment, TimelineEntry
from crossdock.usecases.orders import snapshots
from crossdock.usecases.parties.quarantine import Tally
from stall import Make, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


async def test_it_is_told_once_and_is_no_shipment(make: Make, engine: Engine, connector: ToyConnector) -> None:
    stall = await sync(make)
    order = await sync(stall.buy, 2)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    (standing,) = stall.truth.standing(order.reference)
    seen = replace(connector._order(standing), packed=(Parcel("9", (), "T1", "UPS"),))
    mails = await sync(Mail.objects.count)
    tallies = [Tally(), Tally()]
    for tally in tallies:
        await sync(
            snapshots.receive_orders,
            connection_id=stall.shop.pk,
            orders=[seen],
            manifest=connector.manifest,
            tally=tally,
            now=datetime.now(UTC),
        )
    assert [tally.changed for tally in tallies] == [1, 0], "something came of the first reading alone"
    told = await sync(lambda: list(TimelineEntry.objects.filter(order=order, kind="packed")))
    assert [each.sentence for each in told] == [
        "A parcel is packed in the shop and has not left yet: UPS T1. The shop's order is not cancelled from here now."
    ]
    assert [each.public for each in told] == [False]
    assert not await sync(Shipment.objects.filter(order=order).exists)
    assert await sync(Mail.objects.count) == mails
