"""What the pages ask about a platform: its manifest, and nothing else of it."""

from crossdock.domain.capability import Manifest
from crossdock.kit import discover
from crossdock.store.models import Listing, Order


def manifest_of(about: Listing | Order) -> Manifest | None:
    """What its platform can do; None for a listing made by hand, an order of such, and a platform that is not
    installed.
    """
    shop = about.connection
    speaker = discover.connectors().get(shop.platform) if shop else None
    return speaker.manifest if speaker else None
