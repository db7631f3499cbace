"""A corner shop with a small REST API of its own: one more platform, dropped in by a test.

No other file of the project knows of it.
"""

from crossdock.connectors.toy import connect, fulfilment, orders, reading, webhooks
from crossdock.connectors.toy.client import Client
from crossdock.connectors.toy.manifest import MANIFEST

from crossdock.kit.connector import Connector
from crossdock.kit.shop.base import Composed


class Toy(Composed[Client]):
    """A class only so that tests can bend it: elsewhere `connector = Composed(MANIFEST, Client, ...)` is all."""

    def __init__(self) -> None:
        super().__init__(
            MANIFEST,
            Client,
            connect=connect,
            reading=reading,
            orders=orders,
            fulfilment=fulfilment,
            webhooks=webhooks,
            cancel_lines=orders.cancel_lines,
            adjust=orders.adjust,
            write_risk=orders.write_risk,
        )


connector: Connector = Toy()
