"""Stripe's webhooks: `Stripe-Signature: t=<seconds>,v1=<hex>` over "<t>.<raw body>".

An event is only a hint which payment to read again.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.webhook import body_key, hmac_ok
from crossdock.kit.wire import load
from crossdock.payments.stripe.client import OUR_INTENT

# Stripe's own libraries allow five minutes, either way here: an old delivery must not be played back, and our clock
# may be behind.
TOLERANCE_SECONDS = 300
LONGEST_TOPIC = 80


def news(hook: Hook) -> HookNews:
    """What is not about a payment of ours has no looks."""
    event = _object(load(hook.body, "the event"))
    topic = str(event.get("type") or "")[:LONGEST_TOPIC]
    # A thin event names its object only; nothing of ours is in it, so it has no looks.
    entity = next(_entities(_object(_object(event.get("data")).get("object"))), "")
    looks = (Look(LookKind.PAYMENT, entity),) if entity else ()
    # An event's id names one fact; sent twice it is the same. Its body says so too, should an event ever come without
    # one.
    return HookNews(topic, f"{topic}:{event.get('id') or body_key(hook.body)}", looks)


def verify(hook: Hook, secret: str, now: datetime) -> None:
    """Raises Forged; without a secret nothing is believed."""
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


def _object(value: Any) -> dict[str, Any]:
    """The JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def _entities(thing: dict[str, Any]) -> Iterator[str]:
    """Our own intent where the event carries it, otherwise Stripe's id of the payment."""
    match thing.get("object"):
        case "payment_intent":
            if ours := _object(thing.get("metadata")).get(OUR_INTENT):
                yield str(ours)
        # docs.stripe.com/api/radar/early_fraud_warnings/object: `payment_intent` is null where a charge was made alone.
        case "charge" | "refund" | "dispute" | "radar.early_fraud_warning":
            if isinstance(ref := thing.get("payment_intent"), str):
                yield ref
