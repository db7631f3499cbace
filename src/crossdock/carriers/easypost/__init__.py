"""Real labels of many carriers through EasyPost.

The official library is an extra and is only loaded when this provider is chosen.
"""

from crossdock.carriers.easypost.carrier import EasyPostCarrier

carrier = EasyPostCarrier()

__all__ = ["EasyPostCarrier", "carrier"]
