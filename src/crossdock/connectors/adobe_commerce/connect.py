"""The shop's address and the four keys of an integration, and the connection test: which store view, website, stock and
sources, and each resource that the integration has to have, tried by a call that only reads.
"""

import re
from zoneinfo import available_timezones

from crossdock.connectors.adobe_commerce.client import Client
from crossdock.connectors.adobe_commerce.manifest import MANIFEST
from crossdock.connectors.adobe_commerce.mapper import FACTS
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, NotAllowed, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import addresses
from crossdock.kit.shop.base import checked, known_currency, may, of_its_server, typed_in
from crossdock.kit.shop.paging import listed

GIVE = "Give the integration {} in System > Integrations > API, then save and reauthorize it."
NO_STORE = "Your shop has no store view of the code {}: look at Stores > All Stores."
NO_STOCK = "Your shop has no Inventory Management (MSI): its modules have to be enabled."
NO_SOURCE = "Enable a source and assign it to the stock of your website: Stores > Inventory > Stocks."
TWO_CURRENCIES = (
    "Your store view shows prices in {} and keeps them in {}: connect a store view whose default display currency is"
    " the base currency."
)
RIGHTS: dict[str, tuple[str, str]] = FACTS["rights"]


address = addresses.typed_in(keep="keys", pages=("/rest", "/index.php", "/admin", "/graphql"))
finish = typed_in(MANIFEST)


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the keys are refused."""
    store, website, settings, why = await _seen(client)
    rights = [
        await may(client.rows(path.format(**settings), size=1), title, right, GIVE)
        for title, (right, path) in RIGHTS.items()
    ]
    if not any(right.ok for right in rights):
        raise AuthDead("Your shop gives the integration nothing at all: activate it again and copy its four keys.")
    shown, base = store.text("default_display_currency_code"), settings["currency"]
    name = text.label(website.text("name")) or "Magento"
    prices = checked(shown.upper() == base, "Prices", TWO_CURRENCIES.format(shown[:10], base[:10]))
    checks = (Check(True, "Sign-in"), known_currency(base), prices, checked(not why, "Stock", why), *rights)
    return of_its_server(client.shop, settings["store"], name, checks, settings, base)


async def look(client: Client) -> Proof:
    _, _, settings, why = await _seen(client)
    if why:
        raise NoAnswer(why)
    return Proof("", "", settings["currency"], (), settings)


async def _list(client: Client, path: str) -> list[Node]:
    return listed(path, (await client.send("GET", path)).json(), client.shop.now()).items


async def _store(client: Client) -> tuple[Node, Node]:
    """The store view and its website."""
    wanted = client.shop.secrets.get("store") or "default"
    try:
        stores = await _list(client, "store/storeConfigs")
    except NotAllowed:
        raise NotAllowed(GIVE.format("Stores > Settings > All Stores")) from None
    except (Missing, Declined):
        stores = []
    store = next((row for row in stores if row.text("code") == wanted), None)
    if store is None:
        raise NoAnswer(NO_STORE.format(wanted))
    sites = await _list(client, "store/websites")
    site = next((row for row in sites if row.text("id") == store.text("website_id")), None)
    if site is None:
        raise Strange("store/websites", "website of the store view", store.raw("website_id"))
    return store, site


async def _seen(client: Client) -> tuple[Node, Node, dict[str, str], str]:
    """The store view, its website, what follows from them, and what stands against selling its stock."""
    store, website = await _store(client)
    settings = {
        "store": store.word("code"),
        "website": website.word("code"),
        "website_id": website.text("id"),
        "currency": store.word("base_currency_code").upper(),
        "zone": store.text("timezone") if store.text("timezone") in available_timezones() else "UTC",
        "media": text.link(store.raw("secure_base_media_url")) or text.link(store.raw("base_media_url")),
    }
    places, why = await _places(client, settings["website"])
    return store, website, settings | places, why


async def _places(client: Client, website: str) -> tuple[dict[str, str], str]:
    """The stock of the website and its enabled sources; or what is not as it has to be."""
    empty = {"stock": "", "sources": ""}
    try:
        stock = node_of((await client.send("GET", f"inventory/stock-resolver/website/{website}")).json(), "stock")
        id_ = stock.id("stock_id")
        path = f"inventory/get-sources-assigned-to-stock-ordered-by-priority/{id_}"
        sources = [row.text("source_code") for row in await _list(client, path) if row.raw("enabled") is not False]
    except NotAllowed:
        return empty, GIVE.format("Stores > Inventory > Sources and Stocks")
    except Missing:
        return empty, NO_STOCK
    found = [code for code in sources if re.fullmatch(r"[\w.-]{1,100}", code)]
    return {"stock": id_, "sources": " ".join(found)}, "" if found else NO_SOURCE
