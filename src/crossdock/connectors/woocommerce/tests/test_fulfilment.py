"""Parcels of ours in a shop without the core's fulfilments: an entry where the tracking plugins look, the order
completed when nothing is left; and that nobody is mailed either way.
"""

from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.woocommerce.tests.conftest import Shopkeeper
from crossdock.domain.commands import CreateOrder, Done, Refused, WriteFulfilment
from crossdock.kit import conformance
from crossdock.kit.conformance.fulfilment import NUMBER, OTHER, an_order, left_here, parcels, write, wrote
from crossdock.kit.connector import VariantRef

ENTRIES = "_wc_shipment_tracking_items"
FULFILMENTS = [item for item in conformance.scenarios() if 620 <= item.number < 640]


@pytest.fixture
def plain(shop: Shopkeeper) -> Shopkeeper:
    """As most shops are: the feature is off by default."""
    shop.books.set(fulfillments=False)
    return shop


@pytest.mark.parametrize("item", FULFILMENTS, ids=lambda item: str(item.number))
async def test_every_scenario_holds_without_the_cores_fulfilments(plain: Shopkeeper, item: Any) -> None:
    await item.run(plain)


def mailed(shop: Shopkeeper) -> list[str]:
    """Everybody but the shop's own admin, who hears of each new order."""
    return [row["to"] for row in shop.sandbox.shelf.ledger("mail") if row["to"] != "admin@shop.example"]


def standing(shop: Shopkeeper, done: Done) -> Any:
    return shop.books.order(done.shop_id)


async def test_the_order_is_completed_when_the_last_unit_left_and_not_before(plain: Shopkeeper) -> None:
    variant, command, done = await an_order(plain)
    first = await wrote(plain, left_here(command, done, (variant, 1)))
    assert standing(plain, done)["status"] == "processing"
    await wrote(plain, replace(left_here(command, done, (variant, 2), number=OTHER, key="2"), others=(first,)))
    doc = standing(plain, done)
    assert doc["status"] == "completed"
    entries = plain.books.meta(doc, ENTRIES)
    assert [(row["tracking_number"], row["custom_tracking_provider"]) for row in entries] == [
        (NUMBER, "USPS"),
        (OTHER, "USPS"),
    ]
    notes = [note["note"] for note in plain.books.notes(done.shop_id, "internal")]
    assert len(notes) == 2 and NUMBER in notes[0] and OTHER in notes[1], "one private note a parcel"
    assert plain.books.notes(done.shop_id, "customer") == []
    assert mailed(plain) == []


async def test_an_order_with_an_address_stays_processing_so_that_nobody_is_mailed(plain: Shopkeeper) -> None:
    variant, command, done = await an_order(plain)
    doc = standing(plain, done)
    doc["billing"]["email"] = "somebody@example.test"
    plain.books.save_order(doc)
    await wrote(plain, left_here(command, done, (variant, 3)))
    assert standing(plain, done)["status"] == "processing"
    assert mailed(plain) == []
    assert [number for _, number, _ in await parcels(plain, done)] == [NUMBER]


async def test_without_a_number_the_order_is_completed_and_undone_it_is_processing_again(plain: Shopkeeper) -> None:
    variant, command, done = await an_order(plain)
    count = await plain.hand.count(variant)
    wish = left_here(command, done, (variant, 3), number="")
    id_ = await wrote(plain, wish)
    assert standing(plain, done)["status"] == "completed" and plain.books.meta(standing(plain, done), ENTRIES) is None
    again = await write(plain, wish)
    assert isinstance(again, Done) and again.already
    outcome = await write(plain, replace(wish, parcel_id=id_, undone=True))
    assert isinstance(outcome, Done) and not outcome.already
    assert standing(plain, done)["status"] == "processing"
    assert await plain.hand.count(variant) == count, "completed and back moves no stock"


async def completed_by_the_seller(shop: Shopkeeper) -> tuple[VariantRef, CreateOrder, Done]:
    variant, command, done = await an_order(shop)
    await shop.hand.fulfil(done.shop_id)
    return variant, command, done


