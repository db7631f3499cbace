"""An agent's own platform by UCP: where its profile lies, and where it hears of its orders. It believes nothing that
the marketplace's published keys did not sign.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from crossdock_lab.serving import serving

VERSION = "2026-04-08"
CAPABILITIES = ("catalog.lookup", "catalog.search", "checkout", "fulfillment", "order")
HEARS = "/ucp/orders"
# What UCP's signatures.md says that the signature of a POST with a body covers.
COVERED = {"@method", "@authority", "@path", "ucp-agent", "idempotency-key", "content-digest", "content-type"}
_INPUT = re.compile(r'sig1=(\(([^)]*)\);.*\bkeyid="([^"]+)".*)')


@dataclass
class Platform:
    """`events` are the orders that came, each with its Webhook-Id, in their order; the first delivery is answered with
    a 503. `keys` are those that the marketplace publishes.
    """

    address: str = ""
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)
    tries: int = 0

    def profile(self) -> bytes:
        said: dict[str, Any] = {f"dev.ucp.shopping.{name}": [{"version": VERSION}] for name in CAPABILITIES}
        said["dev.ucp.shopping.order"][0]["config"] = {"webhook_url": f"{self.address}{HEARS}"}
        ucp = {"version": VERSION, "services": {}, "payment_handlers": {}, "capabilities": said}
        return json.dumps({"ucp": ucp}).encode()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status that it answers with. Headers by their names in small letters."""
        self.tries += 1
        if why := self._doubt(path, headers, body):
            self.forged.append(why)
            return 401
        if self.tries == 1:
            self.lost.append(headers["webhook-id"])
            return 503
        self.events.append((headers["webhook-id"], json.loads(body)))
        return 200

    def _doubt(self, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """Why it is not believed; empty where it is."""
        found = _INPUT.fullmatch(headers.get("signature-input", ""))
        raw = base64.b64decode(headers.get("signature", "").removeprefix("sig1=:").removesuffix(":"))
        names = found[2].replace('"', "").split() if found else []
        if found is None or len(raw) != 64 or not set(names) >= COVERED:
            return f"signed are {names} only"
        if found[3] not in self.keys:
            return f"the key {found[3]} is not published"
        if headers["content-digest"] != f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:":
            return "the digest is another body's"
        target = {"@method": "POST", "@authority": headers["host"], "@path": path}
        lines = [f'"{name}": {target[name] if name in target else headers[name]}' for name in names]
        said = "\n".join([*lines, f'"@signature-params": {found[1]}']).encode()
        signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        try:
            _key(self.keys[found[3]]).verify(signature, said, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "the signature is none"
        return ""


def _key(jwk: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(base64.urlsafe_b64decode(f"{jwk[name]}="), "big") for name in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


@contextmanager
def hosted() -> Iterator[Platform]:
    platform = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, platform.profile())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(
                platform.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body), b""
            )

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "public, max-age=60")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The facts say it."""

    with serving(Handler) as platform.address:
        yield platform
