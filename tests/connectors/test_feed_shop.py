"""The shop with a feed in examples/: every scenario that it claims, files that are odd, units that the file cannot
know, and the page of its orders.
"""

import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from crossdock.kit import discover
from crossdock.kit.conformance import scenarios
from crossdock.kit.conformance.front import find_copy
from crossdock.kit.conformance.suite import Verdict, play_all
from crossdock.kit.http import Transport

FOLDER = Path(__file__).parents[2] / "examples" / "feed_shop"
HEAD = "sku;title;price;stock\n"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., dict[str, str]]]:
    """Starts one of its programs; what it prints, by name."""
    started = []

    def start(script: str, *words: str) -> dict[str, str]:
        command = [sys.executable, FOLDER / script, "--port", "0", "--data", tmp_path / "mailbox.sqlite", *words]
        program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(program)
        assert program.stdout is not None
        lines = [program.stdout.readline() for _ in range(4)]
        said = dict(line.strip().split(":", 1) for line in lines[:3])
        found = re.search(r"password (\S+)\)", said["Orders"])
        assert found is not None
        return {"address": said["Address"].strip(), "key": said["Key"].strip(), "password": found[1]}

    yield start
    for program in started:
        program.kill()
        program.wait()
        if program.stdout:
            program.stdout.close()


@pytest.fixture(scope="module")
def feed() -> Iterator[ModuleType]:
    """The module as its program imports it: by the names of files."""
    sys.path.insert(0, str(FOLDER))
    import feed as module

    yield module
    for folder in (str(FOLDER), str(FOLDER.parent / "reference_shop")):
        sys.path.remove(folder)
    for name in ("feed", "more", "shop", "door"):
        sys.modules.pop(name, None)


