"""How an agent can pay here, as a handler of the protocol."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from crossdock.kit.gateway import Gateway
from crossdock.web.agents.acp.asked import Payment
from crossdock.web.agents.means import TYPE, offered, token_in


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


def paid_with(payment: Payment, gateway: Gateway) -> str:
    """The token. Raises Refusal for what is not offered."""
    return token_in(
        gateway,
        handler=payment.handler_id,
        token=payment.instrument.credential.token,
        at_handler="$.payment_data.handler_id",
        at_token="$.payment_data.instrument.credential.token",  # noqa: S106 - a path
    )
