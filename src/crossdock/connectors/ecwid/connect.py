"""The store id and the secret token of a custom app, and the connection test."""

import re
from collections.abc import Mapping

from crossdock.connectors.ecwid import reading
from crossdock.connectors.ecwid.client import Client
from crossdock.connectors.ecwid.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import BadInput
from crossdock.kit.shop.addresses import hosted
from crossdock.kit.shop.base import checked, fields, known_currency, may

HOST = "app.ecwid.com"
WRONG = "Type the store ID, a number that stands at the bottom of each page of your Ecwid admin."
OTHER = "The token is of another store: compare the store ID."
APP = "Your custom app needs the access scope “{}”. Ask Ecwid's API support to add it, then connect again."
_STORE = re.compile(r"(/api/v3/[1-9][0-9]{0,14})(?:/.*)?")
PROFILE = "generalInfo(storeId),settings(storeName),formatsAndUnits(currency)"


def address(form: Mapping[str, str], *, local: bool) -> str:
    """A number, or the address of the store's API; the token goes to Ecwid alone."""
    said = form.get("address", "").strip().removeprefix("#").strip()
    if said.isascii() and said.isdigit():
        said = f"https://{HOST}/api/v3/{said.lstrip('0')}"
    return hosted(said, host=HOST, path=_STORE, local=local, wrong=WRONG, keep="token")


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    given = fields(MANIFEST, way, form)
    # "The public token can only work with the publically available store data" (develop-apps/app-settings).
    if given["secret_token"].startswith("public_"):
        raise BadInput("This is the public token. Copy the secret one, which begins with “secret_”.")
    if not re.fullmatch(r"[\x21-\x7e]{8,400}", given["secret_token"]):
        raise BadInput("The secret token has no blanks; copy it whole.")
    return given


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the token is refused. Whether an order may be created cannot be tried without one."""
    profile = await client.one("GET", "profile", query={"responseFields": PROFILE})
    about, currency = profile.child("generalInfo"), reading.currency_of(profile)
    store = about.id("storeId")
    nothing = {"quantityDelta": 0}
    checks = (
        Check(True, "Sign-in"),
        checked(client.shop.address.endswith(f"/{store}"), "Store", OTHER),
        known_currency(currency),
        await may(client.rows("products", {"limit": "1"}), "Products and counts", "read_catalog", APP),
        # There is no product 0 and no order 0: with the right they are not found, without it forbidden.
        await may(client.one("PUT", "products/0/inventory", json=nothing), "Counts, writing", "update_catalog", APP),
        await may(client.rows("orders", {"limit": "1"}), "Orders", "read_orders", APP),
        await may(client.one("PUT", "orders/0", json={}), "Orders, writing", "update_orders", APP),
    )
    name = text.label(profile.view("settings").text("storeName")) or f"Store {store}"
    return Proof(store, name, currency, checks, {"currency": currency})


async def look(client: Client) -> Proof:
    currency = await reading.currency(client)
    return Proof("", "", currency, (), {"currency": currency})
