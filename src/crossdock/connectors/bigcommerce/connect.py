"""The API path and the keys of a store-level API account, and the connection test: what the store's own settings make
of stock is read and said.
"""

import re
from collections.abc import Mapping

from crossdock.connectors.bigcommerce.client import Client
from crossdock.connectors.bigcommerce.manifest import MANIFEST
from crossdock.domain.events import LookKind
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import BadInput, NotAllowed
from crossdock.kit.json_node import Node
from crossdock.kit.rows import read_each, readable
from crossdock.kit.shop.addresses import hosted
from crossdock.kit.shop.base import checked, fields, known_currency, limited, may

HOST = "api.bigcommerce.com"
WRONG = "Paste the API path of the API account, for example https://api.bigcommerce.com/stores/abc123/v3/."
_STORE = re.compile(r"(/stores/[a-z0-9]{1,40})(?:/v[23])?")
ACCOUNT = "Give the API account the scope “{}” in Settings > API > Store-level API accounts."
PLACED = "order_placed"
LATE = (
    "Your store takes units out of its count only when an order is shipped or completed, so what is sold here is still"
    " offered there. Choose “when an order is placed” in Settings > Inventory."
)
KEPT = (
    "Your store does not put units back when an order is cancelled or refunded. Switch that on in Settings > Inventory,"
    " or correct the counts yourself."
)


def address(form: Mapping[str, str], *, local: bool) -> str:
    return hosted(form.get("address", ""), host=HOST, path=_STORE, local=local, wrong=WRONG, keep="token")


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    given = fields(MANIFEST, way, form)
    for name, said in given.items():
        if not re.fullmatch(r"[\x21-\x7e]{8,200}", said):
            raise BadInput(f"The {name.replace('_', ' ')} has no blanks and was shown once; copy it whole.")
    return given


async def prove(client: Client) -> Proof:
    """Raises AuthDead when the token is refused."""
    store = await client.one("GET", "v2/store")
    settings = _settings(store) | await _stock_rules(client, store)
    currency = settings["currency"]
    locations, places = await _locations(client)
    net = store.opt_bool("is_price_entered_with_tax") is False
    checks = [
        Check(True, "Sign-in"),
        known_currency(currency),
        await may(client.rows("v3/catalog/products", {"limit": "1"}), "Products", "Products: read-only", ACCOUNT),
        await may(client.rows("v3/inventory/items", {"limit": "1"}), "Counts", "Store Inventory: read-only", ACCOUNT),
        places,
        await may(
            client.rows("v3/orders/payment_actions/refunds", {"limit": "1"}), "Refunds", "Order Transactions", ACCOUNT
        ),
        # There is no order 0: with the right to change orders it is not found, without it is forbidden.
        await may(client.one("PUT", "v2/orders/0", json={"status_id": 5}), "Orders", "Orders: modify", ACCOUNT),
        limited(settings["takes"] != PLACED, "When stock is taken", LATE),
        limited(settings["restocks"] != "yes", "Cancelled orders", KEPT),
        limited(net, "Prices", "Your prices are entered without tax: they are listed here as they stand there."),
    ]
    name = text.label(store.text("name")) or text.label(store.text("domain"))
    return Proof(store.id("id"), name, currency, tuple(checks), settings, locations)


async def look(client: Client) -> Proof:
    store = await client.one("GET", "v2/store")
    settings = _settings(store) | await _stock_rules(client, store)
    return Proof("", "", settings["currency"], (), settings)


def _settings(store: Node) -> dict[str, str]:
    admin = text.link(store.raw("control_panel_base_url")) or text.link(store.raw("secure_url"))
    return {"currency": store.word("currency"), "admin": admin.rstrip("/")}


async def _stock_rules(client: Client, store: Node) -> dict[str, str]:
    """Of the channel in which our orders arrive; what it does not override (null) is the whole store's."""
    whole = await client.one("GET", "v3/settings/inventory")
    channel = await client.one(
        "GET", "v3/settings/inventory", query={"channel_id": str(store.opt_int("default_channel_id") or 1)}
    )
    takes = channel.opt_str("update_stock_behavior") or whole.word("update_stock_behavior")
    back = channel.opt_bool("refund_order_stock_adjustment")
    back = whole.opt_bool("refund_order_stock_adjustment") if back is None else back
    return {"takes": takes[:40], "restocks": "yes" if back else "no"}


async def _locations(client: Client) -> tuple[tuple[tuple[str, str], ...], Check]:
    scope = "Store Locations: read-only"
    try:
        rows = await client.every("v3/inventory/locations")
    except NotAllowed:
        return (), checked(False, "Locations", ACCOUNT.format(scope), right=scope)
    found = read_each(LookKind.COUNTS, rows, lambda row: "", _location)
    return readable(found), Check(True, "Locations")


def _location(row: Node) -> tuple[str, str]:
    id_ = row.id("id")
    return id_, text.label(row.text("label")) or id_
