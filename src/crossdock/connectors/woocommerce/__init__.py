"""WooCommerce shops over REST wc/v3: polling is the truth, webhooks are hints, and every write is looked at
afterwards.
"""

from crossdock.connectors.woocommerce import connect, fulfilment, orders, reading, webhooks
from crossdock.connectors.woocommerce.client import Client
from crossdock.connectors.woocommerce.manifest import MANIFEST
from crossdock.kit.connector import Connector
from crossdock.kit.shop.base import Composed

connector: Connector = Composed(
    MANIFEST,
    Client,
    connect=connect,
    reading=reading,
    orders=orders,
    fulfilment=fulfilment,
    webhooks=webhooks,
    sign_in=connect,
    look=connect.look,
    cancel_lines=orders.cancel_lines,
    write_risk=orders.write_risk,
)
