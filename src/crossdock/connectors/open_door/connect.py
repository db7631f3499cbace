"""The address and the key that a seller pastes, and the connection test: `about`, and one page of what it offers."""

import base64
import binascii
import re
from collections.abc import Mapping

from crossdock.connectors.open_door import reading
from crossdock.connectors.open_door.client import REQUIRED, Client
from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.events import Unreadable
from crossdock.kit import text
from crossdock.kit.connector import Check, Proof
from crossdock.kit.errors import BadInput, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop.addresses import typed
from crossdock.kit.shop.base import checked

CONTRACT = "1"
# Standard Webhooks, "Signature scheme": between 24 and 64 bytes.
LEAST_BYTES, MOST_BYTES = 24, 64
# What a shop need not offer, and what the seller does without it.
WITHOUT = {
    "orders/cancel": "Orders cannot be cancelled in your shop from here: cancel them there yourself.",
    "orders/cancel_units": "Single units cannot be taken out of an order in your shop from here.",
    "counts/adjust": "Counts cannot be corrected from here: correct them in your shop.",
    "parcels/write": "Parcels sent from here are not shown in your shop.",
    "parcels/cancel": "A shipment undone here stays in your shop: undo it there too.",
    "notes/write": "The risk of an order is shown here and not in your shop.",
    "webhooks/set": "Your shop does not notify us: we ask it every minute.",
}


def address(form: Mapping[str, str], *, local: bool) -> str:
    wrong = "Type the address of your shop's open door, for example https://shop.example.com/crossdock."
    return typed(form.get("address", ""), local=local, wrong=wrong, keep="key", plain=True)


async def finish(
    client: Client, *, way: str, form: Mapping[str, str], params: Mapping[str, str], keep: Mapping[str, str]
) -> Mapping[str, str]:
    key = form.get("key", "").strip()
    if not key:
        raise BadInput("Paste the key of your shop's open door; it begins with whsec_.")
    try:
        raw = base64.b64decode(key.removeprefix("whsec_"), validate=True) if key.startswith("whsec_") else b""
    except (binascii.Error, ValueError):
        raw = b""
    if not LEAST_BYTES <= len(raw) <= MOST_BYTES:
        raise BadInput("This is no whole key of an open door. Copy it from your shop again; it begins with whsec_.")
    return {"key": key}


async def prove(client: Client) -> Proof:
    node = await client.ask("about")
    shop, settings = node.child("shop"), _settings(node)
    offered = settings["calls"].split(",")
    missing = [call for call in REQUIRED if call not in offered]
    checks = [Check(True, "Signature"), _contract(node)]
    for call in missing:
        checks.append(Check(False, f"Call {call}", f"Your shop's open door must offer {call}.", right=call))
    if not missing:
        checks += [await _products(client), await _orders(client)]
    checks += [
        Check(True, f"Call {call}", sentence, right=call, limited=True)
        for call, sentence in WITHOUT.items()
        if call not in offered
    ]
    if "test/do" in offered:
        sentence = "This is a test copy: whoever has the key can change its stock. Do not offer test/do where you sell."
        checks.append(Check(True, "Test copy", sentence, limited=True))
    return Proof(shop.id("id"), text.label(shop.text("name")), settings["currency"], tuple(checks), settings)


async def look(client: Client) -> Proof:
    """The hourly look: one call."""
    settings = _settings(await client.ask("about"))
    return Proof("", "", settings["currency"], (), settings)


def _settings(node: Node) -> dict[str, str]:
    currency = node.child("shop").word("currency")
    if currency not in CURRENCIES:
        raise Strange("about.shop.currency", "currency", currency)
    calls = sorted({call for call in node.strs("calls") if re.fullmatch(r"[a-z_/]{1,40}", call)})
    return {"currency": currency, "calls": ",".join(calls)}


def _contract(node: Node) -> Check:
    spoken = node.text("contract")
    wrong = f"Your shop speaks contract {spoken[:20] or '(none)'}; this marketplace speaks {CONTRACT}."
    return checked(spoken == CONTRACT, "Contract", wrong)


async def _products(client: Client) -> Check:
    page = await reading.products(client, "")
    odd = [row for row in page.items if isinstance(row, Unreadable)]
    if odd and len(odd) == len(page.items):
        return Check(False, "Products", f"None of your products could be understood. {odd[0].cause}")
    return Check(True, "Products")


async def _orders(client: Client) -> Check:
    page = await reading.orders(client, "")
    sentence = "An empty cursor must mean “from now on”: orders/list answered with old orders."
    return checked(not page.items, "Orders", sentence)
