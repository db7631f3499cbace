"""The base of the simulated shops, seen through the corner shop: storage, faults, deliveries, the seller's page, the
remote control.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from crossdock.kit.connector import VariantRef
from crossdock.kit.remote_hand import HandFailed, RemoteHand
from crossdock.kit.sandbox import FaultDial, Shelf
from crossdock.kit.sandbox.dial import CHANCES, BadDial
from crossdock_lab.patience import patient
from toyshop import Sandbox


@pytest.fixture
async def shop() -> AsyncIterator[Sandbox]:
    shop = Sandbox(Shelf())
    await shop.start()
    yield shop
    await shop.stop()
    shop.shelf.close()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def key(shop: Sandbox) -> dict[str, str]:
    return {"X-Toy-Key": shop.shop["key"]}


# Storage


def test_documents_keep_their_order_and_are_copies() -> None:
    shelf = Shelf()
    for id in ("b", "a", "c"):
        shelf.put("order", id, {"id": id}, key="same" if id != "c" else "")
    shelf.put("order", "b", {"id": "b", "n": 2}, key="same")
    assert [doc["id"] for doc in shelf.all("order")] == ["b", "a", "c"]
    assert [doc["id"] for doc in shelf.by_key("order", "same")] == ["b", "a"]
    assert shelf.by_key("order", "") == []
    taken = shelf.get("order", "b")
    assert taken == {"id": "b", "n": 2}
    taken["n"] = 3
    assert shelf.get("order", "b") == {"id": "b", "n": 2}
    assert shelf.delete("order", "b")
    assert not shelf.delete("order", "b")
    assert shelf.get("order", "b") is None
    assert shelf.get("product", "a") is None


def test_a_transaction_is_all_or_nothing() -> None:
    shelf = Shelf()

    def fails() -> None:
        with shelf.transaction():
            shelf.put("a", 1, {})
            with shelf.transaction():
                shelf.next_number("n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert shelf.all("a") == []
    assert shelf.next_number("n", start=5) == 5
    with shelf.transaction():
        shelf.put("a", 1, {})
    assert shelf.all("a") == [{}]


def test_a_shop_on_a_file_survives_being_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from crossdock.kit.sandbox import Shelf; shelf = Shelf(sys.argv[1])\n"
        "shelf.put('order', 7, {'x': 1}); shelf.next_number('order', start=1001); shelf.note('sold', units=2)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "shop.db"], env={"PYTHONPATH": source}, check=False)
    assert done.returncode == -9
    shelf = Shelf(str(tmp_path / "shop.db"))
    assert shelf.get("order", 7) == {"x": 1}
    assert shelf.next_number("order", start=1001) == 1002
    assert [(entry["event"], entry["units"]) for entry in shelf.ledger()] == [("sold", 2)]
    shelf.close()


def test_the_ledger_is_read_whole_or_by_event() -> None:
    shelf = Shelf()
    shelf.note("sold", units=1)
    shelf.note("mail", to="ada@buyer.example", about="order")
    assert [entry["event"] for entry in shelf.ledger()] == ["sold", "mail"]
    assert [entry["to"] for entry in shelf.ledger("mail")] == ["ada@buyer.example"]


# The dial


def test_the_dial_takes_what_fits_and_changes_nothing_otherwise() -> None:
    dial = FaultDial()
    dial.set({"throttle": 0.5, "down": True})
    for wrong in (
        {"throttle": 2},
        {"broken": -1},
        {"down": 1},
        {"latency_seconds": True},
        {"drop": "1"},
        {"counts": 1},
        {"nonsense": 0},
    ):
        with pytest.raises(BadDial):
            dial.set({"throttle": 0.0, **wrong})
    assert (dial.throttle, dial.down) == (0.5, True)
    dial.calm()
    assert dial.read() == FaultDial().read()


@pytest.mark.parametrize("fault", CHANCES)
def test_a_chance_of_one_in_five_strikes_about_so_often_and_is_counted(fault: str) -> None:
    dial = FaultDial()
    dial.set({fault: 0.2})
    struck = sum(dial.strike(fault) for _ in range(2000))
    assert 300 < struck < 500
    assert dial.counts == {fault: struck}
    assert not any(dial.strike(other) for other in CHANCES if other != fault)


def test_a_planned_fault_strikes_exactly_one_call() -> None:
    dial = FaultDial()
    dial.once("broken", skip=2)
    dial.once("throttle")
    assert [dial.call() for _ in range(5)] == ["throttle", "", "broken", "", ""]
    assert dial.counts == {"calls": 5, "broken": 1, "throttle": 1}
    with pytest.raises(BadDial):
        dial.once("drop")


# Faults on calls


async def test_faults_before_the_work_leave_nothing_and_faults_after_it_leave_all(
    shop: Sandbox, browser: aiohttp.ClientSession
) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "1.00", 100)])
    url, units = f"{shop.address}/api/variants/{variant.variant_id}/adjust", 100
    for number, (fault, statuses, works) in enumerate(
        [
            ("throttle", {429}, False),
            ("broken", {500}, False),
            ("lost_reply", {502, None}, True),
            ("lost_reply", {502, None}, True),
            ("garbled", {200}, True),
        ]
    ):
        shop.dial.once(fault)
        status, text = await post(browser, url, {"delta": -1, "key": str(number)}, key(shop))
        units -= works
        assert status in statuses, fault
        assert "already" not in text
        assert await shop.hand.count(variant) == units, fault
    shop.dial.set({"down": True})
    assert (await post(browser, url, {"delta": -1, "key": "x"}, key(shop)))[0] == 503
    shop.dial.set({"down": False, "revoked": True})
    assert (await post(browser, url, {"delta": -1, "key": "x"}, key(shop)))[0] == 401
    assert await shop.hand.count(variant) == units == 97
    assert shop.dial.counts == {
        "calls": 5,
        "throttle": 1,
        "broken": 1,
        "lost_reply": 2,
        "garbled": 1,
        "down": 1,
        "revoked": 1,
    }


async def test_latency_holds_up_the_api_and_not_the_seller(shop: Sandbox, browser: aiohttp.ClientSession) -> None:
    shop.dial.set({"latency_seconds": 2.0, "broken": 1.0})

    async def ask() -> int:
        async with browser.get(f"{shop.address}/api/shop", headers=key(shop)) as answer:
            return answer.status

    start = time.monotonic()
    api = asyncio.create_task(ask())
    async with browser.get(f"{shop.address}/_shop") as page:
        assert page.status == 200
    assert not api.done()
    assert await api == 500
    assert time.monotonic() - start > 2


# Deliveries


class Door:
    """Keeps what is delivered."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.status = 200
        self.url = ""


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()

    async def take(request: web.Request) -> web.Response:
        door.bodies.append(await request.read())
        return web.Response(status=door.status)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield door
    await runner.cleanup()


