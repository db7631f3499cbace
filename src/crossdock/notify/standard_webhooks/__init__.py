"""One signed message to one receiver, as Standard Webhooks has it (https://www.standardwebhooks.com): id, time and
body are signed, each secret in force adds a signature.

Repeating is harmless: the id stays the same over all tries, so a receiver that took it already drops it.
"""

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks.webhooks import Webhook

from crossdock.kit.notify import Signed


def signed(*, secrets: Sequence[str], message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers. `at` must be in UTC: the library takes the clock's face for UTC, whatever zone it names."""
    signatures = [Webhook(secret).sign(message_id, at, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


notifier = Signed(signed)
