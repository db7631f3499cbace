"""Pasted tracking numbers: what a spreadsheet makes of a file is read or refused with a sentence; each row is done
once, and only for whom it belongs to.
"""

from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.pasted import MOST_ROWS, SPOILT, Unreadable, rows_in, text_of
from crossdock.store.models import Mail, Order, Seller, Shipment
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.paste_tracking import Fate, apply, judge
from market import World

UPS, FEDEX = "1Z999AA10123456784", "986578788855"


def read(text: str) -> list[tuple[str, str, str]]:
    return [(row.order, row.tracking, row.carrier) for row in rows_in(text)]


@pytest.mark.parametrize(
    "text",
    [
        "1001,T-1234,UPS\n1002,T-5678,",
        "\ufeff1001;T-1234;UPS\r\n\r\n1002;T-5678\r\n",
        "Carrier\tTracking Number\tNotes\tOrder #\nUPS\tT-1234\t\t#1001\n\tT-5678\tx\t1002\n",
        'order_number,title,tracking\n1001,"a; b, ""c""\nd",T-1234,\n1002,,T-5678'.replace(
            "title,tracking", "title,tracking,carrier"
        ).replace("T-1234,", "T-1234,UPS"),
        'order,carrier,tracking\r1001,UPS,"T-1234"\r1002,,\'T-5678',
    ],
)
def test_columns_are_found(text: str) -> None:
    assert read(text) == [("1001", "T-1234", "UPS"), ("1002", "T-5678", "")]


@pytest.mark.parametrize("number", ["9.4E+21", "9,40011E+21", "1E22", "9400111899223340000000", "123456789012.0"])
def test_what_a_spreadsheet_spoilt_is_refused(number: str) -> None:
    (row,) = rows_in(f'1001;"{number}"')
    assert row.wrong == SPOILT


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "at least one line"),
        ("1001 T-1234", "comma, a semicolon or a tab"),
        ("order,carrier\n1001,UPS", "no column “tracking number”"),
        ("order,tracking\n", "only a line of headings"),
        ("1,T-1234\n" * (MOST_ROWS + 1), "at most 2,000"),
        ("1001," + "x" * 1_000_001, "1 MB"),
        ("1001," + "x" * 200_000, "field is endless"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        rows_in(text)


def test_files_of_other_programs() -> None:
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        assert read(text_of("1001;T-1234;Österreich".encode(encoding))) == [("1001", "T-1234", "Österreich")]
    with pytest.raises(Unreadable, match="no text file"):
        text_of(b"PK\x03\x04\x00\x00")


@given(st.text(max_size=300) | st.lists(st.text(max_size=12), max_size=9).map(",".join))
def test_whatever_is_pasted_is_answered(text: str) -> None:
    try:
        rows = rows_in(text)
    except Unreadable:
        return
    assert all(len(row.tracking) <= 120 and len(row.carrier) <= 80 for row in rows)


@pytest.fixture
def world(db: None) -> World:
    return World(units=90, now=datetime.now(UTC))


def shipped(order: Order) -> list[str]:
    return [parcel.tracking_number for parcel in Shipment.objects.filter(order=order, undone_at=None).order_by("pk")]


def test_each_row_says_what_will_happen_and_happens_once(world: World) -> None:
    new, same, other, bare, part, gone = (world.buy(2) for _ in range(6))
    theirs = World(units=3, now=datetime.now(UTC)).buy()
    by = {"carrier": "", "actor": world.seller.owner}
    ship_by_hand(order=same, lines=None, tracking=UPS, now=world.later(), **by)  # type: ignore[arg-type]
    ship_by_hand(order=other, lines=None, tracking="T-OTHER", now=world.later(), **by)  # type: ignore[arg-type]
    ship_by_hand(order=bare, lines=None, tracking="", now=world.later(), **by)  # type: ignore[arg-type]
    (line,) = part.lines.all()
    ship_by_hand(order=part, lines={line.pk: 1}, tracking="T-FIRST", now=world.later(), **by)  # type: ignore[arg-type]
    Order.objects.filter(pk=gone.pk).update(cancelled_at=world.now)
    rows = rows_in(
        f"{new.number},{UPS}\n{same.number},{UPS}\n{other.number},{FEDEX}\n{bare.reference},{FEDEX}\n#{part.number},T-SECOND,My"
        f" bike\n{gone.number},{UPS}\n"
        f"{theirs.number},{UPS}\n4711471147,{UPS}\n{new.number},{UPS}\n{new.number},{FEDEX}\n{new.number},9.4E+21"
    )
    judged = judge(seller=world.seller, rows=rows)
    fates = [one.fate for one in judged]
    assert fates == ["ship", "same", "not", "add", "ship", "not", "not", "not", "same", "not", "not"]
    said = [one.sentence for one in judged]
    assert (
        said[0] == "It ships with UPS."
        and "T-OTHER" in said[2]
        and "added, with FedEx" in said[3]
        and "My bike" in said[4]
    )
    assert "cancelled" in said[5] and said[6] == said[7] == "You have no order with this number.", (
        "nothing is given away"
    )
    assert judged[6].order is None and shipped(new) == [], "a preview does nothing"

    def go() -> list[Fate]:
        done = apply(seller=world.seller, rows=rows, token="t" * 16, actor=world.seller.owner, now=world.later())
        return [one.fate for one in done]

    assert go() == ["done", "same", "not", "done", "done", "not", "not", "not", "same", "not", "not"]
    mails = Mail.objects.count()
    assert go()[:5] == ["same", "same", "not", "same", "same"], "pressed twice"
    assert Mail.objects.count() == mails
    assert [shipped(one) for one in (new, same, other, bare, part, gone, theirs)] == [
        [UPS],
        [UPS],
        ["T-OTHER"],
        [FEDEX],
        ["T-FIRST", "T-SECOND"],
        [],
        [],
    ]


def post(seller: Seller, **form: Any) -> tuple[int, str]:
    client = Client()
    client.force_login(seller.owner)
    answer = client.post("/seller/orders/paste/", form)
    return answer.status_code, unescape(answer.content.decode())


def test_through_the_page(world: World) -> None:
    order = world.buy()
    file = SimpleUploadedFile("t.csv", f"order;tracking\r\n{order.number};{UPS}\r\n7;{UPS}\r\n".encode("utf-8-sig"))
    status, page = post(world.seller, file=file)
    assert status == 200 and "1 of 2 lines can be entered" in page and "1 cannot" in page and shipped(order) == []
    token = page.split('name="token" value="')[1].split('"')[0]
    text = page.split('aria-label="The lines">')[1].split("</textarea>")[0]
    for said in ("1 done", "1 had it already"):
        status, page = post(world.seller, text=text, token=token)
        assert status == 200 and said in page
    assert shipped(order) == [UPS]
    status, page = post(world.seller, text="hello")
    assert (
        status == 422
        and "comma, a semicolon or a tab" in page
        and ">hello</textarea>" in page.replace("\r\n", "").replace("\n", "")
    )
    stranger = World(units=1, now=datetime.now(UTC)).seller
    status, page = post(stranger, text=f"{order.number},{FEDEX}", token="x" * 16)
    assert "You have no order with this number" in page and shipped(order) == [UPS]
