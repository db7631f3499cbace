"""What both protocols say of an offer in the same shape: whether it can be bought, and its pictures."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from crossdock.usecases.catalogue.feed import Offered


def available(offer: Offered) -> dict[str, Any]:
    """As a checkout would answer now. `status` is extensible, and `unknown` is not in its list: nothing there says that
    nobody knows.
    """
    if not offer.open or offer.left is None:
        return {"available": False, "status": "unknown"}
    return {"available": offer.left > 0, "status": "in_stock" if offer.left > 0 else "out_of_stock"}


def media(images: Sequence[str]) -> dict[str, Any]:
    found = [image if urlsplit(image).scheme else settings.BASE_URL + image for image in images if image]
    good = [address for address in found if _is_address(address)]
    return {"media": [{"type": "image", "url": address} for address in good]} if good else {}


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://")) and text.isascii() and not any(c in text for c in ' "<>\\^`{|}')
