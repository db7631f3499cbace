"""The demo world: cards that are always the same, pictures that are safe to show, and a world that is filled once
however often it is asked for.
"""

import asyncio
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from crossdock.demo import world
from crossdock.demo.cards import PER_SHOP, of_set
from crossdock.demo.pictures import KINDS, PALETTES, draw
from crossdock.kit import discover
from crossdock.kit.remote_hand import RemoteHand
from crossdock.kit.sandbox import Shelf
from crossdock.store.models import Connection, Listing, Seller, User
from crossdock_lab.patience import patient


def test_a_set_is_the_same_on_every_machine_and_has_what_the_demo_needs() -> None:
    cards = of_set("Hollow Tide", "HT", number=0)
    assert cards == of_set("Hollow Tide", "HT", number=0)
    assert len(cards) == PER_SHOP
    skus = [sku for card in cards for sku, _, _ in card.variants]
    assert len(set(skus)) == len(skus)
    counts = [units for card in cards for _, _, units in card.variants]
    assert 0 in counts
    assert 1 in counts
    assert any(len(card.variants) == 2 for card in cards)
    assert any(not card.title.isascii() for card in cards)
    assert not {card.title for card in cards} & {card.title for card in of_set("Nightbloom", "NB", number=2)}


@pytest.mark.parametrize("element", sorted(PALETTES))
def test_every_creature_can_be_drawn(element: str) -> None:
    for kind in KINDS:
        picture = draw(f"{element}-{kind}-7")
        assert picture == draw(f"{element}-{kind}-7")
        root = ET.fromstring(picture)
        assert root.get("aria-label") == f"{element.capitalize()} {kind.capitalize()}"
        assert not [tag for tag in root.iter() if tag.tag.endswith(("script", "foreignObject", "image", "a"))]


@pytest.mark.parametrize("seed", ["x", "no-such-thing-9", "_", "a" * 80, "-", "ember-fox-"])
def test_any_word_gives_a_picture(seed: str) -> None:
    assert ET.fromstring(draw(seed)).tag.endswith("svg")


def test_a_picture_is_served_as_one() -> None:
    answer = Client().get("/demo/card/ember-fox-3.svg")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert Client().get("/demo/card/<script>.svg").status_code == 404


class Street:
    """Simulated shops on a loop of their own, as another process would have them."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.shops: list[dict[str, Any]] = []
        self.opened: list[Any] = []
        for name in sorted(discover.connectors()):
            shop = discover.sandbox(name)(Shelf())
            asyncio.run_coroutine_threadsafe(shop.start(), self.loop).result(patient(20))
            self.opened.append(shop)
            way, form = shop.seller_form()
            self.shops.append({"platform": name, "address": shop.address, "way": way, "form": form})

    def close(self) -> None:
        for shop in self.opened:
            asyncio.run_coroutine_threadsafe(shop.stop(), self.loop).result(patient(20))
            shop.shelf.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(patient(10))
        self.loop.close()


@pytest.fixture
def street() -> Iterator[Street]:
    opened = Street()
    yield opened
    opened.close()


async def _skus(address: str) -> list[str]:
    async with RemoteHand(address) as hand:
        return [item.sku for item in await hand.products()]


@pytest.mark.django_db(transaction=True)
def test_the_world_is_filled_once(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "IMPORT_SECONDS", 0)
    printed = "\n".join(world.ensure(shops=street.shops))
    assert all(email in printed for email in ("maren@demo.test", "zoe@demo.test", "staff@demo.test", world.PASSWORD))
    before = [model.objects.count() for model in (User, Seller, Connection, Listing)]
    stocked = [sorted(asyncio.run(_skus(shop["address"]))) for shop in street.shops]
    list(world.ensure(shops=street.shops))
    assert [model.objects.count() for model in (User, Seller, Connection, Listing)] == before
    assert [sorted(asyncio.run(_skus(shop["address"]))) for shop in street.shops] == stocked
    assert Connection.objects.count() == min(len(street.shops), len(world.SELLERS))
    assert all(
        {card.variants[0][0] for card in of_set(who.card_set, who.code, number=place)} <= set(stocked[place])
        for place, who in enumerate(world.SELLERS[: len(stocked)])
    )
    by_hand = Listing.objects.filter(connection=None)
    assert by_hand.count() == 6
    assert set(by_hand.values_list("currency", flat=True)) == {"USD", "JPY", "KWD"}
    assert (
        Client().login(email="zoe@demo.test", password=world.PASSWORD)
        or Client().post("/accounts/login/", {"login": "zoe@demo.test", "password": world.PASSWORD}).status_code == 302
    )
