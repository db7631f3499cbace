"""A listing as a product of the feed, by the protocol's schema.feed.json of 2026-04-17.

Its items are offers: `Variant.id` is what a checkout session takes, and each names its seller. The feed has no field
for the age of a count; a count that is older than the marketplace believes is `unknown` and not available. How many
units there are is not said.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.goods import gtin
from crossdock.store.models import Listing
from crossdock.usecases.catalogue.feed import Offered
from crossdock.usecases.record.brand import site_name


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
        **_media(listing.images),
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
        "availability": available(offer),
        **({"variant_options": options} if options else {}),
        **_media([variant.image]),
    }


def available(offer: Offered) -> dict[str, Any]:
    """As a checkout would answer now. `status` is extensible, and `unknown` is not in its list: nothing there says that
    nobody knows.
    """
    if not offer.open or offer.left is None:
        return {"available": False, "status": "unknown"}
    return {"available": offer.left > 0, "status": "in_stock" if offer.left > 0 else "out_of_stock"}


def _media(images: Sequence[str]) -> dict[str, Any]:
    found = [image if urlsplit(image).scheme else settings.BASE_URL + image for image in images if image]
    good = [address for address in found if _is_address(address)]
    return {"media": [{"type": "image", "url": address} for address in good]} if good else {}


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://")) and text.isascii() and not any(c in text for c in ' "<>\\^`{|}')
