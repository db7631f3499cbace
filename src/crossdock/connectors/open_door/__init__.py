"""Any shop whose developer implements the contract (openapi.json): what it answers is what the marketplace does
there.
"""

from importlib.resources import files

from crossdock.connectors.open_door import connect, fulfilment, orders, reading, webhooks
from crossdock.connectors.open_door.client import Client
from crossdock.connectors.open_door.hand import TestHand
from crossdock.connectors.open_door.manifest import MANIFEST, offered
from crossdock.domain.capability import Manifest
from crossdock.kit.connector import Shop
from crossdock.kit.hand import Hand
from crossdock.kit.shop.base import Composed


class OpenDoor(Composed[Client]):
    """What one shop can do is said by that shop."""

    def contract(self) -> bytes:
        return files(__name__).joinpath("openapi.json").read_bytes()

    def manifest_of(self, shop: Shop) -> Manifest:
        return offered(Client(shop).offers)

    def test_hand(self, shop: Shop) -> Hand | None:
        return TestHand(Client(shop)) if Client(shop).offers("test/do") else None


connector = OpenDoor(
    MANIFEST,
    Client,
    connect=connect,
    reading=reading,
    orders=orders,
    fulfilment=fulfilment,
    webhooks=webhooks,
    look=connect.look,
    adjust=orders.adjust,
    cancel_lines=orders.cancel_lines,
    write_risk=orders.write_risk,
)
