"""The seller's pages about stock: reconciling, the flight recorder with its chart and CSV, limits, locations; each
through the forms that the page shows.
"""

import re
from typing import Any

import pytest
from django.test import Client
from tests.usecases.stock.test_recount import run, world  # noqa: F401 - a fixture

from crossdock.domain.recount import Decision
from crossdock.store.models import Command, Connection, Difference, Movement, Recount, VariantStock
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.stock import counts, limits
from crossdock.usecases.stock.confirm import confirm_count
from crossdock.usecases.stock.limits import Limits, choose_settings, set_limits
from crossdock.web.seller.recorder import chart_of
from market import World
from toyshop import dropped_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def seller(world: World) -> Any:  # noqa: F811
    client = Client()
    client.force_login(world.seller.owner)
    with dropped_in():
        yield client


def page(client: Client, url: str) -> str:
    answer = client.get(url, follow=True)
    assert answer.status_code == 200, url
    return str(answer.content.decode())


def stock_url(world: World, tail: str = "") -> str:  # noqa: F811
    return f"/seller/shops/{world.shop.public_id}/stock/{tail}"


def recorder_url(world: World, tail: str = "") -> str:  # noqa: F811
    return f"/seller/listings/{world.variant.listing.public_id}/stock/{world.variant.public_id}/{tail}"


class TestReconciling:
    def test_empty_then_asked_for_then_a_difference_with_its_cause(self, seller: Client, world: World) -> None:  # noqa: F811
        assert "Both sides agree" in page(seller, stock_url(world))
        seller.post(stock_url(world, "compare/"))
        assert "Comparing." in page(seller, stock_url(world))
        world.units = 2
        run(world)
        shown = page(seller, stock_url(world))
        assert "Changed in the shop" in shown
        assert "(-3)" in shown
        assert "asked by" in shown
        assert Recount.objects.get().finished_at

    @pytest.mark.parametrize("word", ["shop", "aside", "ours"])
    def test_one_button(self, seller: Client, world: World, word: str) -> None:  # noqa: F811
        world.units = 2
        run(world)
        row = Difference.objects.get()
        for _ in range(2):
            seller.post(stock_url(world, "decide/"), {"one": f"{row.pk}:{word}"})
        row.refresh_from_db()
        assert row.decision == word
        assert row.decided_by == world.seller.owner
        assert world.available == (0 if word == "aside" else 2)
        sent = Command.objects.filter(kind="adjust_stock")
        assert [command.payload["delta"] for command in sent] == ([3] if word == "ours" else [])
        assert "Both sides agree" in page(seller, stock_url(world))
        assert world.seller.owner.email in page(seller, stock_url(world) + "?show=decided")

    def test_set_aside_stays_through_reads_until_the_seller_confirms(self, seller: Client, world: World) -> None:  # noqa: F811
        world.units = 2
        run(world)
        seller.post(stock_url(world, "decide/"), {"one": f"{Difference.objects.get().pk}:aside"})
        world.read()
        assert world.available == 0
        assert "reconciled" in page(seller, f"/seller/listings/{world.variant.listing.public_id}/")
        assert world.variant.listing.title in page(seller, "/seller/listings/?show=aside")
        confirm_count(variant=world.variant, count=None, actor=world.seller.owner, now=world.later())
        world.read()
        assert world.available == 2

    def test_many_after_a_preview_and_what_cannot_be_done_is_said(self, seller: Client, world: World) -> None:  # noqa: F811
        world.units = 2
        run(world)
        row = Difference.objects.get()
        preview = seller.post(stock_url(world, "decide/"), {"many": "ours", "pick": [row.pk]}).content.decode()
        assert "is corrected from 2 to 5" in preview
        assert not Difference.objects.get().decision
        world.units = 1
        world.read()
        answer = seller.post(
            stock_url(world, "decide/"), {"many": "ours", "pick": [row.pk], "sure": "yes"}, follow=True
        )
        assert "Your shop counts 1 now" in answer.content.decode()
        assert not Command.objects.filter(kind="adjust_stock").exists()
        assert not Difference.objects.get().decision

    def test_nothing_ticked(self, seller: Client, world: World) -> None:  # noqa: F811
        assert (
            "Tick the differences first"
            in seller.post(stock_url(world, "decide/"), {"many": "shop"}, follow=True).content.decode()
        )

    def test_only_their_own(self, seller: Client, world: World) -> None:  # noqa: F811
        world.units = 1
        run(world)
        other = World()
        assert seller.get(stock_url(other)).status_code == 404
        stranger = Client()
        stranger.force_login(other.seller.owner)
        assert (
            stranger.post(
                stock_url(world, "decide/"), {"one": f"{Difference.objects.get().pk}:{Decision.SHOP}"}
            ).status_code
            == 404
        )


