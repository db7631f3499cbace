"""HTML in a shop's texts never reaches a page, on any platform, and words do not run together (woocommerce/woocommerce
#19491 and #21878, hackclub/shop #11, vuestorefront/shopify #43, ericnorris/striptags #17).
"""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

import market
from crossdock.domain.events import ShopProduct
from crossdock.kit import discover
from crossdock.kit.conformance.stage import staged
from crossdock.store.models import Listing
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.stock import counts

pytestmark = pytest.mark.django_db
PLATFORMS = ["shopify", "vendure", "woocommerce"]
TEXT = "<p>Near mint, <strong>first edition</strong>.</p>\n<ul>\n<li>English</li>\n<li>Holo</li>\n</ul>"


def listed(platform: str, title: str, html: str) -> Listing:
    async def read() -> Any:
        async with staged(discover.connectors()[platform], discover.sandbox(platform)) as stage:
            (ref,) = await stage.hand.add_product(title, [("S-1", "9.90", 5)], description=html)
            return await stage.connector.product(stage.shop, ref.product_id)

    product = async_to_sync(read)()
    assert isinstance(product, ShopProduct)
    shop = market.connection(market.seller(), platform)
    import_products.receive_products(
        connection_id=shop.pk, products=[product], read_no=counts.draw_read_no(), now=datetime.now(UTC)
    )
    return Listing.objects.get(connection=shop)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_tag_of_a_description_or_title_is_read_by_the_buyer(platform: str) -> None:
    listing = listed(platform, "Ember Fox <br><small>1st edition &amp; signed</small>", TEXT)
    page = Client().get(f"/l/{listing.public_id}/").content.decode()
    assert re.findall(r"&lt;/?\w+&gt;", page) == []
    assert listing.title == "Ember Fox 1st edition & signed"
    assert " ".join(listing.description.split()) == "Near mint, first edition. English Holo"


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("Line one<br>Line two<br/>Line three", "Line one Line two Line three"),
        ("<ul><li>English</li><li>Holo</li></ul><p>One</p><p>Two</p>", "English Holo One Two"),
        ("<p>a</p><p>b</p>", "a b"),
        ("<script>alert(1)</script>Salt &amp; pepper", "Salt & pepper"),
    ],
)
def test_words_do_not_run_together(platform: str, html: str, words: str) -> None:
    assert " ".join(listed(platform, "Ember Fox", html).description.split()) == words


def test_one_line_where_the_platform_shows_one() -> None:
    assert listed("vendure", "Ember Fox", "Line one<br>Line two").description == "Line one Line two"
