"""robots.txt and the sitemap: what is for sale is found, what is somebody's is not asked for, and nothing is said of a
demo.
"""

import re
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.http import Http404
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from tests.web.test_walls import BUYERS, ONES_OWN

from crossdock.store.models import Listing
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.catalogue import crawled
from crossdock.usecases.catalogue.taxonomy import define
from crossdock.web.storefront import crawling
from market import user
from shopper import a_listing, a_seller

pytestmark = pytest.mark.django_db
HOST = "https://market.example.com"
_NAME = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture
def public(settings: Any) -> None:
    settings.PUBLIC_URL, settings.DEMO = HOST, False


def locations(path: str) -> list[str]:
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert sorted(answer["Cache-Control"].split(", ")) == ["max-age=3600", "public"]
    return [each.text or "" for each in ElementTree.fromstring(answer.getvalue()).iter(f"{_NAME}loc")]


def disallowed(path: str) -> bool:
    """As RFC 9309 reads the file: a star is anything, and a rule is a beginning."""
    rules = re.findall(r"^Disallow: (.+)$", Client().get("/robots.txt").content.decode(), re.M)
    return any(re.match(re.escape(rule).replace(r"\*", ".*"), path) for rule in rules)


@pytest.mark.usefixtures("public")
class TestAPublicMarketplace:
    def test_the_sitemap_leads_to_what_buyers_may_see_and_to_nothing_else(self) -> None:
        seller, silent = a_seller(), a_seller("Silent")
        here = a_listing(seller, "Owl", count=5).listing
        for state in (ListingState.LEFT_OUT, ListingState.ARCHIVED):
            Listing.objects.filter(pk=a_listing(silent, "Gone", count=5).listing_id).update(state=state)
        Listing.objects.filter(pk=a_listing(silent, "Unpublished", count=5).listing_id).update(active_in_shop=False)
        number = here.pk // crawled.PART
        parts = locations("/sitemap.xml")
        assert f"{HOST}/sitemap/pages-0.xml" in parts and f"{HOST}/sitemap/listings-{number}.xml" in parts
        found = [at for part in parts for at in locations(part.removeprefix(HOST))]
        assert found == [f"{HOST}/", f"{HOST}/s/{seller.slug}/", f"{HOST}/l/{here.public_id}/"]
        changed = f"<lastmod>{here.updated_at.isoformat(timespec='seconds')}</lastmod>"
        assert changed in Client().get(f"/sitemap/listings-{number}.xml").getvalue().decode()

    def test_parts_are_ranges_of_keys_read_in_turns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seller = a_seller()
        keys = [a_listing(seller, f"Owl {number}", count=1).listing.pk for number in range(7)]
        monkeypatch.setattr(crawled, "PART", 4)
        monkeypatch.setattr(crawled, "AT_ONCE", 2)
        assert list(crawled.parts(crawled.Kind.LISTINGS)) == sorted({key // 4 for key in keys})
        found = [name for number in crawled.parts(crawled.Kind.LISTINGS) for name in locations(_part(number))]
        wanted = Listing.objects.filter(pk__in=keys).order_by("pk").values_list("public_id", flat=True)
        assert found == [f"{HOST}/l/{name}/" for name in wanted]
        for nothing in (_part(10**9), _part(max(keys) // 4 + 1), "/sitemap/orders-0.xml", "/sitemap/pages-1.xml"):
            assert Client().get(nothing).status_code == 404

    def test_a_part_costs_one_statement_a_thousand_addresses_and_an_index_one_a_part(self) -> None:
        seller = a_seller()
        key = max(a_listing(seller, f"Owl {number}", count=1).listing.pk for number in range(3))
        with CaptureQueriesContext(connection) as asked:
            locations(_part(key // crawled.PART))
        assert len(asked) == 1
        with CaptureQueriesContext(connection) as asked:
            parts = locations("/sitemap.xml")
        assert len(asked) == len(parts) - 1 + len(crawled.Kind)

    def test_what_is_somebodys_is_not_asked_for_and_what_is_for_sale_is(self) -> None:
        closed = [path.split("?")[0] for path, *_ in BUYERS.values()] + [*ONES_OWN.values()]
        closed += ["/seller/orders/", "/staff/", "/accounts/login/", "/api/v1/orders", "/cart/add/", "/admin/"]
        assert [path for path in closed if not disallowed(path)] == []
        assert not any(map(disallowed, ["/", "/l/abc/", "/s/owls/", "/category/cards/", "/?after=12", "/sitemap.xml"]))
        filters = [
            "/?q=owl",
            "/s/owls/?in=x",
            "/category/cards/?f-grade=10&sort=low",
            "/?after=1&f-grade=9",
            "/?stock=on",
        ]
        assert all(map(disallowed, filters))
        assert Client().get("/robots.txt").content.decode().endswith(f"\nSitemap: {HOST}/sitemap.xml\n")

    def test_a_narrowed_page_names_the_whole_one_and_what_comes_behind_is_not_kept(self) -> None:
        cards = {"attributes": [], "categories": [{"key": "cards", "name": "Cards"}]}
        define(document=cards, actor=user(is_staff=True), now=datetime.now(UTC))
        seller = a_seller()
        listing = a_listing(seller, "Owl", count=5).listing
        for path, address in (
            ("/", "/"),
            ("/?sort=low&stock=on", "/"),
            ("/?category=cards", "/category/cards/"),
            (f"/s/{seller.slug}/?sort=low", f"/s/{seller.slug}/"),
            (f"/l/{listing.public_id}/?variant=x", f"/l/{listing.public_id}/"),
        ):
            page = Client().get(path).content.decode()
            assert f'<link rel="canonical" href="{HOST}{address}">' in page and "noindex" not in page, path
        for path in ("/?q=owl", "/?after=5"):
            page = Client().get(path).content.decode()
            assert "canonical" not in page and '<meta name="robots" content="noindex, follow">' in page, path


def _part(number: int) -> str:
    return f"/sitemap/listings-{number}.xml"


@pytest.mark.parametrize(("address", "demo"), [("", False), (HOST, True)])
def test_without_a_public_address_and_in_a_demo_nothing_is_read(settings: Any, address: str, demo: bool) -> None:
    settings.PUBLIC_URL, settings.DEMO = address, demo
    assert Client().get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
    for ask in (crawling.sitemap, lambda request: crawling.sitemap_part(request, "pages", 0)):
        with pytest.raises(Http404):
            ask(RequestFactory().get("/sitemap.xml"))
    assert crawling.canonical("/") == address + "/" * bool(address)
