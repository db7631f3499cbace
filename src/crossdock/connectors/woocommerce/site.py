"""The WordPress under a shop: whether it is there and where, and what its tax settings make of a price."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from crossdock.connectors.woocommerce.client import Client, NoRoute, NotAllowed
from crossdock.domain.places import COUNTRIES, US_TERRITORIES
from crossdock.kit.check import check, is_challenge, walled
from crossdock.kit.connector import Check, Shop
from crossdock.kit.errors import Missing, NoAnswer, Strange

# "Every page of a site with the REST API has this header" (developer.wordpress.org, REST API Handbook, Discovery).
_LINK = re.compile(r'<([^<>]{1,300})>;\s*rel="https://api\.w\.org/"')
NET = (
    "Your shop keeps prices without tax and shows them with tax, so products would be listed here below what your own"
    " customers pay. In WooCommerce > Settings > Tax choose “Yes, I will enter prices inclusive of tax”, or display"
    " prices in the shop excluding tax."
)
NO_TAX_LINES = (
    "Prices are listed as your shop shows them. Orders arrive in your shop at what the buyer paid, with tax lines of 0."
)


async def wordpress(shop: Shop) -> dict[str, Any]:
    """WordPress's own index, asked for without keys: it would take them for a password of its own and refuse them.

    A shop may hide it. `missing` says what is wrong. Raises NoAnswer where there is no WordPress, Throttled for a
    firewall's page.
    """
    fields = "_fields=name,namespaces,home"
    site = await _index(shop, f"{shop.address}/wp-json/?{fields}")
    if site is None and (bare := await _index(shop, f"{shop.address}/?rest_route=/&{fields}")):
        # WordPress answers this under any path, so it says nothing of the address that was typed.
        home = await _home(shop, bare)
        if home and _place(home) != _place(shop.address):
            return {"missing": f"{shop.address} is a page of your shop. Go back and type the shop's address: {home}"}
        return {
            "missing": (
                "Your shop has plain permalinks, which switch its REST API off: choose “Post name” in Settings >"
                " Permalinks."
            )
        }
    if site is None:
        if (home := await _home(shop, {})) and _place(home) != _place(shop.address):
            return {"missing": f"{shop.address} is a page of your shop. Go back and type the shop's address: {home}"}
        raise NoAnswer(f"There is no WordPress at {shop.address}; type the address of your shop's home page.")
    if not isinstance(site.get("namespaces"), list):
        site["namespaces"] = []
    if site["namespaces"] and "wc/v3" not in site["namespaces"]:
        return {"missing": "WooCommerce is not active on this WordPress site: Plugins > WooCommerce > Activate."}
    return site


async def _index(shop: Shop, url: str) -> dict[str, Any] | None:
    reply = await shop.http.send("GET", url)
    if reply.status in (401, 403):
        return {}
    if reply.status != 404:
        check(reply)
    if is_challenge(reply):
        raise walled(reply.status)
    try:
        site = reply.json()
    except Strange:
        return None
    return site if isinstance(site, dict) and "namespaces" in site else None


async def _home(shop: Shop, index: Mapping[str, Any]) -> str:
    """Where the site lives, by its index's `home` or by its page's Link header; empty when neither says."""
    home = index.get("home")
    if not isinstance(home, str) or not home:
        page = await shop.http.send("GET", f"{shop.address}/")
        found = _LINK.search(page.headers.get("link", ""))
        home = re.split(r"/wp-json\b|/(?:index\.php)?\?rest_route=", found[1])[0] if found else ""
    return home.rstrip("/") if re.fullmatch(r"https?://[\w.:-]+(?:/[^\s?#]*)?", home) else ""


def _place(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/")


async def taxes(client: Client) -> tuple[Check, Mapping[str, str]]:
    """Whether a product's price is what the shop shows, the settings by which it is read, and where the shop sells to.

    "price" is the price as it was entered: without tax where "prices_include_tax" is no, while the shop may show it
    with tax (seen on WooCommerce 11.0.1).
    """
    try:
        rows = {row.text("id"): row.text("value") for row in (await client.rows("settings/tax", {})).items}
        general = (await client.rows("settings/general", {"_fields": "id,value"})).items
    except (NoRoute, NotAllowed, Missing):
        return Check(True, "Taxes", "Your shop's tax settings could not be read. " + NO_TAX_LINES), {}
    values = {str(row.raw("id")).removeprefix("woocommerce_"): row.raw("value") for row in general}
    where = {"countries": _countries(values)}
    includes = rows.get("woocommerce_prices_include_tax") == "yes"
    shown = rows.get("woocommerce_tax_display_shop") or "excl"
    if includes or shown == "excl":
        return Check(True, "Taxes", NO_TAX_LINES), where | {
            "prices": f"{'gross' if includes else 'net'}, shown {shown}"
        }
    if values.get("calc_taxes") == "yes":
        return Check(False, "Taxes", NET), where | {"prices": f"net, shown {shown}"}
    return Check(True, "Taxes", NO_TAX_LINES), where | {"prices": "without taxes"}


def _countries(values: Mapping[str, Any]) -> str:
    """Where the shop sells and ships to; empty is everywhere.

    As WC_Countries::get_allowed_countries and get_shipping_countries read these options (woocommerce
    includes/class-wc-countries.php). An empty list is a setting not finished, not a shop that sells nowhere.
    """
    sold = everywhere = COUNTRIES | US_TERRITORIES
    if values.get("allowed_countries") == "all_except":
        sold -= _codes(values.get("all_except_countries"))
    for one in ("allowed", "ship_to"):
        if values.get(f"{one}_countries") == "specific":
            sold &= _codes(values.get(f"specific_{one}_countries")) or everywhere
    return "" if sold == everywhere else ",".join(sorted(sold))


def _codes(value: Any) -> frozenset[str]:
    return frozenset(code for code in value if isinstance(code, str)) if isinstance(value, list) else frozenset()
