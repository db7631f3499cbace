"""Wix Stores over REST: catalogues of two generations, of which a site has one, and the eCommerce orders that both
share. Asked with the API key of one site's owner, so there are no webhooks.
"""

from crossdock.connectors.wix import connect, fulfilment, orders, reading
from crossdock.connectors.wix.client import Client
from crossdock.connectors.wix.manifest import MANIFEST
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
