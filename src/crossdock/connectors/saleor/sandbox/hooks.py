"""The simulated shop's webhooks: a detached JWS over the body, by the server's key (saleor/core/jwt_manager.py:
jws_encode); built when something happened, sent again five times, and then given up.

Saleor sends each header a second time as X-Saleor-*; those are left out here, since nobody reads them.
"""

import base64
import json
from collections.abc import Callable
from functools import cache, partial

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox.deliver import deliver_again

TRIES = 6
Deliver = Callable[..., None]
# (kind, event) of the books: the event of the API, the type in a subscription, and the field of the entity there.
NEWS = {
    ("product", "created"): ("PRODUCT_CREATED", "ProductCreated", "product"),
    ("product", "updated"): ("PRODUCT_UPDATED", "ProductUpdated", "product"),
    ("product", "deleted"): ("PRODUCT_DELETED", "ProductDeleted", "product"),
    ("variant", "updated"): ("PRODUCT_VARIANT_UPDATED", "ProductVariantUpdated", "productVariant"),
    ("variant", "stock_updated"): ("PRODUCT_VARIANT_STOCK_UPDATED", "ProductVariantStockUpdated", "productVariant"),
    ("order", "created"): ("ORDER_CREATED", "OrderCreated", "order"),
    ("order", "updated"): ("ORDER_UPDATED", "OrderUpdated", "order"),
    ("order", "cancelled"): ("ORDER_CANCELLED", "OrderCancelled", "order"),
    ("order", "refunded"): ("ORDER_REFUNDED", "OrderRefunded", "order"),
    ("fulfillment", "created"): ("FULFILLMENT_CREATED", "FulfillmentCreated", "order"),
    ("fulfillment", "canceled"): ("FULFILLMENT_CANCELED", "FulfillmentCanceled", "order"),
    ("fulfillment", "tracking_number_updated"): (
        "FULFILLMENT_TRACKING_NUMBER_UPDATED",
        "FulfillmentTrackingNumberUpdated",
        "order",
    ),
}


@cache
def key_of(seed: int) -> rsa.RSAPrivateKey:
    """A server's; making one takes time, so a process makes one for each seed."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def jwks(key: rsa.RSAPrivateKey, kid: str) -> Doc:
    numbers = key.public_key().public_numbers()
    n, e = (part(number.to_bytes((number.bit_length() + 7) // 8)) for number in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "key_ops": ["verify"], "n": n, "e": e, "use": "sig", "kid": kid, "alg": "RS256"}]}


def signature(key: rsa.RSAPrivateKey, kid: str, body: bytes) -> str:
    header = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": kid, "typ": "JWT"}
    head = part(json.dumps(header, separators=(",", ":")).encode())
    return f"{head}..{part(key.sign(head.encode() + b'.' + body, padding.PKCS1v15(), SHA256()))}"


class Hooks:
    def __init__(
        self, shelf: Shelf, deliver: Deliver, seed: int, now: Callable[[], str], address: Callable[[], str]
    ) -> None:
        self._shelf, self._deliver, self._seed, self._now, self._address = shelf, deliver, seed, now, address

    @property
    def kid(self) -> str:
        return f"key-{self._seed}"

    def keys(self) -> Doc:
        return jwks(key_of(self._seed), self.kid)

    def tell(self, kind: str, event: str, doc: Doc) -> None:
        if (news := NEWS.get((kind, event))) is None:
            return
        name, typename, field = news
        for hook in self._shelf.all("hook"):
            if hook["isActive"] and name in hook["events"]:
                body = self._body(hook, typename, field, doc)
                deliver_again(self._deliver, hook["targetUrl"], partial(self._headers, name), body, tries=TRIES)

    def _body(self, hook: Doc, typename: str, field: str, doc: Doc) -> bytes:
        """What was subscribed to; without a subscription a list with the whole entity."""
        id_ = doc.get("order", doc["id"])
        if not hook["query"]:
            about = {"type": field, "id": id_, "product_id": doc.get("product"), "updated_at": self._now()}
            return json.dumps([about]).encode()
        entity: Doc = {"id": id_, **({"product": {"id": doc["product"]}} if field == "productVariant" else {})}
        number = self._shelf.next_number("event")
        return json.dumps({"__typename": typename, "issuedAt": f"{self._now()}#{number}", field: entity}).encode()

    def _headers(self, name: str, body: bytes) -> Doc:
        host = self._address().partition("://")[2]
        return {
            "Content-Type": "application/json",
            "Saleor-Event": name.lower(),
            "Saleor-Domain": host,
            "Saleor-Api-Url": f"{self._address()}/graphql/",
            "Saleor-Signature": signature(key_of(self._seed), self.kid, body),
        }
