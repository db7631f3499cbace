"""Signing in to a WooCommerce shop, and the connection test.

The shop posts its keys unsigned, so a key counts only once the shop itself has taken it.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode, urlsplit

from crossdock.connectors.woocommerce.client import Client, NoRoute, NotAllowed, NotSignedIn
from crossdock.connectors.woocommerce.site import taxes, wordpress
from crossdock.domain.currencies import CURRENCIES, minor_units
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof, Redirect, Shop
from crossdock.kit.errors import AuthDead, BadInput, Missing
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import allowed, checked

OLDEST = (6, 0)
PAGES = ("/wp-admin", "/wp-json", "/wp-login.php", "/wc-auth")
_KEY = {"consumer_key": re.compile(r"ck_\w{8,}"), "consumer_secret": re.compile(r"cs_\w{8,}")}
_STATUS = "environment.home_url,environment.version,settings.currency,settings.number_of_decimals"
PLUGINS = {"wc-shipment-tracking/v3": "Shipment Tracking", "wc-ast/v3": "Advanced Shipment Tracking"}
READ_ONLY = (
    "These keys may only read. In WooCommerce > Settings > Advanced > REST API give the key the permission Read/Write."
)


def address(form: Mapping[str, str], *, local: bool) -> str:
    wrong = "Type the address of your shop, for example https://shop.example.com."
    return typed(form.get("address", ""), local=local, pages=PAGES, wrong=wrong, keep="keys")


def begin(shop: Shop, *, way: str, form: Mapping[str, str], state: str, return_url: str, callback_url: str) -> Redirect:
    """The shop asks its admin, posts the keys to `callback_url` and sends the browser to `return_url`; `user_id` is
    our one-time state.
    """
    if urlsplit(callback_url).scheme != "https" and urlsplit(callback_url).hostname not in ("127.0.0.1", "localhost"):
        raise BadInput("WooCommerce sends its keys to https addresses only; paste the keys instead.")
    query = {
        "app_name": "Crossdock",
        "scope": "read_write",
        "user_id": state,
        "return_url": return_url,
        "callback_url": callback_url,
    }
    return Redirect(f"{shop.address}/wc-auth/v1/authorize?{urlencode(query, quote_via=quote)}", {"state": state})


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    """The keys, with a webhook secret of our own making: hexadecimal, since WooCommerce decodes HTML entities in it
    before it signs.
    """
    given = form if way == "keys" else params
    if way != "keys" and keep.get("state") != params.get("user_id"):
        raise BadInput("This answer does not belong to the sign-in that you began; begin again.")
    if params.get("success") == "0":
        raise BadInput("You declined in your shop. Begin again when you want to connect it.")
    found = {name: str(given.get(name, "")).strip() for name in _KEY}
    for name, key in found.items():
        if not _KEY[name].fullmatch(key):
            raise BadInput(
                f"The {name.replace('_', ' ')} begins with {_KEY[name].pattern[:3]} and was shown once; copy it whole."
            )
    kept = {**found, "hook_secret": secrets.token_hex(24)}
    if way != "keys":
        await sign_in(Client(replace(client.shop, secrets=kept)))
    return kept


async def sign_in(client: Client) -> tuple[Client, Node]:
    """The client that gets through, with the shop's status.

    Where the host takes the header away, the keys go in the address (over https only).
    """
    try:
        return client, await client.one("system_status", query={"_fields": _STATUS})
    except NotSignedIn:
        if client.way != "basic":
            raise
    client = replace(client, auth="query")
    return client, await client.one("system_status", query={"_fields": _STATUS})


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the keys are refused, NoAnswer when there is no WordPress."""
    site = await wordpress(client.shop)
    if site.get("missing"):
        return Proof("", "", "", (Check(False, "REST API", site["missing"]),))
    try:
        client, status = await sign_in(client)
    except NotAllowed:
        raise AuthDead(
            "The WordPress user behind the keys is no shop manager; make the keys for an administrator or shop manager."
        ) from None
    environment, settings = status.child("environment"), status.child("settings")
    currency, version = settings.word("currency"), environment.str("version")
    home = urlsplit(environment.str("home_url"))
    decimals = minor_units(currency) if currency in CURRENCIES else 0
    taxed, prices = await taxes(client)
    checks = [
        Check(True, "Sign-in"),
        checked(
            _old_enough(version),
            "Version",
            f"WooCommerce {version} is too old; {OLDEST[0]}.{OLDEST[1]} or later is needed.",
        ),
        checked(currency in CURRENCIES, "Currency", f"We do not know the currency {currency}."),
        checked(
            settings.int("number_of_decimals") >= decimals,
            "Decimals",
            f"Set the number of decimals to {decimals} in WooCommerce > Settings > General, or totals are rounded.",
        ),
        checked(await _may_write(client), "Permission to write", READ_ONLY, right="Read/Write"),
        taxed,
        checked(
            await _counts_stock(client),
            "Stock",
            "Switch on WooCommerce > Settings > Products > Inventory > Enable stock management: without it your shop"
            " has no counts.",
        ),
        Check(True, "Tracking numbers", await _tracking(client, site.get("namespaces", []))),
    ]
    return Proof(
        shop_id=f"{home.netloc.lower()}{home.path.rstrip('/')}",
        name=text.label(str(site.get("name") or "")) or home.netloc,
        currency=currency,
        checks=tuple(checks),
        settings={**_money(settings), "auth": client.way, **prices},
    )


async def look(client: Client) -> Proof:
    client, status = await sign_in(client)
    money = _money(status.child("settings"))
    return Proof("", "", money["currency"], (), {**money, **(await taxes(client))[1]})


def _money(settings: Node) -> dict[str, str]:
    return {"currency": settings.word("currency"), "decimals": str(settings.digits("number_of_decimals"))}


def _old_enough(version: str) -> bool:
    numbers = re.match(r"(\d+)\.(\d+)", version)
    return numbers is not None and tuple(map(int, numbers.groups())) >= OLDEST


async def _may_write(client: Client) -> bool:
    """An empty batch changes nothing, and is refused to keys that may only read."""
    nothing: dict[str, list[str]] = {"create": [], "update": [], "delete": []}
    return await allowed(client.ask("POST", "orders/batch", json=nothing), but=AuthDead)


async def _counts_stock(client: Client) -> bool:
    return (await client.one("settings/products/woocommerce_manage_stock")).str("value") == "yes"


async def _tracking(client: Client, namespaces: list[str]) -> str:
    sources = [name for route, name in PLUGINS.items() if route in namespaces]
    try:
        await client.ask("GET", "orders/0/fulfillments")
    except NoRoute:
        pass
    except Missing:
        sources.insert(0, "WooCommerce's fulfilments")
    if sources:
        return f"Read from {' and '.join(sources)}, and from the order's status."
    return (
        "Your shop keeps no tracking numbers, so a completed order comes back as shipped without one. The plugin"
        " Shipment Tracking, or WooCommerce's fulfilments, add them."
    )
