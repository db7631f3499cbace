"""Notes as the protocol's messages, each with where it stands in the session."""

from typing import Any

from crossdock.web.agents.notes import Code, Note, Place

# The list of codes is closed and has no word for a stock that nobody knows; `conflict` says that it is not sold out.
_CODE: dict[Code, str] = {
    "too_few": "quantity_exceeded",
    "not_sold": "not_found",
    "not_counted": "conflict",
    "not_shipped_there": "region_restricted",
    "no_means": "unsupported",
    "declined": "payment_declined",
}
_TO = "$.fulfillment_details.address"
_AT: dict[Place, str] = {
    "email": "$.buyer.email",
    "address": _TO,
    "name": f"{_TO}.name",
    "street": f"{_TO}.line_one",
    "city": f"{_TO}.city",
    "region": f"{_TO}.state",
    "postal_code": f"{_TO}.postal_code",
    "country": f"{_TO}.country",
    "means": "$.capabilities.payment",
    "totals": "$.totals",
}
_BY_BUYER = ("missing", "invalid", "declined")


def message(note: Note) -> dict[str, Any]:
    where = note.path or (f"$.line_items[{note.line}]" if note.at == "line" else _AT.get(note.at, ""))
    said: dict[str, Any] = {"type": note.kind}
    if note.kind != "info":
        said["code"] = _CODE.get(note.code, note.code)
    said["severity"] = {"error": "high", "warning": "medium", "info": "info"}[note.kind]
    if note.kind == "error":
        said["resolution"] = _resolution(note.code)
    return {**said, **({"param": where} if where else {}), "content_type": "plain", "content": note.words}


def _resolution(code: Code) -> str:
    if code == "no_means":
        return "requires_buyer_review"
    return "requires_buyer_input" if code in _BY_BUYER else "recoverable"
