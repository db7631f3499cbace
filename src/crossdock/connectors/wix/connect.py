"""The address of a site's dashboard, an API key of its owner, and the connection test."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from crossdock.connectors.wix import goods, reading
from crossdock.connectors.wix.client import V1, V3, Client
from crossdock.connectors.wix.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import AuthDead, NotAllowed
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import hosted
from crossdock.kit.shop.base import checked, known_currency, may, typed_in

HOST = "manage.wix.com"
# "The site ID appears after /dashboard/ in the URL" (dev.wix.com, generate-an-api-key).
_SITE = re.compile(r"(/dashboard/[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:/.*)?")
WRONG = (
    "Open your site's dashboard and copy the address of that page, for example"
    " https://manage.wix.com/dashboard/fa19d2c0-7e17-4bc7-a3a8-eeeaf7c509b1/home."
)
KEY = "Give the API key the permission “{}” in manage.wix.com > Account settings > API Keys."
NO_STORE = "Wix Stores is not installed on this site. Add it in the site's dashboard under Apps."
STORES, ECOM = "Wix Stores", "Wix eCommerce"
# An order that no site has.
NOWHERE = "00000000-0000-4000-8000-000000000000"


def address(form: Mapping[str, str], *, local: bool) -> str:
    typed = form.get("address", "")
    return hosted(typed, host=HOST, path=_SITE, local=local, wrong=WRONG, keep="API key", plain=False).lower()


# What is typed is all that is kept.
finish = typed_in(MANIFEST)


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the key is refused, or is another account's."""
    site, settings = await _site(client)
    currency, catalog = settings["currency"], settings["catalog"]
    checks = [Check(True, "Sign-in"), known_currency(currency), checked(catalog in (V1, V3), "Store", NO_STORE)]
    if catalog in (V1, V3):
        known = Client(replace(client.shop, settings={**client.shop.settings, **settings}))
        path, body = goods.change_of(catalog == V3, NOWHERE, NOWHERE, 1)
        checks += [
            await may(known.page(reading.products_asked(known)), "Products", STORES, KEY),
            await may(known.page(reading.stock_asked(known, [NOWHERE])), "Counts", STORES, KEY),
            # Nothing is changed: it names what no site has. So do the calls below.
            await may(known.send("POST", path, json=body), "Counts, writing", STORES, KEY),
            checked(catalog == V1 or "home" in settings, "Stock location", KEY.format(STORES), right=STORES),
        ]
    orders, parcels = f"{reading.ORDERS}/{NOWHERE}", f"{reading.PARCELS}/{NOWHERE}/orders/{NOWHERE}"
    nobody = {"sendOrderCanceledEmail": False}
    checks += [
        await may(client.page(reading.orders_asked({}, limit=1)), "Orders", ECOM, KEY),
        await may(client.send("POST", f"{orders}/cancel", json=nobody), "Orders, writing", ECOM, KEY),
        await may(client.send("DELETE", parcels), "Fulfilments, writing", ECOM, KEY),
        await may(client.send("GET", f"{reading.PAYMENTS}/orders/{NOWHERE}"), "Refunds", ECOM, KEY),
    ]
    name = text.label(site.text("siteDisplayName")) or text.label(site.text("businessName"))
    return Proof(client.shop.address.rpartition("/")[2], name or "Wix site", currency, tuple(checks), settings)


async def look(client: Client) -> Proof:
    _, settings = await _site(client)
    return Proof("", "", settings["currency"], (), settings)


async def _site(client: Client) -> tuple[Node, dict[str, str]]:
    """What a site is: its currency, its catalogue, and the location that orders take from, where we may see it."""
    try:
        site = await client.one("GET", "site-properties/v4/properties", "properties")
        version = await client.one("GET", "stores/v3/provision/version")
    except NotAllowed as error:
        raise AuthDead(str(error)) from None
    settings = {"currency": site.word("paymentCurrency"), "catalog": version.word("catalogVersion")[:40]}
    if settings["catalog"] == V3:
        with suppress(NotAllowed):
            home = await client.one("GET", "stores/v3/locations/default", "storesLocation")
            settings["home"] = home.id("id")
    return site, settings
