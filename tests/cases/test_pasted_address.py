"""What real WooCommerce does: a pasted page's address was diagnosed as plain permalinks, a firewall's page as no
WordPress, prices kept without tax were listed below what the shop shows, and deleting for good told nobody.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.sandbox import Sandbox
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done, Refused, Unknown, Why
from crossdock.domain.events import Count
from crossdock.kit.check import check
from crossdock.kit.conformance.bent import bent
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Http, Proof, Reply
from crossdock.kit.errors import Challenged, Throttled, outcome_of
from crossdock.store.models import Alert, Listing, Order, ShopCopy, Variant
from crossdock.usecases.checkout.confirm_stock import Question, judged
from crossdock.usecases.shops.old_copies import want_old_copies
from crossdock.usecases.stock.counts import draw_read_no
from market import World


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as made:
        yield made


def books(stage: Stage) -> Any:
    return stage.sandbox.books  # type: ignore[attr-defined]


async def prove(stage: Stage, path: str = "") -> Proof:
    return await connector.prove(replace(stage.shop, address=stage.shop.address + path))


async def test_a_page_s_address_is_answered_with_the_shop_s(stage: Stage) -> None:
    for page in ("/shop", "/about-us"):
        (line,) = (await prove(stage, page)).checks
        assert not line.ok
        assert "is a page of your shop" in line.sentence
        assert line.sentence.endswith(f"type the shop's address: {stage.shop.address}")
        assert "permalinks" not in line.sentence


async def test_plain_permalinks_are_still_called_that(stage: Stage) -> None:
    books(stage).set(pretty=False)
    (line,) = (await prove(stage)).checks
    assert "plain permalinks" in line.sentence


async def test_a_challenge_page_is_named_as_what_it_is(stage: Stage) -> None:
    books(stage).set(challenge=True)
    with pytest.raises(Challenged, match="in front of your shop"):
        await prove(stage)
    with pytest.raises(Challenged, match="in front of your shop"):
        await connector.products(stage.shop, "")


def test_only_a_page_can_be_a_challenge() -> None:
    data = Reply(200, {"content-type": "application/json"}, b'{"title": "Just a moment"}')
    assert check(data) is data
    page = Reply(200, {"content-type": "text/html"}, b"<title>Welcome</title>")
    assert check(page) is page
    challenge = b"<script src=/cdn-cgi/challenge-platform/x>"
    for status in (200, 520, 524):
        with pytest.raises(Challenged) as caught:
            check(Reply(status, {"content-type": "text/html"}, challenge))
        assert isinstance(outcome_of(caught.value), Unknown), "an order may have been created behind it"
    with pytest.raises(Throttled):
        check(Reply(403, {"content-type": "text/html"}, challenge))


@pytest.mark.parametrize(
    ("taxes", "included", "display", "well"),
    [
        (True, False, "incl", False),
        (True, False, "excl", True),
        (True, True, "incl", True),
        (True, True, "excl", True),
        (False, False, "incl", True),
    ],
)
async def test_prices_that_the_shop_shows_higher_are_refused_with_words(
    stage: Stage, taxes: bool, included: bool, display: str, well: bool
) -> None:
    books(stage).set(taxes=taxes, prices_include_tax=included, tax_display=display)
    line = next(line for line in (await prove(stage)).checks if line.title == "Taxes")
    assert line.ok is well
    said = "tax lines of 0" if well else "without tax and shows them with tax"
    assert said in line.sentence


async def test_another_way_of_entering_prices_is_another_meaning_of_them(stage: Stage) -> None:
    before = await prove(stage)
    books(stage).set(taxes=True, prices_include_tax=False, tax_display="excl")
    after = await prove(stage)
    assert before.settings["prices"] != after.settings["prices"]


async def test_deleting_for_good_tells_nobody(stage: Stage) -> None:
    told: list[str] = []
    books(stage)._tell = lambda kind, topic, doc: told.append(topic)
    (ref,), (other,) = await stage.product(5), await stage.product(5)
    told.clear()
    books(stage).bin_product(books(stage).product(ref.product_id), force=True)
    assert told == []
    books(stage).bin_product(books(stage).product(other.product_id), force=False)
    assert told == ["product.deleted"]


@pytest.mark.django_db
def test_a_count_that_the_shop_no_longer_knows_marks_the_listing_gone_at_checkout() -> None:
    world = World(units=5)
    intent = world.hold()
    question = Question(intent, world.shop.pk, draw_read_no(), (("p1", "v1"),))
    verdict = judged(intent_id=intent, answers=[(question, [])], now=world.later())
    assert not verdict.go
    assert Variant.objects.get().gone
    assert Listing.objects.get().gone_in_shop
    assert Alert.objects.get(code=AlertCode.PRODUCT_DELETED).listing == Listing.objects.get()


@pytest.mark.django_db
def test_a_count_that_came_marks_nothing() -> None:
    world = World(units=5)
    intent = world.hold()
    question = Question(intent, world.shop.pk, draw_read_no(), (("p1", "v1"),))
    assert judged(intent_id=intent, answers=[(question, [Count("v1", 5)])], now=world.later()).go
    assert not Listing.objects.get().gone_in_shop


@pytest.mark.django_db
def test_a_refused_order_marks_what_the_shop_does_not_know() -> None:
    world = World(units=5)
    world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, Refused(Why.PRODUCT_GONE, "Your shop has no Ember Fox any more.", ("v1",)))
    assert Listing.objects.get().gone_in_shop
    assert Alert.objects.filter(code=AlertCode.PRODUCT_DELETED).count() == 1


@pytest.mark.django_db
def test_open_orders_without_news_are_asked_for() -> None:
    world = World(units=5)
    order, shipped = world.buy(), world.buy()
    for shop_id, claimed in zip(("s1", "s2"), world.claim(), strict=True):
        world.settle(claimed, Done(shop_id, stock_taken=True))
    ShopCopy.objects.update(read_wanted=False, read_at=world.now, state="equal")
    Order.objects.filter(pk=shipped.pk).update(parcels="shipped")
    assert want_old_copies(connection_id=world.shop.pk, now=world.now + timedelta(hours=5)) == 0
    assert want_old_copies(connection_id=world.shop.pk, now=world.now + timedelta(hours=7)) == 1
    assert ShopCopy.objects.get(read_wanted=True).order == order


class Silent:
    """A security plugin answers the index's other address with a page."""

    def __init__(self, inner: Http) -> None:
        self.inner, self.learn = inner, inner.learn

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        if "rest_route" in url:
            return Reply(404, {"content-type": "text/html"}, b"<!doctype html><title>Not here</title>")
        return await self.inner.send(method, url, **rest)


