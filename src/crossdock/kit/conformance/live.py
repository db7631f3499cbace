"""10xx: what can be tried in a shop that sells, by the connector's own calls alone, since nobody's hand moves there.

What only reads is always tried. One order of one unit, on a product that the shop's owner named, is placed and
cancelled where that was asked for; whatever comes of it, no order of a run is left standing without a word.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from crossdock.domain.capability import Capability, Pace
from crossdock.domain.commands import CreateOrder, Done
from crossdock.domain.events import ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.orders import differences
from crossdock.kit.conformance.stage import NeedsSimulator, NotYet, Stage, understood, understood_products, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import Connector, VariantRef
from crossdock.kit.errors import Outside
from crossdock.kit.hand import Hand
from crossdock.kit.http import Transport

CREATE, CANCEL, FOUND = Capability.ORDER_CREATE, Capability.ORDER_CANCEL, Capability.ORDER_FOUND_BY_REFERENCE
MOST_PAGES, MOST_LOOKS, MOST_COUNTS = 3, 3, 50


class NobodysHand:
    """Where a scenario asks for it, it is not one for such a shop."""

    def __getattr__(self, name: str) -> Any:
        raise NeedsSimulator("It needs the seller's hand in the shop.")


@dataclass(slots=True)
class Account:
    """A shop that sells, with the credentials for it: the way of the manifest, and its fields by name."""

    address: str
    way: str
    form: dict[str, str]

    @property
    def hand(self) -> Hand:
        return cast("Hand", NobodysHand())

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return self.way, dict(self.form)


class LiveStage(Stage):
    """`named` is the variant that may be ordered; `country` is where the made-up buyer lives. `asked` are the orders
    that were sent, with the shop's ids where they are known.
    """

    pause_seconds = 1.0

    def __init__(
        self, connector: Connector, account: Account, transport: Transport, pace: Pace, *, local: bool, country: str
    ) -> None:
        super().__init__(connector, account, transport, pace)
        self.local, self.country = local, country
        self.named: VariantRef | None = None
        self.asked: dict[str, tuple[CreateOrder, set[str]]] = {}

    async def stocked(self) -> None:
        """The shop has what it has."""

    async def product(self, *counts: int, price: str = "", title: str = "") -> tuple[VariantRef, ...]:
        if self.named is None:
            raise NeedsSimulator("It places an order, and no product was named for it.")
        return (self.named,)

    def order(
        self, *lines: tuple[VariantRef, int], price: str = "9.90", shipping: str = "0", reference: str = ""
    ) -> CreateOrder:
        command = super().order(*lines, price=price, shipping=shipping, reference=reference)
        if self.country == command.ship_to.country:
            return command
        return replace(command, ship_to=replace(command.ship_to, country=self.country, region=""))

    async def placed(self, command: CreateOrder) -> Done:
        ids = self.asked.setdefault(command.reference, (command, set()))[1]
        done = await super().placed(command)
        ids.add(done.shop_id)
        return done

    async def clean(self) -> list[str]:
        """Cancels every order of this run that stands, and says which could not be ended."""
        return [words for command, ids in self.asked.values() if (words := await self._ended(command, ids))]

    async def _ended(self, command: CreateOrder, ids: set[str]) -> str:
        """Why it may stand all the same; "" when it does not."""
        try:
            if not ids and self.manifest.can(FOUND):
                # The answer to the creation may have been lost.
                await self.eventually(lambda: self._search(command, ids), lambda: "")
        except NotYet:
            return ""
        except Outside as error:
            return f"Whether an order {command.reference} stands in the shop could not be seen: look there. {error}"
        try:
            for order in [await self.connector.order(self.shop, shop_id) for shop_id in sorted(ids)]:
                if order.state is ShopOrderState.OPEN and order.reference == command.reference:
                    outcome = await self.connector.cancel(self.shop, self.cancellation(command, Done(order.shop_id)))
                    if not isinstance(outcome, Done):
                        return f"Order {order.number} still stands in the shop: cancel it there. {outcome.sentence}"
        except Outside as error:
            return f"Order {command.reference} may still stand in the shop: look there. {error}"
        return ""

    async def _search(self, command: CreateOrder, ids: set[str]) -> bool:
        found = await self.connector.find(self.shop, command.reference, since=command.placed_at)
        ids.update(found.shop_ids)
        return bool(ids)


async def first_products(stage: Stage) -> list[ShopProduct]:
    """Of the first pages that hold any."""
    cursor = ""
    for _ in range(MOST_PAGES):
        page = await stage.connector.products(stage.shop, cursor)
        found = [row for row in understood_products(page.items) if isinstance(row, ShopProduct) and row.variants]
        if found or not page.more:
            return found
        cursor = page.cursor
    return []


def refs_of(products: Sequence[ShopProduct]) -> list[VariantRef]:
    return [VariantRef(each.product_id, variant.variant_id) for each in products for variant in each.variants]


async def _listed(stage: Stage) -> list[ShopProduct]:
    await stage.stocked()
    found: list[ShopProduct] = []

    async def look() -> bool:
        found[:] = await first_products(stage)
        return bool(found)

    await stage.eventually(look, lambda: "a product to be listed")
    return found


@scenario(
    1001, Capability.PRODUCTS_SEEN, title="What the shop lists is read alike when it is looked at alone", live="reads"
)
async def looked_at(stage: Stage) -> None:
    for listed in (await _listed(stage))[:MOST_LOOKS]:
        alone = await stage.connector.product(stage.shop, listed.product_id)
        if not isinstance(alone, ShopProduct):
            expect(False, f"product {listed.product_id} is listed, and gone when it is looked at")
            return
        expect(refs_of([alone]) == refs_of([listed]), f"{refs_of([listed])} are listed, {refs_of([alone])} are read")
        currencies = {variant.price.currency for each in (alone, listed) for variant in each.variants}
        expect(currencies == {stage.proof.currency}, f"prices in {sorted(currencies)}")


@scenario(
    1002, Capability.COUNTS_READ, title="Every variant that the shop lists has a count, or is not counted", live="reads"
)
async def all_counted(stage: Stage) -> None:
    asked = refs_of(await _listed(stage))[:MOST_COUNTS]
    rows = understood(await stage.connector.counts(stage.shop, asked))
    known = {ref.variant_id for ref in asked}
    expect({row.variant_id for row in rows} == known, f"asked for {sorted(known)}, answered were {rows}")


@scenario(1003, FOUND, title="By a reference that nobody used no order is found", live="reads")
async def nobodys(stage: Stage) -> None:
    command = stage.order((VariantRef("1", "1"), 1), price="1")
    found = await stage.connector.find(stage.shop, command.reference, since=command.placed_at)
    expect(not found.shop_ids, f"found were {found.shop_ids}")


@scenario(1004, title="The orders since a moment ago are read whole, and their list ends", live="reads")
async def since_now(stage: Stage) -> None:
    orders, _ = await stage.all_orders(await stage.order_cursor())
    ours = [order.number for order in orders if stage.word in order.reference]
    expect(not ours, f"orders {ours} carry a reference of this run")


@scenario(
    1005,
    CREATE,
    CANCEL,
    title="One order of one unit is found, read back as ordered and cancelled, and its unit is back",
    live="places",
)
async def once_through(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    product = await stage.connector.product(stage.shop, variant.product_id)
    prices = {each.variant_id: each.price for each in product.variants} if isinstance(product, ShopProduct) else {}
    expect(variant.variant_id in prices, f"variant {variant.variant_id} is not sold any more: {product}")
    before = await _count(stage, variant)
    command = stage.order((variant, 1), price=str(prices[variant.variant_id]), shipping="0")
    done = await stage.placed(command)
    order = await stage.connector.order(stage.shop, done.shop_id)
    _as_ordered(stage, command, order)
    if stage.manifest.can(FOUND):
        await stage.eventually(lambda: _found(stage, command, done.shop_id), lambda: "it to be found by its reference")
    taken = before if before is None else before - 1
    if taken is not None:
        await stage.eventually(lambda: _at_most(stage, variant, taken), lambda: f"the count to fall to {taken}")
    outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    expect(isinstance(outcome, Done), f"the cancel gave {outcome}")
    state = (await stage.connector.order(stage.shop, done.shop_id)).state
    expect(state is not ShopOrderState.OPEN, f"it is read as {state} after the cancel")
    again = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    expect(not isinstance(again, Done) or again.already, f"a second cancel gave {again}")
    if before is not None and stage.manifest.can(Capability.CANCEL_RESTORES):
        await stage.eventually(lambda: _at_least(stage, variant, before), lambda: f"the count to be {before} again")


def _as_ordered(stage: Stage, command: CreateOrder, order: ShopOrder) -> None:
    expect(order.state is ShopOrderState.OPEN, f"its state is {order.state}")
    expect(order.reference == command.reference, f"its reference is {order.reference!r}")
    there = dict(units([(line.variant_id, line.quantity) for line in order.lines]))
    wanted = dict(units([(line.variant_id, line.quantity) for line in command.lines]))
    expect(there == wanted, f"its units are {there}, not {wanted}")
    found = differences(command, order, at_our_price=stage.manifest.can(Capability.ORDER_AT_OUR_PRICE))
    expect(not found, "; ".join(each.sentence for each in found))


async def _found(stage: Stage, command: CreateOrder, shop_id: str) -> bool:
    return shop_id in (await stage.connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids


async def _count(stage: Stage, variant: VariantRef) -> int | None:
    """None where the shop does not count it, or does not tell."""
    if not stage.manifest.can(Capability.COUNTS_READ):
        return None
    return (await stage.counted(variant)).get(variant.variant_id)


async def _at_most(stage: Stage, variant: VariantRef, number: int) -> bool:
    """Somebody else may buy meanwhile."""
    count = await _count(stage, variant)
    return count is not None and count <= number


async def _at_least(stage: Stage, variant: VariantRef, number: int) -> bool:
    count = await _count(stage, variant)
    return count is not None and count >= number
