"""The bank of the demo and the tests: no real money, but real trouble (answers lost or late, payouts that come back,
news told twice).
"""

from crossdock.payouts.sandbox.bank import SandboxBank

bank = SandboxBank()

__all__ = ["SandboxBank", "bank"]
