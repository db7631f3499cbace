"""A parcel of ours in the shop: a fulfilment of the core where that feature is on, otherwise an entry where the
tracking plugins keep theirs, with a private note, and the order completed when nothing is left.

No way of these mails anybody: the core asks for `notify_customer`, and "completed" writes to the billing address,
which our orders leave empty; where somebody filled it in, the status stays.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from crossdock.connectors.woocommerce import mapper, reading
from crossdock.connectors.woocommerce.client import Client, NotAllowed
from crossdock.domain.commands import Done, Outcome, Refused, Why, WriteFulfilment
from crossdock.domain.events import Parcel, ShopOrder
from crossdock.kit.errors import Outside
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.fulfilment import Cancel, Make, Renumber, There, left, not_begun, step

# Our key among a core fulfilment's own fields; the core keeps whatever it does not know.
KEY = "_crossdock_parcel"
# Slugs of the core's own list (Fulfillments/Providers in the source); what is not there is "other" with a name.
PROVIDERS = {"usps": "usps", "ups": "ups", "fedex": "fedex", "dhl": "dhl", "dhl express": "dhl"}
BARE = ("t1", "rest")
NO_RIGHT = (
    "The WordPress user behind our keys may not write fulfilments. Make the keys for an administrator or shop manager."
)


@dataclass(frozen=True, slots=True)
class _Found:
    """The order as read for this. `core` is None where the feature is off; `entries` are the plugins'."""

    order: ShopOrder
    node: Node
    core: tuple[Node, ...] | None
    entries: tuple[dict[str, Any], ...]


async def write_fulfilment(client: Client, command: WriteFulfilment) -> Outcome:
    if not command.shop_order_id.isdigit():
        return Refused(Why.NOT_FOUND, "That is no order of this shop.")
    try:
        found = await _look(client, command.shop_order_id)
    except Outside as error:
        return not_begun(error)
    if found is None:
        return Refused(Why.NOT_FOUND, "Your shop does not have this order any more.")
    wanted = step(found.order, command, _there(found))
    try:
        match wanted:
            case Make(units):
                made = await _make(client, found, command, units)
            case Renumber(parcels):
                made = ",".join([await _renumber(client, found, command, parcel) for parcel in parcels])
            case Cancel(parcels):
                return await _cancel(client, found, command, parcels)
            case _:
                return wanted
    except NotAllowed:
        return Refused(Why.NOT_ALLOWED, NO_RIGHT)
    return Done(made, found.order.number, found.order.url)


async def _look(client: Client, shop_id: str) -> _Found | None:
    """Fulfilments are asked for whatever the order's own mark of them says: the mark may lag behind a lost answer."""
    parts = await reading.parts_of(client, shop_id)
    if parts.node is None:
        return None
    core = await reading.fulfillments_of(client, shop_id)
    order = reading.shown(client, replace(parts, fulfillments=tuple(core or ())))
    raw = mapper.meta(parts.node).get(mapper.PLUGIN_TRACKING)
    rows = list(raw.values()) if isinstance(raw, dict) else raw if isinstance(raw, list) else []
    return _Found(
        order, parts.node, None if core is None else tuple(core), tuple(r for r in rows if isinstance(r, dict))
    )


def _there(found: _Found) -> There:
    """Drafts of the core hold units; they are the seller's, still being packed."""
    core = found.core or ()
    drafts = [node for node in core if not mapper.is_fulfilled(node) and not node.raw("date_deleted")]
    keys = {f"f{node.id('id')}": str(mapper.meta(node).get(KEY) or "") for node in core}
    return There(tuple(mapper.core_parcel(node) for node in drafts), keys)


def _tracking_id(command: WriteFulfilment) -> str:
    """Made from the key, so that an earlier try's entry has the same; the plugins' own look like this, too."""
    return hashlib.sha256(command.key.encode()).hexdigest()[:32]


# Making


async def _make(client: Client, found: _Found, command: WriteFulfilment, units: Mapping[str, int]) -> str:
    if found.core is not None:
        body = {"status": "fulfilled", "is_fulfilled": True, "meta_data": _metas(command, units)}
        answer = node_of(
            await client.ask("POST", f"orders/{found.order.shop_id}/fulfillments", json=body), "fulfillment"
        )
        # Versions differ: the entry itself, or an object with it (10.x).
        entry = answer.child("fulfillment") if "fulfillment" in answer else answer
        return f"f{entry.id('id')}"
    rest = left(found.order)
    rest.subtract(units)
    last = not +rest
    if last and not command.tracking_number and not found.entries:
        # Nothing to note but that it left: the order is completed, as its seller would do it.
        await _put(client, found, None, status=_completed(found))
        return BARE[0]
    entry_made = _entry(command, units)
    await _put(client, found, [*found.entries, entry_made], status=_completed(found) if last else "")
    await _note(client, found, command)
    return f"t-{entry_made['tracking_id']}"


