"""`crossdock check payments`: whether buyers can pay, and what is missing, before a buyer finds out.

Asks the provider once and moves no money.
"""

import asyncio

from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.gateway import Check
from crossdock.kit.payments import open_gateway

# What a delivery may be about; everything else would be answered and thrown away.
EVENTS = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "radar.early_fraud_warning.created",
    "radar.early_fraud_warning.updated",
)


def check() -> int:
    """0 when everything is well."""
    config = load()
    name = config.payment_gateway
    try:
        gateway = open_gateway(name, config.data, config.gateway_keys.get(name, {}).items())
    except NoSuchFolder as error:
        raise Trouble(f"{error} Set CROSSDOCK_PAYMENT_GATEWAY to one of them.") from None
    print(f"Payments go through “{name}”: {gateway.label}.")
    said = [*asyncio.run(gateway.check()), *_hooks(config, name)]
    for one in said:
        print(f"{'ok  ' if one.good else 'MEND'} {one.sentence}")
    return 0 if all(one.good for one in said) else 1


def _hooks(config: Config, name: str) -> list[Check]:
    if name == "sandbox":
        return []
    if not config.public_url:
        return [
            Check(
                False,
                "PUBLIC_URL is not set, so the provider cannot tell us anything: disputes are seen up to an hour late.",
            )
        ]
    address = f"{config.public_url}/hooks/payments/{name}"
    return [
        Check(
            True,
            f"Enter {address} at the provider as the address for webhooks, with these events: {', '.join(EVENTS)}.",
        )
    ]
