"""Notes as the protocol's messages, each with where it stands in the checkout."""

from typing import Any

from crossdock.web.agents.notes import Code, Note, Place

_CODE: dict[Code, str] = {
    "too_few": "out_of_stock",
    "not_sold": "item_unavailable",
    "not_counted": "stock_unknown",
    "not_shipped_there": "address_undeliverable",
    "no_means": "payment_unavailable",
    "declined": "payment_failed",
}
_TO = "$.fulfillment.methods[0].destinations[0]"
_AT: dict[Place, str] = {
    "email": "$.buyer.email",
    "address": "$.fulfillment.methods[0].destinations",
    "name": f"{_TO}.first_name",
    "street": f"{_TO}.street_address",
    "city": f"{_TO}.address_locality",
    "region": f"{_TO}.address_region",
    "postal_code": f"{_TO}.postal_code",
    "country": f"{_TO}.address_country",
    "means": "$.payment",
    "totals": "$.totals",
}


def message(note: Note, *, ships: bool) -> dict[str, Any]:
    """`ships`: the agent speaks the extension by which an address is given."""
    where = note.path or (f"$.line_items[{note.line}]" if note.at == "line" else _AT.get(note.at, ""))
    said: dict[str, Any] = {"type": note.kind}
    if code := _CODE.get(note.code, note.code):
        said["code"] = code
    if note.kind == "error":
        said["severity"] = "requires_buyer_input" if by_buyer(note, ships=ships) else "recoverable"
    return {**said, **({"path": where} if where else {}), "content": note.words}


def by_buyer(note: Note, *, ships: bool) -> bool:
    """Whether the agent cannot mend it by what it may send."""
    return note.kind == "error" and (note.code == "no_means" or (note.at == "address" and not ships))
