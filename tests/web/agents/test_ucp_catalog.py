"""The catalog of the Universal Commerce Protocol: what is found, by its own schemas, and never more than is known."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.store.models import Listing, Variant, VariantStock
from crossdock.web.agents.ucp import profiles
from market import World
from ucp_agent import Host, UcpAgent, hosted, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as found:
        yield found


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS_UCP, settings.ALLOW_LOCAL_SHOPS = True, True
    profiles.forget()


@pytest.fixture
def agent(host: Host) -> UcpAgent:
    return UcpAgent(f"{host.address}/all")


@pytest.fixture
def world() -> World:
    return World(units=3, now=datetime.now(UTC))


def asked(agent: UcpAgent, which: str, body: Any) -> dict[str, Any]:
    answer = agent.post(f"/catalog/{which}", body)
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    assert wrong(which, said) == []
    return said


def refused(agent: UcpAgent, which: str, body: Any) -> tuple[int, str]:
    answer = agent.post(f"/catalog/{which}", body)
    return answer.status_code, answer.json()["code"]


def another(world: World, **change: Any) -> Variant:
    """Of the same listing."""
    made = Variant.objects.get(pk=world.variant.pk)
    made.pk, made.public_id, made.shop_variant_id = (
        None,
        f"x{Variant.objects.count()}",
        f"other-{Variant.objects.count()}",
    )
    for name, value in change.items():
        setattr(made, name, value)
    made._state.adding = True
    made.save()
    return made


def test_a_search_names_offers_sellers_and_what_is_known_of_their_stock(world: World, agent: UcpAgent) -> None:
    (found,) = asked(agent, "search", {"query": "ember"})["products"]
    (variant,) = found["variants"]
    assert found["id"] == world.variant.listing.public_id and variant["id"] == world.variant.public_id
    assert variant["price"] == {"amount": 1000, "currency": "USD"} == found["price_range"]["min"]
    assert variant["availability"] == {"available": True, "status": "in_stock"}
    assert variant["seller"]["name"] == world.seller.name
    assert variant["seller"]["links"][0]["url"].endswith(f"/s/{world.seller.slug}/")
    VariantStock.objects.update(count=None)
    (found,) = asked(agent, "search", {"query": "ember"})["products"]
    assert found["variants"][0]["availability"] == {"available": False, "status": "unknown"}
    assert asked(agent, "search", {"query": "nothing like it"})["products"] == []
    similar = asked(agent, "search", {"query": "embre"})
    assert [one["code"] for one in similar["messages"]] == (["similar"] if similar["products"] else [])


def test_a_search_is_paged_and_narrowed(agent: UcpAgent) -> None:
    worlds = [World(units=3, now=datetime.now(UTC)) for _ in range(3)]
    Variant.objects.filter(pk=worlds[0].variant.pk).update(price_minor=5000)
    Listing.objects.filter(pk=worlds[0].variant.listing_id).update(lowest_minor=5000)
    first = asked(agent, "search", {"query": "ember", "pagination": {"limit": 2}})
    assert len(first["products"]) == 2 and first["pagination"]["has_next_page"]
    page = {"limit": 2, "cursor": first["pagination"]["cursor"]}
    last = asked(agent, "search", {"query": "ember", "pagination": page})
    assert len(last["products"]) == 1 and last["pagination"] == {"has_next_page": False}
    dear = {"filters": {"price": {"min": 2000}}, "context": {"currency": "USD"}}
    (only,) = asked(agent, "search", dear)["products"]
    assert only["id"] == worlds[0].variant.listing.public_id
    of_nothing = asked(agent, "search", {"query": "ember", "filters": {"price": {"min": 2000}}})
    assert len(of_nothing["products"]) == 3 and of_nothing["messages"][0]["code"] == "price_filter_ignored"
    assert asked(agent, "search", {"filters": {"categories": ["No such"]}})["products"] == []
    for body in ({}, {"query": " "}, {"query": 1}, {"query": "x", "pagination": {"limit": 0}}, "{"):
        assert refused(agent, "search", body)[0] == 400, body


def test_a_lookup_says_which_id_led_to_what(world: World, agent: UcpAgent) -> None:
    other = World(units=3, now=datetime.now(UTC))
    listing = world.variant.listing.public_id
    ids = [world.variant.public_id, listing, listing, "nothing", other.variant.listing.public_id]
    said = asked(agent, "lookup", {"ids": ids})
    by_id = {one["id"]: one["variants"][0]["inputs"] for one in said["products"]}
    assert by_id[listing] == [{"id": world.variant.public_id, "match": "exact"}, {"id": listing, "match": "featured"}]
    assert by_id[other.variant.listing.public_id] == [{"id": other.variant.listing.public_id, "match": "featured"}]
    assert [(one["code"], one["path"]) for one in said["messages"]] == [("not_found", "$.ids[3]")]
    dear = {"ids": [listing], "filters": {"price": {"min": 2000}}, "context": {"currency": "USD"}}
    assert asked(agent, "lookup", dear)["products"] == []
    Listing.objects.filter(public_id=listing).update(state="archived")
    assert asked(agent, "lookup", {"ids": [listing]})["products"] == []
    assert refused(agent, "lookup", {"ids": [f"x{n}" for n in range(51)]}) == (400, "request_too_large")
    assert refused(agent, "lookup", {"ids": []})[0] == 400


def test_a_product_says_what_can_still_be_chosen(world: World, agent: UcpAgent) -> None:
    listing = world.variant.listing
    Variant.objects.filter(pk=world.variant.pk).update(options=[["Color", "Red"], ["Size", "M"]])
    blue = another(world, options=[["Color", "Blue"], ["Size", "L"]], price_minor=1500)
    said = asked(agent, "product", {"id": listing.public_id})["product"]
    assert said["selected"] == [{"name": "Color", "label": "Red"}, {"name": "Size", "label": "M"}]
    assert [one["id"] for one in said["variants"]] == [world.variant.public_id]
    color, size = ({one["label"]: one for one in each["values"]} for each in said["options"])
    assert color["Red"] == {"label": "Red", "available": True, "exists": True}
    assert (color["Blue"]["exists"], size["L"]["exists"]) == (False, False)
    by_color = {"id": listing.public_id, "selected": [{"name": "Color", "label": "Blue"}]}
    said = asked(agent, "product", by_color)["product"]
    assert [one["id"] for one in said["variants"]] == [blue.public_id]
    # Both do not go together: what is preferred stays.
    both = {**by_color, "selected": [*by_color["selected"], {"name": "Size", "label": "M"}]}
    for preferences, left in ((["Size", "Color"], "Size"), (["Color"], "Color"), ([], "Color")):
        said = asked(agent, "product", {**both, "preferences": preferences})["product"]
        assert [one["name"] for one in said["selected"]] == [left], preferences
    said = asked(agent, "product", {**both, "id": blue.public_id})["product"]
    assert said["variants"][0]["id"] == blue.public_id and said["selected"][0]["label"] == "Blue"
    answer = agent.post("/catalog/product", {"id": "nothing"})
    assert answer.status_code == 200 and wrong("error", answer.json()) == []
    assert answer.json()["messages"][0]["code"] == "not_found"


def test_asked_in_as_many_statements_for_many_as_for_one(agent: UcpAgent) -> None:
    counts = []
    for _ in range(2):
        World(units=3, now=datetime.now(UTC))
        asked(agent, "search", {"query": "ember"})
        with CaptureQueriesContext(connection) as found:
            asked(agent, "search", {"query": "ember"})
        counts.append(len(found))
    assert counts[0] == counts[1] <= 8, counts
