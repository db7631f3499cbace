"""Which of a shop's variants can be sold here at all."""

from dataclasses import replace

from crossdock.domain.events import ShopProduct

# What a listing keeps of its reasons: a product may have 2,048 variants.
MOST_REASONS, LONGEST_REASON = 20, 300
FREE = "The price in your shop is 0. Set a price above 0 to sell it here."


def for_sale(product: ShopProduct) -> ShopProduct:
    """Without the variants that cost nothing (a price of 0 is a price that nobody typed yet) and those of another
    currency than the first, and saying so.
    """
    first = product.variants[0].price.currency if product.variants else ""
    alike = [variant for variant in product.variants if variant.price.currency == first]
    priced = tuple(variant for variant in alike if variant.price.minor > 0)
    free = [variant for variant in alike if variant.price.minor <= 0]
    reasons = list(product.reasons)
    reasons += [
        f"“{each.title or each.sku}” has its price in {each.price.currency}, the others in {first}: it is not sold."
        for each in product.variants
        if each.price.currency != first
    ]
    if free and len(product.variants) == 1:
        reasons.append(FREE)
    else:
        reasons += [f"“{variant.title or variant.sku}” has a price of 0 in your shop." for variant in free]
    if len(reasons) > MOST_REASONS:
        more = len(reasons) - MOST_REASONS + 1
        reasons = [*reasons[: MOST_REASONS - 1], f"And {more} more."]
    kept = tuple(dict.fromkeys(reason[:LONGEST_REASON] for reason in reasons))
    return replace(product, variants=priced, active=product.active and bool(priced), reasons=kept)
