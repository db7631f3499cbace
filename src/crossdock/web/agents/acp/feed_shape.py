"""A listing as a product of the feed, by the protocol's schema.feed.json of 2026-04-17.

Its items are offers: `Variant.id` is what a checkout session takes, and each names its seller. The feed has no field
for the age of a count; a count that is older than the marketplace believes is `unknown` and not available. How many
units there are is not said.
"""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.goods import gtin
from crossdock.store.models import Listing
from crossdock.usecases.catalogue.feed import Offered
from crossdock.usecases.record.brand import site_name
from crossdock.web.agents import goods


def product(listing: Listing, offers: Sequence[Offered], taxonomy: Taxonomy) -> dict[str, Any]:
    """What is empty is left out: the schema refuses null, and an empty description."""
    address = settings.BASE_URL + reverse("listing", args=[listing.public_id])
    key = category_in(taxonomy, listing.facts)
    shared = {
        "url": address,
        **({"categories": [{"value": taxonomy.categories[key].name, "taxonomy": "merchant"}]} if key else {}),
        "seller": {"name": listing.seller.name},
        "marketplace": {"name": site_name()},
    }
    return {
        "id": listing.public_id,
        "title": listing.title,
        **({"description": {"plain": listing.description}} if listing.description.strip() else {}),
        "url": address,
        **goods.media(listing.images),
        "variants": [{**_variant(listing, offer), **shared} for offer in offers],
    }


def _variant(listing: Listing, offer: Offered) -> dict[str, Any]:
    variant = offer.variant
    options = [{"name": name, "value": value} for name, value in variant.options if name and value]
    code = gtin(variant.barcode)
    return {
        "id": variant.public_id,
        "title": str(variant),
        **({"barcodes": [{"type": "GTIN", "value": code}]} if code else {}),
        "price": {"amount": variant.price_minor, "currency": listing.currency},
        "availability": goods.available(offer),
        **({"variant_options": options} if options else {}),
        **goods.media([variant.image]),
    }