async def test_a_body_can_be_built_late_and_headers_from_it(shop: Sandbox, door: Door) -> None:
    state = {"now": b"early"}
    results: list[int | None] = []
    shop.deliver(door.url, lambda body: {"X-Size": str(len(body))}, lambda: state["now"], on_result=results.append)
    shop.deliver(door.url, {}, lambda: None, on_result=results.append)
    state["now"] = b"later"
    await shop.delivered()
    assert door.bodies == [b"later"]
    assert results == [200]


async def test_deliveries_are_dropped_doubled_and_shuffled_by_the_dial(shop: Sandbox, door: Door) -> None:
    shop.dial.set({"drop": 0.2, "duplicate": 0.3, "out_of_order": 0.3})
    for number in range(100):
        shop.deliver(door.url, {}, str(number).encode())
        await asyncio.sleep(0.001)
    await shop.delivered()
    counts = shop.dial.counts
    assert counts["drop"] > 5
    assert counts["duplicate"] > 5
    assert counts["out_of_order"] > 5
    assert len(door.bodies) == 100 - counts["drop"] + counts["duplicate"] == counts["delivered"]
    assert len(set(door.bodies)) == 100 - counts["drop"]
    assert door.bodies != sorted(door.bodies, key=int)


async def test_a_refused_or_unanswered_delivery_is_told_to_the_platform(shop: Sandbox, door: Door) -> None:
    results: list[int | None] = []
    door.status = 500
    shop.deliver(door.url, {}, b"1", on_result=results.append)
    await shop.delivered()
    shop.deliver("http://127.0.0.1:1/hook", {}, b"2", on_result=results.append)
    await shop.delivered()
    assert results == [500, None]
    assert shop.dial.counts["not_delivered"] == 2


