"""Programs buy of several sellers with one request: parts in the quote, orders in the answer, and walls between the
sellers.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from tests.web.api.test_api import SHIP_TO, Program, problem_of, token_for

from crossdock.domain.values import Money
from crossdock.store.models import (
    Command,
    IdempotentReply,
    Order,
    PaymentIntent,
    Reservation,
    ShippingRate,
    ShopCopy,
    VariantStock,
)
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.offers import make_offer
from crossdock.usecases.checkout import checkout
from crossdock.usecases.shops.privacy import erase_buyer
from crossdock.web import payments
from market import World, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def worlds() -> list[World]:
    made = [World(units=9, now=datetime.now(UTC)) for _ in range(2)]
    ShippingRate.objects.filter(seller=made[1].seller).update(price_minor=250)
    return made


@pytest.fixture
def market() -> Program:
    return Program(token_for(None, user(is_staff=True)))


def quoted(worlds: list[World], market: Program, **more: Any) -> dict[str, Any]:
    lines = [{"variant": world.variant.public_id, "quantity": 1} for world in worlds]
    answer = market.post("/quotes", {"lines": lines, "country": "US", **more})
    assert answer.status_code == 200, answer.content
    return {"lines": lines, "quote": answer.json()}


def wish(worlds: list[World], market: Program) -> dict[str, Any]:
    asked = quoted(worlds, market)
    return {
        "buyer": {"email": "zoe@elsewhere.test", "name": "Zoë Müller"},
        "ship_to": SHIP_TO,
        "lines": asked["lines"],
        "fingerprint": asked["quote"]["fingerprint"],
        "payment": {"token": "works"},
    }


def amount(text: str) -> dict[str, str]:
    return {"amount": text, "currency": "USD"}


def test_the_quote_says_what_each_ships_for(worlds: list[World], market: Program) -> None:
    said = quoted(worlds, market)["quote"]
    assert [(part["seller"], part["shipping"]) for part in said["parts"]] == [
        (worlds[0].seller.slug, amount("5.00")),
        (worlds[1].seller.slug, amount("2.50")),
    ]
    assert said["shipping"] == amount("7.50") and said["total"] == amount("27.50")


def test_one_payment_and_an_order_of_each(worlds: list[World], market: Program) -> None:
    asked = wish(worlds, market)
    answer = market.post("/orders", asked, key="k")
    assert answer.status_code == 201, answer.content
    said = answer.json()
    first, second = Order.objects.order_by("pk")
    assert (said["id"], [one["id"] for one in said["others"]]) == (first.public_id, [second.public_id])
    assert said["total"] == amount("15.00") and said["others"][0]["total"] == amount("12.50")
    assert said["returned"] == [] and first.intent == second.intent
    assert market.post("/orders", asked, key="k").json() == said and Order.objects.count() == 2
    followed = market.get(f"/checkouts/{first.intent.public_id}").json()
    assert followed["order"] == first.public_id and followed["orders"] == [first.public_id, second.public_id]


def test_what_is_gone_when_the_money_comes_is_returned(
    worlds: list[World], market: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = checkout.place_order

    def late(**given: Any) -> Order:
        Reservation.objects.filter(variant=worlds[0].variant).update(state="ended", expires_at=None)
        VariantStock.objects.filter(variant=worlds[0].variant).update(count=0)
        return good(**given)

    monkeypatch.setattr(payments, "place_order", late)
    said = market.post("/orders", wish(worlds, market), key="k").json()
    order = Order.objects.get()
    assert order.seller == worlds[1].seller and said["id"] == order.public_id and said["others"] == []
    (back,) = said["returned"]
    assert (back["seller"], back["amount"]) == (worlds[0].seller.slug, amount("15.00")) and "sold" in back["sentence"]
    (refund,) = Command.objects.filter(kind="refund_payment")
    assert refund.payload["amount_minor"] == 1500


def test_accepted_offers_are_lines_among_others(worlds: list[World], market: Program) -> None:
    now = datetime.now(UTC)
    buyer = user("zoe@elsewhere.test")
    offers = []
    for world, minor in zip(worlds, (600, 700), strict=True):
        listing = make_listing(
            seller=world.seller, title="Owl", description="", price=Money(1000, "USD"), count=3, now=now
        )
        listing.accept_from_minor = 100
        listing.save()
        offers.append(
            make_offer(
                buyer=buyer,
                variant=listing.variants.get(),
                quantity=2,
                amount=Money(minor, "USD"),
                manifest=None,
                now=now,
            )
        )
    lines = [{"variant": one.variant.public_id, "quantity": 2, "offer": one.public_id} for one in offers]
    quote = market.post("/quotes", {"lines": lines, "country": "US"}).json()
    assert quote["items"] == amount("26.00") and len(quote["parts"]) == 2
    asked = {**wish(worlds, market), "lines": lines, "fingerprint": quote["fingerprint"]}
    assert market.post("/orders", asked, key="k").status_code == 201
    assert [one.state for one in type(offers[0]).objects.all()] == ["paid", "paid"]
    short = [{**lines[0], "quantity": 1}]
    assert problem_of(market.post("/quotes", {"lines": short, "country": "US"}))[0] == 422


def test_two_currencies_are_two_payments(worlds: list[World], market: Program) -> None:
    type(worlds[1].variant.listing).objects.filter(seller=worlds[1].seller).update(currency="EUR")
    lines = [{"variant": world.variant.public_id, "quantity": 1} for world in worlds]
    answer = market.post("/quotes", {"lines": lines, "country": "US"})
    assert problem_of(answer)[0] == 422 and "one by one" in answer.json()["detail"]


def test_a_seller_sees_their_own_order_of_a_payment_and_nothing_of_the_others(
    worlds: list[World], market: Program
) -> None:
    assert market.post("/orders", wish(worlds, market), key="k").status_code == 201
    first, second = Order.objects.order_by("pk")
    for mine, other, world in ((first, second, worlds[0]), (second, first, worlds[1])):
        secrets = [other.reference, f"#{other.number}", other.public_id, other.seller.name, "$27.50", "27.50"]
        program = Program(token_for(world.seller, world.seller.owner))
        panel = Client()
        panel.force_login(world.seller.owner)
        assert program.get(f"/orders/{other.public_id}").status_code == 404
        assert program.get(f"/checkouts/{mine.intent.public_id}").status_code in (403, 404)
        assert panel.get(f"/checkout/paid/{mine.intent.public_id}/").status_code == 404
        shown = [
            program.get(f"/orders/{mine.public_id}"),
            program.get("/orders"),
            panel.get(f"/seller/orders/{mine.public_id}/"),
            panel.get("/seller/orders/"),
            panel.get("/seller/"),
        ]
        for answer in shown:
            assert answer.status_code == 200
            assert not [secret for secret in secrets if secret in answer.content.decode()]


def test_staff_see_what_was_paid_together(worlds: list[World], market: Program) -> None:
    assert market.post("/orders", wish(worlds, market), key="k").status_code == 201
    first, second = Order.objects.order_by("pk")
    desk = Client()
    desk.force_login(user(name="Sam Staff", is_staff=True))
    page = desk.get(f"/staff/orders/{first.public_id}/").content.decode()
    assert "Paid together with" in page and f"#{second.number}" in page


def test_erasing_a_buyer_takes_the_kept_answer_along(worlds: list[World], market: Program) -> None:
    assert market.post("/orders", wish(worlds, market), key="k").status_code == 201
    assert IdempotentReply.objects.count() == PaymentIntent.objects.count() == 1
    second = Order.objects.order_by("pk")[1]
    ShopCopy.objects.filter(order=second).update(shop_order_id="s9")
    Order.objects.update(parcels="shipped")
    erase_buyer(connection_id=second.connection_id, shop_order_ids=["s9"], now=datetime.now(UTC))
    assert SHIP_TO["line1"] not in str([*IdempotentReply.objects.values(), *PaymentIntent.objects.values()])
