"""What a PrestaShop does that an order must survive, played against the simulator."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.connectors.prestashop import bodies, connect, connector, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.sandbox import shapes
from crossdock.connectors.prestashop.sandbox.books import BY_MODULE, CANCELED, ERROR, REFUNDED, SHIPPED, Books
from crossdock.domain.commands import CancelLines, CancelReason, Done, Refused, Unknown, Why
from crossdock.domain.events import ShopOrderState, ShopProduct
from crossdock.domain.values import Money
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import NUMBER, left_here
from crossdock.kit.conformance.risk import judged
from crossdock.kit.connector import Reply, Shop, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, NoAnswer, Strange
from crossdock.kit.json_node import node_of
from crossdock.kit.rows import readable, unreadable


async def proved_again(stage: Stage) -> list[str]:
    """Titles of the checks that are not ok, with the settings as they are now."""
    await stage.settle(stage.shop)
    return [check.title for check in stage.proof.checks if not check.ok]


def calls(stage: Stage) -> list[tuple[str, str]]:
    """From now on, each call's method and resource."""
    send, seen = stage.shop.http.send, list[tuple[str, str]]()

    async def watched(method: str, url: str, **rest: Any) -> Reply:
        seen.append((method, url.partition("?")[0].rpartition("/")[2]))
        return await send(method, url, **rest)

    stage.shop.http.send = watched  # type: ignore[method-assign]
    return seen


def cut(stage: Stage, method: str, resource: str) -> None:
    """The first such call is not sent at all, as when our process ends before it."""
    send, done = stage.shop.http.send, list[int]()

    async def stopped(way: str, url: str, **rest: Any) -> Reply:
        if way == method and url.partition("?")[0].endswith(resource) and not done:
            done.append(1)
            raise NoAnswer("cut")
        return await send(way, url, **rest)

    stage.shop.http.send = stopped  # type: ignore[method-assign]


def later(stage: Stage) -> Shop:
    """When nothing that was sent is carried out any more."""
    now, late = stage.shop.now, timedelta(seconds=connector.manifest.lag.late_execution + 1)
    return replace(stage.shop, now=lambda: now() + late)


# Prices, statuses, stock


