"""Adobe Commerce and Magento Open Source over REST: signed requests, orders through a guest's cart, nothing is told by
itself.
"""

from crossdock.connectors.adobe_commerce import connect, fulfilment, orders, reading
from crossdock.connectors.adobe_commerce.client import Client
from crossdock.connectors.adobe_commerce.manifest import MANIFEST
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
    write_risk=orders.write_risk,
)
