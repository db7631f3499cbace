"""One signed message to one receiver, as Standard Webhooks has it (https://www.standardwebhooks.com): id, time and
body are signed, each secret in force adds a signature.

Repeating is harmless: the id stays the same over all tries, so a receiver that took it already drops it.
"""

from collections.abc import Sequence

from standardwebhooks.webhooks import Webhook

from crossdock.kit.notify import Letter, Signed


def signed(letter: Letter, *, secrets: Sequence[str]) -> dict[str, str]:
    """The headers. Its time must be in UTC: the library takes the clock's face for UTC, whatever zone it names."""
    signatures = [Webhook(secret).sign(letter.id, letter.at, letter.body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": letter.id,
        "webhook-timestamp": str(int(letter.at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


notifier = Signed(signed)
