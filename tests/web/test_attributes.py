"""Attributes on pages: defined by staff, filled by a seller, seen by buyers and programs."""

import json
from importlib.resources import files
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import FillRule, Listing
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.stock import counts
from market import World, user

pytestmark = pytest.mark.django_db
DOCUMENT = files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8")
STAFF, RULES = "/staff/attributes/edit/", "/seller/listings/attributes/"


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_from_a_definition_to_a_buyer_s_page() -> None:
    staff = signed_in(user(is_staff=True, roles="operations"))
    page = staff.post(STAFF, {"document": "{"})
    assert page.status_code == 422 and "This is no JSON. It breaks off at line 1." in page.content.decode()
    page = staff.post(STAFF, {"document": '{"attributes": [{"key": "A"}]}'})
    assert page.status_code == 422 and "small letters" in page.content.decode()
    page = staff.post(STAFF, {"upload": SimpleUploadedFile("cards.json", DOCUMENT.encode())})
    assert "New attribute: Grade." in page.content.decode() and not in_force()
    assert staff.post(STAFF, {"document": DOCUMENT, "sure": "yes"}).status_code == 302 and in_force()
    assert "Near Mint, Lightly Played" in staff.get("/staff/attributes/").content.decode()

    world = World()
    variants = tuple(ShopVariant(f"w{n}", f"W{n}", word, Money(500, "USD"), 3) for n, word in enumerate(("NM", "LP")))
    import_products.receive_products(
        connection_id=world.shop.pk,
        products=[ShopProduct("q1", "Ember Moth", variants, tags=("Holo",))],
        read_no=counts.draw_read_no(),
        now=world.now,
    )
    seller = signed_in(world.seller.owner)
    assert "such as Game, Set, Card number. A rule" in seller.get(RULES).content.decode()
    assert "Holo" in seller.get(RULES).content.decode(), "what the shop says is listed"
    rule = {"source": "option", "name": "", "word": "", "attribute": "condition", "value": ""}
    page = seller.post(RULES, {**rule, "word": "NM"})
    assert page.status_code == 422 and "Choose the value" in page.content.decode()
    page = seller.post(RULES, rule).content.decode()
    assert "It changes 1 of 2 listings" in page and "Condition: Lightly Played, Near Mint" in page
    assert not FillRule.objects.exists()
    page = seller.post(RULES, {**rule, "sure": "yes"}, follow=True).content.decode()
    assert "1 listing changed at once" in page

    listing = Listing.objects.get(shop_product_id="q1")
    assert "Lightly Played, Near Mint" in seller.get(f"/seller/listings/{listing.public_id}/").content.decode()
    address = f"/seller/listings/{listing.public_id}/attributes/"
    assert "By your rules: Lightly Played, Near Mint" in seller.get(address).content.decode()
    page = seller.post(address, {"grade": "mint"})
    assert page.status_code == 422 and "is not a number" in page.content.decode()
    assert seller.post(address, {"category": "graded", "grade": "9,5", "set": "Night <b>bloom"}).status_code == 302
    listing.refresh_from_db()
    page = Client().get(f"/l/{listing.public_id}/").content.decode()
    for words in ("<dt>Grade</dt><dd>9.5</dd>", "Night &lt;b&gt;bloom"):
        assert words in page
    assert "Near Mint" not in page, "graded cards have no condition"
    _, secret = make_token(name="t", seller=world.seller, actor=world.seller.owner, now=world.now)
    answer = Client(headers={"Authorization": f"Bearer {secret}"}).get(f"/api/v1/listings/{listing.public_id}").json()
    assert (answer["category"], answer["attributes"]) == ("graded", {"grade": ["9.5"], "set": ["Night <b>bloom"]})

    (row,) = FillRule.objects.all()
    other = signed_in(World().seller.owner)
    assert other.post(f"{RULES}{row.pk}/remove/").status_code == 404
    assert seller.post(f"{RULES}{row.pk}/remove/").status_code == 302 and not FillRule.objects.exists()


def test_the_command_prints_tries_and_defines(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossdock.cli import main

    monkeypatch.setattr("crossdock.cli.database.ready", lambda: None)
    admin = user(is_staff=True, roles="admin")
    assert main.main(["attributes", "--example"]) == 0
    file = tmp_path / "cards.json"
    file.write_text(capsys.readouterr().out, "utf-8")
    assert main.main(["attributes", str(file)]) == 1 and "--by" in capsys.readouterr().err
    assert main.main(["attributes", str(file), "--dry"]) == 0 and not in_force()
    assert main.main(["attributes", str(file), "--by", admin.email]) == 0
    assert "In force." in capsys.readouterr().out and in_force()
    assert main.main(["attributes"]) == 0 and json.loads(capsys.readouterr().out) == json.loads(DOCUMENT)
    file.write_text("[", "utf-8")
    assert main.main(["attributes", str(file), "--dry"]) == 1 and "is no JSON" in capsys.readouterr().err
