"""The Gateway protocol: what a payment provider's folder must offer. A lost answer is looked up by the intent's id, never repeated blindly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from crossdock.domain.commands import Outcome
from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class Choice:
    """A means of payment on the checkout page: what is posted, and what the buyer reads."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours. `checks` hold the gateway's card checks (postal_code, cvc: pass, fail, unavailable) and billing_country."""

    gateway_ref: str
    checks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Declined:
    sentence: str


@dataclass(frozen=True, slots=True)
class NotKnown:
    """The answer was lost: nobody knows yet whether money moved."""

    sentence: str


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """The gateway does not know this intent: no money moved, and none can move later under it once it was voided."""


class Gateway(Protocol):
    """`intent` is our intent's public id and the idempotency key of everything about it."""

    name: str
    label: str

    def opened(self, folder: Path) -> "Gateway":
        """The same provider, keeping below `folder` (made if missing) what it must remember itself. Use only what this returns."""

    def choices(self) -> tuple[Choice, ...]: ...

    async def capture(self, intent: str, amount: Money, token: str) -> Captured | Declined | NotKnown: ...

    async def look_up(self, intent: str) -> Captured | Declined | NotKnown | NeverSeen: ...

    async def void(self, intent: str) -> Captured | NeverSeen | NotKnown:
        """Make sure that a capture that never answered can't happen any more; Captured when it had happened."""

    async def refund(self, intent: str, amount: Money, key: str) -> Outcome:
        """Give money back, once per `key`. Refused when more than was captured is asked."""
