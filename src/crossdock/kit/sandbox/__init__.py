"""What every simulated shop is made of: storage that survives a restart, a fault dial, deliveries, and a page where a
person plays the seller.
"""

from crossdock.kit.sandbox.base import Sandbox
from crossdock.kit.sandbox.books import Books, Refusal
from crossdock.kit.sandbox.dial import FaultDial
from crossdock.kit.sandbox.merchant import Merchant
from crossdock.kit.sandbox.shelf import Doc, Shelf

__all__ = ["Books", "Doc", "FaultDial", "Merchant", "Refusal", "Sandbox", "Shelf"]
