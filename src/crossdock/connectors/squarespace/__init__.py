"""Squarespace sites over the Commerce APIs: products v2, inventory and orders 1.0. Nothing can be cancelled, and no
parcel be changed, by a program.
"""

from crossdock.connectors.squarespace import connect, fulfilment, orders, reading
from crossdock.connectors.squarespace.client import Client
from crossdock.connectors.squarespace.manifest import MANIFEST
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
    adjust=orders.adjust,
)
