"""Catalogue V1 is another API for products, stock and the lines of an order: what depends on it is played on it too."""

import pytest

from crossdock.connectors.wix import connector
from crossdock.connectors.wix.sandbox import Older
from crossdock.connectors.wix.sandbox.books import SINGLE, Books
from crossdock.domain.events import Count, ShopProduct
from crossdock.kit import conformance
from crossdock.kit.conformance import Scenario, Stage

PLAYED = [item for item in conformance.called_for(connector.manifest) if 200 <= item.number < 511]


@pytest.mark.parametrize("item", PLAYED, ids=lambda item: str(item.number))
async def test_the_older_catalogue_conforms(item: Scenario) -> None:
    await conformance.run(item, connector, Older)


async def test_two_products_without_options_have_two_variants(older: Stage) -> None:
    """To Wix both are the one variant of zeros."""
    (one,), (other,) = await older.product(3), await older.product(4)
    assert one.variant_id.endswith(SINGLE) and other.variant_id.endswith(SINGLE) and one != other
    assert await older.counted(one, other) == {one.variant_id: 3, other.variant_id: 4}
    command = older.order((other, 1))
    await older.placed(command)
    assert await older.counted(one, other) == {one.variant_id: 3, other.variant_id: 3}


async def test_options_without_a_stock_of_their_own_are_not_sold(older: Stage, older_books: Books) -> None:
    ref, _ = await older.product(3, 3)
    older_books.change(ref.product_id, managed=False)
    product = await connector.product(older.shop, ref.product_id)
    assert isinstance(product, ShopProduct) and not product.active
    assert any("for each product variant" in reason for reason in product.reasons)


async def test_the_price_is_the_one_after_a_discount(older: Stage, older_books: Books) -> None:
    (ref,) = await older.product(3, price="20.00")
    doc = older_books.need("product", ref.product_id)
    older_books.change(ref.product_id, variants=[doc["variants"][0] | {"sale": "15.50"}])
    product = await connector.product(older.shop, ref.product_id)
    assert isinstance(product, ShopProduct) and str(product.variants[0].price) == "15.50"


async def test_a_hidden_product_is_listed_and_not_for_sale(older: Stage, older_books: Books) -> None:
    """V1 leaves hidden ones out without a word unless it is asked for them; they would never be seen to be hidden."""
    (ref,) = await older.product(3)
    _, cursor = await older.all_products()
    older_books.change(ref.product_id, visible=False)
    items, _ = await older.all_products(cursor)
    assert [item.active for item in items if isinstance(item, ShopProduct)][-1:] == [False]


async def test_what_is_not_tracked_is_there_or_not(older: Stage, older_books: Books) -> None:
    (ref,) = await older.product(3)
    for in_stock, count in ((True, None), (False, 0)):
        older_books.change(ref.product_id, tracked=False, in_stock=in_stock)
        assert await connector.counts(older.shop, [ref]) == [Count(ref.variant_id, count)]
