"""What of a sweep of all products is not as it is kept here, and what listings keep of their variants' prices."""

from collections.abc import Sequence

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from crossdock.domain.events import ShopProduct
from crossdock.store.models import Listing, Variant


def not_as_kept(*, connection_id: int, products: Sequence[ShopProduct]) -> list[ShopProduct]:
    """Those whose prices, variants or being for sale are not what is kept here: of a sweep only these are written."""
    rows = Variant.objects.filter(
        connection_id=connection_id,
        listing__shop_product_id__in=[product.product_id for product in products],
        listing__gone_in_shop=False,
        gone=False,
    ).values_list(
        *("listing__shop_product_id", "listing__active_in_shop", "listing__currency", "shop_variant_id"),
        Coalesce("shop_price_minor", "price_minor"),
    )
    kept: dict[str, set[tuple[bool, str, str, int]]] = {}
    for product_id, active, currency, variant_id, price in rows:
        kept.setdefault(product_id, set()).add((active, currency, variant_id, price))
    return [product for product in products if kept.get(product.product_id, set()) != _as_kept(product)]


def _as_kept(product: ShopProduct) -> set[tuple[bool, str, str, int]]:
    return {
        (product.active, product.variants[0].price.currency, each.variant_id, max(0, each.price.minor))
        for each in product.variants
    }


def lowest_again(listings: QuerySet[Listing]) -> None:
    """Their lowest prices, here and in the shop, of the variants that they have left. They are locked."""
    left = Variant.objects.filter(listing=OuterRef("pk"), gone=False)
    told = left.annotate(told=Coalesce("held_price__told_minor", "shop_price_minor")).order_by("told")
    listings.update(
        lowest_minor=Subquery(left.order_by("price_minor").values("price_minor")[:1]),
        shop_lowest_minor=Subquery(told.values("told")[:1]),
    )
