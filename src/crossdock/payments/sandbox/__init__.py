"""The payment provider of the demo and the tests: no real money, but real trouble (declined, answers lost after
capturing, failed card checks).
"""

from crossdock.payments.sandbox.gateway import SandboxGateway

gateway = SandboxGateway()

__all__ = ["SandboxGateway", "gateway"]