def _metas(command: WriteFulfilment, units: Mapping[str, int]) -> list[dict[str, Any]]:
    provider = PROVIDERS.get(command.carrier.strip().lower(), "other" if command.carrier else "")
    metas = {
        "_items": [{"item_id": int(line) if line.isdecimal() else line, "qty": n} for line, n in units.items()],
        "_tracking_number": command.tracking_number,
        "_tracking_url": command.tracking_url,
        "_shipment_provider": provider,
        "_provider_name": command.carrier,
        "_shipping_option": "manual-entry" if command.tracking_number else "no-info",
        "_date_fulfilled": command.shipped_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        KEY: command.key,
    }
    return [{"key": key, "value": value} for key, value in metas.items()]


def _entry(command: WriteFulfilment, units: Mapping[str, int]) -> dict[str, Any]:
    """As the Shipment Tracking plugin writes it; `products_list` is Advanced Shipment Tracking's, and says which units
    are in it.
    """
    return {
        "tracking_provider": "",
        "custom_tracking_provider": command.carrier,
        "custom_tracking_link": command.tracking_url,
        "tracking_number": command.tracking_number,
        "date_shipped": str(int(command.shipped_at.timestamp())),
        "tracking_id": _tracking_id(command),
        **({"products_list": [{"item_id": line, "qty": str(n)} for line, n in units.items()]} if units else {}),
    }


def _completed(found: _Found) -> str:
    """Empty where completing would write to somebody."""
    billing = found.node.opt_child("billing")
    return "" if billing is not None and billing.opt_str("email") else "completed"


async def _put(client: Client, found: _Found, entries: list[dict[str, Any]] | None, *, status: str = "") -> None:
    body: dict[str, Any] = {"status": status} if status and status != found.node.word("status") else {}
    if entries is not None:
        body["meta_data"] = [{"key": mapper.PLUGIN_TRACKING, "value": entries}]
    if body:
        await client.ask("PUT", f"orders/{found.order.shop_id}", json=body)


async def _note(client: Client, found: _Found, command: WriteFulfilment) -> None:
    """For shops without a plugin that shows the entry. Once and best effort: notes cannot be repeated unseen."""
    number = f"{command.carrier} {command.tracking_number}".strip() or "no tracking number"
    text = f"Shipped from the marketplace: {number}. {command.tracking_url}".strip()
    with contextlib.suppress(Outside):
        await client.ask("POST", f"orders/{found.order.shop_id}/notes", json={"note": text, "customer_note": False})


# Changing


def _place(found: _Found, parcel: Parcel) -> int | None:
    """Which of the plugins' entries the mapper calls by this id."""
    for place, entry in enumerate(found.entries):
        if parcel.parcel_id in (f"t{place + 1}", f"t-{entry.get('tracking_id')}"):
            return place
    return None


async def _renumber(client: Client, found: _Found, command: WriteFulfilment, parcel: Parcel) -> str:
    """The parcel's id, which stays."""
    path = f"orders/{found.order.shop_id}/fulfillments/{parcel.parcel_id[1:]}"
    for node in found.core or ():
        if f"f{node.id('id')}" == parcel.parcel_id:
            # Fields that are not sent are deleted (update_fulfillment in the source), so all of them are.
            fresh = {row["key"]: row["value"] for row in _metas(command, dict(parcel.lines))}
            kept = {**mapper.meta(node), **fresh}
            rows = [{"key": key, "value": value} for key, value in kept.items()]
            await client.ask("PUT", path, json={"status": "fulfilled", "is_fulfilled": True, "meta_data": rows})
            return parcel.parcel_id
    place, entries = _place(found, parcel), list(found.entries)
    changed = _entry(command, dict(parcel.lines))
    if place is None:
        # Completed without an entry: this one names no units, so that the parcel stays the whole that it was.
        await _put(client, found, [*entries, _entry(command, {})])
    else:
        for name in ("tracking_id", "products_list"):
            changed.pop(name, None)
        entries[place] = {**entries[place], **changed}
        await _put(client, found, entries)
    await _note(client, found, command)
    return parcel.parcel_id


async def _cancel(client: Client, found: _Found, command: WriteFulfilment, parcels: tuple[Parcel, ...]) -> Outcome:
    ids = {parcel.parcel_id for parcel in parcels}
    done = Done(",".join(sorted(ids)), found.order.number, found.order.url)
    for node in found.core or ():
        if f"f{node.id('id')}" in ids:
            await client.ask("DELETE", f"orders/{found.order.shop_id}/fulfillments/{node.id('id')}")
    places = {place for parcel in parcels if (place := _place(found, parcel)) is not None}
    bare = any(parcel.parcel_id in BARE and _place(found, parcel) is None for parcel in parcels)
    entries = [entry for place, entry in enumerate(found.entries) if place not in places]
    others = [p for p in found.order.parcels if not p.cancelled and p.parcel_id not in ids]
    reopened = found.node.word("status") == "completed" and not any(p.parcel_id in BARE for p in others)
    if places or bare:
        await _put(client, found, entries if places else None, status="processing" if reopened else "")
    return done
