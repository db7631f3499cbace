"""What the pages ask about a listing's platform: its manifest, and nothing else of it."""

from crossdock.domain.capability import Manifest
from crossdock.kit import discover
from crossdock.store.models import Listing


def manifest_of(listing: Listing) -> Manifest | None:
    """What the listing's platform can do; None for one made by hand and for a platform that is not installed."""
    shop = listing.connection
    speaker = discover.connectors().get(shop.platform) if shop else None
    return speaker.manifest if speaker else None
