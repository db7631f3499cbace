"""3xx: counts. Read in one go for many variants, and changed only by a difference."""

from dataclasses import replace

from crossdock.domain.capability import Capability
from crossdock.domain.commands import AdjustStock, Done, Later, Refused, Unknown
from crossdock.domain.events import ShopProduct
from crossdock.kit.conformance.stage import Stage, understood
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import SeveralLocations

READ, ADJUST, LOCATIONS = Capability.COUNTS_READ, Capability.COUNTS_ADJUST, Capability.LOCATIONS
MOST_CALLS = 20


@scenario(301, READ, title="Counts of several variants of several products are right, zero included")
async def counts(stage: Stage) -> None:
    refs = (*await stage.product(3, 0), *await stage.product(11))
    got = await stage.counted(*refs)
    expected = {ref.variant_id: count for ref, count in zip(refs, (3, 0, 11), strict=True)}
    expect(got == expected, f"read {got}, in the shop {expected}")


@scenario(302, READ, title="A recount by the seller is read")
async def recounted(stage: Stage) -> None:
    a, b = await stage.product(3, 4)
    await stage.hand.recount(a, 9)
    await _reads(stage, {a.variant_id: 9, b.variant_id: 4}, a, b)


@scenario(303, READ, title="A sale in the shop lowers the count that is read")
async def sold_there(stage: Stage) -> None:
    (variant,) = await stage.product(6)
    await stage.hand.sell(variant, 2)
    await _reads(stage, {variant.variant_id: 4}, variant)


@scenario(304, READ, title="A hundred variants are counted in one asking")
async def hundred(stage: Stage) -> None:
    refs = [ref for first in range(0, 100, 5) for ref in await stage.product(*range(first, first + 5))]
    got = await stage.counted(*reversed(refs))
    expected = {ref.variant_id: count for count, ref in enumerate(refs)}
    wrong = {key: (got.get(key), count) for key, count in expected.items() if got.get(key) != count}
    expect(not wrong, f"read and real counts that differ: {wrong}")


@scenario(305, READ, title="A variant that is gone is left out, and the others are answered")
async def gone_left_out(stage: Stage) -> None:
    (gone,), (stays,) = await stage.product(5), await stage.product(6)
    await stage.hand.delete_product(gone.product_id)
    got = await stage.counted(gone, stays)
    expect(got == {stays.variant_id: 6}, f"read {got}")


