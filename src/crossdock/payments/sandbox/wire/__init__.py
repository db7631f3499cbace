"""The sandbox's bank as a server that speaks the part of Stripe's wire which `payments/stripe` uses.

How it is kept honest: README.md beside it.
"""

from crossdock.payments.sandbox.wire.server import SECRET_KEY, Wire

__all__ = ["SECRET_KEY", "Wire"]
