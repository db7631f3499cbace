"""The simulated shop's webhooks: late, built at delivery, collapsed per hook and entity, never repeated, and switched
off in silence.
"""

import hashlib
import html
import json
from collections.abc import Callable
from typing import Any

from crossdock.connectors.woocommerce.sandbox.shapes import VERSION
from crossdock.kit.sandbox import Shelf
from crossdock.kit.webhook import sign

Doc = dict[str, Any]
MOST_FAILURES = 5
Deliver = Callable[..., None]
GONE = {"order": "woocommerce_rest_shop_order_invalid_id", "product": "woocommerce_rest_product_invalid_id"}


class Hooks:
    """`show(resource, id)` is the REST answer for an entity now, None when it is gone.

    `held` keeps deliveries back, as a site without visitors does.
    """

    def __init__(
        self,
        shelf: Shelf,
        deliver: Deliver,
        dropped: Callable[[], int],
        show: Callable[[str, int], Doc | None],
        address: Callable[[], str],
        now: Callable[[], str],
    ) -> None:
        self._shelf, self._deliver, self._dropped = shelf, deliver, dropped
        self._show, self._address, self._now = show, address, now
        self._waiting: set[tuple[int, str, int]] = set()
        self.held = False

    def ping(self, hook: Doc) -> None:
        """At creation and when the address changes. Not signed; the hook stays active whatever comes back."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": f"WooCommerce/{VERSION} Hookshot"}
        self._deliver(hook["delivery_url"], headers, f"webhook_id={hook['id']}".encode())

    def tell(self, topic: str, id_: int) -> None:
        for hook in self._shelf.all("webhook"):
            job = (hook["id"], topic, id_)
            if hook["topic"] == topic and hook["status"] == "active" and job not in self._waiting:
                self._waiting.add(job)
                if not self.held:
                    self._send(*job)

    def run_cron(self) -> None:
        """Somebody visits the site: what waited is delivered."""
        self.held = False
        for job in sorted(self._waiting):
            self._send(*job)

    def _send(self, hook_id: int, topic: str, id_: int) -> None:
        hook = self._shelf.get("webhook", hook_id)
        if hook is None:
            self._waiting.discard((hook_id, topic, id_))
            return
        before = self._dropped()
        self._deliver(
            hook["delivery_url"],
            lambda body: self._headers(hook, body),
            lambda: self._body(hook_id, topic, id_),
            on_result=lambda status: self._result(hook_id, status),
        )
        if self._dropped() > before:
            self._waiting.discard((hook_id, topic, id_))

    def _body(self, hook_id: int, topic: str, id_: int) -> bytes | None:
        self._waiting.discard((hook_id, topic, id_))
        hook = self._shelf.get("webhook", hook_id)
        if hook is None or hook["status"] != "active":
            return None
        resource, _, event = topic.partition(".")
        body: Doc | None = {"id": id_} if event == "deleted" else self._show(resource, id_)
        if body is None:
            body = {"code": GONE[resource], "message": "Invalid ID.", "data": {"status": 404}}
        return json.dumps(body, separators=(",", ":")).replace("/", r"\/").encode()

    def _headers(self, hook: Doc, body: bytes) -> dict[str, str]:
        """The delivery's id is a hash of the hook and the second: many deliveries share one."""
        resource, _, event = hook["topic"].partition(".")
        same = hashlib.md5(f"{hook['id']}{self._now()[:19]}".encode(), usedforsecurity=False).hexdigest()
        return {
            "Content-Type": "application/json",
            "User-Agent": f"WooCommerce/{VERSION} Hookshot (WordPress/7.0.4)",
            "X-WC-Webhook-Source": f"{self._address()}/",
            "X-WC-Webhook-Topic": hook["topic"],
            "X-WC-Webhook-Resource": resource,
            "X-WC-Webhook-Event": event,
            "X-WC-Webhook-Signature": sign(html.unescape(hook["secret"]), body),
            "X-WC-Webhook-ID": str(hook["id"]),
            "X-WC-Webhook-Delivery-ID": same,
        }

    def _result(self, hook_id: int, status: int | None) -> None:
        """Counted in a row; the seventh failure switches the hook off, and nobody is told."""
        hook = self._shelf.get("webhook", hook_id)
        if hook is None:
            return
        if status is not None and (200 <= status < 300 or status in (301, 302)):
            hook["failures"] = 0
        elif hook["failures"] > MOST_FAILURES:
            hook["status"] = "disabled"
        else:
            hook["failures"] += 1
        self._shelf.put("webhook", hook_id, hook)