async def test_a_slow_door_does_not_hold_up_the_shop_nor_its_end(
    shop: Sandbox, browser: aiohttp.ClientSession, door: Door
) -> None:
    shop.dial.set({"late_seconds": 3600})
    start = time.monotonic()
    shop.deliver(door.url, {}, b"1")
    async with browser.get(f"{shop.address}/api/shop", headers=key(shop)) as answer:
        assert answer.status == 200
    await shop.stop()
    assert time.monotonic() - start < patient(30)
    assert door.bodies == []


async def test_what_is_held_goes_out_when_it_is_released_and_not_before(shop: Sandbox, door: Door) -> None:
    await shop.hold(deliveries=True)
    shop.deliver(door.url, {}, b"1")
    shop.deliver(door.url, {}, b"2")
    await shop.hold(deliveries=False)
    shop.deliver(door.url, {}, b"3")
    await shop.delivered()
    assert door.bodies == [b"3"]
    await shop.release()
    await shop.delivered()
    assert sorted(door.bodies) == [b"1", b"2", b"3"]


# The seller's page


async def test_a_person_fulfils_refunds_cancels_recounts_and_sells_without_javascript(
    shop: Sandbox, browser: aiohttp.ClientSession
) -> None:
    (variant,) = await shop.hand.add_product('Card "<b>"', [("A&1", "2.50", 10)])
    page = await act(browser, shop, "sell", 'name="quantity"', quantity="3")
    assert "Sold" in page
    assert await shop.hand.count(variant) == 7
    await act(browser, shop, "recount", 'name="count"', count="20")
    assert await shop.hand.count(variant) == 20
    await act(browser, shop, "refund", 'name="amount"', amount="1.25")
    await act(
        browser,
        shop,
        "fulfil",
        'name="tracking"',
        tracking="TRACK1",
        carrier="UPS",
        **{f"units:{variant.variant_id}": "1"},
    )
    page = await act(browser, shop, "fulfil", 'name="tracking"', tracking="TRACK2", carrier="UPS")
    assert "2 parcels sent" in page
    (order,) = shop.shelf.all("order")
    assert [parcel["tracking"] for parcel in order["parcels"]] == ["TRACK1", "TRACK2"]
    assert [refund["amount"] for refund in order["refunds"]] == ["1.25"]
    page = await act(browser, shop, "cancel", 'name="restock"')
    assert "cancelled" in page
    assert "<script" not in page
    assert "<b>" not in page.replace("<button>", "")
    assert "Simulated shop" in page
    assert await shop.hand.count(variant) == 20 + 3


async def test_a_long_list_of_orders_shows_the_newest(shop: Sandbox, browser: aiohttp.ClientSession) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "2.50", 500)])
    numbers = [await shop.hand.sell(variant, 1) for _ in range(103)]
    async with browser.get(f"{shop.address}/_shop") as answer:
        page = await answer.text()
    shown = re.findall(r"<h3>Order (\d+)</h3>", page)
    assert shown == numbers[:2:-1]
    assert "3 older orders are not shown" in page
    assert "not shipped" in page


async def test_what_a_person_types_wrong_is_said_and_changes_nothing(
    shop: Sandbox, browser: aiohttp.ClientSession
) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "2.50", 10)])
    for do, fields in (
        ("recount", {"count": "many"}),
        ("sell", {"quantity": "11"}),
        ("sell", {"quantity": "-1"}),
        ("fly", {}),
        ("cancel", {"order": "<i>9"}),
    ):
        form = {"do": do, "product": variant.product_id, "variant": variant.variant_id, **fields}
        async with browser.post(f"{shop.address}/_shop", data=form) as answer:
            page = await answer.text()
        assert "That did not work" in page, do
        assert "<i>" not in page
    assert await shop.hand.count(variant) == 10
    assert shop.shelf.all("order") == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Origin": "null"},
    ],
)
async def test_another_site_in_the_same_browser_can_do_nothing(
    shop: Sandbox, browser: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "2.50", 10)])
    form = {"do": "recount", "product": variant.product_id, "variant": variant.variant_id, "count": "0"}
    async with browser.post(f"{shop.address}/_shop", data=form, headers=headers) as answer:
        assert answer.status == 403
    async with browser.post(f"{shop.address}/_hand/orders", json={}, headers=headers) as answer:
        assert answer.status == 403
    async with browser.put(f"{shop.address}/_dial", json={"down": True}, headers=headers) as answer:
        assert answer.status == 403
    assert await shop.hand.count(variant) == 10
    assert not shop.dial.down


