"""A listing as a product of the protocol's catalog. Its variants are offers: their ids are what a checkout takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.urls import reverse

from crossdock.domain.finding.filling import category_in
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.goods import gtin
from crossdock.store.models import Listing
from crossdock.usecases.catalogue.feed import Offered
from crossdock.web.agents import goods

Selected = dict[str, str]


def product(listing: Listing, offers: Sequence[Offered], taxonomy: Taxonomy) -> dict[str, Any]:
    """`offers` is not empty; the first stands for all. A description is asked for, so one without has its title."""
    prices = [offer.variant.price_minor for offer in offers]
    key = category_in(taxonomy, listing.facts)
    words = listing.description if listing.description.strip() else listing.title
    ends = {name: _price(end, listing) for name, end in (("min", min(prices)), ("max", max(prices)))}
    return {
        "id": listing.public_id,
        "title": listing.title,
        "description": {"plain": words},
        "url": settings.BASE_URL + reverse("listing", args=[listing.public_id]),
        **({"categories": [{"value": taxonomy.categories[key].name, "taxonomy": "merchant"}]} if key else {}),
        "price_range": ends,
        **goods.media(listing.images),
        **_options(offers),
        "variants": [_variant(listing, offer, words) for offer in offers],
    }


def selected_in(offer: Offered) -> Selected:
    return {name: value for name, value in offer.variant.options if name and value}


def values_of(offers: Sequence[Offered]) -> dict[str, list[str]]:
    """By option its values, in the order that they first stand in."""
    found: dict[str, dict[str, None]] = {}
    for offer in offers:
        for name, value in selected_in(offer).items():
            found.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in found.items()}


def options_out(selected: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "label": value} for name, value in selected.items()]


def _options(offers: Sequence[Offered]) -> dict[str, Any]:
    found = values_of(offers)
    each = [{"name": name, "values": [{"label": value} for value in values]} for name, values in found.items()]
    return {"options": each} if each else {}


def _variant(listing: Listing, offer: Offered, words: str) -> dict[str, Any]:
    variant, seller = offer.variant, listing.seller
    code = gtin(variant.barcode)
    page = settings.BASE_URL + reverse("seller", args=[seller.slug])
    return {
        "id": variant.public_id,
        "title": str(variant),
        "description": {"plain": words},
        **({"barcodes": [{"type": "GTIN", "value": code}]} if code else {}),
        "price": _price(variant.price_minor, listing),
        "availability": goods.available(offer),
        **({"options": options_out(chosen)} if (chosen := selected_in(offer)) else {}),
        **goods.media([variant.image]),
        "seller": {"name": seller.name, "links": [{"type": "seller", "url": page, "title": seller.name}]},
    }


def _price(minor: int, listing: Listing) -> dict[str, Any]:
    return {"amount": minor, "currency": listing.currency}
