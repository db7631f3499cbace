"""A parcel that leaves from here stands in the shop once, whatever became of the order's lines there since: the product
deleted for good, one line in two rows, two numbers typed into one field. Read back, it is no second parcel and no
second mail.
"""

import pytest

from crossdock.domain.commands import Done
from crossdock.kit.hand import EmptiesBin, SplitsLines
from crossdock.store.models import Order
from landed import PLATFORMS, Landed, landed

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "9400111899223100001842", "1Z999AA10123456784"


def once(shop: Landed, order: Order, *units: tuple[str, int]) -> None:
    """As many parcels as left, on both sides, and a mail for each."""
    for _ in range(2):
        shop.read(order)
        shop.poll()
    assert [(number, n) for number, _, n in shop.parcels(order)] == list(units)
    seen = shop.run(shop.connector.order(shop.stage.shop, shop.shop_id(order)))
    assert sorted(one.tracking_number for one in seen.parcels if not one.cancelled) == sorted(n for n, _ in units)
    assert len(shop.mails(order)) == len(units)
    assert shop.standing() == [] and shop.copy(order).state == "equal"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_a_product_that_was_deleted_for_good(platform: str) -> None:
    with landed(platform) as shop:
        ref = shop.product()
        order = shop.buy(ref, 2)
        hand = shop.stage.hand
        shop.run((hand.delete_for_good if isinstance(hand, EmptiesBin) else hand.delete_product)(ref.product_id))
        shop.read(order)
        assert isinstance(shop.ship(order, NUMBER), Done)
        assert order.parcels == "shipped"
        once(shop, order, (NUMBER, 2))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_of_a_line_that_stands_there_in_two_rows(platform: str) -> None:
    with landed(platform) as shop:
        ref = shop.product()
        order = shop.buy(ref, 3)
        assert isinstance(shop.stage.hand, SplitsLines)
        shop.run(shop.stage.hand.split_line(shop.shop_id(order), ref.variant_id, 1))
        shop.read(order)
        assert shop.copy(order).state == "equal", "the units are the same"
        assert isinstance(shop.ship(order, NUMBER, 2), Done)
        assert order.parcels == "partly_shipped"
        assert isinstance(shop.ship(order, OTHER), Done)
        assert order.parcels == "shipped"
        once(shop, order, (NUMBER, 2), (OTHER, 1))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_two_numbers_in_one_parcel_of_the_shop_are_both_told_and_shipped_once(platform: str) -> None:
    with landed(platform) as shop:
        order = shop.buy(shop.product(), 2)
        shop.run(shop.stage.hand.fulfil(shop.shop_id(order), tracking=f"{NUMBER}, {OTHER}", carrier=""))
        shop.poll()
        shop.read(order)
        assert [(number, n) for number, _, n in shop.parcels(order)] == [(NUMBER, 2), (OTHER, 0)]
        (mail,) = shop.mails(order)
        assert mail.startswith(f"{shop.seller.name} shipped 2 × Ember Fox.") and NUMBER in mail and OTHER in mail
        assert order.lines.get().shipped == 2


def test_a_plugin_s_entries_in_a_woocommerce_shop_without_fulfilments() -> None:
    """Each number is an entry of its own there, and an entry without lines is all that is left."""
    with landed("woocommerce") as shop:
        books = shop.stage.sandbox.books  # type: ignore[attr-defined]
        books.set(fulfillments=False)
        ref = shop.product()
        order = shop.buy(ref, 2)
        shop.run(shop.stage.hand.fulfil(shop.shop_id(order), tracking=f"{NUMBER}, {OTHER}", carrier="usps"))
        shop.poll()
        shop.read(order)
        assert [(number, n) for number, _, n in shop.parcels(order)] == [(NUMBER, 2), (OTHER, 0)]
        assert len(shop.mails(order)) == 1 and OTHER in shop.mails(order)[0]
        other = shop.buy(ref, 2)
        books.bin_product(books.product(ref.product_id), force=True)
        assert isinstance(shop.ship(other, NUMBER[:-1] + "9", 1), Done)
        assert other.parcels == "partly_shipped"
        once(shop, other, (NUMBER[:-1] + "9", 1))