async def test_its_own_page_s_forms_are_taken(shop: Sandbox, browser: aiohttp.ClientSession) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "2.50", 10)])
    form = {"do": "recount", "product": variant.product_id, "variant": variant.variant_id, "count": "4"}
    async with browser.post(
        f"{shop.address}/_shop", data=form, headers={"Origin": shop.address, "Sec-Fetch-Site": "same-origin"}
    ) as answer:
        assert answer.status == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert await shop.hand.count(variant) == 4


# The remote control


async def test_another_process_plays_the_seller(shop: Sandbox) -> None:
    async with RemoteHand(shop.address) as hand:
        a, b = await hand.add_product("Card", [("A", "2.50", 10), ("B", "3.00", 5)], description="shiny")
        await hand.reprice(a, "9.99")
        await hand.recount(b, 7)
        order = await hand.sell(a, 4)
        parcel = await hand.fulfil(order, tracking="T1", carrier="UPS", lines=[(a.variant_id, 1)])
        await hand.change_tracking(order, parcel, "T2")
        assert await hand.refund(order, "1.00")
        assert (await hand.count(a), await hand.count(b)) == (6, 7)
        assert list(await hand.orders()) == list(await shop.hand.orders())
        assert list(await hand.products()) == list(await shop.hand.products())
        await hand.cancel(order, restock=False)
        assert [standing.cancelled for standing in await hand.orders()] == [True]
        assert await hand.count(a) == 6
        await hand.delete_product(a.product_id)
        assert list(await hand.products()) == []
        assert [entry["event"] for entry in await hand.ledger("order")] == ["order"]
        assert (await hand.dial(down=True))["down"] is True
        assert (await hand.dial())["down"] is True
    assert shop.dial.down


async def test_what_the_seller_cannot_do_is_said(shop: Sandbox, browser: aiohttp.ClientSession) -> None:
    async with RemoteHand(shop.address) as hand:
        with pytest.raises(HandFailed, match="no product"):
            await hand.count(VariantRef("p9", "p9-0"))
        with pytest.raises(HandFailed, match="throttle"):
            await hand.dial(throttle=7.0)
    for path, body in (
        ("fly", {}),
        ("__class__", {}),
        ("_shop", {}),
        ("count", {"variant": "a"}),
        ("count", {}),
        ("orders", {"x": 1}),
        ("fulfil", {"lines": "a"}),
    ):
        async with browser.post(f"{shop.address}/_hand/{path}", json=body) as answer:
            assert answer.status == 400, path
            assert len(await answer.text()) > 10
    async with browser.post(f"{shop.address}/_hand/orders", data="{}") as answer:
        assert answer.status == 400
    async with RemoteHand("http://127.0.0.1:1") as nobody:
        with pytest.raises(HandFailed, match="did not answer"):
            await nobody.orders()


async def test_the_same_shop_starts_again_on_its_shelf(shop: Sandbox) -> None:
    (variant,) = await shop.hand.add_product("Card", [("A", "2.50", 10)])
    form = shop.seller_form()[1]
    await shop.stop()
    again = Sandbox(shop.shelf)
    await again.start()
    try:
        assert await again.hand.count(variant) == 10
        assert again.seller_form()[1]["key"] == form["key"]
    finally:
        await again.stop()


async def post(
    browser: aiohttp.ClientSession, url: str, body: object, headers: dict[str, str]
) -> tuple[int | None, str]:
    try:
        async with browser.post(url, json=body, headers=headers) as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientError:
        return None, ""


async def act(browser: aiohttp.ClientSession, shop: Sandbox, do: str, has: str, **fields: str) -> str:
    """Fill in the page's own form, as it stands there, and send it."""
    async with browser.get(f"{shop.address}/_shop") as answer:
        forms = re.findall(r"<form.*?</form>", await answer.text())
    form = next(text for text in forms if f'value="{do}"' in text and has in text)
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form))
    if 'name="restock" checked' in form:
        fields["restock"] = "on"
    assert all(f'name="{name}"' in form for name in fields), form
    async with browser.post(f"{shop.address}/_shop", data={**hidden, **fields}) as answer:
        assert answer.status == 200
        return await answer.text()
