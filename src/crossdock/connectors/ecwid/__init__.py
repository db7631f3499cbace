"""Ecwid by Lightspeed stores over the REST API v3: whole orders are shipped, counts are changed by a difference."""

from crossdock.connectors.ecwid import connect, fulfilment, orders, reading
from crossdock.connectors.ecwid.client import Client
from crossdock.connectors.ecwid.manifest import MANIFEST
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
    write_risk=orders.write_risk,
)
