"""The API's address, an app's token and a channel; the keys that the server signs its webhooks with are read with
them (saleor/core/jwt_manager.py: get_jwks).
"""

from collections.abc import Mapping, Sequence

from crossdock.connectors.saleor.client import Client
from crossdock.connectors.saleor.manifest import MANIFEST, PERMISSIONS, TAXES
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import AuthDead, NoAnswer
from crossdock.kit.json_node import Node
from crossdock.kit.shop import signing_keys
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import checked, fields, known_currency

PAGES = ("/graphql", "/dashboard", "/plugins")
WRONG = "Type the address of your Saleor API, for example https://store.saleor.cloud/graphql/."
NOWHERE = "At this address there is no Saleor: it shows no keys for its webhooks."
GIVE = "Give the app the permission {} in your dashboard, under Extensions."
NET = (
    "Your prices are entered without tax: your shop adds its tax to the price that a buyer paid here, unless the app"
    " may exempt our orders from tax (permission MANAGE_TAXES)."
)
SENDS = "DISABLED"
# `reason` of a fulfilment ("Added in Saleor 3.23", saleor/graphql/schema.graphql); orders take `where` since 3.22.
OLDEST = (3, 23)
OLD = "Your shop runs Saleor {}; orders can be followed from 3.23 on. Update it first."


def address(form: Mapping[str, str], *, local: bool) -> str:
    return typed(form.get("address", ""), local=local, pages=PAGES, wrong=WRONG, keep="token", plain=True)


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    return {**fields(MANIFEST, way, form), **await signing_keys.read(client.shop, nowhere=NOWHERE)}


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the token is nobody's."""
    data = await client.ask("Prove")
    app = data.opt_child("app")
    if app is None:
        raise AuthDead("This token is no app's: make an app in your dashboard, and copy the app's token.")
    may = {row.text("code") for row in app.rows("permissions")}
    channel, sentence = _channel(client, data.list("channels"))
    shop, address = data.view("shop"), client.shop.address
    name, version = text.label(shop.text("name")) or "Saleor", text.label(shop.text("version"), 40)
    checks = [Check(True, "Sign-in"), checked(_new_enough(version), "Version", OLD.format(version))]
    checks += [checked(name in may, f"Permission {name}", GIVE.format(name), right=name) for name in PERMISSIONS]
    checks.append(checked(channel is not None, "Channel", sentence))
    if channel is None:
        return Proof(address, name, "USD", tuple(checks))
    settings = settings_of(channel)
    currency, net = settings["currency"], settings["net"] == "yes"
    checks += [
        known_currency(currency),
        checked(bool(settings["warehouses"]), "Warehouses", "The channel has no warehouse, so nothing can be sold."),
        checked(bool(settings["countries"]), "Shipping", "No shipping zone of the channel has a country."),
        Check(not net or TAXES in may, "Prices", NET if net else "", TAXES, limited=True),
    ]
    return Proof(
        # A channel's id is a count within one database.
        shop_id=f"{settings['channel_id']}@{address.partition('://')[2]}",
        stays=settings["channel_id"],
        name=name,
        currency=currency,
        checks=tuple(checks),
        settings=settings,
        locations=tuple(
            (place.id("id"), text.label(place.text("name")) or place.id("id")) for place in sent_from(channel)
        ),
    )


async def look(client: Client) -> Proof:
    """The same call. A channel that is gone is told by the connection test."""
    channel, sentence = _channel(client, (await client.ask("Prove")).list("channels"))
    if channel is None:
        raise NoAnswer(sentence)
    settings = settings_of(channel)
    return Proof("", "", settings["currency"], (), settings)


def _new_enough(version: str) -> bool:
    """One that does not say its version is taken as it is."""
    parts = version.split(".")[:2]
    return not all(part.isascii() and part.isdigit() for part in parts) or tuple(map(int, parts)) >= OLDEST


def _channel(client: Client, channels: Sequence[Node]) -> tuple[Node | None, str]:
    """The one that was named, or the only one that is active; otherwise what to type."""
    slug = client.shop.secrets.get("channel", "")
    active = [row for row in channels if row.bool("isActive")]
    found = [row for row in active if slug in ("", row.word("slug"))]
    if len(found) == 1:
        return found[0], ""
    slugs = ", ".join(row.word("slug") for row in active) or "none"
    if slug:
        return None, f"Your shop has no active channel “{text.label(slug, 60)}”. Its channels are: {slugs}."
    return None, f"Name the channel to sell from. The active channels of your shop are: {slugs}."


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
    return [
        place
        for place in channel.list("warehouses")
        if place.text("clickAndCollectOption") == SENDS or place.child("shippingZones").rows("edges")
    ]
