"""How an agent can pay here: the means that the payment provider takes without a browser of ours, as a handler of the
protocol.

A delegated payment token (`spt_…`) is none of them: no provider's folder takes one yet, so it is not offered. A card
that is typed into our own page is none either.
"""

from typing import Any

from django.conf import settings
from django.urls import reverse

from crossdock.kit.gateway import Gateway
from crossdock.web.agents.asked import Payment
from crossdock.web.agents.refusing import Refusal

TYPE = "test_card"
NONE = (
    "This marketplace takes no payment from agents: its payment provider needs the buyer's own browser. The buyer can"
    " buy at the address of each item."
)


def handlers(gateway: Gateway) -> list[dict[str, Any]]:
    """Empty where nothing can be paid by an agent."""
    if not offered(gateway):
        return []
    address = settings.BASE_URL + reverse("acp_handler")
    return [
        {
            "id": gateway.name,
            "name": f"crossdock.{gateway.name}.{TYPE}",
            "display_name": gateway.label,
            "version": "2026-04-17",
            "spec": address,
            "requires_delegate_payment": False,
            "requires_pci_compliance": False,
            "psp": gateway.name,
            "config_schema": f"{address}#/$defs/config",
            "instrument_schemas": [f"{address}#/$defs/instrument"],
            "config": {"tokens": list(offered(gateway))},
        }
    ]


def offered(gateway: Gateway) -> tuple[str, ...]:
    return () if gateway.missing() else tuple(choice.token for choice in gateway.choices())


def document(gateway: Gateway) -> dict[str, Any]:
    """The handler's JSON schemas."""
    tokens = {"enum": list(offered(gateway))}
    text = {"type": "string"}
    credential = {
        "type": "object",
        "properties": {"type": text, "token": {**text, **tokens}},
        "required": ["type", "token"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Means of payment that this marketplace's provider takes without a browser",
        "$defs": {
            "config": {"type": "object", "properties": {"tokens": {"type": "array", "items": text}}},
            "instrument": {
                "type": "object",
                "properties": {"type": {"const": TYPE}, "credential": credential},
                "required": ["type", "credential"],
            },
        },
    }


def token_in(payment: Payment, gateway: Gateway) -> str:
    """Raises Refusal for what is not offered."""
    if not offered(gateway):
        raise Refusal(400, "unsupported", NONE, param="$.payment_data.handler_id")
    if payment.handler_id != gateway.name:
        words = f"The handler offered here is “{gateway.name}”."
        raise Refusal(400, "invalid", words, param="$.payment_data.handler_id")
    token = payment.instrument.credential.token
    if token not in offered(gateway) or not gateway.accepts(token):
        words = "This token is none that the offered handler takes; they stand in its config."
        raise Refusal(400, "invalid", words, param="$.payment_data.instrument.credential.token")
    return token
