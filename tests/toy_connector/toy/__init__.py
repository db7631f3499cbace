"""A corner shop with a small REST API of its own: the fourth platform, dropped in by a test.

No other file of the project knows of it.
"""

from crossdock.connectors.toy.shop import Toy

from crossdock.kit.connector import Connector

connector: Connector = Toy()