async def test_a_status_that_is_carried_out_late_takes_the_units_once(stage: Stage, books: Books) -> None:
    """The answer is lost while PHP still runs: the order is found with no units taken, and that status comes then."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    cut(stage, "POST", "order_histories")
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    found = await connector.order(stage.shop, shop_id)
    assert isinstance(await connector.confirm(stage.shop, command, found), Unknown)
    books.change_state(books.order(shop_id), BY_MODULE, mail=False)
    stage.shop, before = later(stage), len(books.shelf.ledger("state"))
    outcome = await connector.confirm(stage.shop, command, await connector.order(stage.shop, shop_id))
    assert isinstance(outcome, Done) and outcome.stock_taken and await stage.hand.count(variant) == 3
    assert len(books.shelf.ledger("state")) == before, "no second status"
    assert [sum_ for sum_ in books.order(shop_id)["payments"] if float(sum_)] == [str(command.total)]


async def test_what_was_below_zero_before_is_paid_and_said_to_have_taken_nothing(stage: Stage, books: Books) -> None:
    """PrestaShop makes a payment error of it “On backorder (not paid)”, out of which no status takes units."""
    (variant,) = await stage.product(5)
    books.set(backorders=True)
    books.put_stock(variant.product_id, variant.variant_id, "", -1)
    assert not await proved_again(stage)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    assert not done.stock_taken and await stage.hand.count(variant) == -1
    doc = books.order(done.shop_id)
    assert doc["state"] == BY_MODULE and float(doc["paid"]) == float(command.total.decimal)


async def test_two_rows_of_one_product_share_what_it_cost(stage: Stage) -> None:
    """As when a module splits them."""
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3), price="10.00", shipping="0")
    product, attribute = variant.variant_id.split("-")
    same = {"product_id": product, "product_attribute_id": attribute}
    taxed = {"unit_price_tax_incl": "12.00", "unit_price_tax_excl": "10.00"}
    details = [node_of({"id": n, "product_quantity": str(n), **same, **taxed}, "row") for n in (1, 2)]
    order, rows = bodies.priced(node_of({}, "order"), details, command, unpaid=True)
    assert [float(row["total_price_tax_incl"]) for row in rows] == [10, 20]
    assert (order["total_products"], float(order["total_paid_tax_excl"])) == (25, 25)


async def test_a_row_that_was_not_ordered_or_has_no_sensible_tax_is_taken_with_care(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3), price="10.00", shipping="0")
    product, attribute = variant.variant_id.split("-")
    taxed = {"unit_price_tax_incl": "12.00", "unit_price_tax_excl": "9" * 60}
    row = {"id": 1, "product_quantity": "3", "product_id": product, "product_attribute_id": attribute, **taxed}
    _, (paid,) = bodies.priced(node_of({}, "order"), [node_of(row, "row")], command, unpaid=True)
    assert paid["total_price_tax_excl"] == paid["total_price_tax_incl"] == 30, "a tax below zero is none"
    other = node_of(row | {"product_attribute_id": "77"}, "row")
    with pytest.raises(Strange, match=r"no product of the order at row\.product_id"):
        bodies.priced(node_of({}, "order"), [other], command, unpaid=True)


async def test_the_units_leave_with_the_status_and_the_prices_are_set_before(stage: Stage, books: Books) -> None:
    """At the shop's own price it is a payment error; an invoice is made with the status, so prices come first."""
    (variant,) = await stage.product(5, price="12.50")
    seen = calls(stage)
    done = await stage.placed(stage.order((variant, 2), price="9.90", shipping="3.00"))
    wrote = [resource for method, resource in seen if method != "GET"]
    assert wrote == ["customers", "addresses", "carts", "orders", "order_details", "orders", "order_histories"]
    assert [entry["state"] for entry in books.shelf.ledger("state")] == [11]
    assert done.stock_taken and await stage.hand.count(variant) == 3
    doc = books.order(done.shop_id)
    line = doc["lines"][0]["named"]
    assert (line["unit_price_tax_incl"], line["total_price_tax_incl"]) == ("9.900000", "19.800000")
    net = [line["total_price_tax_excl"], doc["named"]["total_paid_tax_excl"]]
    assert [round(float(amount), 2) for amount in net] == [16.5, 19.0], "the shop's own 20 per cent"
    assert doc["named"]["total_shipping_tax_incl"] == "3.00"
    assert doc["named"]["reference"] and doc["named"]["secure_key"], "a PUT empties what it leaves out"


@pytest.mark.parametrize(("price", "shipping"), [("9.90", "7.00"), ("8.00", "3.00")])
async def test_it_is_paid_once_whatever_the_shop_would_ask(
    stage: Stage, books: Books, price: str, shipping: str
) -> None:
    """What the order is made with is booked as a payment, and the status that comes last books the total once more."""
    (variant,) = await stage.product(5, price="9.90")
    command = stage.order((variant, 2), price=price, shipping=shipping)
    done = await stage.placed(command)
    assert done.stock_taken and await stage.hand.count(variant) == 3
    doc = books.order(done.shop_id)
    assert [sum_ for sum_ in doc["payments"] if float(sum_)] == [str(command.total)]
    assert doc["paid"] == str(command.total)
    await connector.write_risk(stage.shop, judged(command, done))
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    doc = books.order(done.shop_id)
    assert [sum_ for sum_ in doc["payments"] if float(sum_)] == [str(command.total)]
    assert float(doc["paid"]) == float(command.total.decimal)