class Shop:
    """A shop with a feed whose clock is the test's."""

    def __init__(self, feed: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.now = folder / "products.csv", 1_800_000_000.0
        monkeypatch.setattr(feed.time, "time", lambda: self.now)
        self.it = feed.FeedShop(":memory:", str(self.path), slack=600)

    def export(self, text: str, encoding: str = "utf-8") -> None:
        self.path.write_bytes(text.encode(encoding))
        os.utime(self.path, (self.now, self.now))
        self.it.refresh()

    def counts(self) -> dict[str, int | None]:
        docs = [doc for doc in self.it.every("product") if not doc.get("deleted")]
        return {row["sku"]: row["count"] for doc in docs for row in doc["variants"]}

    def order(self, sku: str, units: int, reference: str) -> dict[str, Any]:
        docs = [doc for doc in self.it.every("product") if not doc.get("deleted")]
        (row,) = (row for doc in docs for row in doc["variants"] if row["sku"] == sku)
        line = {"variant_id": row["id"], "units": units, "unit_price": row["price"]}
        new = {"reference": reference, "currency": "EUR", "shipping": "4.00", "lines": [line]}
        with self.it.transaction():
            made = self.it.create({"order": new})["order"]
        return self.now_of(made["id"])

    def now_of(self, id_: str) -> dict[str, Any]:
        doc: dict[str, Any] = self.it.get("order", id_)
        return doc


@pytest.fixture
def shop(feed: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(feed, tmp_path, monkeypatch)


async def test_it_conforms_in_everything_that_it_claims(run: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    said = run("proving_feed.py", "--csv", str(tmp_path / "proving.csv"))
    connector = discover.connector("open_door")
    async with Transport() as transport:
        copy = await find_copy(connector, {"address": said["address"], "key": said["key"]}, transport)
        results = await play_all(copy.manifest, lambda: copy.opened(connector))
    assert [f"{r.number} {r.title}: {r.sentence}" for r in results if r.verdict is Verdict.FAILED] == []
    assert len([r for r in results if r.verdict is Verdict.PASSED]) >= len(scenarios()) - 15


def test_units_of_an_order_that_the_file_cannot_know_are_not_sold_again(shop: Shop) -> None:
    shop.export(HEAD + "A;Mug;12,50;5\n")
    order = shop.order("A", 2, "CD-1")
    assert shop.counts() == {"A": 3}
    shop.now += 3600
    shop.export(HEAD + "A;Mug;12,50;5\n")
    assert shop.counts() == {"A": 3}, "nobody entered it yet"
    with shop.it.transaction():
        shop.it.enter(order, "77")
    assert shop.counts() == {"A": 3}
    shop.now += 300
    shop.export(HEAD + "A;Mug;12,50;5\n")
    assert shop.counts() == {"A": 3}, "this export may have been begun before it was entered"
    shop.now += 301
    shop.export(HEAD + "A;Mug;12,50;3\n")
    assert shop.counts() == {"A": 3}
    shop.order("A", 3, "CD-2")
    assert shop.counts() == {"A": 0}
    with pytest.raises(Exception, match="not enough in stock"):
        shop.order("A", 1, "CD-3")


@pytest.mark.parametrize(("restock", "left"), [(True, 5), (False, 3)])
def test_a_cancelled_order_gives_back_what_can_be_sold_again(shop: Shop, restock: bool, left: int) -> None:
    shop.export(HEAD + "A;Mug;12.50;5\n")
    order = shop.order("A", 2, "CD-1")
    with shop.it.transaction():
        shop.it.call_off(order, restock=restock)
    assert shop.counts() == {"A": left}
    shop.now += 601
    shop.export(HEAD + f"A;Mug;12.50;{left}\n")
    assert shop.counts() == {"A": left}


def test_an_odd_row_concerns_that_row_alone(shop: Shop) -> None:
    shop.export(HEAD + "A;Mug;12,50;5\nB;Cup;3.00;4\nC;Jar;2;unlimited\n")
    shop.now += 60
    shop.export(
        HEAD + "A;Mug;twelve;5\nB;Cup;3.00;9\nC;Jar;2;unlimited\nD;Pot;1.250;1\nE;Pan;7;-\n;Lid;1;1\nF;X;1;1\nF;X;1;2\n"
    )
    assert shop.counts() == {"A": 0, "B": 9, "C": None}
    assert [said.partition(":")[0] for said in shop.it.odd] == ["Row 2", "Row 5", "Row 6", "Row 7", "Row 8", "Row 9"]
    shop.now += 60
    shop.export(HEAD + "A;Mug;13.00;5\nB;Cup;3.00;9\nC;Jar;2;unlimited\n")
    assert shop.counts() == {"A": 5, "B": 9, "C": None} and not shop.it.odd


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no column sku"),
        ("name;price\n", "names no column sku, stock"),
        (HEAD + "A;Mug;1;1\n", "are missing in it"),
        (HEAD + 'A;"Mug;1;1\n', "unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_right_changes_nothing(shop: Shop, text: str, why: str) -> None:
    shop.export(HEAD + "".join(f"S{n};Mug {n};1;{n}\n" for n in range(1, 13)))
    before = shop.counts()
    shop.now += 60
    shop.export(text)
    assert shop.counts() == before and why in shop.it.trouble
    shop.now += 60
    shop.export(HEAD + "".join(f"S{n};Mug {n};1;{n}\n" for n in range(1, 12)))
    assert shop.counts() == {f"S{n}": n for n in range(1, 12)} and shop.it.trouble == ""


def test_files_as_shops_write_them(shop: Shop) -> None:
    shop.export('\ufeffID,Name,Quantity,Price,Parent\r\nA,Müg,5,"1,5",g\r\nB,Müg rot,2,2.00,g\r\n')
    (doc,) = shop.it.every("product")
    assert [(row["sku"], row["title"], row["price"], row["count"]) for row in doc["variants"]] == [
        ("A", "A", "1.50", 5),
        ("B", "Müg rot", "2.00", 2),
    ]
    shop.now += 1
    shop.export("sku\ttitle\tprice\tstock\nA\tMüg\t1.5000\t5.0\n", "cp1252")
    assert [doc["title"] for doc in shop.it.every("product") if not doc.get("deleted")] == ["Müg"]


def test_what_buyers_look_for_stands_in_columns_of_its_own(shop: Shop) -> None:
    shop.export(
        "sku;title;price;stock;group;tags;Category;Option: Condition;property: Set;option:Language\n"
        "A;Ace;1;5;g;graded|foil, old;Singles, Sealed;NM;Alpha;English\nB;Ace LP;1;2;g;;;LP;;\n"
    )
    (doc,) = shop.it.every("product")
    assert (doc["tags"], doc["types"]) == (["graded", "foil, old"], ["Singles", "Sealed"])
    assert doc["properties"] == [{"name": "Set", "value": "Alpha"}]
    assert [[tuple(each.values()) for each in row["options"]] for row in doc["variants"]] == [
        [("Condition", "NM"), ("Language", "English")],
        [("Condition", "LP")],
    ]


def asked(said: dict[str, str], form: dict[str, str] | None = None, password: str = "") -> tuple[int, str]:
    """The page, or what a form of it answers."""
    word = base64.b64encode(f"shop:{password or said['password']}".encode()).decode()
    body = urllib.parse.urlencode(form).encode() if form else None
    request = urllib.request.Request(said["address"] + "/orders", body, {"Authorization": f"Basic {word}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as no:
        return no.code, no.read().decode()


def called(said: dict[str, str], call: str, **body: Any) -> Any:
    """What the door answers to a call of the marketplace's."""
    data, at = json.dumps({"call": call, **body}).encode(), str(int(time.time()))
    signed = {"webhook-id": "1", "webhook-timestamp": at, "webhook-signature": door().sign(said["key"], "1", at, data)}
    with urllib.request.urlopen(urllib.request.Request(said["address"], data, signed)) as answer:
        return json.load(answer)


def form(page: str, act: str) -> dict[str, str]:
    """The hidden fields of the first form for it."""
    found = next(each for each in re.findall(r"<form.*?</form>", page) if f"name=act value={act}>" in each)
    return dict(re.findall(r"<input type=hidden name=(\w+) value='?([^'>]*)'?>", found))


def test_a_person_enters_ships_and_refuses_on_one_page(
    feed: ModuleType, run: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "products.csv").write_text(HEAD + "A;<b>Mug</b>;12.50;5\nB;Cup;x;1\n")
    said = run("feed.py", "--csv", str(tmp_path / "products.csv"))
    (product,) = called(said, "products/list", cursor="", limit=10)["items"]
    line = {"variant_id": product["variants"][0]["id"], "units": 2, "unit_price": "12.50"}
    to = {"name": "Ada <script>", "line1": "1 High Street", "city": "Ghent", "country": "BE"}
    for reference in ("CD-1", "CD-2"):
        new = {"reference": reference, "currency": "EUR", "shipping": "4.00", "ship_to": to, "lines": [line]}
        called(said, "orders/create", order=new)
    assert asked(said, password="guess")[0] == 401

    status, page = asked(said)
    assert status == 200 and "To enter in your shop (2)" in page and "Row 3: “x” is no price" in page
    assert "<b>Mug" not in page and "<script>" not in page and "Ada &lt;script&gt;" in page
    first = form(page, "enter")
    assert asked(said, {**first, "token": "guess", "number": "9"})[0] == 403
    assert asked(said, {**first, "number": "77"})[0] == 200
    assert asked(said, {**first, "number": "78"})[0] == 409, "the second click"
    page = asked(said)[1]
    assert "To enter in your shop (1)" in page and "Entered in your shop as 77." in page

    asked(said, {**form(page, "ship"), "carrier": "bpost", "tracking": "3232"})
    asked(said, {**form(page, "cancel"), "restock": "yes"})
    shipped, refused = (called(said, "orders/read", reference=one)["items"][0] for one in ("CD-1", "CD-2"))
    assert [parcel["tracking_number"] for parcel in shipped["parcels"]] == ["3232"]
    assert refused["state"] == "cancelled" and not refused["parcels"]
    assert called(said, "products/read", ids=[product["id"]])["items"][0]["variants"][0]["count"] == 3


def door() -> Any:
    return sys.modules["door"]


@pytest.mark.parametrize("count", ["Infinity", "1e999999", "1e5000", "nan"])
def test_a_number_that_is_none_of_units_concerns_its_row_alone(shop: Shop, count: str) -> None:
    shop.export(HEAD + f"A;Mug;12,50;{count}\nB;Cup;3.00;4\nC;Jar;1e-5;4\nD;Pot;1e999999;4\n")
    assert shop.counts() == {"B": 4} and len(shop.it.odd) == 3 and not shop.it.trouble


def test_a_file_of_the_future_does_not_count_as_written_after_the_orders(shop: Shop) -> None:
    shop.export(HEAD + "A;Mug;12,50;5\n")
    order = shop.order("A", 2, "CD-1")
    with shop.it.transaction():
        shop.it.enter(order, "77")
    os.utime(shop.path, (shop.now + 7200, shop.now + 7200))
    shop.it.refresh()
    assert shop.counts() == {"A": 3} and "in the future" in shop.it.trouble
    shop.now += 601
    shop.export(HEAD + "A;Mug;12,50;3\n")
    assert shop.counts() == {"A": 3} and not shop.it.trouble


class Served:
    """What `urlopen` gives: a response with one more than it holds announced, while an order comes in."""

    headers: dict[str, str] = {}

    def __init__(self, text: bytes, short: int, during: Callable[[], None]) -> None:
        self.text, self.length, self.during = text, short, during

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, _most: int) -> bytes:
        self.during()
        return self.text


def test_a_download_that_breaks_off_is_not_taken(shop: Shop, feed: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.export(HEAD + "A;Mug;12,50;5\nB;Cup;3.00;14\n")
    shop.it.source = "https://shop.example.com/products.csv"

    def held_up() -> None:
        def orders() -> None:
            free.append(shop.it.lock.acquire(timeout=5))
            if free[-1]:
                shop.it.lock.release()

        other = threading.Thread(target=orders)
        other.start()
        other.join()

    free: list[bool] = []
    monkeypatch.setattr(
        feed.urllib.request, "urlopen", lambda *_, **__: Served((HEAD + "A;Mug;12,50;1").encode(), 9, held_up)
    )
    shop.now += 60
    shop.it.refresh()
    assert shop.counts() == {"A": 5, "B": 14} and "broke off" in shop.it.trouble
    assert free == [True], "orders wait while the file is fetched"

    def broken(*_: Any, **__: Any) -> None:
        raise http.client.BadStatusLine("<html>")

    monkeypatch.setattr(feed.urllib.request, "urlopen", broken)
    shop.it.refresh()
    assert "was not taken" in shop.it.trouble


def test_what_is_shipped_from_the_marketplace_still_waits_to_be_entered(
    feed: ModuleType, run: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "products.csv").write_text(HEAD + "A;Mug;12.50;5\n")
    said = run("feed.py", "--csv", str(tmp_path / "products.csv"))
    assert (tmp_path / "mailbox.sqlite").stat().st_mode & 0o077 == 0, "buyers' addresses and the password"
    (product,) = called(said, "products/list", cursor="", limit=10)["items"]
    line = {"variant_id": product["variants"][0]["id"], "units": 3, "unit_price": "12.50"}
    new = {"reference": "CD-1", "currency": "EUR", "shipping": "4.00", "ship_to": {}, "lines": [line]}
    order = called(said, "orders/create", order=new)["order"]
    who = {"order_id": order["id"], "reference": "CD-1"}
    called(said, "orders/cancel_units", **who, key="k", lines=[{"line_id": order["lines"][0]["id"], "units": 1}])
    rows = [{"line_id": order["lines"][0]["id"], "units": 2}]
    called(said, "parcels/write", **who, key="p", lines=rows, tracking_number="3232", carrier="bpost")
    page = asked(said)[1]
    assert "To enter in your shop (1)" in page and "To ship (0)" in page
    assert "Cancelled of it: 1 × Mug" in page and "value=cancel>" not in page
    asked(said, {**form(page, "enter"), "number": "77"})
    page = asked(said)[1]
    assert "To enter in your shop (0)" in page and "To ship (0)" in page and "Entered in your shop as 77." in page


INNER = b"GET /orders HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "answers"),
    [
        (b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER, [401]),
        (b"GET /orders HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(INNER) + INNER, [401]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + INNER, [422]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" + INNER, [422]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n" + INNER, [422]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000001\r\n\r\n" + INNER, [422]),
    ],
)
def test_a_body_is_never_taken_for_the_next_request(
    run: Callable[..., dict[str, str]], tmp_path: Path, start: bytes, answers: list[int]
) -> None:
    (tmp_path / "products.csv").write_text(HEAD + "A;Mug;12.50;5\n")
    port = int(run("feed.py", "--csv", str(tmp_path / "products.csv"))["address"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(start)
        line.shutdown(socket.SHUT_WR)
        said = b""
        try:
            while part := line.recv(65536):
                said += part
        except ConnectionResetError:
            pass
    assert [int(each) for each in re.findall(rb"HTTP/1\.1 (\d+)", said)] == answers
