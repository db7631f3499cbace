"""Medusa stores over the Admin API. The core sends nothing to anybody outside, so it is asked."""

from crossdock.connectors.medusa import connect, fulfilment, orders, reading
from crossdock.connectors.medusa.client import Client
from crossdock.connectors.medusa.manifest import MANIFEST
from crossdock.kit.connector import Connector
from crossdock.kit.shop.base import Composed

connector: Connector = Composed(
    MANIFEST,
    Client,
    connect=connect,
    reading=reading,
    orders=orders,
    fulfilment=fulfilment,
    look=connect.look,
)