@pytest.mark.parametrize("step", [("PUT", "order_details"), ("PUT", "orders"), ("POST", "order_histories")])
async def test_what_an_earlier_try_left_undone_is_done_when_it_is_found(stage: Stage, step: tuple[str, str]) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    cut(stage, *step)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    order = await connector.order(stage.shop, found.shop_ids[0])
    assert order.state is ShopOrderState.OPEN and not order.stock_taken and await stage.hand.count(variant) == 5
    seen = calls(stage)
    early = await connector.confirm(stage.shop, command, order)
    assert isinstance(early, Unknown) and early.after_seconds and not seen, "what was sent may still be under way"
    stage.shop = later(stage)
    outcome = await connector.confirm(stage.shop, command, order)
    assert isinstance(outcome, Done) and outcome.already and outcome.stock_taken
    assert await stage.hand.count(variant) == 3 and len(await stage.standing(command)) == 1
    assert (await connector.order(stage.shop, order.shop_id)).total == command.total


async def test_two_lines_of_one_product_are_one_row_of_the_cart_and_cost_both(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1), (variant, 2))
    first, second = command.lines
    command = replace(command, lines=(replace(first, unit_price=Money.of("5.00", "USD")), second))
    done = await stage.placed(command)
    order = await connector.order(stage.shop, done.shop_id)
    assert [line.quantity for line in order.lines] == [3] and str(order.total) == "24.80"


