"""Opening a connected shop: its connector, and the Shop that the connector gets to see.

Background work and pages have separate shares of the budget.
"""

from datetime import UTC, datetime

from crossdock.domain.values import Access
from crossdock.kit import discover
from crossdock.kit.budget import Lane
from crossdock.kit.connector import Connector, Shop
from crossdock.kit.http import Recorder, Transport


def party_key(party_id: int) -> str:
    """The transport's name for a shop; the recorder reads the party back out of it."""
    return f"shop:{party_id}"


def open_shop(
    access: Access, transport: Transport, *, lane: Lane = "background", recorder: Recorder | None = None
) -> tuple[Connector, Shop]:
    """Raises NoSuchFolder when this platform is not installed (any more)."""
    connector = discover.connector(access.platform)
    http = transport.party(
        party_key(access.party_id), connector.manifest.pace, lane, local=access.local, recorder=recorder
    )
    return connector, Shop(access.address, access.secrets, access.settings, http, clock, access.app, access.hook_url)


def clock() -> datetime:
    return datetime.now(UTC)
