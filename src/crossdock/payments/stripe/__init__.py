"""Real cards through Stripe. The official library is an extra and is only loaded when this provider is chosen."""

from crossdock.payments.stripe.gateway import StripeGateway

gateway = StripeGateway()

__all__ = ["StripeGateway", "gateway"]