@scenario(306, READ, title="A count below zero is read as it is, where the shop has such counts")
async def below_zero(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    try:
        await stage.hand.recount(variant, -2)
    except Exception:  # this shop's admin does not take it, whatever it says
        return
    real = await stage.hand.count(variant)
    await _reads(stage, {variant.variant_id: real}, variant)


@scenario(307, ADJUST, title="A count is changed by a difference, and only that count")
async def adjusts(stage: Stage) -> None:
    a, b = await stage.product(10, 10)
    for number, (delta, expected) in enumerate(((-3, 7), (1, 8))):
        outcome = await stage.connector.adjust(stage.shop, _adjustment(a, delta, f"{stage.word}-{number}"))
        expect(isinstance(outcome, Done), f"the change gave {outcome}")
        expect(await stage.hand.count(a) == expected, f"the shop counts {await stage.hand.count(a)}, not {expected}")
    expect(await stage.hand.count(b) == 10, "the other variant's count changed")


@scenario(308, ADJUST, title="Changing the count of a deleted product is refused")
async def adjust_gone(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    await stage.hand.delete_product(variant.product_id)
    outcome = await stage.connector.adjust(stage.shop, _adjustment(variant, -1, stage.word))
    expect(isinstance(outcome, Refused), f"the change gave {outcome}")


@scenario(
    309,
    ADJUST,
    title="A change whose answer is lost happened once or not at all, and is never called refused",
    simulated=True,
)
async def adjust_lost(stage: Stage) -> None:
    for skip in range(MOST_CALLS):
        (variant,) = await stage.product(10)
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await stage.connector.adjust(stage.shop, _adjustment(variant, -4, f"{stage.word}-{skip}"))
        stage.dial.calm()
        count = await stage.hand.count(variant)
        hit = stage.dial.counts["lost_reply"] > before
        expect(count in (6, 10), f"the count became {count}")
        expect(isinstance(outcome, Done | Unknown | Later), f"a lost answer gave {outcome}")
        expect(not isinstance(outcome, Done) or count == 6, f"{outcome}, and the count is {count}")
        expect(not isinstance(outcome, Later) or count == 10, f"{outcome}, and the count is {count}")
        if not hit:
            expect(skip > 0, "no call was made")
            return


@scenario(
    310,
    LOCATIONS,
    title=(
        "Locations are named by the test; all of them add up, chosen ones count alone, and a product's reading says the"
        " same"
    ),
    simulated=True,
)
async def locations(stage: Stage) -> None:
    hand = stage.hand
    expect(isinstance(hand, SeveralLocations), "the manifest says locations, and the simulated shop cannot open one")
    assert isinstance(hand, SeveralLocations)
    (variant,) = await stage.product(5)
    home = {place for place, _ in stage.proof.locations}
    attic, cellar = await hand.open_location("Attic"), await hand.open_location("Cellar, à gauche")
    await hand.stock_at(variant, attic, 4)
    await hand.stock_at(variant, cellar, 2)
    proof = await stage.connector.prove(stage.shop)
    expect(set(proof.locations) > {(attic, "Attic"), (cellar, "Cellar, à gauche")}, f"the test names {proof.locations}")
    for chosen, count in ((), 11), ((attic,), 4), ((attic, cellar), 6), ((*home, cellar), 7):
        shop = replace(stage.shop, settings={**stage.shop.settings, **proof.settings, "location": ",".join(chosen)})
        counted = understood(await stage.connector.counts(shop, [variant]))
        got = {one.variant_id: one.count for one in counted}
        expect(got == {variant.variant_id: count}, f"counting {chosen or 'all'}: {got}, not {count}")
        product = await stage.connector.product(shop, variant.product_id)
        shown = product.variants[0].count if isinstance(product, ShopProduct) else None
        expect(shown in (count, None), f"the product's reading says {shown}, not {count}")


@scenario(
    311, LOCATIONS, ADJUST, title="A count is corrected at a location that counts, and nowhere else", simulated=True
)
async def corrected_there(stage: Stage) -> None:
    hand = stage.hand
    assert isinstance(hand, SeveralLocations)
    (variant,) = await stage.product(5)
    attic = await hand.open_location("Attic")
    await hand.stock_at(variant, attic, 4)
    proof = await stage.connector.prove(stage.shop)
    shop = replace(stage.shop, settings={**stage.shop.settings, **proof.settings, "location": attic})
    outcome = await stage.connector.adjust(shop, _adjustment(variant, 3, stage.word))
    expect(isinstance(outcome, Done), f"the change gave {outcome}")
    (there,), (everywhere,) = (
        understood(await stage.connector.counts(shop, [variant])),
        understood(await stage.connector.counts(stage.shop, [variant])),
    )
    expect(
        (there.count, everywhere.count) == (7, 12), f"{there.count} there and {everywhere.count} in all, not 7 and 12"
    )


@scenario(312, READ, title="A count of a million is read to the unit")
async def a_million(stage: Stage) -> None:
    a, b = await stage.product(1_000_001, 1)
    await _reads(stage, {a.variant_id: 1_000_001, b.variant_id: 1}, a, b)


def _adjustment(variant: VariantRef, delta: int, key: str) -> AdjustStock:
    return AdjustStock(variant.product_id, variant.variant_id, delta, f"adjust-{key}", "conformance")


async def _reads(stage: Stage, expected: dict[str, int], *variants: VariantRef) -> None:
    """The counts are read so, at the latest after the lag that the manifest admits."""
    got: dict[str, int | None] = {}

    async def look() -> bool:
        got.update(await stage.counted(*variants))
        return got == expected

    await stage.eventually(look, lambda: f"the counts {expected} (last read: {got})")
