"""The same made-up history with less known of each order: what rules are worth where nobody tells more."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from crossdock.demo.fraud import Attempt

# What an order looks like when a thing is not known.
_GONE: dict[str, dict[str, Any]] = {
    "buyer": {"buyer": "", "joined_at": None, "email": ""},
    "account": {"joined_at": None, "email": "", "phone": ""},
    "card": {"card": ""},
    "device": {"device": ""},
    "seller": {},
    "amount": {"amount_minor": 0},
    "checks": {
        "postal_code_check": "",
        "cvc_check": "",
        "three_d_secure": "",
        "funding": "",
        "card_country": "",
        "billing_country": "",
    },
    "network": {"ip": "", "ip_country": None, "hosting": None},
    "address": {"line1": "", "region": "", "postal_code": "", "country": "", "phone": ""},
    "units": {"units": 1},
}
_SIX = ("buyer", "card", "device", "seller", "amount")
# name -> what is known besides the time
KNOWN: dict[str, tuple[str, ...]] = {
    "everything": tuple(_GONE),
    "buyer, card, device, seller, amount, time": _SIX,
    "buyer, card, device, amount, time": ("buyer", "card", "device", "amount"),
    "the same six without the buyer": ("card", "device", "seller", "amount"),
    "the same six without the card": ("buyer", "device", "seller", "amount"),
    "the same six without the device": ("buyer", "card", "seller", "amount"),
    "the same six without the amount": ("buyer", "card", "device", "seller"),
    "only the address": ("address",),
    "nothing but the time": (),
}
SIX = "buyer, card, device, seller, amount, time"


def with_only(attempts: Sequence[Attempt], known: Sequence[str]) -> list[Attempt]:
    gone: dict[str, Any] = {}
    for name in _GONE:
        if name not in known:
            gone |= _GONE[name]
    # A seller of its own for each order that names none, as in a file.
    alone = "seller" not in known
    return [replace(one, **{**gone, "seller": -n} if alone else gone) for n, one in enumerate(attempts, 1)]