async def test_a_cart_that_becomes_several_orders_is_taken_back_whole(stage: Stage, books: Books) -> None:
    a, b = await stage.product(5, 5)
    books.set(splits=True)
    command = stage.order((a, 1), (b, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and "split" in outcome.sentence
    assert await stage.standing(command) == [] and len(books.shelf.all("order")) == 2
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (5, 5)
    assert not (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids


async def test_a_sale_in_between_takes_the_order_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    send, sold = stage.shop.http.send, list[str]()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == "POST" and "/api/carts" in url and not sold:
            sold.append(await stage.hand.sell(variant, 1))
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 0
    ours = [order for order in await stage.hand.orders() if order.taken_back]
    assert len(ours) == 1 and (await connector.order(stage.shop, ours[0].shop_id)).reference == ""


async def test_a_shop_that_sells_without_stock_on_purpose_is_not_short(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    books.set(backorders=True)
    assert not await proved_again(stage)
    await stage.placed(stage.order((variant, 3)))
    (read,) = await connector.counts(stage.shop, [variant])
    assert (read.count, read.backorders) == (-2, True)  # type: ignore[union-attr]


async def test_refunded_is_a_cancel_that_puts_nothing_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    books.change_state(books.order(done.shop_id), REFUNDED, mail=False)
    order = await connector.order(stage.shop, done.shop_id)
    assert order.state is ShopOrderState.CANCELLED and "Refunded" in order.cancel_note and order.stock_taken
    assert await stage.hand.count(variant) == 3


async def test_nobody_outside_is_mailed(stage: Stage, books: Books) -> None:
    """PrestaShop mails the customer at each order; ours are guests whose address can never exist."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    mails = books.shelf.ledger("mail")
    assert mails and {mail["to"].rpartition("@")[2] for mail in mails} == {"orders.crossdock.invalid"}
    assert command.email in books.shelf.all("customer")[-1]["note"]


async def test_a_country_that_is_not_active_is_refused_before_anything_is_made(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    books.set(closed=["US"])
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused) and "International > Locations" in outcome.sentence
    assert not books.shelf.all("customer") and not books.shelf.all("order")


@pytest.mark.parametrize(("closed", "country"), [(["XX"], "PR"), (["PR"], "US")])
async def test_puerto_rico_is_a_country_or_a_state(stage: Stage, books: Books, closed: list[str], country: str) -> None:
    (variant,) = await stage.product(5)
    books.set(closed=closed)
    command = stage.order((variant, 1))
    await stage.placed(replace(command, ship_to=replace(command.ship_to, country="PR", region="")))
    address = books.shelf.all("address")[-1]
    assert shapes.COUNTRIES[int(address["id_country"]) - 1] == country
    assert bool(address["id_state"]) is (country == "US")


async def test_an_odd_count_of_another_combination_keeps_none_from_being_sold(stage: Stage) -> None:
    """Counts are listed by product, so those of its other combinations come as well."""
    sold, other = await stage.product(5, 4)
    send, attribute = stage.shop.http.send, other.variant_id.partition("-")[2]

    async def bent(way: str, url: str, **rest: Any) -> Reply:
        reply = await send(way, url, **rest)
        if "/api/stock_availables" not in url:
            return reply
        answer = json.loads(reply.body)
        for row in answer["stock_availables"]:
            if str(row["id_product_attribute"]) == attribute:
                row["quantity"] = "many"
        return Reply(reply.status, reply.headers, json.dumps(answer).encode())

    stage.shop.http.send = bent  # type: ignore[method-assign]
    assert [row.count for row in readable(await connector.counts(stage.shop, [sold]))] == [5]
    assert not list(unreadable(await connector.counts(stage.shop, [sold])))
    assert list(unreadable(await connector.counts(stage.shop, [other])))
    assert isinstance(await connector.create(stage.shop, stage.order((sold, 1))), Done)


async def test_a_joint_list_that_cannot_be_read_is_asked_for_one_by_one(stage: Stage) -> None:
    """What an order has besides is never taken for nothing: its parcel would look undone."""
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    placed = [await stage.placed(stage.order((variant, 1))) for _ in range(3)]
    for done in placed:
        await stage.hand.fulfil(done.shop_id, tracking=f"N{done.shop_id}", carrier="UPS")
    send, odd = stage.shop.http.send, placed[1].shop_id

    async def bent(way: str, url: str, **rest: Any) -> Reply:
        if "/api/order_carriers" in url and (f"%5B{odd}%5D" in url or "%7C" in url):
            return Reply(200, {"content-type": "application/json"}, b'{"order_carriers": null}')
        return await send(way, url, **rest)

    stage.shop.http.send = bent  # type: ignore[method-assign]
    page = await connector.orders(stage.shop, cursor)
    numbers = {row.shop_id: [p.tracking_number for p in row.parcels] for row in readable(page.items)}
    assert numbers == {done.shop_id: [f"N{done.shop_id}"] for done in (placed[0], placed[2])}
    assert [row.entity_id for row in unreadable(page.items)] == [odd]


async def test_names_and_addresses_lose_what_prestashop_refuses(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    to = replace(command.ship_to, name="R2-D2 <b>", line1="{Hall} 7 = 8", city="St. Louis #1", phone="call 555/1")
    await stage.placed(replace(command, ship_to=to))
    address = books.shelf.all("address")[-1]
    assert (address["firstname"], address["lastname"]) == ("R -D", "b")
    assert (address["address1"], address["city"], address["phone"]) == ("Hall 7 8", "St. Louis 1", "555/1")


async def test_a_region_that_is_no_state_of_the_shop_is_in_the_address_all_the_same(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    for line2, said in (("", "Kerry"), ("Flat 2", "Flat 2, Kerry"), ("x" * 128, "x" * 121 + ", Kerry")):
        to = replace(command.ship_to, country="IE", region="Kerry", postal_code="V93 X2X3", line2=line2)
        other = stage.order((variant, 1))
        await stage.placed(replace(other, ship_to=to))
        assert books.shelf.all("address")[-1]["address2"] == said
    await stage.placed(stage.order((variant, 1)))
    assert books.shelf.all("address")[-1]["address2"] == command.ship_to.line2, "a state has a place of its own"


async def test_an_order_without_any_carrier_is_made_too(stage: Stage, books: Books) -> None:
    """Nothing of it could be numbered there, and that is said."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    books.keep("order", {**doc, "carriers": []})
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    assert isinstance(outcome, Refused) and "no carrier" in outcome.sentence
    assert books.order(done.shop_id)["state"] != SHIPPED
    bare = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1), number=""))
    assert isinstance(bare, Done) and bare.shop_id == "status"
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert parcel.lines and not parcel.tracking_number


# Parcels


async def test_a_part_is_not_shipped_and_nothing_changes(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and "as a whole" in outcome.sentence
    assert (await connector.order(stage.shop, done.shop_id)).parcels == ()


async def test_a_number_alone_is_made_a_shipped_order_when_it_is_sent_from_here(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    books.renumber(doc, str(doc["carriers"][0]["id"]), NUMBER)
    wish = left_here(command, done, (variant, 1))
    assert isinstance(await connector.write_fulfilment(stage.shop, replace(wish, only_look=True)), Unknown)
    assert books.order(done.shop_id)["state"] != SHIPPED
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Done)
    assert books.order(done.shop_id)["state"] == SHIPPED


async def test_a_carrier_that_the_shop_does_not_have_leaves_the_orders_own(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    wish = replace(left_here(command, done, (variant, 1)), carrier="Owl Post")
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Done)
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert (parcel.tracking_number, parcel.carrier) == (NUMBER, ""), "a carrier called 0 has the shop's name"


# What is seen


async def test_a_credit_slip_is_seen_though_it_moves_no_date(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    cursor = await stage.order_cursor()
    before = books.order(done.shop_id)["updated"]
    await stage.hand.refund(done.shop_id, "1.50")
    assert books.order(done.shop_id)["updated"] == before
    orders, _ = await stage.all_orders(cursor)
    assert [str(refund.amount) for order in orders for refund in order.refunds if order.shop_id == done.shop_id] == [
        "1.50"
    ]


@pytest.mark.parametrize(("slips", "sales"), [(1, 9), (9, 0), (9, 9)])
async def test_slips_are_seen_with_each_page_of_changed_orders(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch, slips: int, sales: int
) -> None:
    monkeypatch.setattr(reading, "ORDERS_PAGE", 4)
    at = [datetime.now(UTC) - timedelta(seconds=300)]
    monkeypatch.setattr(books, "now", lambda: books.stamped(at[0]))
    variants = [(await stage.product(19))[0] for _ in range(slips)]
    placed = [await stage.placed(stage.order((variant, 1))) for variant in variants]
    cursor = await stage.order_cursor()
    at[0] = datetime.now(UTC) - timedelta(seconds=50)
    for done in placed:
        await stage.hand.refund(done.shop_id, "1.50")
        at[0] += timedelta(seconds=2)
    for _ in range(sales):
        await stage.hand.sell(variants[0], 1)
        at[0] += timedelta(seconds=2)
    orders, _ = await stage.all_orders(cursor)
    refunded = {order.shop_id for order in orders if order.refunds}
    assert refunded == {done.shop_id for done in placed}


async def test_orders_of_one_second_are_all_seen(stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ORDERS_PAGE", 4)
    cursor = await stage.order_cursor()
    moment = books.now()
    monkeypatch.setattr(books, "now", lambda: moment)
    (variant,) = await stage.product(50)
    made = {await stage.hand.sell(variant, 1) for _ in range(11)}
    orders, _ = await stage.all_orders(cursor)
    assert made <= {order.shop_id for order in orders}


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati", "UTC"])
async def test_a_shop_anywhere_shows_its_changes(stage: Stage, books: Books, zone: str) -> None:
    books.set(zone=zone)
    assert not await proved_again(stage)
    (variant,) = await stage.product(5)
    cursor = await stage.order_cursor()
    own = await stage.hand.sell(variant, 1)
    orders, cursor = await stage.all_orders(cursor)
    assert [order.shop_id for order in orders] == [own]
    _, at = await stage.all_products()
    await stage.hand.reprice(variant, "3.33")
    items, _ = await stage.all_products(at)
    assert [str(item.variants[0].price) for item in items if isinstance(item, ShopProduct)] == ["3.33"]


async def test_what_cannot_be_sold_from_outside_says_why(stage: Stage, books: Books) -> None:
    told = {
        "cache_is_pack": ("1", "pack"),
        "is_virtual": ("1", "download"),
        "customizable": ("2", "fill in"),
        "visibility": ("none", "hidden"),
        "available_for_order": ("0", "not available"),
    }
    for field, (value, word) in told.items():
        (variant,) = await stage.product(5)
        books.set(fields={variant.product_id: {field: value}})
        product = await connector.product(stage.shop, variant.product_id)
        assert isinstance(product, ShopProduct) and not product.active, field
        assert any(word in reason for reason in product.reasons), product.reasons
    (variant,) = await stage.product(5)
    books.keep("product", {**books.shelf.need("product", variant.product_id), "depends_on_stock": True})
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and not product.active and "advanced stock" in product.reasons[0]


async def test_one_language_is_read_of_several_and_pictures_have_a_public_address(stage: Stage, books: Books) -> None:
    books.set(several_languages=True)
    a, _ = await stage.product(5, 6, title="Card")
    books.keep("product", {**books.shelf.need("product", a.product_id), "image": "x"})
    product = await connector.product(stage.shop, a.product_id)
    assert isinstance(product, ShopProduct) and product.title == "Card" and "-0" in product.variants[0].title
    folder = "/".join(a.product_id)
    assert product.images == (f"{stage.shop.address}/img/p/{folder}/{a.product_id}.jpg",)
    assert "api" not in product.images[0], "the webservice's address needs the key"


@pytest.mark.parametrize(("currency", "price", "paid"), [("JPY", "1250", "990"), ("KWD", "1.234", "0.990")])
async def test_currencies_of_no_and_of_three_decimals(
    stage: Stage, books: Books, currency: str, price: str, paid: str
) -> None:
    books.set(currency=currency, carriage="0")
    assert not await proved_again(stage)
    (variant,) = await stage.product(5, price=price)
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and str(product.variants[0].price) == price
    done = await stage.placed(stage.order((variant, 3), price=paid, shipping="0"))
    order = await connector.order(stage.shop, done.shop_id)
    assert order.total == Money.of(paid, currency) + Money.of(paid, currency) + Money.of(paid, currency)


# Refusals


async def test_each_missing_tick_is_named(stage: Stage, books: Books) -> None:
    books.set(without=["PUT orders", "* order_slip", "* carts"])
    assert await proved_again(stage) == ["Orders", "Buyers", "Refunds"]
    orders, buyers = [check for check in stage.proof.checks if check.title in ("Orders", "Buyers")]
    assert "Modify (PUT) of orders" in orders.sentence and "Add (POST) of carts" in buyers.sentence


async def test_the_connection_test_says_what_the_shop_has_to_change(stage: Stage, books: Books) -> None:
    for changes, title, word in (
        ({"version": "1.7.6.1"}, "Settings", "too old"),
        ({"counts": False}, "Stock", "stock management"),
        ({"paid_is_logable": False}, "Settings", "validated"),
        ({"zone": "Nowhere/Else"}, "Settings", "time zone"),
        ({"shops": 2}, "Shop", "several shops"),
    ):
        before = books.settings
        proof = await connect_with(stage, books, changes)
        check = next(check for check in proof.checks if not check.ok)
        assert check.title == title and word in check.sentence, check
        books.set(**{name: before[name] for name in changes})
    assert not await proved_again(stage)


async def connect_with(stage: Stage, books: Books, changes: dict[str, Any]) -> Any:
    books.set(**changes)
    return await connector.prove(stage.shop)


async def test_one_of_several_shops_is_named_by_its_number(stage: Stage, books: Books) -> None:
    books.set(shops=3)
    stage.shop = replace(stage.shop, secrets={**stage.shop.secrets, "id_shop": "1"})
    assert not await proved_again(stage)
    assert stage.shop.settings["shop"] == "1" and stage.proof.shop_id.startswith("1:")
    stage.shop = replace(stage.shop, secrets={**stage.shop.secrets, "id_shop": "7"})
    with pytest.raises(AuthDead, match="not for this shop"):
        await connector.prove(stage.shop)


async def test_a_webservice_that_is_switched_off_is_no_lost_key(stage: Stage, books: Books) -> None:
    books.set(on=False)
    with pytest.raises(NoAnswer, match="switched off"):
        await connector.prove(stage.shop)


async def test_a_notice_of_php_is_no_answer_and_no_refusal(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    stage.dial.once("broken", skip=6)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Unknown | Done)
    assert len(await stage.standing(command)) <= 1


async def test_without_an_internal_note_the_risk_is_refused_in_words(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.set(notes=False)
    outcome = await connector.write_risk(stage.shop, judged(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and "1.7.8" in outcome.sentence


async def test_before_internal_notes_the_order_is_not_touched_for_the_risk(stage: Stage, books: Books) -> None:
    """Each PUT of an order repeats its status there (PrestaShop #20623)."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.set(notes=False, version="1.7.7.8")
    assert not await proved_again(stage)
    seen = calls(stage)
    outcome = await connector.write_risk(stage.shop, judged(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and "1.7.8" in outcome.sentence
    assert not [call for call in seen if call[0] != "GET"]


async def test_single_units_are_not_taken_out(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.BUYER_ASKED, "k")
    outcome = await connector.cancel_lines(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert (await connector.order(stage.shop, done.shop_id)).lines[0].quantity == 2


async def test_a_cancelled_order_is_not_cancelled_twice_however_it_got_there(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.change_state(books.order(done.shop_id), CANCELED, mail=True)
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Done) and outcome.already and await stage.hand.count(variant) == 5


async def test_an_order_set_to_payment_error_has_its_units_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    books.change_state(books.order(done.shop_id), ERROR, mail=False)
    order = await connector.order(stage.shop, done.shop_id)
    assert not order.stock_taken and order.state is ShopOrderState.OPEN and await stage.hand.count(variant) == 5


async def test_a_filter_that_is_ignored_is_not_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock.connectors.prestashop.orders.MOST_FOUND", 2)
    (variant,) = await stage.product(9)
    for _ in range(2):
        await stage.hand.sell(variant, 1)
    send = stage.shop.http.send

    async def ignored(way: str, url: str, **rest: Any) -> Reply:
        return await send(way, "&".join(part for part in url.split("&") if "filter%5Bpayment" not in part), **rest)

    stage.shop.http.send = ignored  # type: ignore[method-assign]
    with pytest.raises(NoAnswer, match="all its orders"):
        await connector.find(stage.shop, "XD-1", since=stage.shop.now())


def test_the_form_says_what_to_type() -> None:
    assert connect.address({"address": "Shop.example/api/orders"}, local=False) == "https://shop.example"
    assert connect.address({"address": "https://shop.example/fr/index.php?id=1"}, local=False).endswith("/fr")
    with pytest.raises(BadInput, match="https"):
        connect.address({"address": "http://shop.example"}, local=False)


async def test_a_key_is_32_letters_and_digits(stage: Stage) -> None:
    for form, word in (
        ({"key": "short"}, "32"),
        ({"key": "A" * 32, "id_shop": "one"}, "whole number"),
        ({"key": "A" * 32, "module": "a module"}, "payment module"),
    ):
        with pytest.raises(BadInput, match=word):
            await connect.finish(Client(stage.shop), way="key", form=form, params={}, keep={})


async def test_a_product_that_vanishes_between_the_look_and_the_order_is_not_half_an_order(stage: Stage) -> None:
    """A cart leaves out what is not in the catalogue any more, without a word."""
    (a,), (b,) = await stage.product(5), await stage.product(5)
    command = stage.order((a, 1), (b, 1))
    send, gone = stage.shop.http.send, list[int]()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == "POST" and "/api/orders" in url and not gone:
            gone.append(1)
            await stage.hand.delete_product(b.product_id)
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and await stage.standing(command) == [] and await stage.hand.count(a) == 5


async def test_a_listing_of_another_platform_is_refused(stage: Stage) -> None:
    await stage.product(5)
    outcome = await connector.create(stage.shop, stage.order((VariantRef("gid://1", "gid://2"), 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID
