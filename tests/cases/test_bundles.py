"""A bundle's order lines are its components there, which nobody bought here: it is not sold, and says why.

Shopify's schema of requiresComponents: "can only be purchased as a parent bundle with components".
"""

from crossdock.connectors.shopify import mapper
from crossdock.connectors.shopify.client import DOCUMENTS
from crossdock.connectors.shopify.tests.test_mapper import ADDRESS, a_product, a_variant
from crossdock.domain.events import ShopProduct


def read(*bundles: bool) -> ShopProduct:
    variants = [a_variant(str(n), title=f"Box {n}", requiresComponents=bundle) for n, bundle in enumerate(bundles, 1)]
    return mapper.product(a_product(), variants, currency="USD", address=ADDRESS)


def test_it_is_asked_for() -> None:
    assert "requiresComponents" in str(DOCUMENTS)


def test_a_bundle_is_not_sold_and_says_why() -> None:
    found = read(True)
    assert not found.active
    assert found.variants == ()
    assert found.reasons == (
        "“Box 1” is a bundle: your shop would make an order of its components instead, so it isn't sold here."
        " List the components.",
    )


def test_what_stands_beside_it_is_sold() -> None:
    found = read(True, False)
    assert found.active
    assert [variant.variant_id for variant in found.variants] == ["2"]
    assert len(found.reasons) == 1


def test_what_is_none_is_sold_as_before() -> None:
    found = read(False)
    assert (found.active, found.reasons) == (True, ())
