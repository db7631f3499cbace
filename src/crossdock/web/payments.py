"""The gateway with the operator's keys, as pages and the API ask it."""

from django.conf import settings

from crossdock.kit.gateway import Gateway
from crossdock.kit.payments import open_gateway
from crossdock.store.models import PaymentIntent


def chosen_gateway() -> Gateway:
    """The operator's choice: new payments go through it."""
    return gateway_named(settings.PAYMENT_GATEWAY)


def gateway_of(intent: PaymentIntent) -> Gateway:
    """The one that a payment was begun with, which stays its own when the operator chooses another."""
    return gateway_named(intent.gateway)


def gateway_named(name: str) -> Gateway:
    """Raises NoSuchFolder."""
    return open_gateway(name, settings.CONFIG.data, settings.GATEWAY_KEYS.get(name, {}).items())
