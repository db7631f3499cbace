"""62x: a parcel that left from here is written into the shop: once, with its number, and mailed to nobody by the
shop. It moves no count, is found again after a lost answer, follows a changed number, and is undone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CreateOrder, Done, Later, Outcome, Refused, Unknown, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.conformance.stage import Stage, another_id, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import VariantRef
from crossdock.kit.hand import ReadsNotes
from crossdock.kit.shop.fulfilment import same_number

CREATE, SEEN, WRITE, UNDO, PARTIAL = (
    Capability.ORDER_CREATE,
    Capability.TRACKING_SEEN,
    Capability.FULFILMENT_WRITE,
    Capability.FULFILMENT_UNDO,
    Capability.TRACKING_PARTIAL,
)
MOST_CALLS = 20
NUMBER, OTHER = "9400111899223100001842", "1Z999AA10123456784"


def left_here(
    command: CreateOrder, done: Done, *lines: tuple[VariantRef, int], number: str = NUMBER, key: str = "1"
) -> WriteFulfilment:
    """Parcels of an order are told apart by `key`."""
    return WriteFulfilment(
        command.reference,
        done.shop_id,
        f"parcel:{command.reference}:{key}",
        tuple((variant.variant_id, n) for variant, n in lines),
        number,
        "USPS" if number else "",
        f"https://tools.usps.com/go/TrackConfirmAction?tLabels={number}" if number else "",
        datetime.now(UTC),
        numbers=(number,) if number else (),
    )


async def an_order(stage: Stage, ordered: int = 3) -> tuple[VariantRef, CreateOrder, Done]:
    (variant,) = await stage.product(9)
    command = stage.order((variant, ordered))
    return variant, command, await stage.placed(command)


def most(stage: Stage, units: int, ordered: int = 3) -> int:
    """So many of the order, or all of it where the shop ships an order as a whole."""
    return units if stage.manifest.can(PARTIAL) else ordered


async def write(stage: Stage, command: WriteFulfilment) -> Outcome:
    return await stage.connector.write_fulfilment(stage.shop, command)


async def wrote(stage: Stage, command: WriteFulfilment) -> str:
    """Written now, and not before; the shop's id of it."""
    outcome = await write(stage, command)
    expect(isinstance(outcome, Done) and not outcome.already and bool(outcome.shop_id), f"it gave {outcome}")
    assert isinstance(outcome, Done)
    return outcome.shop_id


async def parcels(stage: Stage, done: Done) -> list[tuple[str, str, dict[str, int]]]:
    """(id, number, units per variant) of what is not cancelled, as it is read back."""
    order = await stage.connector.order(stage.shop, done.shop_id)
    return [(p.parcel_id, p.tracking_number, _units(order, p)) for p in order.parcels if not p.cancelled]


def _units(order: ShopOrder, parcel: Parcel) -> dict[str, int]:
    variants = {line.line_id: line.variant_id for line in order.lines}
    return dict(units([(variants.get(line, line), n) for line, n in parcel.lines if n]))


async def mails(stage: Stage, done: Done) -> list[str]:
    return list(await stage.hand.buyer_words(done.shop_id)) if isinstance(stage.hand, ReadsNotes) else []


