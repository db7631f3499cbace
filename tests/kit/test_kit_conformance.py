"""The suite itself is tested: one bug at a time is planted in the corner shop or its connector, and the scenario that
is there for it has to fail.
"""

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from crossdock.domain.capability import Capability, No
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CreateOrder,
    Done,
    Found,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteFulfilment,
)
from crossdock.domain.events import Count, HookNews, ProductGone, Refund, ShopOrder, ShopOrderState, ShopProduct
from crossdock.domain.values import Money
from crossdock.kit import conformance
from crossdock.kit.conformance.suite import Verdict, run_all
from crossdock.kit.connector import Check, Forged, Hook, Page, Proof, Shop, Subscriptions, VariantRef
from crossdock.kit.errors import BadInput, Outside
from crossdock.kit.sandbox import Doc
from toyshop import Sandbox, Toy, reading


class AlwaysProves(Toy):
    async def prove(self, shop: Shop) -> Proof:
        return Proof("shop-0", "Corner Shop", "EUR", (Check(True, "Fine"),))


class TakesAnyAddress(Toy):
    def address(self, form: Mapping[str, str], *, local: bool) -> str:
        return form["address"].strip() or "http://127.0.0.1:1"


class NeedsNoKey(Toy):
    async def finish(self, shop: Shop, **more: Any) -> Mapping[str, str]:
        try:
            return await super().finish(shop, **more)
        except BadInput:
            return {"key": "", "hook_secret": ""}


class SkipsProducts(Toy):
    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        page = await super().products(shop, cursor)
        return replace(page, items=page.items[:-1] if page.more else page.items)


class ReadsOnlyOnce(Toy):
    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        return await super().products(shop, cursor) if len(cursor) < 2 else Page((), cursor, False)


class MixesUpCounts(Toy):
    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        counts = await super().counts(shop, variants)
        return [Count(count.variant_id, other.count) for count, other in zip(counts, reversed(counts), strict=True)]


class CountsTheGone(Toy):
    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        known = {count.variant_id: count for count in await super().counts(shop, variants)}
        return [known.get(ref.variant_id, Count(ref.variant_id, 0)) for ref in variants]


class FindsByPrefix(Toy):
    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        page = await self.orders(shop, "1")
        return Found(tuple(order.shop_id for order in page.items if order.reference.startswith(reference)))


class FindsNothing(Toy):
    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        return Found()


