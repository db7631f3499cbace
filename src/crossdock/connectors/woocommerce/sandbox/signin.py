"""Who asks the simulated shop: Basic and query keys over https, OAuth 1.0a over http, checked as WooCommerce checks
them; and the page where a seller says yes.
"""

import base64
import binascii
import hashlib
import hmac
import html
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import aiohttp
from aiohttp import web

from crossdock.kit.sandbox import Shelf

Doc = dict[str, Any]
WINDOW_SECONDS = 15 * 60
CALLBACK_SECONDS = 60


class Refused(Exception):
    """The request's credentials are wrong; the message is WooCommerce's own."""


def is_ssl(request: web.Request) -> bool:
    """The simulator speaks http; a proxy's header makes it believe in https, as a real one's configuration does."""
    return request.headers.get("X-Forwarded-Proto") == "https"


class SignIn:
    """The shop's API keys."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._nonces: set[tuple[str, str]] = set()
        self._approvals: set[str] = set()

    def make_key(self, *, permissions: str = "read_write", role: str = "administrator") -> Doc:
        number = self._shelf.next_number("key")
        doc: Doc = {
            "key_id": number,
            "consumer_key": f"ck_{secrets.token_hex(20)}",
            "consumer_secret": f"cs_{secrets.token_hex(20)}",
            "permissions": permissions,
            "role": role,
        }
        self._shelf.put("key", number, doc, key=doc["consumer_key"])
        return doc

    def key_of(self, request: web.Request, *, strips: bool) -> Doc | None:
        """The key that signed the request; None when nobody tried (or an unknown Basic key: WooCommerce does not say).
        Raises Refused.
        """
        if is_ssl(request) and (pair := self._pair(request, strips=strips)):
            key = self._key(pair[0])
            if key is not None:
                if not hmac.compare_digest(key["consumer_secret"], pair[1]):
                    raise Refused("Consumer secret is invalid.")
                return key
        return self._oauth(request)

    def _key(self, consumer_key: str) -> Doc | None:
        found = self._shelf.by_key("key", consumer_key)
        return found[0] if found else None

    @staticmethod
    def _pair(request: web.Request, *, strips: bool) -> tuple[str, str] | None:
        if request.query.get("consumer_key") and request.query.get("consumer_secret"):
            return request.query["consumer_key"], request.query["consumer_secret"]
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if strips or kind.lower() != "basic":
            return None
        try:
            key, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (key, secret) if key and secret else None

    def _oauth(self, request: web.Request) -> Doc | None:
        params = dict(request.query)
        names = ("consumer_key", "timestamp", "nonce", "signature", "signature_method")
        missing = [f"oauth_{name}" for name in names if not params.get(f"oauth_{name}")]
        if len(missing) == len(names):
            return None
        if missing:
            raise Refused(f"Missing OAuth parameters {', '.join(missing)}")
        key = self._key(params["oauth_consumer_key"])
        if key is None:
            raise Refused("Consumer key is invalid.")
        given = params.pop("oauth_signature")
        expected = _signature(request, params, key["consumer_secret"])
        if not hmac.compare_digest(expected, given):
            raise Refused("Invalid signature - provided signature does not match.")
        if (
            not params["oauth_timestamp"].isdigit()
            or abs(time.time() - int(params["oauth_timestamp"])) > WINDOW_SECONDS
        ):
            raise Refused("Invalid timestamp.")
        used = (key["consumer_key"], params["oauth_nonce"])
        if used in self._nonces:
            raise Refused("Invalid nonce - nonce has already been used.")
        self._nonces.add(used)
        return key

    # wc-auth

    def answer(self, query: Mapping[str, str]) -> dict[str, str]:
        """A new key as the shop posts it to `callback_url`."""
        key = self.make_key(permissions=query["scope"])
        return {
            "key_id": str(key["key_id"]),
            "user_id": query["user_id"],
            "consumer_key": key["consumer_key"],
            "consumer_secret": key["consumer_secret"],
            "key_permissions": key["permissions"],
        }

    async def authorize(self, request: web.Request) -> web.Response:
        """The page that asks the shop's admin."""
        if problem := _invalid(request.query):
            return _error(problem)
        nonce = secrets.token_hex(8)
        self._approvals.add(nonce)
        yes = f"/wc-auth/v1/access_granted?{urlencode({**request.query, 'wc_auth_nonce': nonce})}"
        no = _with(request.query["return_url"], success="0", user_id=request.query["user_id"])
        name = html.escape(request.query["app_name"])
        return web.Response(
            text=f"<!doctype html><title>{name} would like to connect</title><p><strong>Simulated shop.</strong></p>"
            f"<h1>{name} would like to connect to your store</h1><p>This will give it"
            f" {html.escape(request.query['scope'])} access.</p>"
            f'<p><a href="{html.escape(yes)}">Approve</a> <a href="{html.escape(no)}">Deny</a></p>',
            content_type="text/html",
        )

    async def granted(self, request: web.Request) -> web.Response:
        """Approve: the keys are posted to the callback, and only a plain 200 keeps them."""
        if problem := _invalid(request.query):
            return _error(problem)
        if request.query.get("wc_auth_nonce", "") not in self._approvals:
            return _error("Invalid nonce verification")
        self._approvals.discard(request.query["wc_auth_nonce"])
        keys: dict[str, Any] = self.answer(request.query)
        number = keys["key_id"] = int(keys["key_id"])
        status = await _post(request.query["callback_url"], keys)
        if status != 200:
            self._shelf.delete("key", number)
            return _error("An error occurred in the request and at the time were unable to send the consumer data")
        raise web.HTTPFound(_with(request.query["return_url"], success="1", user_id=request.query["user_id"]))


