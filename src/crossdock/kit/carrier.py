"""The Carrier protocol: what a label provider's folder must offer. A lost answer is looked up before anything is
bought again.

Prices cost nothing and may be asked for while a person waits. What is bought was written down before, by our reference
and the chosen quote.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from crossdock.domain.commands import Later, Outcome, Refused, SignInAgain, Unknown
from crossdock.domain.events import HookNews
from crossdock.domain.labels import Bought, Can, Form, LabelStanding, Purchase, Quote, Wanted
from crossdock.kit.connector import Hook
from crossdock.kit.gateway import Check

Answer = Bought | Refused | Later | SignInAgain | Unknown


class Carrier(Protocol):
    """One provider of labels.

    Calls that only read raise kit.errors.Outside; `buy` and `void` say how they ended and raise nothing of that
    family.
    """

    name: str
    label: str
    can: Can
    # The longest that a purchase is waited for; the provider begins none later than that after it was asked.
    patience: timedelta
    # How long after that, or after a lost answer, it may still come to light: nothing is bought again before.
    horizon: timedelta

    def opened(self, folder: Path, keys: Mapping[str, str]) -> "Carrier":
        """The same provider with the operator's `keys`; below `folder` it may keep what it must remember itself.

        Use only what this returns.
        """

    def missing(self) -> str:
        """Why nobody can buy labels from it yet, as a sentence for the operator; empty when everything is set."""

    async def quote(self, wanted: Wanted) -> tuple[Quote, ...]:
        """Cheapest first; empty when it does not go there.

        Costs nothing. Raises Outside, BadInput with what is wrong with the parcel.
        """

    async def buy(self, purchase: Purchase) -> Answer:
        """Unknown whenever it may have been bought. The caller looks up before it asks again."""

    async def look_up(self, purchase: Purchase) -> tuple[Bought, ...]:
        """What was bought for this very purchase, oldest first; empty counts as "nothing" only after `horizon`."""

    async def void(self, ref: str) -> Outcome:
        """Ask for a label's money back.

        Done means that it was asked for (or had been); harmless to repeat. `read` says what came of it.
        """

    async def read(self, ref: str) -> LabelStanding:
        """Where the parcel is, and whether the label was taken back."""

    async def document(self, ref: str, form: Form) -> bytes: ...

    def verify(self, hook: Hook, now: datetime) -> None:
        """Over the raw bytes, before anything is parsed. Raises Forged; calls nobody."""

    def news(self, hook: Hook) -> HookNews:
        """What a delivery says: looks of kind LABEL, by the carrier's id of the label.

        It trusts its caller to have verified the delivery (`kit.webhook.told_news`).
        """

    async def check(self) -> tuple[Check, ...]: ...
