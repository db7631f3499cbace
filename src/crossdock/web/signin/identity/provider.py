"""What the identity provider says of itself, and the one call with a code: each bounded in time and size, over TLS
(plain http on this machine alone), and no redirect is followed.
"""

import http.client
import json
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from crossdock.identity import Oidc, safe

SECONDS = 5.0
MOST_BYTES = 500_000
# What it says of itself and its keys are asked for again after so many seconds; an unknown key sooner, but not more
# often than that, since anybody may send one.
KEPT, KEYS_AGAIN = 600.0, 10.0


class ProviderTrouble(Exception):
    """In words: what was wrong, for the log and the operator's doctor."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    authorize: str
    token: str
    keys: str
    # By the token endpoint: HTTP Basic, or in the form (RFC 6749, 2.3.1).
    basic: bool


@dataclass(slots=True)
class Provider:
    oidc: Oidc
    _lock: Lock = field(default_factory=Lock)
    _endpoints: Endpoints | None = None
    _keys: list[Mapping[str, Any]] = field(default_factory=list)
    _read_at: float = 0.0
    _keys_at: float = 0.0

    def endpoints(self) -> Endpoints:
        """Raises ProviderTrouble."""
        with self._lock:
            if self._endpoints is None or time.monotonic() - self._read_at > KEPT:
                self._endpoints, self._read_at = self._discover(), time.monotonic()
            return self._endpoints

    def _discover(self) -> Endpoints:
        said = call(f"{self.oidc.issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self.oidc.issuer:
            raise ProviderTrouble(f"it calls itself {str(said.get('issuer'))[:200]!r}, not {self.oidc.issuer!r}")
        urls = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        for url in urls:
            if not isinstance(url, str) or not safe(url):
                raise ProviderTrouble(f"its address {str(url)[:200]!r} is not https")
        methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Endpoints(str(urls[0]), str(urls[1]), str(urls[2]), "client_secret_basic" in methods)

    def key(self, kid: str) -> Mapping[str, Any] | None:
        """The public key of this name, as JWK; a provider changes its keys at any time. Raises ProviderTrouble."""
        address = self.endpoints().keys
        with self._lock:
            age = time.monotonic() - self._keys_at
            if not self._keys or age > KEPT or (self._named(kid) is None and age > KEYS_AGAIN):
                keys = call(address).get("keys")
                if not isinstance(keys, list):
                    raise ProviderTrouble("its list of keys is none")
                self._keys, self._keys_at = [key for key in keys if isinstance(key, dict)], time.monotonic()
            return self._named(kid)

    def _named(self, kid: str) -> Mapping[str, Any] | None:
        """Without a name it is the only one there is (OpenID Connect Core, 10.1)."""
        if not kid:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.get("kid") == kid), None)

    def redeem(self, *, code: str, verifier: str, back: str) -> str:
        """The id token for a code. Raises ProviderTrouble."""
        here, form = self.endpoints(), {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        form["code_verifier"] = verifier
        headers = dict[str, str]()
        if here.basic:
            pair = f"{quote(self.oidc.client_id, safe='')}:{quote(self.oidc.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.oidc.client_id, "client_secret": self.oidc.client_secret}
        token = call(here.token, form=form, headers=headers).get("id_token")
        if not isinstance(token, str):
            raise ProviderTrouble("it gave no id token for the code")
        return token


@lru_cache(maxsize=4)
def provider_of(oidc: Oidc) -> Provider:
    """One for each process, which keeps what it read."""
    return Provider(oidc)


def call(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The object that it answers with. Raises ProviderTrouble, which holds nothing of what was sent."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = (
        http.client.HTTPSConnection(host, port, timeout=SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=SECONDS)
    )
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        body = None if form is None else urlencode(form)
        connection.request("GET" if form is None else "POST", path, body, sent)
        answer = connection.getresponse()
        text = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise ProviderTrouble(f"it does not answer ({type(error).__name__})") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise ProviderTrouble(f"it answered {answer.status}{_error_in(text)}")
    found = _json(text) if len(text) <= MOST_BYTES else None
    if not isinstance(found, dict):
        raise ProviderTrouble("its answer is not the JSON that was asked for")
    return found


def _json(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _error_in(text: bytes) -> str:
    """Its own code (RFC 6749, 5.2), such as invalid_grant; nothing else of what it says."""
    found = _json(text[:MOST_BYTES])
    code = found.get("error") if isinstance(found, dict) else None
    return f": {code}" if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) <= 40 else ""
