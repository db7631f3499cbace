"""Rule 10: the shop's count is corrected after a cancel by evidence, once, or a person is asked.

Counts prove nothing (stock protocol, C5).
"""
# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crossdock.domain import stock as rules
from crossdock.domain.capability import Capability, No
from crossdock.domain.commands import CancelReason, Unknown
from crossdock.engine.engine import Engine
from crossdock.store.models import Alert, Command, Order, VariantStock
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.stock.restore import correct_count
from stall import Make, Stall, connector, copy_of, engine, make, no_jobs, rest, sync, until  # noqa: F401
from toy import MANIFEST, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


def never_restores(connector: ToyConnector, stall: Stall) -> None:
    connector.manifest = replace(
        connector.manifest, answers={**connector.manifest.answers, Capability.CANCEL_RESTORES: No("Never.")}
    )
    stall.truth.restores = False


async def landed(stall: Stall, engine: Engine, quantity: int = 2) -> Order:
    order: Order = await sync(stall.buy, quantity)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal", what="the order to land")
    await rest(engine)
    return order


def reject(order: Order, reason: CancelReason = CancelReason.BUYER_ASKED) -> None:
    reject_order(
        order=order, reason=reason, actor=None, expected_total=order.total, now=datetime.now(UTC), source="seller"
    )


async def cancelled(stall: Stall, engine: Engine, order: Order) -> None:
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "cancelled", what="the cancel in the shop")
    await until(lambda: not VariantStock.objects.get(pk=stall.variant.pk).want_no, what="the count to be read")
    await rest(engine)


async def test_what_never_restores_is_raised_once_by_evidence(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    stall = await sync(make)
    never_restores(connector, stall)
    order = await landed(stall, engine)
    await sync(reject, order)
    await cancelled(stall, engine, order)
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 1000, what="the correction to be read")
    assert [(done.variant_id, done.delta) for done in stall.truth.adjusted] == [("v1", 2)]
    assert stall.truth.counts["v1"] == 1000
    told = await sync(lambda: list(order.timeline.values_list("kind", flat=True)))
    assert told.count("put_back") == 1


