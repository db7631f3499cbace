"""A program that buys for people, with its token, and the protocol's own schemas."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from crossdock.store.models import Seller, User
from crossdock.usecases.accounts.tokens import make_token
from market import user

FOLDER = Path(__file__).parents[1] / "web" / "agents" / "acp"
PINNED = {
    "feed": "5ef3eea431f6a860bb810793843018c8ea5b8c17aa60420ad66ebec3575189c4",
    "agentic_checkout": "d0e4290617d66bf05d002b8ace388732be2b3eb9a92a1003db7a2daa1e0436f2",
}


@lru_cache
def _document(name: str) -> dict[str, Any]:
    raw = (FOLDER / f"schema.{name}.json").read_bytes()
    assert sha256(raw).hexdigest() == PINNED[name], "this is not the copy that was pinned"
    read: dict[str, Any] = json.loads(raw)
    return read


@lru_cache
def _validator(name: str, kind: str) -> Draft202012Validator:
    document = _document(name)
    resource = (document["$id"], DRAFT202012.create_resource(document))
    return Draft202012Validator(
        {"$ref": f"{document['$id']}#/$defs/{kind}"},
        registry=Registry().with_resources([resource]),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def wrong(name: str, kind: str, value: Any) -> list[str]:
    """What the protocol's schema has against it."""
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(name, kind).iter_errors(value)]


def secret_for(scopes: str = "agents:change", *, seller: Seller | None = None, actor: User | None = None) -> str:
    owner = actor or (seller.owner if seller else user(is_staff=True))
    return make_token(name="agent", seller=seller, actor=owner, scopes=scopes, now=datetime.now(UTC))[1]


class Agent:
    """`post` sends a key of its own each time, unless one is given."""

    def __init__(self, secret: str = "") -> None:
        self.client, self.keys = Client(), 0
        self.headers = {"Authorization": f"Bearer {secret or secret_for()}", "API-Version": "2026-04-17"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/agents/acp{path}", headers=self.headers)

    def post(self, path: str, data: Any = None, *, key: str = "", **headers: str) -> Any:
        self.keys += 1
        sent = {**self.headers, "Idempotency-Key": key or f"key-{self.keys}", **headers}
        body = data if isinstance(data, (str, bytes)) else json.dumps({} if data is None else data)
        return self.client.generic("POST", f"/agents/acp{path}", body, content_type="application/json", headers=sent)
