"""What Wix does and no one expects, each on the simulated site."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.connectors.wix import connector
from crossdock.connectors.wix.client import Client
from crossdock.connectors.wix.sandbox.books import HOME, V1, Books
from crossdock.domain.commands import (
    CancelLines,
    CancelReason,
    CreateOrder,
    Done,
    Later,
    Refused,
    SignInAgain,
    Unknown,
    Why,
    WriteFulfilment,
)
from crossdock.domain.events import Count, ShopOrderState, ShopProduct
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, Declined, Missing, NoAnswer, Strange, Throttled

NUMBER, OTHER = "1Z999AA10123456784", "9400111899223100001842"
ATTIC = "11111111-0000-4000-8000-000000000002"


def left_here(
    command: CreateOrder, done: Done, *lines: tuple[VariantRef, int], carrier: str = "UPS", number: str = NUMBER
) -> WriteFulfilment:
    rows = tuple((ref.variant_id, units) for ref, units in lines)
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    return WriteFulfilment(
        command.reference, done.shop_id, "parcel:1", rows, number, carrier, "", at, numbers=(number,) if number else ()
    )


# An order and its units


async def test_an_order_is_created_so_that_nobody_is_mailed(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = replace(stage.order((variant, 2)), note="Please ring twice")
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    assert doc["status"] == "APPROVED" and doc["payment"] == "PAID" and not doc["marked"] and not doc["email"]
    assert doc["note"] == "Please ring twice" and doc["to"]["address"]["subdivision"] == "US-IL"
    assert any(field["value"] == command.email for field in doc["fields"])
    await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert not books.shelf.ledger("mail")


async def test_one_that_waits_for_its_payment_is_approved(stage: Stage, books: Books) -> None:
    """Until then no search finds it: a lost answer would make a second one."""
    books.set(approves=False)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    assert done.stock_taken and await stage.hand.count(variant) == 3
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == (done.shop_id,)


async def test_one_that_stays_as_it_is_is_done_without_evidence(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid, and not approved by anybody's rule: its hold stays, and an alert says so."""
    ours = books._ours

    def waits(doc: dict[str, Any], asked: Any) -> None:
        ours(doc, asked)
        doc["status"] = "PENDING"

    monkeypatch.setattr(books, "_ours", waits)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert not done.stock_taken and await stage.hand.count(variant) == 5


async def test_one_whose_payment_was_not_recorded_yet_is_confirmed_by_recording_it(stage: Stage, books: Books) -> None:
    books.set(approves=False)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=1)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (standing,) = await stage.standing(command)
    found = await connector.order(stage.shop, standing.shop_id)
    assert not found.stock_taken and await stage.hand.count(variant) == 5
    outcome = await connector.confirm(stage.shop, command, found)
    assert isinstance(outcome, Done) and outcome.already and outcome.stock_taken
    assert await stage.hand.count(variant) == 3 and len(await stage.standing(command)) == 1


async def test_one_whose_payment_was_recorded_without_an_answer_is_known_by_its_id(stage: Stage, books: Books) -> None:
    """No search would find it while it waits, so a second one would be made."""
    books.set(approves=False)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=2)
    done = await stage.placed(command)
    assert done.stock_taken and [order.shop_id for order in await stage.standing(command)] == [done.shop_id]


async def test_units_that_leave_a_little_later_are_waited_for(stage: Stage, books: Books) -> None:
    books.set(late=2)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert done.stock_taken and await stage.hand.count(variant) == 3


@pytest.mark.parametrize("setting", [{"moves_stock": False}, {"late": 50}])
async def test_units_that_do_not_leave_are_not_called_taken_nor_taken_by_us(
    stage: Stage, books: Books, setting: dict[str, Any]
) -> None:
    books.set(**setting)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert not done.stock_taken and await stage.hand.count(variant) == 5
    assert not books.shelf.ledger("adjusted")


async def _race(stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch) -> tuple[VariantRef, CreateOrder]:
    """The site sells the last unit between our look and our order."""
    (variant,) = await stage.product(1)
    place = books.place

    def later(asked: Any, lines: Any) -> Any:
        books.move(variant.variant_id, -1)
        return place(asked, lines)

    monkeypatch.setattr(books, "place", later)
    return variant, stage.order((variant, 1))


