"""An identity provider on this machine, over real HTTP: discovery, keys, the code flow with PKCE, signed id tokens. It
refuses what a real one refuses; `lie` changes what the next token says, as an attacker would.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from crossdock_lab.serving import serving

CLIENT, SECRET = "crossdock", "a secret: with/signs"


def _one(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@dataclass
class Person:
    sub: str
    email: str
    email_verified: Any = True
    amr: tuple[str, ...] = ()


@dataclass
class IdentityProvider:
    issuer: str = ""
    person: Person = field(default_factory=lambda: Person("s-1", "zoe@example.test"))
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    kid: str = "k1"
    basic: bool = True
    down: bool = False
    # Changes claims of the next tokens; None leaves one out. `sign`: (key, algorithm, kid) instead of its own.
    lie: dict[str, Any] = field(default_factory=dict)
    sign: tuple[Any, str, str] | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic" if self.basic else "client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**jwk, "kid": self.kid, "use": "sig", "alg": "RS256"}]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent: the person said yes."""
        assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in asked["scope"].split() and len(asked["code_challenge"]) == 43
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def token(self, sent: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if self.basic:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            client, _, secret = pair.partition(":")
            right = (client, secret) == (CLIENT, "a%20secret%3A%20with%2Fsigns")
        else:
            right = (sent.get("client_id"), sent.get("client_secret")) == (CLIENT, SECRET)
        if not right:
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(sent.get("code", ""), None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if asked is None or proof.decode() != asked["code_challenge"] or sent["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "unused", "token_type": "Bearer", "id_token": self.id_token(asked)}

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.person.sub,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "email": self.person.email,
            "email_verified": self.person.email_verified,
        }
        if "max_age" in asked:
            claims["auth_time"] = now
        if self.person.amr:
            claims["amr"] = list(self.person.amr)
        claims = {name: value for name, value in {**claims, **self.lie}.items() if value is not None}
        key, algorithm, kid = self.sign or (self.key, "RS256", self.kid)
        if algorithm == "HS256":
            return by_a_shared_secret(claims, key, kid)
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def by_a_shared_secret(claims: dict[str, Any], key: bytes, kid: str) -> str:
    """By hand: the library signs nothing with a public key taken for a secret, and an attacker does."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode()
    signed = f"{part(head)}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.digest(key, signed.encode(), 'sha256'))}"


@contextmanager
def running() -> Iterator[IdentityProvider]:
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

        def _answer(self, status: int, said: dict[str, Any], location: str = "") -> None:
            body = json.dumps(said).encode()
            head = f"HTTP/1.0 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            self.wfile.write((head + (f"Location: {location}\r\n" if location else "") + "\r\n").encode() + body)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.down:
                return self._answer(503, {})
            match parts.path:
                case "/.well-known/openid-configuration":
                    return self._answer(200, provider.discovery())
                case "/keys":
                    return self._answer(200, provider.keys())
                case "/authorize":
                    return self._answer(302, {}, provider.authorize(_one(parts.query)))
            return self._answer(404, {})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            provider.asked.append(self.path)
            status, said = provider.token(_one(sent), self.headers.get("Authorization", ""))
            self._answer(status, said)

    with serving(Handler) as provider.issuer:
        yield provider
