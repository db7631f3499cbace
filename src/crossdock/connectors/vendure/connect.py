"""Connecting: the address, the credentials, the test.

An API key may not ask who it is (`me` is forbidden to it), so each right is tried with a call that changes nothing.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from crossdock.connectors.vendure.client import Client, Rejected
from crossdock.connectors.vendure.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import AuthDead, BadInput, Missing, NoAnswer
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import allowed, checked, fields

# Right as the dashboard names it -> the call that is forbidden without it. The writing ones name an order that does
# not exist.
RIGHTS = {
    "ReadCatalog or ReadProduct": ("MayReadProducts", "read your products"),
    "ReadCatalog or ReadStockLocation": ("Locations", "read your stock locations"),
    "ReadOrder": ("MayReadOrders", "see what became of an order"),
    "CreateOrder": ("MayCreateOrders", "create orders"),
    "UpdateOrder": ("MayUpdateOrders", "place and cancel orders"),
    "DeleteOrder": ("MayDeleteOrders", "take back a draft that your shop has no stock for"),
}
PAGES = ("/admin-api", "/dashboard", "/admin", "/shop-api")


def address(form: Mapping[str, str], *, local: bool) -> str:
    wrong = "Type only the address of your Vendure server, for example https://shop.example.com."
    url = typed(form.get("address", ""), local=local, pages=PAGES, wrong=wrong, keep="key", plain=True)
    if not local and _is_local(urlsplit(url).hostname or ""):
        raise BadInput("This address is on a private network; the marketplace cannot reach it.")
    return url


def _is_local(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    """What goes to the vault. The login token does not: it can be had again at any time."""
    kept = fields(MANIFEST, way, form)
    if way == "key" and ":" not in kept["api_key"]:
        raise BadInput("An API key of Vendure has two parts with a colon between them; copy it whole.")
    return kept


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the credentials themselves are refused (then every call is forbidden), NoAnswer when there
    is no Vendure.
    """
    data = await client.ask("Prove")
    channel = data.child("activeChannel")
    checks = [Check(True, "Sign-in")]
    if (wanted := client.shop.secrets.get("channel_token", "")) and wanted != channel.str("token"):
        checks.append(
            Check(False, "Channel", "Your shop has no channel with this token: copy it from Settings > Channels.")
        )
    may = {right: await _may(client, call) for right, (call, _) in RIGHTS.items()}
    if not any(may.values()):
        raise AuthDead(
            "Your Vendure knows these credentials but lets them do nothing: give their role the permissions named in"
            " the steps."
        )
    for right, (_, purpose) in RIGHTS.items():
        missing = f"Give the role the permission {right}, so that we can {purpose}: Settings > Roles in your dashboard."
        checks.append(checked(may[right], f"Permission {right}", missing, right))
    checks.append(await _ships(client))
    locations = await _locations(client) if may["ReadCatalog or ReadStockLocation"] else ()
    return Proof(
        # A token is a channel's within one server: two servers may have the same, set as `defaultChannelToken` or
        # copied with the database (packages/core/src/config/vendure-config.ts).
        shop_id=f"{channel.str('token')}@{client.shop.address.partition('://')[2]}",
        stays=channel.str("token"),
        name=text.label(channel.view("seller").text("name")) or channel.str("code"),
        currency=channel.word("defaultCurrencyCode"),
        checks=tuple(checks),
        settings=await _settings(client, data),
        locations=locations,
    )


async def look(client: Client) -> Proof:
    """Two calls of the connection test's many."""
    settings = await _settings(client, await client.ask("Prove"))
    return Proof("", "", settings["currency"], (), settings)


async def _settings(client: Client, data: Node) -> dict[str, str]:
    precision = data.child("globalSettings").child("serverConfig").digits("moneyStrategyPrecision")
    currency = data.child("activeChannel").word("defaultCurrencyCode")
    return {"currency": currency, "precision": str(precision), **await _countries(client)}


async def _may(client: Client, call: str) -> bool:
    """The right was there where the call got as far as not finding order 0."""
    return await allowed(client.ask(call), also=(Missing, Rejected, NoAnswer), but=AuthDead)


async def _ships(client: Client) -> Check:
    try:
        some = (await client.ask("Methods")).child("shippingMethods").int("totalItems") > 0
    except AuthDead:
        return Check(True, "Shipping method", "Not looked at: the role may not read shipping methods, which is fine.")
    missing = "Your shop has no shipping method, so no order can be placed: Settings > Shipping methods."
    return checked(some, "Shipping method", missing)


async def _countries(client: Client) -> dict[str, str]:
    """Those that are switched on: an address in another is refused (CountryService.findOneByCode)."""
    try:
        rows = (await client.ask("Countries")).child("countries").rows("items")
    except AuthDead:
        return {}  # A role without ReadSettings or ReadCountry.
    return {"countries": ",".join(sorted({code for row in rows if (code := row.text("code"))}))}


async def _locations(client: Client) -> tuple[tuple[str, str], ...]:
    places = (await client.ask("Locations")).child("stockLocations").list("items")
    return tuple((place.id("id"), text.label(place.text("name")) or place.id("id")) for place in places)
