"""The server's address and a secret API key, and the connection test: what an order needs there (a region, a location,
a way of shipping) is looked for before there is one.
"""

import re
from collections.abc import Mapping

from crossdock.connectors.medusa.client import Client, Query
from crossdock.connectors.medusa.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import BadInput, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import checked, fields, known_currency, limited

WRONG = "Type only the address of your Medusa server, for example https://api.example.com."
PAGES = ("/app", "/admin", "/store", "/auth", "/health")
STORE: Query = (("fields", "id,name,default_sales_channel_id,*supported_currencies"),)
NO_REGION = "Make a region with the currency {}, and the countries that you ship to: Settings > Regions."
NO_CHANNEL = "Choose a default sales channel for your store: Settings > Store."
NO_PLACE = "Connect a stock location with the sales channel of your store: Settings > Locations & Shipping."
NO_SHIPPING = "Make a shipping option at your stock location: Settings > Locations & Shipping."
TAXED = (
    "Your regions add taxes to the prices, so orders stand in your store at more than the buyer paid here. Choose"
    " prices with tax for the region, or switch its automatic taxes off: Settings > Regions."
)


def address(form: Mapping[str, str], *, local: bool) -> str:
    return typed(form.get("address", ""), local=local, pages=PAGES, wrong=WRONG, keep="key", plain=True)


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    given = fields(MANIFEST, way, form)
    if not re.fullmatch(r"sk_[\x21-\x7e]{8,200}", given["api_key"]):
        raise BadInput("A secret API key begins with sk_ and was shown once; copy it whole.")
    return given


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the key is refused."""
    store = await _store(client)
    settings = await _settings(client, store)
    currency, channel = settings["currency"], settings["channel"]
    options = await client.every("shipping-options", "shipping_options")
    taxes = (await client.rows("tax-regions", "tax_regions", (("limit", "1"),))).size
    net = bool(taxes) and settings["taxed"] == "yes" and not await _with_tax(client, settings)
    checks = (
        Check(True, "Sign-in"),
        known_currency(currency),
        checked(bool(settings["regions"]), "Region", NO_REGION.format(currency[:10])),
        checked(bool(channel), "Sales channel", NO_CHANNEL),
        checked(bool(settings["places"]), "Stock location", NO_PLACE),
        checked(bool(options), "Shipping", NO_SHIPPING),
        limited(net, "Taxes", TAXED),
    )
    return Proof(store.id("id"), text.label(store.text("name")) or "Medusa", currency, checks, settings)


async def look(client: Client) -> Proof:
    settings = await _settings(client, await _store(client))
    return Proof("", "", settings["currency"], (), settings)


async def _store(client: Client) -> Node:
    stores = (await client.rows("stores", "stores", STORE)).items
    if not stores:
        raise Strange("stores", "store", [])
    return stores[0]


async def _settings(client: Client, store: Node) -> dict[str, str]:
    """`regions` are those of the store's currency with their countries: "id:us.de id:gb"."""
    held = store.list("supported_currencies")
    chosen = next((row for row in held if row.opt_bool("is_default")), held[0] if held else None)
    currency = chosen.word("currency_code").upper() if chosen else ""
    channel = store.opt_id("default_sales_channel_id") or ""
    rows = await client.every("regions", "regions", (("fields", "id,currency_code,automatic_taxes,countries.iso_2"),))
    ours = [row for row in rows if row.text("currency_code").upper() == currency]
    regions = [f"{row.id('id')}:{'.'.join(_codes(row))}" for row in ours]
    places = await _places(client, channel) if channel else []
    return {
        "currency": currency,
        "channel": channel,
        "regions": " ".join(regions),
        "taxed": "yes" if any(row.opt_bool("automatic_taxes") for row in ours) else "no",
        "places": " ".join(places),
    }


def _codes(region: Node) -> list[str]:
    codes = (country.text("iso_2").lower() for country in region.rows("countries"))
    return sorted(code for code in codes if re.fullmatch("[a-z]{2}", code))


async def _places(client: Client, channel: str) -> list[str]:
    """Stock locations that the sales channel sells from: an order takes from no other."""
    query = (("sales_channel_id", channel), ("fields", "id,name"))
    return [row.id("id") for row in await client.every("stock-locations", "stock_locations", query)]


async def _with_tax(client: Client, settings: Mapping[str, str]) -> bool:
    """A region's preference goes before its currency's (seen on 2.21.2), and each region gets one when it is made."""
    regions = [row.partition(":")[0] for row in settings["regions"].split()]
    rows = await client.every("price-preferences", "price_preferences")
    said = {row.text("value"): row.opt_bool("is_tax_inclusive") is True for row in rows}
    return all(said.get(region, said.get(settings["currency"].lower(), False)) for region in regions)