async def test_where_the_index_is_hidden_the_page_s_own_header_names_the_shop(stage: Stage) -> None:
    shop = replace(stage.shop, address=stage.shop.address + "/shop", http=Silent(stage.shop.http))
    (line,) = (await connector.prove(shop)).checks
    assert not line.ok
    assert line.sentence.endswith(f"type the shop's address: {stage.shop.address}")


@pytest.mark.parametrize("value", [None, 7, ["a", "b"], {"a": 1}, True], ids=repr)
async def test_a_setting_of_a_plugin_stops_neither_the_test_nor_the_hourly_look(stage: Stage, value: Any) -> None:
    """Plugins add rows of their own to the pages of settings (`woocommerce_get_settings_tax`)."""

    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        return [{"id": "roles_exempt", "value": value}, {"value": value}, *document] if "/settings/tax" in url else None

    shop = bent(stage.shop, bend)
    assert (await connector.prove(shop)).settings == (await connector.prove(stage.shop)).settings
    assert (await connector.look(shop)).settings == (await connector.look(stage.shop)).settings


@pytest.mark.parametrize("home", ["http://[", "javascript:alert(1)", 7, None, "shop", "https://"], ids=repr)
async def test_an_odd_home_is_no_address(stage: Stage, home: Any) -> None:
    def bend(method: str, url: str, document: Any, _: Any) -> Any:
        return {**document, "home": home} if "rest_route" in url else None

    shop = bent(replace(stage.shop, address=stage.shop.address + "/about-us"), bend)
    (line,) = (await connector.prove(shop)).checks
    assert not line.ok
    assert f"address: {home}" not in line.sentence
