"""Stripe's webhooks: `Stripe-Signature: t=<seconds>,v1=<hex>` over "<t>.<raw body>".

An event is only a hint which payment to read again.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.webhook import body_key, hmac_ok
from crossdock.payments.stripe.client import OUR_INTENT

# Stripe's own libraries allow five minutes, either way here: an old delivery must not be played back, and our clock
# may be behind.
TOLERANCE_SECONDS = 300


def news(hook: Hook, secret: str, now: datetime) -> HookNews:
    """Raises Forged. What is signed and not about a payment of ours has no looks."""
    verify(hook, secret, now)
    event = json.loads(hook.body)
    topic = str(event["type"])
    entity = next(_entities(event["data"]["object"]), "")
    looks = (Look(LookKind.PAYMENT, entity),) if entity else ()
    # An event's id names one fact; sent twice it is the same. Its body says so too, should an event ever come without
    # one.
    return HookNews(topic, f"{topic}:{event.get('id') or body_key(hook.body)}", looks)


def verify(hook: Hook, secret: str, now: datetime) -> None:
    pairs = [part.strip().partition("=") for part in hook.headers.get("stripe-signature", "").split(",")]
    times = [
        value for name, _, value in pairs if name == "t" and value.isascii() and value.isdigit() and len(value) < 15
    ]
    signatures = [value for name, _, value in pairs if name == "v1"]
    if not times or abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise Forged
    signed = times[0].encode() + b"." + hook.body
    # While a secret is rolled over there are two signatures; a handful is plenty.
    if not any(hmac_ok(secret, signed, given, encoding="hex") for given in signatures[:5]):
        raise Forged


def _entities(thing: dict[str, Any]) -> Iterator[str]:
    """Our own intent where the event carries it, otherwise Stripe's id of the payment."""
    match thing.get("object"):
        case "payment_intent":
            if ours := (thing.get("metadata") or {}).get(OUR_INTENT):
                yield str(ours)
        case "charge" | "refund" | "dispute":
            if isinstance(ref := thing.get("payment_intent"), str):
                yield ref
