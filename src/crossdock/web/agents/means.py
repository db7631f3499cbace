"""What an agent can pay with: the means that the payment provider takes without a browser of ours.

A delegated payment token (`spt_…`) is none of them: no provider's folder takes one yet, so it is not offered. A card
that is typed into our own page is none either.
"""

from typing import Any

from crossdock.kit.gateway import Gateway
from crossdock.web.agents.refusing import Refusal

TYPE = "test_card"
NONE = (
    "This marketplace takes no payment from agents: its payment provider needs the buyer's own browser. The buyer can"
    " buy at the address of each item."
)


def offered(gateway: Gateway) -> tuple[str, ...]:
    """Empty where nothing can be paid by an agent."""
    return () if gateway.missing() else tuple(choice.token for choice in gateway.choices())


def schemas(gateway: Gateway) -> dict[str, Any]:
    """Of an instrument and of what is said about the handler, as JSON schemas."""
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


def token_in(gateway: Gateway, *, handler: str, token: str, at_handler: str, at_token: str) -> str:
    """Raises Refusal for what is not offered; `at_…` is where each stands in the body."""
    if not offered(gateway):
        raise Refusal(400, "unsupported", NONE, param=at_handler)
    if handler != gateway.name:
        raise Refusal(400, "invalid", f"The handler offered here is “{gateway.name}”.", param=at_handler)
    if token not in offered(gateway) or not gateway.accepts(token):
        words = "This token is none that the offered handler takes; they stand in its config."
        raise Refusal(400, "invalid", words, param=at_token)
    return token
