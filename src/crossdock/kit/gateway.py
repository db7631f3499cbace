"""The Gateway protocol: what a payment provider's folder must offer.

A lost answer is looked up by the intent, never repeated blindly.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from crossdock.domain.commands import Outcome
from crossdock.domain.events import HookNews
from crossdock.domain.payments import Intent, Standing
from crossdock.domain.values import Money
from crossdock.kit.connector import Hook


@dataclass(frozen=True, slots=True)
class Choice:
    """A means of payment on the checkout page: what is posted, and what the buyer reads."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class CardForm:
    """Fields for a card that the provider's own script draws and reads, so that no card number ever reaches us.

    `allow` widens that page's policy.
    """

    script: str
    public_key: str
    allow: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours.

    `checks` hold the gateway's card checks (postal_code, cvc: pass, fail, unavailable), billing_country, and what else
    it says of the card.
    """

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
class AtTheBank:
    """The buyer's bank wants to hear it from the buyer: their browser has to go to `url`, and comes back to us.

    No money moved yet.
    """

    url: str


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """No money moved under this intent, and none can move any more once it was voided."""


Answer = Captured | Declined | NotKnown | AtTheBank | NeverSeen


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the operator wants to know before buyers find out: it works, or what to do."""

    good: bool
    sentence: str


class Gateway(Protocol):
    """An intent is decided once: whatever is asked about it later gets the same answer, whichever means was chosen
    then.
    """

    name: str
    label: str

    def opened(self, folder: Path, keys: Mapping[str, str]) -> "Gateway":
        """The same provider with the operator's `keys`; below `folder` it may keep what it must remember itself.

        Use only what this returns.
        """

    def missing(self) -> str:
        """Why nobody can pay through it yet, as a sentence for the operator; empty when everything is set."""

    def choices(self) -> tuple[Choice, ...]: ...

    def card_form(self) -> CardForm | None: ...

    def accepts(self, token: str) -> bool:
        """Whether this may be a means of payment that its page posted."""

    async def capture(self, intent: Intent, token: str, *, back_url: str = "") -> Answer:
        """Without `back_url` there is no browser that a bank could speak to; a card that needs that is declined."""

    async def look_up(self, intent: Intent) -> Answer: ...

    async def void(self, intent: Intent) -> Captured | NeverSeen | NotKnown:
        """Make sure that a capture that never answered can't happen any more; Captured when it had happened."""

    async def refund(self, intent: Intent, amount: Money, key: str) -> Outcome:
        """Give money back, once per `key`. Refused when more than was captured is asked."""

    async def read(self, intent: Intent) -> Standing:
        """What happened to a captured payment. Raises kit.errors.Outside."""

    async def changed(self, since: datetime) -> tuple[str, ...]:
        """The provider's ids of payments with a refund or a dispute made since then, for what no webhook told.

        Raises kit.errors.Outside.
        """

    def verify(self, hook: Hook, now: datetime) -> None:
        """Over the raw bytes, before anything is parsed. Raises Forged; calls nobody."""

    def news(self, hook: Hook) -> HookNews:
        """What a delivery says: looks of kind PAYMENT, by our intent or the provider's id.

        It trusts its caller to have verified the delivery (`kit.webhook.told_news`).
        """

    async def check(self) -> tuple[Check, ...]: ...