async def test_a_restore_that_looks_undone_is_not_made_again(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """Planted bug 9, C5: the shop restored 2 and sold 2 before the read, so the count looks as if nothing had come
    back.
    """
    stall = await sync(make)
    order = await landed(stall, engine)
    await sync(reject, order)
    stall.truth.counts["v1"] -= 2
    await cancelled(stall, engine, order)
    assert stall.truth.adjusted == []
    assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == stall.truth.counts["v1"] == 998


async def test_already_cancelled_adjusts_nothing_and_asks_with_both_counts(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """C5b: the seller cancelled at the same time, and perhaps recounted. Nobody here can know."""
    stall = await sync(make)
    never_restores(connector, stall)
    order = await landed(stall, engine)
    stall.truth.orders[(await sync(copy_of, order)).shop_order_id].cancelled = True
    await sync(reject, order)
    await cancelled(stall, engine, order)
    assert stall.truth.adjusted == []
    alert = await sync(Alert.objects.get, code="stock_differs", settled_at=None)
    assert (
        alert.evidence["shop"] is not None and "already" in alert.sentence and "No count was changed" in alert.sentence
    )


async def test_a_correction_whose_answer_was_lost_is_not_sent_again(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """Planted bug 9, C10: +n repeated after a lost reply."""
    stall = await sync(make)
    never_restores(connector, stall)
    order = await landed(stall, engine)
    stall.truth.after_adjust = lambda command, outcome: Unknown("The reply was lost.", 0.05)
    await sync(reject, order)
    await cancelled(stall, engine, order)
    await until(lambda: Command.objects.get(kind="adjust_stock").state == "done", what="the end of the correction")
    await rest(engine)
    assert len(stall.truth.adjusted) == 1 and stall.truth.counts["v1"] == 1000
    alert = await sync(Alert.objects.get, code="stock_differs", settled_at=None)
    assert "+2" in alert.sentence


@pytest.mark.parametrize("keeps_out", [True, False])
async def test_what_is_damaged_is_not_sold_again(
    make: Make, engine: Engine, connector: ToyConnector, *, keeps_out: bool
) -> None:
    """Either the shop leaves it out of its count, or nothing of it sells until the seller has counted."""
    connector.manifest = replace(MANIFEST, keeps_out=frozenset({"cancel_order"} if keeps_out else ()))
    stall = await sync(make)
    order = await landed(stall, engine)
    await sync(reject, order, CancelReason.DAMAGED)
    await cancelled(stall, engine, order)
    await rest(engine)
    row = await sync(VariantStock.objects.get)
    assert row.set_aside is not keeps_out
    asked = await sync(Alert.objects.filter(code="stock_differs", settled_at=None).first)
    assert (asked is None) if keeps_out else (asked is not None and "it is damaged" in asked.sentence)


@pytest.mark.parametrize(("reason", "aside"), [(CancelReason.DAMAGED, True), (CancelReason.BUYER_ASKED, False)])
async def test_what_is_damaged_is_counted_first_where_a_person_has_to_cancel(
    make: Make, engine: Engine, connector: ToyConnector, reason: CancelReason, *, aside: bool
) -> None:
    """The shop lets no program cancel: its seller does, and may put the damaged unit back."""
    stall = await sync(make)
    order = await landed(stall, engine)
    stall.truth.no_cancel = "No program may."
    await sync(reject, order, reason)
    engine.wake(stall.shop.party_id)
    await until(lambda: Alert.objects.filter(code="cancel_failed", settled_at=None).exists(), what="the alert")
    row = await sync(VariantStock.objects.get)
    assert row.set_aside is aside


async def test_what_is_lost_before_it_was_sent_is_not_sold_again(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    """The shop never heard of the order, so its count still has the unit."""
    connector.manifest = replace(MANIFEST, keeps_out=frozenset({"cancel_order"}))
    stall = await sync(make)
    order = await sync(stall.buy)
    await sync(reject, order, CancelReason.LOST)
    assert (await sync(VariantStock.objects.get)).set_aside


async def test_two_fates_in_one_order_keep_apart(make: Make, engine: Engine, connector: ToyConnector) -> None:
    """Everything is rejected, one line because it is not there, the other because the buyer asked: only the first is
    set aside.
    """
    stall = await sync(make)
    order = await landed(stall, engine)
    reasons = {stall.variant.pk: CancelReason.NOT_AVAILABLE}
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.BUYER_ASKED,
        reasons=reasons,
        actor=stall.seller.owner,
        expected_total=order.total,
        now=engine.clock(),
    )
    assert (await sync(VariantStock.objects.get)).set_aside
    await cancelled(stall, engine, order)
    command = await sync(Command.objects.get, kind="cancel_order")
    assert command.payload["reason"] == CancelReason.BUYER_ASKED


async def test_what_is_lost_is_not_put_back(make: Make, engine: Engine, connector: ToyConnector) -> None:
    stall = await sync(make)
    never_restores(connector, stall)
    order = await landed(stall, engine)
    await sync(reject, order, CancelReason.LOST)
    await cancelled(stall, engine, order)
    assert stall.truth.adjusted == [] and stall.truth.counts["v1"] == 998


@pytest.mark.parametrize(
    ("restores", "ours", "sent", "repeatable", "may"),
    [
        (True, True, False, True, False),
        (False, False, False, True, False),
        (False, True, True, False, False),
        (False, True, True, True, True),
        (False, True, False, False, True),
    ],
)
def test_rule_ten(restores: bool, ours: bool, sent: bool, repeatable: bool, may: bool) -> None:
    assert rules.may_adjust(restores=restores, ours=ours, sent=sent, repeatable=repeatable) is may


# What the seller corrects from here


def correct(stall: Stall, *, seen: int = 1000, wanted: int = 7, key: str = "k1") -> None:
    correct_count(
        variant=stall.variant,
        seen=seen,
        wanted=wanted,
        key=key,
        manifest=MANIFEST,
        actor=stall.seller.owner,
        now=datetime.now(UTC),
    )


async def test_the_seller_corrects_the_shops_count_by_a_difference(make: Make, engine: Engine) -> None:
    stall = await sync(make)
    await sync(correct, stall)
    await sync(correct, stall)
    stall.truth.counts["v1"] -= 1
    engine.wake(stall.shop.party_id)
    await until(lambda: VariantStock.objects.get(pk=stall.variant.pk).count == 6, what="the corrected count")
    assert [done.delta for done in stall.truth.adjusted] == [-993], "once; and the sale in between stays counted"


async def test_a_correction_is_refused_where_it_would_be_wrong(make: Make) -> None:
    stall = await sync(make)
    with pytest.raises(Stale, match="counts 1000 now"):
        await sync(correct, stall, seen=5)
    with pytest.raises(Invalid, match="already"):
        await sync(correct, stall, wanted=1000)
    with pytest.raises(Invalid, match="from 0"):
        await sync(correct, stall, wanted=-1)
    await sync(correct, stall)
    with pytest.raises(NotAllowed, match="on its way"):
        await sync(correct, stall, wanted=8, key="k2")
    cannot = replace(MANIFEST, answers={**MANIFEST.answers, Capability.COUNTS_ADJUST: No("Only in your shop.")})
    with pytest.raises(NotAllowed, match="Only in your shop"):
        await sync(
            correct_count,
            variant=stall.variant,
            seen=1000,
            wanted=3,
            key="k3",
            manifest=cannot,
            actor=stall.seller.owner,
            now=datetime.now(UTC),
        )
