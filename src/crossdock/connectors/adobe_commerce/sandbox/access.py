"""Who may ask: the signature of OAuth 1.0a (RFC 5849) reckoned by hand, and the resources that an integration has.

A missing resource is a 401, as wrong keys are; its parameters alone tell them apart.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from aiohttp import web

from crossdock.kit.sandbox import Doc

# How far ahead a request's time may be (Integration/Model/Oauth/Nonce/Generator: TIME_DEVIATION).
AHEAD_SECONDS = 600
ANONYMOUS = "anonymous"
# By the beginning of method and path, the first that fits (webapi.xml of the modules).
RESOURCES = {
    "POST guest-carts": ANONYMOUS,
    "PUT guest-carts": ANONYMOUS,
    "GET directory/": ANONYMOUS,
    "GET store/": "Magento_Backend::store",
    "GET products": "Magento_Catalog::products",
    "GET inventory/export-stock-salable-qty": "Magento_InventoryApi::stock",
    "GET inventory/stock-resolver": "Magento_InventorySalesApi::stock",
    "GET inventory/get-sources": "Magento_InventoryApi::source",
    "POST inventory/source-selection": "Magento_InventorySourceSelectionApi::source_selection_algorithm_post",
    "GET orders": "Magento_Sales::actions_view",
    "GET shipments": "Magento_Sales::shipment",
    "GET creditmemos": "Magento_Sales::sales_creditmemo",
    "POST order/": "Magento_Sales::ship",
    "POST shipment/": "Magento_Sales::shipment",
    "DELETE shipment/": "Magento_Sales::shipment",
}


class No(Exception):
    """A refusal as ErrorProcessor writes it."""

    def __init__(self, status: int, message: str, parameters: Doc | list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body: Doc = {"message": message} | ({"parameters": parameters} if parameters else {})


def resource(method: str, path: str) -> str:
    if method == "POST" and path.startswith("orders/"):
        return "Magento_Sales::cancel" if path.endswith("/cancel") else "Magento_Sales::comment"
    asked = f"{method} {path}"
    return next((name for begins, name in RESOURCES.items() if asked.startswith(begins)), ANONYMOUS)


def signed(request: web.Request, address: str, keys: Mapping[str, str], now: datetime) -> None:
    """Raises No. Both token and consumer are looked up before the signature."""
    header = request.headers.get("Authorization", "")
    if not header.startswith("OAuth "):
        # A token alone is nobody's (gs-authentication-token: "disabled by default").
        raise No(401, "The consumer isn't authorized to access %resources.", {"resources": "self"})
    said = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
    if said.get("oauth_consumer_key") != keys["consumer_key"]:
        raise No(401, "A consumer having the specified key does not exist")
    if said.get("oauth_token") != keys["access_token"]:
        raise No(401, "Specified token does not exist")
    if said.get("oauth_signature_method") != "HMAC-SHA256":
        raise No(401, "Signature method is not supported")
    stamp = said.get("oauth_timestamp", "")
    if not stamp.isdigit() or int(stamp) > now.timestamp() + AHEAD_SECONDS:
        raise No(401, "The timestamp value in the oauth_timestamp parameter is invalid")
    signature = said.pop("oauth_signature", "")
    parts = urlsplit(address + request.raw_path)
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *said.items()]
    sent = "&".join(f"{name}={value}" for name, value in sorted((_coded(n), _coded(v)) for n, v in pairs))
    base = "&".join((request.method, _coded(f"{parts.scheme}://{parts.netloc}{parts.path}"), _coded(sent)))
    key = f"{_coded(keys['consumer_secret'])}&{_coded(keys['access_token_secret'])}"
    wanted = base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(wanted, signature):
        raise No(401, "The signature is invalid. Verify and try again.")


def _coded(text: str) -> str:
    return quote(text, safe="~")