async def _post(url: str, body: Doc) -> int | None:
    timeout = aiohttp.ClientTimeout(total=CALLBACK_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError):
        return None


def _invalid(query: Mapping[str, str]) -> str:
    for name in ("app_name", "user_id", "return_url", "callback_url", "scope"):
        if not query.get(name):
            return f"Missing parameter {name}"
    if query["scope"] not in ("read", "write", "read_write"):
        return f"Invalid scope {query['scope']}"
    callback = urlsplit(query["callback_url"])
    # The real one takes https only; on loopback there is no certificate to be had.
    if callback.scheme != "https" and callback.hostname not in ("127.0.0.1", "localhost"):
        return "The callback_url needs to be over SSL"
    return ""


def _error(sentence: str) -> web.Response:
    return web.Response(
        status=401, text=f"<h1>Access denied</h1><p>Error: {html.escape(sentence)}.</p>", content_type="text/html"
    )


def _with(url: str, **fields: str) -> str:
    return url + ("&" if "?" in url else "?") + urlencode(fields)


def _signature(request: web.Request, params: Mapping[str, str], secret: str) -> str:
    """The base string of RFC 5849, written out here so that it shares nothing with the library that signs on the other
    side.
    """
    scheme = "https" if is_ssl(request) else "http"
    pairs = "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))
    base = "&".join((request.method, _encoded(f"{scheme}://{request.host}{request.path}"), _encoded(pairs)))
    digest = {"HMAC-SHA256": hashlib.sha256, "HMAC-SHA1": hashlib.sha1}.get(params["oauth_signature_method"])
    if digest is None:
        raise Refused("Invalid signature - signature method is invalid.")
    return base64.b64encode(hmac.new(f"{secret}&".encode(), base.encode(), digest).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")


def approved(url: str) -> dict[str, str]:
    """The query of an authorize URL. Raises ValueError when the shop would show an error instead of its page."""
    query = dict(parse_qsl(urlsplit(url).query))
    if problem := _invalid(query):
        raise ValueError(problem)
    return query
