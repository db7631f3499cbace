"""One signed message to one receiver, as Standard Webhooks has it (https://www.standardwebhooks.com): id, time and
body are signed, each secret in force adds a signature.

Repeating is harmless: the id stays the same over all tries, so a receiver that took it already drops it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from json import dumps
from typing import Any

from standardwebhooks.webhooks import Webhook

from crossdock.domain.commands import Done, Later, Outcome, Refused, Why
from crossdock.kit.check import retry_after
from crossdock.kit.errors import NoAnswer, NotSent
from crossdock.kit.notify import Line

# A receiver should put the message away and answer; work is done afterwards.
ANSWER_SECONDS = 15.0


def signed(*, secrets: Sequence[str], message_id: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers. `at` must be in UTC: the library takes the clock's face for UTC, whatever zone it names."""
    signatures = [Webhook(secret).sign(message_id, at, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class StandardWebhooks:
    async def deliver(
        self,
        line: Line,
        *,
        url: str,
        secrets: Sequence[str],
        message_id: str,
        body: Mapping[str, Any],
        at: datetime,
    ) -> Outcome:
        """Any 2xx took it. 410 says that nobody listens there any more; everything else is tried again."""
        content = dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed(secrets=secrets, message_id=message_id, body=content, at=at)
        try:
            reply = await line.send("POST", url, headers=headers, content=content, timeout_seconds=ANSWER_SECONDS)
        except (NotSent, NoAnswer) as error:
            return Later(str(error))
        if 200 <= reply.status < 300:
            return Done(message_id, note=f"It answered {reply.status}.")
        if reply.status == 410:
            return Refused(Why.NOT_FOUND, "It answered 410: nobody listens there any more.")
        if 300 <= reply.status < 400:
            return Later(f"It answered {reply.status} and names another address; give us the final one.")
        return Later(f"It answered {reply.status}.", retry_after(reply))


notifier = StandardWebhooks()