@pytest.mark.parametrize("core", [True, False])
async def test_a_number_for_what_the_seller_completed_stays_one_parcel(shop: Shopkeeper, core: bool) -> None:
    shop.books.set(fulfillments=core)
    variant, command, done = await completed_by_the_seller(shop)
    wish = replace(left_here(command, done, (variant, 3)), parcel_id="t1")
    assert await wrote(shop, wish) == "t1"
    ((id_, number, _),) = await parcels(shop, done)
    assert (id_, number) == ("t1", NUMBER)
    again = await write(shop, wish)
    assert isinstance(again, Done) and again.already
    assert len(plain_entries(shop, done)) == 1


def plain_entries(shop: Shopkeeper, done: Done) -> list[Any]:
    return list(shop.books.meta(standing(shop, done), ENTRIES) or [])


async def test_what_the_seller_completed_first_is_not_entered_again(plain: Shopkeeper) -> None:
    variant, command, done = await completed_by_the_seller(plain)
    outcome = await write(plain, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and "without a tracking number" in outcome.sentence
    assert plain_entries(plain, done) == []


async def test_entries_of_the_sellers_stay_as_they_are(plain: Shopkeeper) -> None:
    """PHP writes the list as an object after a deletion."""
    variant, command, done = await an_order(plain)
    await plain.hand.fulfil(done.shop_id, tracking="SELLERS1", carrier="UPS", lines=[(variant.variant_id, 1)])
    doc = standing(plain, done)
    (theirs,) = plain.books.meta(doc, ENTRIES)
    plain.books.set_meta(doc, ENTRIES, {"1": theirs})
    plain.books.save_order(doc)
    wish = left_here(command, done, (variant, 2))
    id_ = await wrote(plain, wish)
    assert plain_entries(plain, done)[0] == theirs
    await wrote(plain, replace(wish, parcel_id=id_, undone=True))
    assert plain_entries(plain, done) == [theirs]


async def test_a_core_fulfilment_keeps_fields_that_are_not_ours(shop: Shopkeeper) -> None:
    variant, command, done = await an_order(shop)
    wish = left_here(command, done, (variant, 3))
    id_ = await wrote(shop, wish)
    (entry,) = shop.books.fulfillments(int(done.shop_id))
    entry["meta_data"].append({"key": "_weighed", "value": "120"})
    shop.books.shelf.put("fulfillment", entry["id"], entry)
    await wrote(shop, replace(wish, parcel_id=id_, tracking_number=OTHER, numbers=(NUMBER, OTHER)))
    (entry,) = shop.books.fulfillments(int(done.shop_id))
    metas = {meta["key"]: meta["value"] for meta in entry["meta_data"]}
    assert metas["_weighed"] == "120" and metas["_tracking_number"] == OTHER
    assert standing(shop, done)["status"] == "processing", "the core's fulfilments leave the status"
    events = [row["event"] for row in shop.sandbox.shelf.ledger() if row["event"] in ("fulfil", "renumber")]
    assert events == ["fulfil", "renumber"]


async def test_a_draft_of_the_sellers_is_theirs(shop: Shopkeeper) -> None:
    variant, command, done = await an_order(shop)
    doc = standing(shop, done)
    items = [{"item_id": doc["line_items"][0]["id"], "qty": 3}]
    shop.books.save_fulfillment(doc, {"is_fulfilled": False, "meta_data": [{"key": "_items", "value": items}]})
    outcome = await write(shop, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and "packed" in outcome.sentence


async def test_a_user_who_may_not_is_told_which_right_and_the_shop_stays_connected(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossdock.connectors.woocommerce import fulfilment
    from crossdock.connectors.woocommerce.client import NotAllowed

    async def no(*_: Any, **__: Any) -> None:
        raise NotAllowed("no")

    variant, command, done = await an_order(shop)
    wish: WriteFulfilment = left_here(command, done, (variant, 3))
    monkeypatch.setattr(fulfilment, "_make", no)
    outcome = await write(shop, wish)
    assert isinstance(outcome, Refused) and outcome.why == "not_allowed" and "administrator" in outcome.sentence
