"""One order event to one agent, signed as the Agentic Commerce Protocol 2026-04-17 has it (its
openapi.agentic_checkout_webhook.yaml): `Merchant-Signature: t=<seconds>,v1=<hex>`, HMAC-SHA256 of `t.body`.

The header has room for one signature, so it is that of the newest secret. `Request-Id` stays the same over the
tries to tell one state: a repeat after a lost answer can be told from news.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC

from crossdock.kit.notify import Letter, Signed


def signed(letter: Letter, *, secrets: Sequence[str]) -> dict[str, str]:
    """The headers."""
    seconds = str(int(letter.at.timestamp()))
    signature = hmac.new(secrets[0].encode(), f"{seconds}.".encode() + letter.body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Merchant-Signature": f"t={seconds},v1={signature}",
        "Request-Id": letter.id,
        "Timestamp": letter.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


notifier = Signed(signed)
