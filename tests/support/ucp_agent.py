"""A program that buys by the Universal Commerce Protocol: its profile on a server of its own, its token, and the
protocol's own schemas.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from django.test import Client
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from agent import secret_for
from crossdock_lab.serving import serving

FILE = Path(__file__).parents[1] / "web" / "agents" / "ucp" / "schemas.json"
PINNED = "d34abf6cf8049ec1b9c6e3e2dbc2df1f3b4bb30726961364e67c9a90da45833b"
_ROOT = "https://ucp.dev/"


@lru_cache
def _registry() -> Registry[Any]:
    """Each under its path: the `$id` of one is elsewhere than others look for it."""
    raw = FILE.read_bytes()
    assert sha256(raw).hexdigest() == PINNED, "this is not the copy that was pinned"
    found = [(_ROOT + path, {**said, "$id": _ROOT + path}) for path, said in json.loads(raw).items()]
    return Registry().with_resources([(at, DRAFT202012.create_resource(said)) for at, said in found])


@lru_cache
def _validator(path: str) -> Draft202012Validator:
    checks = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator({"$ref": _ROOT + path}, registry=_registry(), format_checker=checks)


SHAPES = {
    "checkout": "schemas/shopping/fulfillment.json#/$defs/dev.ucp.shopping.checkout",
    "order": "schemas/shopping/order.json",
    "error": "schemas/shopping/types/error_response.json",
    "profile": "discovery/profile_schema.json#/$defs/business_profile",
    "search": "schemas/shopping/catalog_search.json#/$defs/search_response",
    "lookup": "schemas/shopping/catalog_lookup.json#/$defs/lookup_response",
    "product": "schemas/shopping/catalog_lookup.json#/$defs/get_product_response",
}


def wrong(shape: str, value: Any) -> list[str]:
    """What the protocol's schema has against it."""
    return [f"{one.json_path}: {one.message[:200]}" for one in _validator(SHAPES[shape]).iter_errors(value)]


def profile(*names: str, version: str = "2026-04-08", told_at: Any = "", **config: Any) -> dict[str, Any]:
    """Of a platform with these capabilities, which wants to hear of its orders at `told_at`."""
    of = {"dev.ucp.shopping.fulfillment": config} if config else {}
    of |= {"dev.ucp.shopping.order": {"webhook_url": told_at}} if told_at else {}
    said = {name: [{"version": "2026-04-08", **({"config": of[name]} if name in of else {})}] for name in names}
    return {"ucp": {"version": version, "services": {}, "payment_handlers": {}, "capabilities": said}}


ALL = tuple(
    f"dev.ucp.shopping.{name}" for name in ("checkout", "fulfillment", "order", "catalog.search", "catalog.lookup")
)


class Host:
    """Where profiles lie: by path a status and a body, or text as it is. `asked` counts the reads of each."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.pages: dict[str, tuple[int, Any]] = {"/all": (200, profile(*ALL))}
        self.asked: list[str] = []


@contextmanager
def hosted() -> Iterator[Host]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append(self.path)
            status, said = host.pages[self.path]
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "/all")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests read `asked`."""

    with serving(Handler) as address:
        host = Host(address)
        yield host


class UcpAgent:
    """It sends a key of its own with what changes something only where one is given."""

    def __init__(self, profile: str, secret: str = "") -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {secret or secret_for()}", "UCP-Agent": f'profile="{profile}"'}

    def get(self, path: str) -> Any:
        return self.client.get(f"/agents/ucp{path}", headers=self.headers)

    def send(self, method: str, path: str, data: Any = None, *, key: str = "") -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        body = data if isinstance(data, (str, bytes)) else json.dumps({} if data is None else data)
        at = f"/agents/ucp{path}"
        return self.client.generic(method, at, body, content_type="application/json", headers=headers)

    def post(self, path: str, data: Any = None, *, key: str = "") -> Any:
        return self.send("POST", path, data, key=key)

    def put(self, path: str, data: Any = None, *, key: str = "") -> Any:
        return self.send("PUT", path, data, key=key)
