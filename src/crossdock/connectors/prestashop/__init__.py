"""PrestaShop shops (1.7, 8 and 9) over the webservice: JSON is read, XML is written, and nothing is told by itself."""

from crossdock.connectors.prestashop import connect, fulfilment, orders, reading
from crossdock.connectors.prestashop.client import Client
from crossdock.connectors.prestashop.manifest import MANIFEST
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