class TestRecorder:
    def test_every_line_with_what_brought_it_and_a_chart(self, seller: Client, world: World) -> None:  # noqa: F811
        order = world.buy(2)
        (create,) = world.claim()
        world.settle(create, world.create_there(order))
        world.read()
        shown = page(seller, recorder_url(world))
        assert f"our command no. {create.id}" in shown
        assert "5 → 3" in shown
        assert re.search(r'<path class="here" d="M[\d.]+ [\d.]+(H[\d.]+V[\d.]+)+"', shown)
        sold = page(seller, recorder_url(world) + "?kind=sold")
        assert "Sold here" in sold
        assert "Count read from the shop" not in sold

    def test_csv_is_a_table_that_no_spreadsheet_runs(self, seller: Client, world: World) -> None:  # noqa: F811
        Movement.objects.create(variant=world.variant, at=world.now, kind="edited", cause="=cmd|calc", quantity=-2)
        text = seller.get(recorder_url(world, "export.csv")).getvalue().decode("utf-8-sig")
        assert "'=cmd|calc" in text
        assert ",-2," in text
        assert text.startswith("at,movement,cause,event,order,who,units,shop_count_before")

    def test_pages(self, seller: Client, world: World) -> None:  # noqa: F811
        for number in range(60):
            Movement.objects.create(
                variant=world.variant, at=world.now, kind="edited", cause=f"nr {number}", left=number
            )
        shown = page(seller, recorder_url(world))
        assert "More movements" in shown
        following = re.search(r'rel="next" href="([^"]+)"', shown)
        assert following
        assert "nr 2<" in page(seller, recorder_url(world) + following[1].replace("&amp;", "&"))

    def test_no_chart_of_nothing(self) -> None:
        assert chart_of([]) is None


class TestLimits:
    def test_of_one_listing(self, seller: Client, world: World) -> None:  # noqa: F811
        url = f"/seller/listings/limits/?listing={world.variant.listing.public_id}"
        assert "Limits of this listing" in page(seller, url)
        seller.post(url, {"listing": world.variant.listing.public_id, "buffer": "1", "floor": "3", "most": "2"})
        assert world.available == 2
        VariantStock.objects.update(most_shown=None)
        assert world.available == 4
        world.units = 2
        world.read()
        assert world.available == 0
        assert Movement.objects.filter(kind="limits", actor=world.seller.owner).exists()

    def test_of_many_after_a_preview(self, seller: Client, world: World) -> None:  # noqa: F811
        form = {"shop": world.shop.public_id, "q": "ember", "buffer": "2", "floor": "", "most": ""}
        assert "Set the limits of 1 listing" in seller.post("/seller/listings/limits/", form).content.decode()
        assert world.available == 5
        seller.post("/seller/listings/limits/", {**form, "sure": "1"})
        assert world.available == 3

    def test_of_a_strangers_listing(self, world: World) -> None:  # noqa: F811
        with pytest.raises(NotAllowed):
            set_limits(listings=[world.variant.listing], limits=Limits(1), actor=World().seller.owner, now=world.now)
        with pytest.raises(Invalid):
            set_limits(listings=[], limits=Limits(-1), actor=world.seller.owner, now=world.now)


class TestShopSettings:
    def test_the_form(self, seller: Client, world: World) -> None:  # noqa: F811
        Connection.objects.filter(pk=world.shop.pk).update(
            settings={"location_names": [["1", "Home"], ["2", "Attic"], ["3", "Cellar"]]}
        )
        form = {"buffer": "1", "floor": "2", "most_shown": "3", "no_answer": "hold", "location": ["1", "3"]}
        seller.post(f"/seller/shops/{world.shop.public_id}/settings/", form)
        shop = Connection.objects.get(pk=world.shop.pk)
        assert (shop.buffer, shop.floor, shop.most_shown, shop.no_answer) == (1, 2, 3, "hold")
        assert shop.settings["location"] == "1,3"
        assert 'value="3" id="id_location_2" checked' in page(seller, f"/seller/shops/{world.shop.public_id}/")

    def test_other_locations_stop_the_old_count_from_selling_until_it_is_read(self, world: World) -> None:  # noqa: F811
        Connection.objects.filter(pk=world.shop.pk).update(settings={"location_names": [["1", "Home"], ["2", "Attic"]]})
        world.shop.refresh_from_db()
        old = world.start_read()
        choose_settings(
            connection=world.shop, buffer=0, settings={"location": "2"}, actor=world.seller.owner, now=world.later()
        )
        assert world.available == 0
        world.apply(old)
        assert world.available == 0, "a read that was drawn under the old choice lifts nothing"
        asked = counts.counts_wanted(connection_id=world.shop.pk, limit=10, now=world.later())
        assert asked and asked.refs == (("p1", "v1"),)
        world.read()
        assert world.available == 5
        with pytest.raises(Invalid, match="no such location"):
            choose_settings(
                connection=world.shop, buffer=0, settings={"location": "9"}, actor=world.seller.owner, now=world.now
            )

    def test_the_test_of_the_connection_keeps_the_locations_of_today(self, world: World) -> None:  # noqa: F811
        limits.keep_locations(connection=world.shop, locations=[("1", "Home"), ("2", "New")])
        assert Connection.objects.get(pk=world.shop.pk).settings["location_names"] == [["1", "Home"], ["2", "New"]]
