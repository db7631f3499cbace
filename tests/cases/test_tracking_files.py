"""Tracking files as they exist, and whose order a number in them is.

Sources: docs.zorem.com/docs/ast-pro/add-tracking-to-orders/csv-import (Advanced Shipment Tracking's columns; its sample
numbers its orders "#18402"); AfterShip/aftership-apps-woocommerce pull requests 193 and 217; woocommerce/woocommerce
63476; webtoffee.com/shopify-orders-available-columns-for-export-and-import ("Name" is the shop's order number);
shipstation.com/docs/custom-store/v1/reference/notify (OrderNumber, Carrier, TrackingNumber).
"""

import csv
import io
from datetime import UTC, datetime

import pytest
from django.test import Client

from crossdock.domain.pasted import SPOILT, rows_in, text_of
from crossdock.domain.storable import plain
from crossdock.store.models import Order, Shipment, ShopCopy
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.paste_tracking import Judged, apply, judge
from market import World

UPS, UPS2 = "1Z999AA10123456784", "1Z999AA10123456775"
USPS = "9400111899223344556677"


def read(text: str) -> list[tuple[str, str, str]]:
    return [(row.order, row.tracking, row.carrier) for row in rows_in(text) if not row.wrong]


# Reading


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (
            "order_id,tracking_provider,tracking_number,date_shipped,status_shipped,shipping_note\n"
            "#18402,DPD UK,15501234567890,02-06-2026,Completed,Fragile\n",
            ("18402", "15501234567890", "DPD UK"),
        ),
        (f"sep=;\nOrder;Recipient;Tracking number\n10001;Ana Buyer;{UPS}\n", ("10001", UPS, "")),
        (f'\ufeff"sep=\t"\r\nOrder\tTracking number\r\n10001\t{UPS}\r\n', ("10001", UPS, "")),
        (f"SEP=|\nOrder|Tracking number\n10001|{UPS}\n", ("10001", UPS, "")),
        (f"sep=,\n10001,{UPS}", ("10001", UPS, "")),
        (f"OrderNumber,ShipDate,Carrier,TrackingNumber\n10001,1/2/2026,UPS,{UPS}\n", ("10001", UPS, "UPS")),
        (f"Order - Number,Shipment - Tracking Number,Carrier - Name\n10001,{UPS},ups\n", ("10001", UPS, "ups")),
        (f"Name,Order ID,Tracking Number,Carrier\nAna Buyer,10001,{UPS},UPS\n", ("10001", UPS, "UPS")),
        (f"Name,Tracking Number\n#10001,{UPS}\n", ("10001", UPS, "")),
        (f"Channel reference,Order reference,Tracking number\n,10001,{UPS}\n", ("10001", UPS, "")),
        (f"Bestellnummer;Empfänger;Sendungsnummer\n10001;Ana;{UPS}\n", ("10001", UPS, "")),
        (f"Numéro de commande;Numéro de suivi;Transporteur\n10001;{UPS};UPS\n", ("10001", UPS, "UPS")),
        (f'Order,Note,Tracking number\n10001,"two\nlines; and, more",{UPS}\n', ("10001", UPS, "")),
        (f'Order,Tracking number\n10001,"=""{USPS}"""\n', ("10001", USPS, "")),
        (f"Order,Tracking number\n10001,'{USPS}\n", ("10001", USPS, "")),
    ],
)
def test_files_of_other_programs(text: str, right: tuple[str, str, str]) -> None:
    assert read(text) == [right]
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        assert read(text_of(text.replace("\ufeff", "").encode(encoding))) == [right], encoding


@pytest.mark.parametrize("number", ["9.40011E+21", "9,40011E+21", "9.40011e21", "1.55012E+13"])
def test_scientific_notation_is_refused_with_a_hint(number: str) -> None:
    (row,) = rows_in(f"order;tracking\n10001;{number}")
    assert row.wrong == SPOILT
    assert "as text" in row.wrong


@pytest.mark.parametrize("carrier", ["", "FedEx", "FedEx Ground"])
def test_a_fedex_number_without_its_zero_gets_a_hint(carrier: str) -> None:
    (row,) = rows_in(f"order,tracking,carrier\n10001,12345678906,{carrier}")
    assert "012345678906 is a FedEx number" in row.wrong
    (whole,) = rows_in(f"order,tracking,carrier\n10001,012345678906,{carrier}")
    assert whole.wrong == ""


def test_eleven_digits_of_somebody_else_are_theirs() -> None:
    for number, carrier in (("12345678906", "DPD"), ("12345678904", "")):
        (row,) = rows_in(f"order,tracking,carrier\n10001,{number},{carrier}")
        assert row.wrong == ""


# Whose order it is


