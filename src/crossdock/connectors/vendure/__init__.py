"""Vendure shops over their Admin GraphQL API. The core has no webhooks, so everything is asked for."""

from functools import partial

from crossdock.connectors.vendure import connect, fulfilment, orders, reading
from crossdock.connectors.vendure.client import Client, Sessions
from crossdock.connectors.vendure.manifest import MANIFEST
from crossdock.kit.connector import Connector
from crossdock.kit.shop.base import Composed


def vendure() -> Composed[Client]:
    """With login tokens of its own: all that it keeps, and only in this process."""
    return Composed(
        MANIFEST,
        partial(Client, sessions=Sessions()),
        connect=connect,
        reading=reading,
        orders=orders,
        fulfilment=fulfilment,
        look=connect.look,
        cancel_lines=orders.cancel_lines,
        write_risk=orders.write_risk,
    )


connector: Connector = vendure()
