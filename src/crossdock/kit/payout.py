"""The PayoutBank protocol: what a folder below `crossdock.payouts` must offer.

A lost answer is looked up by our own id before anything is sent again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from crossdock.domain.commands import Outcome
from crossdock.domain.earnings.payouts import Destination, PayoutAsked, PayoutStanding
from crossdock.domain.events import HookNews
from crossdock.kit.connector import Hook


class PayoutBank(Protocol):
    """One provider of payouts. Calls that only read raise kit.errors.Outside; `send` says how it ended."""

    name: str
    label: str
    # How long after a sending was over it may still come to light: nothing is sent again before.
    horizon: timedelta

    def opened(self, folder: Path, keys: Mapping[str, str]) -> "PayoutBank":
        """The same provider with the operator's `keys`; below `folder` it may keep what it must remember itself.

        Use only what this returns.
        """

    def missing(self) -> str:
        """Why nothing can be paid out yet, as a sentence for the operator; empty when everything is set."""

    async def register(self, holder: str, number: str, currency: str) -> Destination:
        """A seller's bank account. Raises BadInput with what is wrong with it, Outside."""

    async def send(self, payout: PayoutAsked) -> Outcome:
        """Once per `payout.id`. Done names the bank's own number; Unknown whenever it may have been carried out."""

    async def look_up(self, payout: PayoutAsked) -> tuple[PayoutStanding, ...]:
        """What the bank has for this very payout, oldest first; empty counts as "nothing" only after `horizon`."""

    async def read(self, ref: str) -> PayoutStanding: ...

    def verify(self, hook: Hook, now: datetime) -> None:
        """Over the raw bytes, before anything is parsed. Raises Forged; calls nobody."""

    def news(self, hook: Hook) -> HookNews:
        """What a delivery says: looks of kind PAYOUT, by the bank's number of it."""
