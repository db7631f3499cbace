"""What the pages ask about a platform: its manifest, and nothing else of it."""

from crossdock.domain.capability import Manifest
from crossdock.kit import discover
from crossdock.kit.conformance import record
from crossdock.store.models import Listing, Order


def manifest_of(about: Listing | Order) -> Manifest | None:
    """What its platform can do; None for a listing made by hand, an order of such, and a platform that is not
    installed.
    """
    shop = about.connection
    speaker = discover.connectors().get(shop.platform) if shop else None
    return speaker.manifest if speaker else None


def foreign(platform: str) -> str:
    """The package that a platform's connector comes from, with its version; empty for those that are ours."""
    package = discover.packages().get(platform)
    return package.words if package else ""


def proofs_of(platform: str) -> list[str]:
    """What its connector was shown to do, in a sentence for each thing that it was played against."""
    return [one.sentence for one in record.of(platform)]