async def test_an_order_that_came_too_late_for_the_last_unit_is_taken_back_and_marked(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant, command = await _race(stage, books, monkeypatch)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.hand.count(variant) == 0 and not books.shelf.ledger("mail")
    (order,) = [each for each in await stage.hand.orders() if command.email in each.buyer]
    assert order.cancelled and order.taken_back
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == ()


@pytest.mark.parametrize("skip", range(3, 8))
async def test_whatever_answer_is_lost_on_the_way_back_its_unit_goes_back_once(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch, skip: int
) -> None:
    """A second cancel of the simulated site puts the unit back a second time."""
    variant, command = await _race(stage, books, monkeypatch)
    stage.dial.once("lost_reply", skip=skip)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused | Unknown) and await stage.hand.count(variant) == 0
    assert all(each.cancelled for each in await stage.hand.orders() if command.email in each.buyer)


async def test_a_site_that_stops_at_zero_hides_it(stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A known limit: whose unit it was can then be seen by nobody."""
    books.set(floor=True)
    variant, command = await _race(stage, books, monkeypatch)
    done = await stage.placed(command)
    assert await stage.hand.count(variant) == 0 and done.stock_taken


async def test_another_total_than_the_buyer_paid_is_taken_back(stage: Stage, books: Books) -> None:
    books.set(fee="1.00")
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID and "Total: $19.80 here" in outcome.sentence
    assert not await stage.standing(command) and await stage.hand.count(variant) == 5


async def test_what_can_be_ordered_before_it_is_there_is_sold_below_zero(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    books.change(variant.product_id, preorder=True)
    assert await connector.counts(stage.shop, [variant]) == [Count(variant.variant_id, 1, backorders=True)]
    await stage.placed(stage.order((variant, 3)))
    assert await connector.counts(stage.shop, [variant]) == [Count(variant.variant_id, -2, backorders=True)]


@pytest.mark.parametrize(("currency", "price", "total"), [("JPY", "990", "2020"), ("KWD", "1.255", "2.550")])
async def test_currencies_without_and_with_three_decimals(
    stage: Stage, books: Books, currency: str, price: str, total: str
) -> None:
    await stage.hand.change_currency(currency)  # type: ignore[attr-defined]
    (variant,) = await stage.product(5, price=price)
    await stage.settle(stage.shop)
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and str(product.variants[0].price) == price
    shipping = "40" if currency == "JPY" else "0.040"
    done = await stage.placed(stage.order((variant, 2), price=price, shipping=shipping))
    order = await connector.order(stage.shop, done.shop_id)
    assert (str(order.total), order.total.currency) == (total, currency)
    assert (await stage.listed(done.shop_id)).total == total


# Looking for it


async def test_a_new_order_is_not_found_at_once(stage: Stage, books: Books) -> None:
    """Which is why an empty look-up proves nothing before the time that the manifest names is over."""
    books.set(unseen=2)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    seen = [(await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids for _ in range(3)]
    assert seen == [(), (), (done.shop_id,)] and connector.manifest.lag.search > 0


async def test_the_same_order_twice_is_two_orders_and_both_are_found(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    one, other = await stage.placed(command), await stage.placed(command)
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    assert found.shop_ids == (one.shop_id, other.shop_id), "the oldest first"


async def test_a_filter_that_is_ignored_is_no_answer(stage: Stage) -> None:
    class Deaf:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            row = b'{"id": "00000001-0003-4000-8000-0123456789ab", "status": "APPROVED"}'
            return Reply(200, {}, b'{"orders": [' + b",".join([row] * 100) + b'], "metadata": {"hasNext": true}}')

        def learn(self, **_: Any) -> None: ...

    with pytest.raises(NoAnswer):
        await connector.find(replace(stage.shop, http=Deaf()), "XD-1", since=datetime.now(UTC))


# Two catalogues


async def test_a_site_that_moves_to_the_other_catalogue_is_asked_which_it_has(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    books.set(catalog=V1)
    with pytest.raises(NoAnswer, match="other catalogue"):
        await connector.products(stage.shop, "")
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Later) and not await stage.hand.orders(), "nothing was sent"
    settings = (await connector.look(stage.shop)).settings
    assert settings["catalog"] == V1
    shop = replace(stage.shop, settings={**stage.shop.settings, **settings})
    assert await connector.counts(shop, [variant]) == [Count(variant.variant_id, 5)], "under the same id"


async def test_a_site_without_a_store_is_told_so(stage: Stage, books: Books) -> None:
    books.set(catalog="STORES_NOT_INSTALLED")
    proof = await connector.prove(stage.shop)
    assert [check.title for check in proof.checks if not check.ok] == ["Store"]


async def test_stock_elsewhere_is_not_what_an_order_takes(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    books.put_stock(variant.product_id, variant.variant_id, ATTIC, 40)
    assert await stage.counted(variant) == {variant.variant_id: 2}
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and product.variants[0].count == 2
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert books.variant(variant.product_id, variant.variant_id)[1]["stock"] == {HOME: 2, ATTIC: 40}


async def test_what_is_not_tracked_is_there_or_not(stage: Stage, books: Books) -> None:
    (ref,) = await stage.product(3)
    for in_stock, count in ((True, None), (False, 0)):
        books.change(ref.product_id, tracked=False, in_stock=in_stock)
        assert await connector.counts(stage.shop, [ref]) == [Count(ref.variant_id, count)]


async def test_a_list_of_variants_without_the_simple_ones_costs_no_call_for_each(stage: Stage, books: Books) -> None:
    books.set(lists_single=False)
    singles = [(await stage.product(n, price=f"{n}.50"))[0] for n in range(1, 6)]
    one, two = await stage.product(7, 8)
    begun = stage.dial.counts["calls"]
    items, _ = await stage.all_products()
    assert stage.dial.counts["calls"] - begun == 3, "products, stock and variants"
    shown = {
        variant.variant_id: (str(variant.price), variant.count, variant.sku)
        for item in items
        if isinstance(item, ShopProduct)
        for variant in item.variants
    }
    assert set(shown) == {ref.variant_id for ref in (*singles, one, two)}
    assert [shown[ref.variant_id][:2] for ref in singles] == [(f"{n}.50", n) for n in range(1, 6)]
    assert all(sku for _, _, sku in shown.values())


async def test_variants_that_are_not_listed_yet_are_asked_for(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = await stage.product(7, 8, 9)
    shelf_all = books.shelf.all

    def without_the_last(kind: str) -> list[dict[str, Any]]:
        docs = shelf_all(kind)
        return [doc | {"variants": doc["variants"][:-1]} if len(doc.get("variants", ())) == 3 else doc for doc in docs]

    rest = stage.sandbox.rest  # type: ignore[attr-defined]
    listed = rest._variants

    async def lagging(request: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(books.shelf, "all", without_the_last)
            return await listed(request)

    monkeypatch.setattr(rest, "_variants", lagging)
    (product,), _ = await stage.all_products()
    assert isinstance(product, ShopProduct)
    assert [variant.variant_id for variant in product.variants] == [ref.variant_id for ref in refs]


# Parcels, refunds, cancels


async def test_an_order_that_is_only_marked_is_fulfilled_without_a_number(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.mark(books.order(done.shop_id))
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert not parcel.tracking_number and sum(units for _, units in parcel.lines) == 2
    wish = replace(left_here(command, done, (variant, 2)), parcel_id=parcel.parcel_id)
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE


async def test_a_carrier_that_wix_has_no_name_for_needs_a_link(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    for url, carrier in (("", ""), ("https://track.example/1", "Corner Post")):
        wish = replace(left_here(command, done, (variant, 1), carrier="Corner Post", number=NUMBER), tracking_url=url)
        wish = replace(wish, key=f"parcel:{url}", numbers=()) if url else wish
        wish = replace(wish, tracking_number=OTHER) if url else wish
        assert isinstance(await connector.write_fulfilment(stage.shop, wish), Done)
        parcel = (await connector.order(stage.shop, done.shop_id)).parcels[-1]
        assert (parcel.carrier, parcel.tracking_url) == (carrier, url)


async def test_a_number_is_changed_taken_away_and_its_units_stay(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    made = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(made, Done)
    for number in (OTHER, ""):
        changed = replace(wish, parcel_id=made.shop_id, tracking_number=number)
        assert isinstance(await connector.write_fulfilment(stage.shop, changed), Done)
        (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
        assert parcel.tracking_number == number and sum(units for _, units in parcel.lines) == 2
    outcome = await connector.write_fulfilment(stage.shop, replace(wish, tracking_number="9" * 101))
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID


async def test_a_refund_that_is_pending_is_none_yet(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    await stage.hand.refund(done.shop_id, "3.50")
    doc = books.order(done.shop_id)
    doc["refunds"][0]["status"] = "PENDING"
    books.keep("order", doc)
    assert (await connector.order(stage.shop, done.shop_id)).refunds == ()
    doc["refunds"][0]["status"] = "SUCCEEDED"
    books.keep("order", doc)
    (refund,) = (await connector.order(stage.shop, done.shop_id)).refunds
    assert str(refund.amount) == "3.50"


async def test_many_orders_that_changed_cost_two_calls_more(stage: Stage) -> None:
    (variant,) = await stage.product(50)
    cursor = await stage.order_cursor()
    placed = [await stage.placed(stage.order((variant, 1))) for _ in range(5)]
    await stage.hand.fulfil(placed[0].shop_id, tracking="SENT1", carrier="DHL")
    begun = stage.dial.counts["calls"]
    page = await connector.orders(stage.shop, cursor)
    assert stage.dial.counts["calls"] - begun == 3 and len(page.items) == 5


async def test_a_cancel_of_what_is_sent_gone_or_not_ours_says_which(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, tracking="1Z")
    wish = stage.cancellation(command, done)
    own = await stage.hand.sell(variant, 1)
    for asked, why in (
        (wish, Why.TOO_LATE),
        (replace(wish, shop_order_id=own), Why.CONFLICT),
        (replace(wish, shop_order_id="../x"), Why.NOT_FOUND),
    ):
        outcome = await connector.cancel(stage.shop, asked)
        assert isinstance(outcome, Refused) and outcome.why is why
    units = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.LOST, "k")
    assert isinstance(await connector.cancel_lines(stage.shop, units), Refused)
    assert await stage.hand.count(variant) == 7


async def test_a_cancel_is_only_looked_for_while_an_earlier_one_may_still_arrive(stage: Stage) -> None:
    """The simulated site restocks with each cancel."""
    assert connector.manifest.repeats_double
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    look = replace(stage.cancellation(command, done), only_look=True)
    assert isinstance(await connector.cancel(stage.shop, look), Unknown) and await stage.hand.count(variant) == 8
    await stage.hand.cancel(done.shop_id)
    seen = await connector.cancel(stage.shop, look)
    assert isinstance(seen, Done) and seen.already and await stage.hand.count(variant) == 9


async def test_a_cancel_that_is_refused_since_it_is_cancelled_already_is_done(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    send, refused = stage.shop.http.send, b'{"message": "order is canceled", "details": {}}'

    async def faster(way: str, url: str, **rest: Any) -> Reply:
        if not url.endswith("/cancel"):
            return await send(way, url, **rest)
        if faster_is_cancel:
            await stage.hand.cancel(done.shop_id)
        return Reply(400, {"content-type": "application/json"}, refused)

    stage.shop.http.send = faster  # type: ignore[method-assign]
    wish = stage.cancellation(command, done)
    faster_is_cancel = False
    assert isinstance(await connector.cancel(stage.shop, wish), Refused) and await stage.hand.count(variant) == 8
    faster_is_cancel = True
    outcome = await connector.cancel(stage.shop, wish)
    assert isinstance(outcome, Done) and outcome.already and await stage.hand.count(variant) == 9


# The key and the door


async def test_the_test_names_each_permission_that_is_missing(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    for lacking, titles in (
        ("stores write", {"Counts, writing"}),
        ("ecom", {"Orders", "Orders, writing", "Fulfilments, writing", "Refunds"}),
        ("ecom write", {"Orders, writing", "Fulfilments, writing"}),
    ):
        books.set(without=[lacking])
        proof = await connector.prove(stage.shop)
        bad = [check for check in proof.checks if not check.ok]
        assert {check.title for check in bad} == titles and all(check.sentence and check.right for check in bad)
    for lacking in ("stores", "site"):
        books.set(without=[lacking])
        with pytest.raises(AuthDead):
            await connector.prove(stage.shop)
    books.set(without=[])
    assert (await connector.prove(stage.shop)).ok and await stage.hand.count(variant) == 5


async def test_the_key_is_shown_to_nobody_else(stage: Stage) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    class Ear:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            seen.append((url, rest["headers"]))
            return Reply(200, {}, b'{"products": []}')

        def learn(self, **_: Any) -> None: ...

    site = "fa19d2c0-7e17-4bc7-a3a8-eeeaf7c509b1"
    shop = replace(stage.shop, address=f"https://evil.example/dashboard/{site}", http=Ear())
    await connector.products(shop, "")
    ((url, headers),) = seen
    assert url == "https://www.wixapis.com/stores/v3/products/query" and headers["wix-site-id"] == site


def test_the_address_names_the_site() -> None:
    site = "fa19d2c0-7e17-4bc7-a3a8-eeeaf7c509b1"
    for page in ("home", "store/products?viewId=all", ""):
        typed = {"address": f"https://manage.wix.com/dashboard/{site.upper()}/{page}"}
        assert connector.address(typed, local=False) == f"https://manage.wix.com/dashboard/{site}"
    for wrong in ("https://corner.wixsite.com/shop", f"https://evil.example/dashboard/{site}", "manage.wix.com", site):
        with pytest.raises(BadInput, match="dashboard"):
            connector.address({"address": wrong}, local=False)


async def test_a_key_with_a_blank_was_not_copied_whole(stage: Stage) -> None:
    for key in ("ab cd efgh ijkl", "short", "ключ-от-магазина"):
        with pytest.raises(BadInput):
            await connector.finish(stage.shop, way="key", form={"address": "x", "api_key": key}, params={}, keep={})


async def test_each_refusal_is_what_it_says(stage: Stage) -> None:
    client, nobody = Client(stage.shop), "00000000-0003-4000-8000-0123456789ab"
    with pytest.raises(Missing):
        await client.send("GET", f"ecom/v1/orders/{nobody}")
    with pytest.raises(Strange):
        await client.send("GET", "ecom/v1/orders/../x")
    stage.dial.once("throttle")
    with pytest.raises(Throttled) as slow:
        await client.send("GET", f"ecom/v1/orders/{nobody}")
    assert slow.value.after_seconds == 30.0
    other = replace(stage.shop, address=stage.shop.address[:-1] + "0x")
    with pytest.raises(AuthDead):
        await Client(other).send("GET", f"ecom/v1/orders/{nobody}")
    stage.dial.revoked = True
    with pytest.raises(AuthDead):
        await client.send("GET", f"ecom/v1/orders/{nobody}")
    (variant,) = await stage.product(5)
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), SignInAgain)


async def test_what_is_not_as_documented_is_refused_with_its_field(stage: Stage, books: Books) -> None:
    with pytest.raises(Declined, match=r"order\.lineItems"):
        await Client(stage.shop).send("POST", "ecom/v1/orders", json={"order": {}})
    assert books.shelf.ledger("not as documented")
    books.shelf._db.execute("delete from ledger")


# Lists


async def test_where_one_moment_fills_a_page_the_cursor_of_wix_goes_on(stage: Stage, books: Books) -> None:
    made = [(await stage.product(1))[0].product_id for _ in range(230)]
    moment = books.now()
    for id_ in made:
        books.shelf.put("product", id_, books.need("product", id_) | {"updated": moment})
    items, cursor = await stage.all_products()
    assert {item.product_id for item in items} == set(made)
    first = await connector.products(stage.shop, f"{moment}|")
    assert first.more and first.cursor.startswith(f"{moment}|") and len(first.cursor) > len(moment) + 1
    dead = await connector.products(stage.shop, f"{moment}|bm90IHZhbGlk")
    assert dead.items == () and not dead.more and dead.cursor == f"{moment}|", "read again from its beginning"
    assert cursor.endswith("|") and cursor < moment, "the last minute is read again"


async def test_a_cursor_of_ours_that_is_damaged_begins_again(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    for odd in ("x", "|", "2026-13-01|x", "|onward"):
        page = await connector.products(stage.shop, odd)
        assert [item.product_id for item in page.items if isinstance(item, ShopProduct)] == [variant.product_id]


async def test_a_rejected_order_is_closed(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    books.keep("order", books.order(done.shop_id) | {"status": "REJECTED"})
    order = await connector.order(stage.shop, done.shop_id)
    assert order.state is ShopOrderState.CANCELLED and order.cancel_note and not order.stock_taken


async def test_the_reference_of_another_channel_is_none_of_ours(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.keep("order", books.order(done.shop_id) | {"channel": {"type": "EBAY", "externalOrderId": command.reference}})
    since = command.placed_at - timedelta(hours=1)
    assert (await connector.find(stage.shop, command.reference, since=since)).shop_ids == ()
