"""The public keys that a server signs its deliveries with (JWKS, RFC 7517), kept among the secrets for
`kit.webhook.verify_detached`, and read again every hour: anybody may read them, and a server may change them.

As a whole it is a connector's `renewal` (kit/shop/base.py).
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from crossdock.kit.check import check
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Missing, NoAnswer, Outside, Strange
from crossdock.kit.json_node import node_of
from crossdock.kit.shop import oauth

PLACE = "/.well-known/jwks.json"
LAST = timedelta(hours=1)
MOST = 10


async def read(shop: Shop, *, nowhere: str) -> dict[str, str]:
    """RSA keys with their names. Raises NoAnswer with `nowhere` where the server shows none."""
    try:
        answer = node_of(check(await shop.http.send("GET", f"{shop.address}{PLACE}")).json(), "keys")
    except Missing:
        raise NoAnswer(nowhere) from None
    rows = [row for row in answer.list("keys")[:MOST] if row.text("kty") == "RSA"]
    kept = [{name: row.secret(name) for name in ("kid", "n", "e")} for row in rows]
    if not kept:
        raise Strange("keys.keys", "RSA key", [])
    return {"jwks": json.dumps(kept, separators=(",", ":")), **_until(shop)}


def _until(shop: Shop) -> dict[str, str]:
    return {"expires_at": (shop.now() + LAST).isoformat()}


def renew_at(shop: Shop) -> datetime | None:
    return oauth.renew_at(shop.secrets, timedelta())


async def renew(shop: Shop) -> Mapping[str, str]:
    """Where they cannot be read just now, those that are known stay: polls bring what is refused by an old one."""
    try:
        keys = await read(shop, nowhere="The server does not show its keys just now.")
    except Outside:
        keys = _until(shop)
    return {**shop.secrets, **keys}
