"""Who buys and where it goes, between the protocol's form and the one that a session keeps."""

from typing import Any

from crossdock.web.agents.notes import Note
from crossdock.web.agents.refusing import Refusal
from crossdock.web.agents.ucp.asked import Buyer, CheckoutIn, Destination, Method

METHOD = "$.fulfillment.methods[0]"
_KEPT = {
    "street_address": "line_one",
    "extended_address": "line_two",
    "address_locality": "city",
    "address_region": "state",
    "address_country": "country",
    "postal_code": "postal_code",
    "first_name": "first_name",
    "last_name": "last_name",
}


def kept(asked: CheckoutIn) -> tuple[dict[str, Any], list[Note]]:
    """What is kept of the person, and what is to be said to it. Raises Refusal for what does not exist here."""
    buyer = {key: value for key, value in asked.buyer.model_dump(exclude_unset=True).items() if value}
    details: dict[str, Any] = {"buyer": buyer} if buyer else {}
    methods = asked.fulfillment.methods
    if len(methods) > 1 or any(method.type != "shipping" for method in methods):
        raise Refusal(400, "invalid", "Everything is shipped, to one address.", param="$.fulfillment.methods")
    if not methods or not methods[0].destinations:
        return details, []
    to = _chosen(methods[0])
    if to is None:
        words = "Select one of the addresses."
        return details, [Note("warning", "invalid", words, path=f"{METHOD}.selected_destination_id")]
    return {**details, "fulfillment_details": _kept(to, asked.buyer)}, []


def _chosen(method: Method) -> Destination | None:
    wanted = method.selected_destination_id
    if wanted is None and len(method.destinations) == 1:
        return method.destinations[0]
    return next((one for one in method.destinations if wanted and one.id == wanted), None)


def _kept(to: Destination, buyer: Buyer) -> dict[str, Any]:
    """A parcel without a name goes to the buyer."""
    name = f"{to.first_name} {to.last_name}".strip() or f"{buyer.first_name} {buyer.last_name}".strip()
    address = {key: value for theirs, key in _KEPT.items() if (value := getattr(to, theirs))}
    phone = to.phone_number or buyer.phone_number
    return {
        "destination": to.id or "address",
        "address": {**address, **({"name": name} if name else {})},
        **({"phone_number": phone} if phone else {}),
    }


def destination(details: dict[str, Any]) -> dict[str, Any] | None:
    """The address as it was given, with its id; None where there is none."""
    to = details.get("fulfillment_details")
    if not to:
        return None
    address = {theirs: to["address"][key] for theirs, key in _KEPT.items() if key in to["address"]}
    return {"id": to["destination"], **address}
