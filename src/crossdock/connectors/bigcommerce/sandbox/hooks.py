"""The simulated store's webhooks: ids only, signed by Standard Webhooks with the account's client secret, tried again a
few times, and switched off after that.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial

from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox.deliver import deliver_again, standard_webhook

TRIES = 3
Deliver = Callable[..., None]


class Hooks:
    def __init__(self, shelf: Shelf, deliver: Deliver, secret: Callable[[], str], store: Callable[[], str]) -> None:
        self._shelf, self._deliver, self._secret, self._store = shelf, deliver, secret, store

    def add(self, body: Doc) -> Doc:
        number = self._shelf.next_number("hook", 18000)
        doc = {"id": number, "client_id": "client", "store_hash": self._store(), "is_active": True, **body}
        self._shelf.put("hook", number, doc)
        return doc

    def change(self, id_: str, body: Doc) -> Doc:
        doc = self._shelf.need("hook", id_) | body
        self._shelf.put("hook", id_, doc)
        return doc

    def tell(self, kind: str, event: str, doc: Doc) -> None:
        """What is no document of the store's is told as it is.

        `hash` is the same for the same news; the number in it keeps two changes of one second apart."""
        scope, data = f"store/{kind}/{event}", doc if "type" in doc else {"type": kind, "id": doc["id"]}
        number = self._shelf.next_number("event")
        about = json.dumps([scope, data, number]).encode()
        news = {
            "scope": scope,
            "store_id": "1025646",
            "data": data,
            "hash": hashlib.sha1(about, usedforsecurity=False).hexdigest(),
            "created_at": int(datetime.now(UTC).timestamp()),
            "producer": f"stores/{self._store()}",
        }
        for hook in self._shelf.all("hook"):
            if hook["is_active"] and fnmatchcase(scope, hook["scope"]):
                key = base64.b64encode(self._secret().encode()).decode()
                deliver_again(
                    self._deliver,
                    hook["destination"],
                    standard_webhook(key, f"msg_{number}"),
                    json.dumps(news).encode(),
                    tries=TRIES,
                    given_up=partial(self._switch_off, hook["id"]),
                )

    def _switch_off(self, id_: int) -> None:
        if (doc := self._shelf.get("hook", id_)) is not None:
            self._shelf.put("hook", id_, {**doc, "is_active": False})
