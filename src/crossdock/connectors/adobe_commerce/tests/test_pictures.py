"""The simulated shop's own media folder."""

import aiohttp

from crossdock.connectors.adobe_commerce import connector
from crossdock.domain.events import ShopProduct
from crossdock.kit.conformance.stage import Stage


async def test_a_picture_stands_in_the_media_folder_of_the_shop(stage: Stage) -> None:
    came_from = "http://127.0.0.1:9/demo/card/fox.svg"
    (made,) = await stage.sandbox.hand.add_product("Fox", [("F-1", "10.00", 3)], image=came_from)
    found = await connector.product(stage.shop, made.product_id)
    assert isinstance(found, ShopProduct)
    async with aiohttp.ClientSession() as browser:
        async with browser.get(found.images[0], allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, came_from)
        async with browser.get(f"{stage.shop.address}/media/catalog/product/{came_from}2", allow_redirects=False) as no:
            assert no.status == 404
