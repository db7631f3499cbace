"""Units that are rejected here are taken out of the shop's order by the line that was sold: two lines of one variant
are two, and a product that was deleted after the sale (woocommerce/woocommerce 9513) has no variant to find it by.
"""

from dataclasses import replace

import pytest

from crossdock.domain.commands import CancelLines, CancelReason, Refused, Why
from crossdock.domain.events import OrderLine, Parcel, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit.shop.cancel_units import pick
from crossdock.store.models import Command, PolicySwitch
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from parcelling import Parcelling

A, B = OrderLine("L1", "p1", "v1", "", 1), OrderLine("L2", "p1", "v1", "", 2)
ORDER = ShopOrder("s1", "#1", "MK-1", ShopOrderState.OPEN, (A, B), Money(3000, "USD"))
ASKED = CancelLines("MK-1", "s1", (("v1", 1),), CancelReason.LOST, "key")


def forgotten(order: ShopOrder) -> ShopOrder:
    return replace(order, lines=tuple(replace(line, product_id="", variant_id="") for line in order.lines))


def test_the_line_that_is_named_is_the_one() -> None:
    assert pick(ORDER, ASKED) == {"L1": 1}, "by variant: the first that has some"
    assert pick(ORDER, replace(ASKED, rows=(("L2", 1),))) == {"L2": 1}
    assert pick(ORDER, replace(ASKED, lines=(("v1", 2),), rows=(("L2", 1), ("L2", 1)))) == {"L2": 2}


def test_a_deleted_product_is_found_by_its_line() -> None:
    assert pick(forgotten(ORDER), replace(ASKED, rows=(("L2", 1),))) == {"L2": 1}
    refused = pick(forgotten(ORDER), ASKED)
    assert isinstance(refused, Refused)
    assert refused.why is Why.INVALID


def test_lines_that_stand_there_no_more_are_found_by_variant() -> None:
    assert pick(ORDER, replace(ASKED, rows=(("L9", 1),))) == {"L1": 1}


def test_a_line_named_twice_in_one_parcel_is_summed() -> None:
    shipped = replace(ORDER, parcels=(Parcel("f1", (("L2", 1), ("L2", 1))),))
    refused = pick(shipped, replace(ASKED, rows=(("L2", 1),)))
    assert isinstance(refused, Refused)
    assert refused.why is Why.TOO_LATE
    assert pick(shipped, ASKED) == {"L1": 1}


@pytest.mark.django_db
def test_a_reject_names_the_shop_s_line_that_no_parcel_has() -> None:
    desk = Parcelling(units=3, rows=(A, B))
    PolicySwitch.objects.create(rule="S8", lifted=True, changed_at=desk.world.now)
    desk.take()
    desk.take(Parcel("f1", (("L1", 1),), "1Z999AA10123456784"))
    line = desk.order.lines.get()
    picks = {line.pk: Pick(2, CancelReason.LOST)}
    shown = preview_parts(order=desk.order, picks=picks, manifest=desk.manifest)
    reject_parts(
        order=desk.order,
        picks=picks,
        expected_total=shown.total,
        key="once",
        manifest=desk.manifest,
        actor=desk.world.seller.owner,
        now=desk.world.later(),
    )
    asked = Command.objects.get(kind="cancel_lines").payload
    assert asked["lines"] == [["v1", 2]]
    assert asked["rows"] == [["L2", 2]]
