"""The product feed: what is for sale, by the protocol's own schema, in a fixed number of statements a batch."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agent import Agent, wrong
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Listing, Seller, Variant, VariantStock
from crossdock.usecases.catalogue import feed
from crossdock.usecases.catalogue.listings import make_listing
from market import World

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS = True


@pytest.fixture
def world() -> World:
    return World(units=3, now=datetime.now(UTC))


def products(agent: Agent) -> list[dict[str, Any]]:
    answer = agent.get("/feed/products.jsonl")
    assert answer.status_code == 200 and answer.streaming
    rows = [json.loads(line) for line in answer.getvalue().decode("ascii").splitlines()]
    assert [problem for row in rows for problem in wrong("feed", "Product", row)] == []
    return rows


def by_hand(world: World, title: str, *, price: Money | None = None, count: int = 1) -> Listing:
    return make_listing(
        seller=world.seller,
        title=title,
        description="",
        price=price or Money(1000, "USD"),
        count=count,
        now=world.now,
    )


def available(agent: Agent, variant: Variant) -> dict[str, Any]:
    (said,) = [row for product in products(agent) for row in product["variants"] if row["id"] == variant.public_id]
    found: dict[str, Any] = said["availability"]
    return found


def test_metadata_names_the_feed_and_when_it_was_made() -> None:
    said = Agent().get("/feed/metadata.json").json()
    assert wrong("feed", "FeedMetadata", said) == [] and said["id"].startswith("http")
    assert datetime.now(UTC) - datetime.fromisoformat(said["updated_at"]) < timedelta(minutes=1)


def test_a_product_names_its_seller_its_offers_and_their_prices(world: World) -> None:
    Variant.objects.filter(pk=world.variant.pk).update(
        barcode="4006381333931", options=[["Size", "M"], ["", "odd"]], image="/media/a b.png", sku="secret-sku"
    )
    listing = world.variant.listing
    Listing.objects.filter(pk=listing.pk).update(images=["/media/fox.png", "ftp://x/y"], description="A fox.\u2028Red.")
    (said,) = products(Agent())
    (variant,) = said["variants"]
    assert (said["id"], variant["id"]) == (listing.public_id, world.variant.public_id)
    assert variant["price"] == {"amount": 1000, "currency": "USD"}
    assert variant["availability"] == {"available": True, "status": "in_stock"}
    assert variant["seller"] == {"name": world.seller.name} and variant["marketplace"]["name"]
    assert variant["barcodes"] == [{"type": "GTIN", "value": "04006381333931"}]
    assert variant["variant_options"] == [{"name": "Size", "value": "M"}] and "media" not in variant
    assert [one["url"].rpartition("/")[2] for one in said["media"]] == ["fox.png"]
    assert said["url"].endswith(f"/l/{listing.public_id}/") and said["description"]["plain"].startswith("A fox.")
    for private in ("secret-sku", f"{world.shop.address}/", world.seller.owner.email, "p1", '"3"'):
        assert private not in json.dumps(said), private


def test_prices_are_whole_minor_units_of_their_currency(world: World) -> None:
    by_hand(world, "Yen", price=Money(1200, "JPY"))
    by_hand(world, "Dinar", price=Money(12345, "KWD"))
    prices = {row["title"]: row["variants"][0]["price"] for row in products(Agent())}
    assert prices["Yen"] == {"amount": 1200, "currency": "JPY"}
    assert prices["Dinar"] == {"amount": 12345, "currency": "KWD"}


def test_what_is_sold_out_says_so_and_what_nobody_knows_is_not_called_sold_out(world: World) -> None:
    agent = Agent()
    VariantStock.objects.filter(variant=world.variant).update(count=0)
    assert available(agent, world.variant) == {"available": False, "status": "out_of_stock"}
    VariantStock.objects.filter(variant=world.variant).update(count=None)
    assert available(agent, world.variant) == {"available": False, "status": "unknown"}
    VariantStock.objects.filter(variant=world.variant).update(count=3)
    # A count that nobody confirmed for so long is not believed at checkout, and not here.
    Connection.objects.update(last_read_at=datetime.now(UTC) - timedelta(days=2))
    assert available(agent, world.variant) == {"available": False, "status": "unknown"}
    Connection.objects.update(last_read_at=datetime.now(UTC), settings={"money_changed": "EUR"})
    assert available(agent, world.variant) == {"available": False, "status": "unknown"}


def test_what_buyers_do_not_find_is_not_in_it(world: World) -> None:
    agent = Agent()
    for change in ({"state": "archived"}, {"state": "taken_down"}, {"active_in_shop": False}, {"gone_in_shop": True}):
        before = Listing.objects.filter(pk=world.variant.listing_id).values(*change).get()
        Listing.objects.filter(pk=world.variant.listing_id).update(**change)
        assert products(agent) == [], change
        Listing.objects.filter(pk=world.variant.listing_id).update(**before)
    Connection.objects.update(state="paused")
    assert products(agent) == []
    Connection.objects.update(state="active")
    Variant.objects.update(gone=True)
    assert products(agent) == []
    Variant.objects.update(gone=False)
    assert len(products(agent)) == 1
    ago = datetime.now(UTC) - timedelta(hours=1)
    Seller.objects.update(away_mode="pause", away_from=ago, away_since=ago)
    assert products(agent) == []


def test_each_batch_is_a_fixed_number_of_statements_and_nothing_is_lost_or_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "AT_ONCE", 3)
    made = [by_hand(world, f"Owl {number}").public_id for number in range(6)]
    agent = Agent()
    agent.get("/feed/metadata.json")
    with CaptureQueriesContext(connection) as asked:
        found = [row["id"] for row in products(agent)]
    assert found == [world.variant.listing.public_id, *made]
    # The token, the attributes, three batches of four with something in them, the last of which is not full; and the
    # look that finds no more.
    assert len(asked) == 2 + 3 * 4 + 1
