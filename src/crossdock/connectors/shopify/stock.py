"""A count corrected by a difference, at one location, with a key that makes a repeat harmless."""

import uuid
from collections.abc import Mapping
from typing import Any

from crossdock.connectors.shopify.client import Client, Said
from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.connectors.shopify.mapper import gid, tail
from crossdock.domain.commands import AdjustStock, Done, Later, Outcome, Refused, Why
from crossdock.kit.json_node import Node
from crossdock.kit.shop.base import chosen_locations


async def adjust(client: Client, command: AdjustStock) -> Outcome:
    """A relative change of "available" at one location. The idempotency key makes any repeat of it harmless."""
    data = await client.ask("StockItem", {"id": gid("ProductVariant", command.variant_id)})
    variant = data.opt_child("productVariant")
    if variant is None:
        return Refused(Why.PRODUCT_GONE, "The shop does not have this variant any more.")
    item = variant.child("inventoryItem")
    if not item.bool("tracked"):
        return Refused(
            Why.UNSUPPORTED,
            "Shopify does not track the quantity of this variant. Switch on “Track quantity” on its page.",
        )
    location = _where(client, item)
    if not location:
        return Refused(
            Why.INVALID,
            "This variant is stocked at no location of the shop. Stock it at one on its page in the Shopify admin.",
        )
    place = {"inventoryItemId": item.str("id"), "locationId": location}
    change = {**place, "delta": command.delta, "changeFromQuantity": None}
    return await _adjust(client, command, change)


async def stocked_at(client: Client, variant_id: str) -> str:
    """Where units of it can be put back; empty when the shop does not count it, or has it no more."""
    found = (await client.ask("StockItem", {"id": gid("ProductVariant", variant_id)})).opt_child("productVariant")
    item = found.child("inventoryItem") if found else None
    return _where(client, item) if item is not None and item.bool("tracked") else ""


def _where(client: Client, item: Node) -> str:
    """The pinned location; of several, or of all, the first that stocks it and ships online orders, else the first
    that stocks it.
    """
    only = chosen_locations(client.shop.settings)
    if len(only) == 1:
        return gid("Location", next(iter(only)))
    places = [level.child("location") for level in item.child("inventoryLevels").list("nodes")]
    places = [place for place in places if not only or tail(place.str("id")) in only]
    online = [place.str("id") for place in places if place.bool("fulfillsOnlineOrders")]
    return next(iter([*online, *(place.str("id") for place in places)]), "")


NOT_ADJUSTED = {
    "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": (
        Why.CONFLICT,
        "This change was sent before with other numbers, and may have been made then",
    ),
    "INVALID_INVENTORY_ITEM": (Why.PRODUCT_GONE, "The shop does not have this variant any more"),
    "NON_MUTABLE_INVENTORY_ITEM": (Why.NOT_ALLOWED, f"{MANIFEST.label} does not let its count be changed from outside"),
}


async def _adjust(client: Client, command: AdjustStock, change: Mapping[str, Any], attempt: int = 0) -> Outcome:
    """`reason` has a fixed list of words in Shopify; "correction" is the one for a count that was wrong."""
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, f"crossdock:{command.key}:{attempt}"))
    what = {"name": "available", "reason": "correction", "changes": [change]}
    change_input = {**what, "referenceDocumentUri": f"crossdock://adjust/{command.key}"}
    try:
        await client.change("AdjustStock", "inventoryAdjustQuantities", {"input": change_input, "key": key})
    except Said as said:
        return await _refused(client, command, change, attempt, said)
    return Done(command.variant_id)


async def _refused(
    client: Client, command: AdjustStock, change: Mapping[str, Any], attempt: int, said: Said
) -> Outcome:
    match said.code:
        case "IDEMPOTENCY_CONCURRENT_REQUEST" | "SERVICE_UNAVAILABLE" | "ADJUST_QUANTITIES_FAILED":
            return Later(f"Shopify asks to try again: {said}", 5.0)
        case "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" if attempt < 5:
            # "A previous request with this idempotency key failed. Retry with a new idempotency key." The next key
            # follows from this one.
            return await _adjust(client, command, change, attempt + 1)
        case code if code in NOT_ADJUSTED:
            why, words = NOT_ADJUSTED[code]
            return Refused(why, f"{words}: {said}")
        case _:
            return Refused(Why.INVALID, f"{MANIFEST.label} did not change the count: {said}")