class CallsUnknownLater(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        outcome = await super().create(shop, command)
        return Later("Try again.") if isinstance(outcome, Unknown) else outcome


class CallsUnknownRefused(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        outcome = await super().create(shop, command)
        return Refused(Why.INVALID, "It failed.") if isinstance(outcome, Unknown) else outcome


class RepeatsBlindly(Toy):
    """Sends again under another reference when the answer is lost."""

    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        outcome = await super().create(shop, command)
        again = replace(command, reference=command.reference + "-2")
        return await super().create(shop, again) if isinstance(outcome, Unknown) else outcome


class DoubtsWhatItFinds(Toy):
    async def confirm(self, shop: Shop, command: CreateOrder, found: ShopOrder) -> Outcome:
        return Refused(Why.NO_STOCK, "Who knows.")


class TooCheap(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await super().create(shop, replace(command, shipping=command.shipping - command.shipping))


class ForgetsALine(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        return await super().create(shop, replace(command, lines=command.lines[:1]))


class HopesForStock(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        outcome = await super().create(shop, command)
        return replace(outcome, stock_taken=False) if isinstance(outcome, Done) else outcome


class ConfusesReasons(Toy):
    async def create(self, shop: Shop, command: CreateOrder) -> Outcome:
        outcome = await super().create(shop, command)
        return replace(outcome, why=Why.INVALID) if isinstance(outcome, Refused) else outcome


class LosesTheReference(Toy):
    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        page = await super().orders(shop, cursor)
        return replace(page, items=tuple(replace(order, reference="") for order in page.items))


class SkipsOrders(Toy):
    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        page = await super().orders(shop, cursor)
        return replace(page, items=page.items[1:] if page.more else page.items)


class NeverSeesCancels(Toy):
    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        page = await super().orders(shop, cursor)
        return replace(page, items=tuple(replace(order, state=ShopOrderState.OPEN) for order in page.items))


class AlwaysFirst(Toy):
    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        outcome = await super().cancel(shop, command)
        return replace(outcome, already=False) if isinstance(outcome, Done) else outcome


class SaysCancelled(Toy):
    async def cancel(self, shop: Shop, command: CancelOrder) -> Outcome:
        await super().cancel(shop, command)
        return Done(command.shop_order_id)


class NumberIsTheParcel(Toy):
    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        page = await super().orders(shop, cursor)
        return replace(page, items=tuple(_numbered(order) for order in page.items))


class WholeParcels(Toy):
    async def orders(self, shop: Shop, cursor: str) -> Page[ShopOrder]:
        page = await super().orders(shop, cursor)
        return replace(page, items=tuple(_whole(order) for order in page.items))


class OneRefund(Toy):
    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        order = await super().order(shop, shop_id)
        return replace(order, refunds=order.refunds[:1])


class BelievesAnyHook(Toy):
    def verify(self, shop: Shop, hook: Hook) -> None:
        with contextlib.suppress(Forged):
            super().verify(shop, hook)


class OneKeyForAll(Toy):
    def news(self, shop: Shop, hook: Hook) -> HookNews:
        return replace(super().news(shop, hook), dedupe="order")


class HealsWithoutNeed(Toy):
    async def subscribe(self, shop: Shop) -> Subscriptions:
        await self.unsubscribe(shop)
        return await super().subscribe(shop)


class SwallowsTrouble(Toy):
    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        try:
            return await super().counts(shop, variants)
        except Outside:
            return []


class ShortShop(Sandbox):
    """Takes what is there and says nothing, like a platform that trims an order."""

    def place(self, asked: Mapping[str, Any]) -> tuple[int, Doc]:
        lines = [{**line, "units": min(line["units"], self.count_of(line["variant"]) or 0)} for line in asked["lines"]]
        return super().place({**asked, "lines": [line for line in lines if line["units"]]})


class OversellingShop(Sandbox):
    def count_of(self, variant_id: str) -> int | None:
        count = super().count_of(variant_id)
        return None if count is None else count + 100


class MailingShop(Sandbox):
    def place(self, asked: Mapping[str, Any]) -> tuple[int, Doc]:
        self.shelf.note("mail", to=asked["buyer"], about="order")
        return super().place(asked)


class KeepingShop(Sandbox):
    def call_off(self, order: Doc, *, restock: bool) -> None:
        super().call_off(order, restock=False)


class ForgetfulShop(Sandbox):
    """Knows no order by its reference, so a second sending makes a second order."""

    def place(self, asked: Mapping[str, Any]) -> tuple[int, Doc]:
        status, answer = super().place({**asked, "reference": ""})
        if status == 201:
            order = {key: value for key, value in answer.items() if key != "already"} | {
                "reference": asked["reference"]
            }
            self.shelf.put("order", order["id"], order)
        return status, answer


class TakesWithoutLooking(Toy):
    """Forgets that a key was used before."""

    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        again = replace(command, key=f"{command.key}:{secrets.token_hex(3)}")
        return await super().cancel_lines(shop, again)


class LooksAndTakes(Toy):
    async def cancel_lines(self, shop: Shop, command: CancelLines) -> Outcome:
        return await super().cancel_lines(shop, replace(command, only_look=False))


class RefundsLookAlike(Toy):
    """Its own trace comes back as if the seller had refunded something."""

    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        found = await super().order(shop, shop_id)
        return replace(found, refunds=(*found.refunds, Refund("ours", found.total)))


class KeepsWhatIsTaken(Sandbox):
    def take(self, order: Doc, wanted: Mapping[str, int], note: str) -> None:
        super().take(order, wanted, note)
        for line in order["lines"]:
            self.move(line["variant"], -wanted.get(line["id"], 0))


class TakesALineMore(Sandbox):
    """Takes out as many of every line as of the one that was named."""

    def take(self, order: Doc, wanted: Mapping[str, int], note: str) -> None:
        most = max(wanted.values())
        super().take(order, {line["id"]: min(most, line["units"]) for line in order["lines"]}, note)


class FulfilsWithoutLooking(Toy):
    """Pushes again what an earlier try did: every parcel looks new to it."""

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        if command.undone or command.parcel_id:
            return await super().write_fulfilment(shop, command)
        look = reading.order

        async def blind(client: Any, shop_id: str) -> ShopOrder:
            return replace(await look(client, shop_id), parcels=())

        reading.order = blind
        try:
            return await super().write_fulfilment(shop, command)
        finally:
            reading.order = look


class LooksAndFulfils(Toy):
    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        return await super().write_fulfilment(shop, replace(command, only_look=False))


class FulfilsTheWhole(Toy):
    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        order = await self.order(shop, command.shop_order_id)
        everything = tuple((line.variant_id, line.quantity) for line in order.lines)
        return await super().write_fulfilment(shop, replace(command, lines=everything))


class AnotherParcelPerNumber(Toy):
    """Takes a changed number for another parcel."""

    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        if command.undone:
            return await super().write_fulfilment(shop, command)
        return await super().write_fulfilment(shop, replace(command, parcel_id="", numbers=()))


class NeverUndoes(Toy):
    async def write_fulfilment(self, shop: Shop, command: WriteFulfilment) -> Outcome:
        if command.undone:
            return Done(command.parcel_id)
        return await super().write_fulfilment(shop, command)


class MailsParcels(Sandbox):
    def ship(self, order: Doc, wanted: list[tuple[str, int]], tracking: str, carrier: str) -> str:
        self.shelf.note("mail", to=order["buyer"], about="shipped")
        return super().ship(order, wanted, tracking, carrier)


class CountsParcels(Sandbox):
    """Takes the units a second time when they leave."""

    def ship(self, order: Doc, wanted: list[tuple[str, int]], tracking: str, carrier: str) -> str:
        for line in order["lines"]:
            self.move(line["variant"], -dict(wanted).get(line["id"], 0))
        return super().ship(order, wanted, tracking, carrier)


class NothingFound(Toy):
    """Takes silence for an empty shop."""

    async def find(self, shop: Shop, reference: str, *, since: datetime) -> Found:
        try:
            return await super().find(shop, reference, since=since)
        except Outside:
            return Found()


class GoneInSilence(Toy):
    async def order(self, shop: Shop, shop_id: str) -> ShopOrder:
        try:
            return await super().order(shop, shop_id)
        except Outside:
            return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), Money.zero("EUR"))

    async def product(self, shop: Shop, product_id: str) -> ShopProduct | ProductGone:
        try:
            return await super().product(shop, product_id)
        except Outside:
            return ProductGone(product_id)


class BeginsAgain(Toy):
    async def products(self, shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        page = await super().products(shop, cursor)
        return page if page.more else replace(page, cursor="")


class CountsInShort(Toy):
    """Reads a count into 16 bits."""

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count]:
        return [replace(one, count=(one.count or 0) % 65536) for one in await super().counts(shop, variants)]


PLANTED = [
    (NothingFound, Sandbox, {921}),
    (GoneInSilence, Sandbox, {922, 923}),
    (BeginsAgain, Sandbox, {210}),
    (CountsInShort, Sandbox, {312}),
    (TooCheap, Sandbox, {419}),
    (ForgetsALine, Sandbox, {418}),
    (NumberIsTheParcel, Sandbox, {609}),
    (Toy, OversellingShop, {417}),
    (Toy, KeepingShop, {509, 510}),
    (FulfilsWithoutLooking, Sandbox, {621, 627, 628}),
    (LooksAndFulfils, Sandbox, {627}),
    (FulfilsTheWhole, Sandbox, {622, 623}),
    (AnotherParcelPerNumber, Sandbox, {623, 629}),
    (NeverUndoes, Sandbox, {626, 630}),
    (Toy, MailsParcels, {620}),
    (Toy, CountsParcels, {605, 620}),
    (TakesWithoutLooking, Sandbox, {522, 526, 528}),
    (LooksAndTakes, Sandbox, {526}),
    (RefundsLookAlike, Sandbox, {527}),
    (Toy, KeepsWhatIsTaken, {521, 528}),
    (Toy, TakesALineMore, {520}),
    (AlwaysProves, Sandbox, {103, 104}),
    (TakesAnyAddress, Sandbox, {105}),
    (NeedsNoKey, Sandbox, {107}),
    (SkipsProducts, Sandbox, {202, 206}),
    (ReadsOnlyOnce, Sandbox, {206}),
    (MixesUpCounts, Sandbox, {301, 302, 304}),
    (CountsTheGone, Sandbox, {305}),
    (FindsByPrefix, Sandbox, {404}),
    (FindsNothing, Sandbox, {404, 904}),
    (CallsUnknownLater, Sandbox, {904, 905}),
    (CallsUnknownRefused, Sandbox, {903, 904, 905, 908}),
    (RepeatsBlindly, Sandbox, {904, 905}),
    (DoubtsWhatItFinds, Sandbox, {416, 904, 905}),
    (TooCheap, Sandbox, {402}),
    (ForgetsALine, Sandbox, {401, 405, 407}),
    (HopesForStock, Sandbox, {403}),
    (ConfusesReasons, Sandbox, {406, 407, 408}),
    (LosesTheReference, Sandbox, {413, 505}),
    (SkipsOrders, Sandbox, {910}),
    (NeverSeesCancels, Sandbox, {505}),
    (AlwaysFirst, Sandbox, {503, 504}),
    (SaysCancelled, Sandbox, {506, 507}),
    (NumberIsTheParcel, Sandbox, {603}),
    (WholeParcels, Sandbox, {602}),
    (OneRefund, Sandbox, {702}),
    (BelievesAnyHook, Sandbox, {805, 806}),
    (OneKeyForAll, Sandbox, {807}),
    (HealsWithoutNeed, Sandbox, {801}),
    (SwallowsTrouble, Sandbox, {906, 907, 908}),
    (Toy, ShortShop, {406, 407}),
    (Toy, OversellingShop, {406, 410, 913}),
    (Toy, MailingShop, {412}),
    (Toy, KeepingShop, {502}),
    (Toy, ForgetfulShop, {404, 411}),
]


@pytest.mark.parametrize(
    ("toy", "shop", "numbers"), PLANTED, ids=[f"{toy.__name__}-{shop.__name__}" for toy, shop, _ in PLANTED]
)
async def test_a_planted_bug_is_found_by_its_scenario(
    toy: type[Toy], shop: type[Sandbox], numbers: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossdock.kit.conformance.stage.PATIENCE_SECONDS", 0.3)
    results = await run_all(toy(), shop, only=numbers)
    found = {result.number for result in results if result.verdict is Verdict.FAILED}
    assert found == numbers, results
    assert all(result.sentence for result in results)


def test_a_no_is_not_called_for() -> None:
    whole = Toy().manifest
    manifest = replace(whole, answers={**whole.answers, Capability.WEBHOOKS: No("It has none.")})
    called, every = conformance.called_for(manifest), conformance.called_for(whole)
    assert {item.number for item in every} - {item.number for item in called} == set(range(801, 810))
    assert not [item for item in conformance.called_for(manifest, real=True) if item.simulated]


def _numbered(order: ShopOrder) -> ShopOrder:
    return replace(order, parcels=tuple(replace(parcel, parcel_id=parcel.tracking_number) for parcel in order.parcels))


def _whole(order: ShopOrder) -> ShopOrder:
    return replace(order, parcels=tuple(replace(parcel, lines=()) for parcel in order.parcels))
