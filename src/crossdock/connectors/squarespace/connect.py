"""The API key of a site, and the connection test."""

import re
from collections.abc import Mapping

from crossdock.connectors.squarespace import reading
from crossdock.connectors.squarespace.client import Client
from crossdock.connectors.squarespace.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import BadInput
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import fields, known_currency, may

WRONG = "Type the address of your site, for example https://corner-shop.squarespace.com."
KEY = "Make a key with the permission “{}” in Settings > Developer tools > Developer API keys, and connect again."
# An order that no site has.
NOWHERE = "0" * 24


def address(form: Mapping[str, str], *, local: bool) -> str:
    return typed(
        form.get("address", ""), local=local, wrong=WRONG, keep="API key", pages=("/config", "/shop", "/store")
    )


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    given = fields(MANIFEST, way, form)
    if not re.fullmatch(r"[\x21-\x7e]{8,400}", given["api_key"]):
        raise BadInput("The API key has no blanks and was shown once; copy it whole.")
    return given


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the key is refused. "A given API key can only belong to one website"
    (retrieve-basic-site-info), so the site's id is the key's.
    """
    site = await _site(client)
    currency = site.word("currency")
    orders, stock, goods = "Orders: read and write", "Inventory: read and write", "Products: read only"
    parcel = {"shouldSendNotification": False, "shipments": []}
    nothing: dict[str, list[str]] = {"incrementOperations": []}
    checks = (
        Check(True, "Sign-in"),
        known_currency(currency),
        await may(client.page(reading.PRODUCTS, "products", {"type": reading.KIND}), "Products", goods, KEY),
        await may(client.page(reading.INVENTORY, "inventory", {}), "Counts", stock, KEY),
        # Nothing is changed: no operation is a 400, and an order that is not there cannot be fulfilled.
        await may(
            client.send("POST", reading.ADJUST, json=nothing, key="crossdock-test"), "Counts, writing", stock, KEY
        ),
        await may(client.page(reading.ORDERS, "result", {}), "Orders", orders, KEY),
        await may(
            client.send("POST", f"{reading.ORDERS}/{NOWHERE}/fulfillments", json=parcel), "Orders, writing", orders, KEY
        ),
    )
    name = text.label(site.text("title")) or text.label(site.text("siteId"))
    return Proof(site.id("id"), name, currency, checks, {"currency": currency})


async def look(client: Client) -> Proof:
    currency = (await _site(client)).word("currency")
    return Proof("", "", currency, (), {"currency": currency})


async def _site(client: Client) -> Node:
    return await client.one("GET", "1.0/authorization/website")
