"""The API's address, an app's token and a channel; the keys that the server signs its webhooks with are read with
them (saleor/core/jwt_manager.py: get_jwks).
"""

from collections.abc import Mapping

from crossdock.connectors.saleor.client import Client
from crossdock.connectors.saleor.manifest import GIVE, MANIFEST, NET, OLD, OLDEST, PERMISSIONS, TAXES
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import AuthDead, NoAnswer
from crossdock.kit.json_node import Node
from crossdock.kit.shop import signing_keys
from crossdock.kit.shop.addresses import typed_in
from crossdock.kit.shop.base import checked, fields, known_currency

WRONG = "Type the address of your Saleor API, for example https://store.saleor.cloud/graphql/."
NOWHERE = "At this address there is no Saleor: it shows no keys for its webhooks."
SENDS = "DISABLED"

address = typed_in(pages=("/graphql", "/dashboard", "/plugins"), wrong=WRONG, keep="token", plain=True)


async def finish(client: Client, /, *, way: str, form: Mapping[str, str], **rest: object) -> Mapping[str, str]:
    return {**fields(MANIFEST, way, form), **await signing_keys.read(client.shop, nowhere=NOWHERE)}


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the token is nobody's."""
    data = await client.ask("Prove")
    app = data.opt_child("app")
    if app is None:
        raise AuthDead("This token is no app's: make an app in your dashboard, and copy the app's token.")
    may = {row.text("code") for row in app.rows("permissions")}
    shop, address = data.view("shop"), client.shop.address
    name, version = text.label(shop.text("name")) or "Saleor", text.label(shop.text("version"), 40)
    checks = [Check(True, "Sign-in"), checked(_new_enough(version), "Version", OLD.format(version))]
    checks += [checked(name in may, f"Permission {name}", GIVE.format(name), right=name) for name in PERMISSIONS]
    channel = _channel(client, data)
    if isinstance(channel, str):
        return Proof(address, name, "USD", (*checks, Check(False, "Channel", channel)))
    settings = settings_of(channel)
    currency, net = settings["currency"], settings["net"] == "yes"
    checks += [
        Check(True, "Channel"),
        known_currency(currency),
        checked(bool(settings["warehouses"]), "Warehouses", "The channel has no warehouse, so nothing can be sold."),
        checked(bool(settings["countries"]), "Shipping", "No shipping zone of the channel has a country."),
        Check(not net or TAXES in may, "Prices", NET if net else "", TAXES, limited=True),
    ]
    places = tuple((place.id("id"), text.label(place.text("name")) or place.id("id")) for place in sent_from(channel))
    # A channel's id is a count within one database.
    id_ = settings["channel_id"]
    shop_id = f"{id_}@{address.partition('://')[2]}"
    return Proof(shop_id, name, currency, tuple(checks), settings, places, stays=id_)


async def look(client: Client) -> Proof:
    """The same call. A channel that is gone is told by the connection test."""
    channel = _channel(client, await client.ask("Prove"))
    if isinstance(channel, str):
        raise NoAnswer(channel)
    settings = settings_of(channel)
    return Proof("", "", settings["currency"], (), settings)


def _new_enough(version: str) -> bool:
    """One that does not say its version is taken as it is."""
    parts = version.split(".")[:2]
    return not all(part.isascii() and part.isdigit() for part in parts) or tuple(map(int, parts)) >= OLDEST


def _channel(client: Client, data: Node) -> Node | str:
    """The one that was named, or the only one that is active; otherwise what to type."""
    slug = client.shop.secrets.get("channel", "")
    active = [row for row in data.list("channels") if row.bool("isActive")]
    found = [row for row in active if slug in ("", row.word("slug"))]
    if len(found) == 1:
        return found[0]
    slugs = ", ".join(row.word("slug") for row in active) or "none"
    if slug:
        return f"Your shop has no active channel “{text.label(slug, 60)}”. Its channels are: {slugs}."
    return f"Name the channel to sell from. The active channels of your shop are: {slugs}."


def settings_of(channel: Node) -> dict[str, str]:
    taxes = channel.child("taxConfiguration")
    net = taxes.bool("chargeTaxes") and not taxes.bool("pricesEnteredWithTax")
    return {
        "currency": channel.word("currencyCode"),
        "channel": channel.word("slug"),
        "channel_id": channel.id("id"),
        "warehouses": ",".join(place.id("id") for place in sent_from(channel)),
        "countries": ",".join(sorted({code for row in channel.rows("countries") if (code := row.text("code"))})),
        "gross": "yes" if taxes.bool("displayGrossPrices") else "no",
        "net": "yes" if net else "no",
    }


def sent_from(channel: Node) -> list[Node]:
    """Warehouses that goods are sent from: one without a shipping zone, where buyers only pick up, sends nothing."""
    return [place for place in channel.list("warehouses") if _sends(place)]


def _sends(place: Node) -> bool:
    return place.text("clickAndCollectOption") == SENDS or bool(place.child("shippingZones").rows("edges"))