@pytest.fixture
def world(db: None) -> World:
    return World(units=90, now=datetime.now(UTC))


def named(order: Order, number: str, shop_id: str = "") -> None:
    ShopCopy.objects.filter(order=order).update(shop_number=number, shop_order_id=shop_id or f"id-{order.pk}")


def asked(world: World, text: str) -> list[tuple[int | None, str]]:
    judged = judge(seller=world.seller, rows=rows_in(text))
    return [(one.order.number if one.order else None, str(one.fate)) for one in judged]


def first(world: World, text: str) -> Judged:
    return judge(seller=world.seller, rows=rows_in(text))[0]


@pytest.mark.parametrize("spelt", ["#S-71", "S-71", "s-71", "gid-900", "#gid-900"])
def test_the_shop_s_number_finds_its_order(world: World, spelt: str) -> None:
    order = world.buy()
    named(order, "#S-71", "gid-900")
    assert asked(world, f"{spelt},{UPS}") == [(order.number, "ship")]


def test_what_fits_two_orders_is_refused(world: World) -> None:
    one, two = world.buy(), world.buy()
    named(one, f"#{two.number}")
    named(two, f"#{two.number + 900}")
    judged = first(world, f"order,tracking\n{two.number},{UPS}")
    assert (judged.fate, judged.order) == ("not", None)
    assert one.reference in judged.sentence
    assert two.reference in judged.sentence
    apply(
        seller=world.seller,
        rows=rows_in(f"{two.number},{UPS}"),
        token="t" * 16,
        actor=world.seller.owner,
        now=world.later(),
    )
    assert not Shipment.objects.exists()
    assert asked(world, f"{one.reference},{UPS}\n{two.reference},{UPS2}") == [
        (one.number, "ship"),
        (two.number, "ship"),
    ]


def test_a_column_of_the_shop_s_numbers_means_them(world: World) -> None:
    one, two = world.buy(), world.buy()
    named(one, f"#{two.number}")
    named(two, f"#{two.number + 1}")
    text = f"Name,Tracking Number\n#{two.number},{UPS}\n#{two.number + 1},{UPS2}\n"
    assert asked(world, text) == [(one.number, "ship"), (two.number, "ship")]


def test_an_order_of_the_shop_s_own_is_not_ours_by_its_number(world: World) -> None:
    """Most lines of a shop's own export were never sold here; one of them may have a number of ours."""
    order = world.buy()
    named(order, "#S-71")
    assert asked(world, f"Name,Tracking Number\n#{order.number},{UPS}\n") == [(None, "not")]
    assert asked(world, f"Order,Tracking Number\n#{order.number},{UPS}\n") == [(order.number, "ship")]


def test_two_shops_with_one_number_are_refused(world: World) -> None:
    one, two = world.buy(), world.buy()
    named(one, "#500001", "a")
    named(two, "#500001", "b")
    judged = first(world, f"Name,Tracking Number\n#500001,{UPS}")
    assert judged.fate == "not"
    assert one.reference in judged.sentence
    assert two.reference in judged.sentence


def test_another_seller_s_shop_number_is_unknown(world: World) -> None:
    theirs = World(units=3, now=datetime.now(UTC)).buy()
    named(theirs, "#S-71")
    assert first(world, f"#S-71,{UPS}").sentence == "You have no order with this number."


def test_the_same_number_spelt_otherwise_is_shipped_already(world: World) -> None:
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking=UPS, carrier="", actor=world.seller.owner, now=world.later())
    assert asked(world, f"{order.number},1z 999 aa1 01 2345 6784") == [(order.number, "same")]


# Exports


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (USPS, f"'{USPS}"),
        ("012345678905", "'012345678905"),
        ("007", "'007"),
        ("12E5", "'12E5"),
        ("=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\n=1", "'\n=1"),
        ("10001", "10001"),
        ("0.50", "0.50"),
        (UPS, UPS),
    ],
)
def test_a_cell_is_shown_as_it_is(value: str, cell: str) -> None:
    assert plain(value) == cell


def test_the_export_opens_with_accents_and_whole_numbers_and_can_be_pasted_back(world: World) -> None:
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking=USPS, carrier="", actor=world.seller.owner, now=world.later())
    client = Client()
    client.force_login(world.seller.owner)
    content = b"".join(client.get("/seller/orders/export.csv?queue=all"))
    assert content.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert row["buyer"] == "Zoë Müller"
    assert row["tracking"] == f"'{USPS}"
    (back,) = rows_in(text_of(content))
    assert (back.order, back.tracking, back.wrong) == (str(order.number), USPS, "")
    for page in ("/seller/labels/export.csv", f"/seller/orders/export.csv?queue=shipped&q={order.number}"):
        assert b"".join(client.get(page)).startswith(b"\xef\xbb\xbf")
