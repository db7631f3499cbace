"""What the odd values are played against: every call that reads a shop, writes into it, renews the access to it or
looks after its webhooks, each with the answers that the simulated shop gave.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crossdock.domain.capability import Capability
from crossdock.domain.commands import (
    AdjustStock,
    CancelLines,
    CancelReason,
    CreateOrder,
    Done,
    Later,
    Refused,
    RiskFact,
    SignInAgain,
    Unknown,
    WriteFulfilment,
    WriteRisk,
)
from crossdock.domain.risk.scoring import RiskLevel
from crossdock.domain.risk.signal import Sentiment
from crossdock.kit.conformance.odd import Reading, Recorder
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.conformance.suite import NotConforming
from crossdock.kit.connector import Looks, Page, Shop, VariantRef


@dataclass
class Recording:
    """Plays each call once against the simulator, and keeps its answers. A command must have been carried out."""

    stage: Stage

    async def of(self, name: str, call: Callable[[Shop], Awaitable[Any]], *, live: bool = True) -> Reading:
        """A command is not `live` afterwards: its answers are all there will be."""
        connector, shop = self.stage.connector, self.stage.shop
        http = Recorder(shop.http, live=True)
        played = replace(shop, http=http)
        whole = await call(played)
        exchanges = http.end(live=live)
        if isinstance(whole, Refused | Later | SignInAgain | Unknown):
            raise NotConforming(f"{name}: {whole}")
        further: Callable[[Shop, str], Awaitable[Page[Any]]]
        further = connector.orders if name == "orders" else connector.products
        return Reading(name, call, played, http, whole, exchanges, further)


async def readings(stage: Stage) -> list[Reading]:
    """A shop with something of everything in it, and each call."""
    (single,) = await stage.hand.add_product(
        "Ember Fox", [("FOX-1", "12.50", 50)], image="https://shop.example/fox.jpg", description="<p>One</p><p>Two</p>"
    )
    several = await stage.hand.add_product("River Otter", [("OTTER-S", "9.00", 50), ("OTTER-M", "9.50", 50)])
    refs: list[VariantRef] = [single, *several]
    cursor = await stage.order_cursor()
    await stage.hand.sell(single, 1)
    shipped = stage.order((single, 2), (several[0], 1))
    done = await stage.placed(shipped)
    part = [(single.variant_id, 1)] if stage.manifest.can(Capability.TRACKING_PARTIAL) else []
    await stage.hand.fulfil(done.shop_id, tracking="1Z999", carrier="UPS", lines=part)
    await stage.hand.refund(done.shop_id, "1.00")
    open_, ended = stage.order((several[1], 2)), stage.order((single, 1))
    standing, cancelled = await stage.placed(open_), await stage.placed(ended)
    await stage.hand.cancel(cancelled.shop_id)
    found = [
        *await _read(stage, refs, cursor, shipped, done),
        *await _written(stage, single, several[1], open_, standing),
    ]
    connector, play = stage.connector, Recording(stage)
    if stage.shop.hook_url:
        found.append(await play.of("audit of the webhooks", connector.subscribe, live=False))
        found.append(await play.of("end of the webhooks", connector.unsubscribe, live=False))
    # Last, since what was opened with the old secrets may end with it.
    if connector.renew_at(stage.shop) is not None:
        found.append(await play.of("renewal", connector.renew, live=False))
    return found


async def _read(stage: Stage, refs: list[VariantRef], cursor: str, shipped: CreateOrder, done: Done) -> list[Reading]:
    connector, play, since = stage.connector, Recording(stage), shipped.placed_at
    found = [
        await play.of("products", lambda at: connector.products(at, "")),
        await play.of("product", lambda at: connector.product(at, refs[0].product_id)),
        await play.of("variants", lambda at: connector.product(at, refs[1].product_id)),
        await play.of("counts", lambda at: connector.counts(at, refs)),
        await play.of("orders", lambda at: connector.orders(at, cursor)),
        await play.of("order", lambda at: connector.order(at, done.shop_id)),
        await play.of("look-up", lambda at: connector.find(at, shipped.reference, since=since)),
        await play.of("connection test", connector.prove),
    ]
    if isinstance(connector, Looks):
        found.append(await play.of("hourly look", connector.look))
    return found


async def _written(
    stage: Stage, single: VariantRef, other: VariantRef, open_: CreateOrder, standing: Done
) -> list[Reading]:
    """Every command; one that needs another done before comes after it."""
    connector, can, play = stage.connector, stage.connector.manifest.can, Recording(stage)
    one, taken = stage.order((single, 1)), stage.order((single, 3))
    stood = await stage.placed(taken)
    seen = await connector.order(stage.shop, stood.shop_id)
    less = CancelLines(
        open_.reference, standing.shop_id, ((other.variant_id, 1),), CancelReason.BUYER_ASKED, key="odd-1"
    )
    cancel = stage.cancellation(open_, standing)
    found = [
        await play.of("create", lambda at: connector.create(at, one), live=False),
        await play.of("confirm", lambda at: connector.confirm(at, taken, seen), live=False),
    ]
    if can(Capability.LINES_CANCEL):
        found.append(await play.of("cancel units", lambda at: connector.cancel_lines(at, less), live=False))
    if can(Capability.ORDER_CANCEL):
        found.append(await play.of("cancel", lambda at: connector.cancel(at, cancel), live=False))
    if can(Capability.COUNTS_ADJUST):
        more = AdjustStock(single.product_id, single.variant_id, 1, "odd-adjust", "conformance")
        found.append(await play.of("adjust", lambda at: connector.adjust(at, more), live=False))
    if can(Capability.RISK_WRITE):
        facts = (RiskFact(Sentiment.NEGATIVE, "The buyer placed 3 orders in the hour before."),)
        risk = WriteRisk(taken.reference, stood.shop_id, RiskLevel.HIGH, facts, 12, 34, "odd-risk")
        found.append(await play.of("risk", lambda at: connector.write_risk(at, risk), live=False))
    if can(Capability.FULFILMENT_WRITE):
        found += await _parcels(stage, single, taken, stood)
    return found


async def _parcels(stage: Stage, variant: VariantRef, order: CreateOrder, done: Done) -> list[Reading]:
    """A parcel written, given another number, and undone."""
    connector, play, numbers = stage.connector, Recording(stage), ("9400111899223100001842", "1Z999AA10123456784")
    parcel = WriteFulfilment(
        order.reference,
        done.shop_id,
        f"parcel:{order.reference}:odd",
        ((variant.variant_id, sum(line.quantity for line in order.lines)),),
        numbers[0],
        "USPS",
        "",
        datetime.now(UTC),
        numbers=numbers[:1],
    )
    made = await play.of("parcel", lambda at: connector.write_fulfilment(at, parcel), live=False)
    name = made.whole.shop_id
    again = replace(parcel, tracking_number=numbers[1], parcel_id=name, numbers=numbers)
    found = [made]
    if connector.manifest.can(Capability.FULFILMENT_UNDO):
        found.append(await play.of("another number", lambda at: connector.write_fulfilment(at, again), live=False))
        undone = replace(again, undone=True)
        found.append(await play.of("parcel undone", lambda at: connector.write_fulfilment(at, undone), live=False))
    return found
