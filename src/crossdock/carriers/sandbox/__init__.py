"""The carrier of the demo and the tests: labels that say "SAMPLE - NO POSTAGE", prices by distance, and real trouble
(lost answers, late purchases).
"""

from crossdock.carriers.sandbox.carrier import SandboxCarrier

carrier = SandboxCarrier()

__all__ = ["SandboxCarrier", "carrier"]