@scenario(
    620, CREATE, SEEN, WRITE, title="A parcel is written with its number, carrier and units; no count moves, no mail"
)
async def writes(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    _, _, other = await an_order(stage)
    count, before = await stage.hand.count(variant), await mails(stage, done)
    cursor = await stage.order_cursor()
    id_ = await wrote(stage, left_here(command, done, (variant, 3)))
    order = await stage.news(
        cursor, done.shop_id, lambda seen: any(p.tracking_number for p in seen.parcels), "the parcel that we wrote"
    )
    (parcel,) = [p for p in order.parcels if not p.cancelled]
    expect((parcel.parcel_id, parcel.tracking_number) == (id_, NUMBER), f"read back, it is {parcel}")
    expect("usps" in f"{parcel.carrier} {parcel.tracking_url}".lower(), f"the carrier is {parcel.carrier!r}")
    expect(_units(order, parcel) == {variant.variant_id: 3}, f"it holds {parcel.lines}")
    expect((await stage.listed(done.shop_id)).parcels == 1, "the seller sees another number of parcels")
    expect((await stage.listed(other.shop_id)).parcels == 0, "another order got it")
    expect(await stage.hand.count(variant) == count, f"the count went from {count}")
    expect(await mails(stage, done) == before, f"the shop wrote to the buyer: {await mails(stage, done)}")


@scenario(621, CREATE, SEEN, WRITE, title="The same parcel again is there already")
async def once(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    wish = left_here(command, done, (variant, 3))
    id_ = await wrote(stage, wish)
    for again in (wish, replace(wish, parcel_id=id_), replace(wish, tracking_number="9400 1118-9922 3100001842")):
        outcome = await write(stage, again)
        expect(isinstance(outcome, Done) and outcome.already and outcome.shop_id == id_, f"again, it gave {outcome}")
    expect((await stage.listed(done.shop_id)).parcels == 1, "it stands there twice")


@scenario(622, CREATE, SEEN, PARTIAL, WRITE, title="Two parcels of one order are two, also without numbers")
async def two(stage: Stage) -> None:
    for first, second in ((NUMBER, OTHER), ("", "")):
        variant, command, done = await an_order(stage)
        one = left_here(command, done, (variant, 1), number=first)
        id_ = await wrote(stage, one)
        rest = left_here(command, done, (variant, 1), number=second, key="2")
        other = await wrote(stage, replace(rest, others=(id_,)))
        expect(other != id_, f"both parcels are {id_}")
        found = await parcels(stage, done)
        expect(
            sorted((number, there.get(variant.variant_id)) for _, number, there in found)
            == sorted([(first, 1), (second, 1)]),
            f"read back, there are {found}",
        )
        again = await write(stage, replace(one, parcel_id=id_, others=(other,)))
        expect(isinstance(again, Done) and again.already, f"the first again gave {again}")
        expect((await stage.listed(done.shop_id)).parcels == 2, "the seller sees another number of parcels")


@scenario(623, CREATE, SEEN, WRITE, UNDO, title="A changed number arrives there, and it is still the same parcel")
async def renumbered(stage: Stage) -> None:
    for first in (NUMBER, ""):
        variant, command, done = await an_order(stage)
        units = most(stage, 2)
        wish = left_here(command, done, (variant, units), number=first)
        id_ = await wrote(stage, wish)
        count, before = await stage.hand.count(variant), await mails(stage, done)
        numbers = tuple(filter(None, (first, OTHER)))
        changed = replace(left_here(command, done, (variant, units), number=OTHER), parcel_id=id_, numbers=numbers)
        expect(await wrote(stage, changed) == id_, "it has another id now")
        found = await parcels(stage, done)
        expect(found == [(id_, OTHER, {variant.variant_id: units})], f"read back, there are {found}")
        again = await write(stage, changed)
        expect(isinstance(again, Done) and again.already, f"again, it gave {again}")
        expect((await stage.listed(done.shop_id)).parcels == 1, "the seller sees another number of parcels")
        expect(await stage.hand.count(variant) == count, f"the count went from {count}")
        expect(await mails(stage, done) == before, "the shop wrote to the buyer")


@scenario(624, CREATE, SEEN, WRITE, title="What the seller fulfilled there first is not fulfilled twice")
async def seller_was_first(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    await stage.hand.fulfil(done.shop_id, tracking=NUMBER, carrier="USPS")
    same = await write(stage, left_here(command, done, (variant, 3)))
    expect(isinstance(same, Done) and same.already, f"with the same number, it gave {same}")
    if not stage.manifest.can(PARTIAL):
        return
    variant, command, done = await an_order(stage)
    await stage.hand.fulfil(done.shop_id, tracking=OTHER, carrier="UPS", lines=[(variant.variant_id, 2)])
    late = await write(stage, left_here(command, done, (variant, 2)))
    expect(isinstance(late, Refused) and OTHER in late.sentence, f"two of which one is left: {late}")
    expect((await stage.listed(done.shop_id)).parcels == 1, "it was fulfilled twice")
    rest = left_here(command, done, (variant, 1))
    await wrote(stage, rest)
    expect((await stage.listed(done.shop_id)).parcels == 2, "the rest is not fulfilled")


@scenario(625, CREATE, WRITE, title="An order that is cancelled, not there or not ours gets no parcel")
async def strangers(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    wish = left_here(command, done, (variant, 3))
    theirs = await stage.hand.sell(variant, 1)
    for what, asked in {
        "an order that is not there": replace(wish, shop_order_id=another_id(done.shop_id)),
        "another order of ours": replace(wish, reference="XD-NEVER-0000"),
        "the shop's own": replace(wish, shop_order_id=theirs),
        "more than it has": replace(wish, lines=((variant.variant_id, 4),)),
        "nothing of it": replace(wish, lines=()),
    }.items():
        outcome = await write(stage, asked)
        expect(isinstance(outcome, Refused), f"{what}: {outcome}")
    await stage.hand.cancel(done.shop_id)
    count = await stage.hand.count(variant)
    outcome = await write(stage, wish)
    expect(isinstance(outcome, Refused) and "cancelled" in outcome.sentence, f"a cancelled order: {outcome}")
    expect(await stage.hand.count(variant) == count, "the count moved")
    made = [order.parcels for order in await stage.hand.orders() if order.shop_id in (done.shop_id, theirs)]
    expect(made == [0, 0], f"parcels were made: {made}")


@scenario(
    626, CREATE, SEEN, WRITE, UNDO, title="An undone parcel is cancelled there, no count moves, and it can go again"
)
async def undone(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    count = await stage.hand.count(variant)
    wish = left_here(command, done, (variant, 3))
    id_ = await wrote(stage, wish)
    before = await mails(stage, done)
    gone = replace(wish, parcel_id=id_, undone=True)
    outcome = await write(stage, gone)
    expect(isinstance(outcome, Done) and not outcome.already, f"it gave {outcome}")
    expect(await parcels(stage, done) == [], f"read back, there are {await parcels(stage, done)}")
    expect((await stage.listed(done.shop_id)).parcels == 0, "the seller still sees a parcel")
    again = await write(stage, gone)
    expect(isinstance(again, Done) and again.already, f"again, it gave {again}")
    expect(
        await stage.hand.count(variant) == count, f"the count went from {count} to {await stage.hand.count(variant)}"
    )
    expect(await mails(stage, done) == before, "the shop wrote to the buyer")
    await wrote(stage, left_here(command, done, (variant, 3), number=OTHER, key="2"))
    numbers = [number for _, number, _ in await parcels(stage, done)]
    expect(numbers == [OTHER], f"sent again, there are {numbers}")
    expect(
        await stage.hand.count(variant) == count, f"the count went from {count} to {await stage.hand.count(variant)}"
    )


@scenario(627, CREATE, SEEN, WRITE, title="A mere look writes nothing, and finds what was written")
async def only_looks(stage: Stage) -> None:
    variant, command, done = await an_order(stage)
    wish = left_here(command, done, (variant, 3))
    before = await write(stage, replace(wish, only_look=True))
    expect(isinstance(before, Unknown), f"before, the look gave {before}")
    expect((await stage.listed(done.shop_id)).parcels == 0, "the look wrote a parcel")
    id_ = await wrote(stage, wish)
    after = await write(stage, replace(wish, only_look=True))
    expect(isinstance(after, Done) and after.already, f"after, the look gave {after}")
    changed = replace(wish, tracking_number=OTHER, parcel_id=id_, numbers=(NUMBER, OTHER), only_look=True)
    expect(isinstance(await write(stage, changed), Unknown), "a look took one number for the other")
    expect([number for _, number, _ in await parcels(stage, done)] == [NUMBER], "the look changed the number")


@scenario(
    628,
    CREATE,
    SEEN,
    WRITE,
    title="With the answer to any of its calls lost: found when it is repeated, written once",
    simulated=True,
)
async def lost(stage: Stage) -> None:
    async def fresh() -> tuple[Done, WriteFulfilment]:
        variant, command, done = await an_order(stage)
        return done, left_here(command, done, (variant, most(stage, 2)))

    await _each_lost(stage, fresh, [NUMBER])


@scenario(
    629,
    CREATE,
    SEEN,
    WRITE,
    UNDO,
    title="With the answer to any of its calls lost, a number is changed once and the parcel stays one",
    simulated=True,
)
async def lost_number(stage: Stage) -> None:
    async def fresh() -> tuple[Done, WriteFulfilment]:
        variant, command, done = await an_order(stage)
        wish = left_here(command, done, (variant, most(stage, 2)))
        id_ = await wrote(stage, wish)
        return done, replace(wish, tracking_number=OTHER, parcel_id=id_, numbers=(NUMBER, OTHER))

    await _each_lost(stage, fresh, [OTHER])


@scenario(
    630,
    CREATE,
    SEEN,
    WRITE,
    UNDO,
    title="With the answer to any of its calls lost, an undone parcel is cancelled once",
    simulated=True,
)
async def lost_undo(stage: Stage) -> None:
    async def fresh() -> tuple[Done, WriteFulfilment]:
        variant, command, done = await an_order(stage)
        wish = left_here(command, done, (variant, most(stage, 2)))
        return done, replace(wish, parcel_id=await wrote(stage, wish), undone=True)

    await _each_lost(stage, fresh, [])


async def _each_lost(
    stage: Stage, fresh: Callable[[], Awaitable[tuple[Done, WriteFulfilment]]], numbers: list[str]
) -> None:
    for skip in range(MOST_CALLS):
        done, wish = await fresh()
        (variant, _) = wish.lines[0]
        count = await _count(stage, variant)
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await write(stage, wish)
        hit = stage.dial.counts["lost_reply"] > before
        stage.dial.calm()
        expect(isinstance(outcome, Done | Unknown | Later), f"a lost answer gave {outcome}")
        if not isinstance(outcome, Done):
            look = await write(stage, replace(wish, only_look=True))
            expect(isinstance(look, Done | Unknown), f"the look gave {look}")
            again = await write(stage, wish)
            expect(isinstance(again, Done), f"repeated, it gave {again}")
        found = [number for _, number, _ in await parcels(stage, done)]
        expect(len(found) == len(numbers) and all(map(same_number, found, numbers)), f"there are {found}")
        expect((await stage.listed(done.shop_id)).parcels == len(numbers), "the seller sees another number of parcels")
        expect(await _count(stage, variant) == count, "the count moved")
        if not hit:
            expect(skip > 0, "no call was made")
            return


async def _count(stage: Stage, variant_id: str) -> int:
    return next(row.count for row in await stage.hand.products() if row.variant_id == variant_id)
