"""The way of a copy and of a leaving, and what stops somebody who wants to leave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from crossdock.domain.values import Money
from crossdock.domain.wording import counted

# In which somebody who leaves can think better of it, and the owner of a stolen account hears of it.
GRACE = timedelta(days=14)
# How long a copy can be had; and for how many of them within how long.
LINK = timedelta(days=7)
MOST_COPIES, COPIES_WITHIN = 3, timedelta(days=1)


class RunKind(StrEnum):
    EXPORT = "export"
    ERASURE = "erasure"


class RunState(StrEnum):
    """SECOND waits for another person of staff, WAITING for its time. STOPPED: something had come up meanwhile."""

    SECOND = "second"
    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    DONE = "done"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


OPEN = (RunState.SECOND, RunState.WAITING, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a person is not over yet. Orders by number; `owed` is what the books owe a seller, or a seller them."""

    staff: bool = False
    bought: Sequence[int] = ()
    payments: int = 0
    refunds: Sequence[int] = ()
    disputes: Sequence[int] = ()
    sold: Sequence[int] = ()
    shops: Sequence[str] = ()
    carts: int = 0
    labels: int = 0
    cases: int = 0
    payouts: int = 0
    owed: Sequence[Money] = field(default=())


def _named(numbers: Sequence[int]) -> str:
    """ "#101, #102 and 3 more"."""
    shown = ", ".join(f"#{number}" for number in numbers[:3])
    return f"{shown} and {len(numbers) - 3} more" if len(numbers) > 3 else shown


def what_stops(now: Standing, *, settled: bool = False) -> list[str]:
    """What has to be done before an account can be deleted: a sentence each, none when nothing stops it. `settled`:
    staff say that the books were settled outside.
    """
    said = []
    if now.staff:
        said.append("You are staff: give up your role first. An operator takes it away on the server.")
    if now.payments:
        said.append(
            f"{counted(now.payments, 'payment is', 'payments are')} still being checked with the bank. Come back when"
            " that is over; it takes minutes."
        )
    if now.bought:
        said.append(f"You wait for {_named(now.bought)}. Come back when it is shipped, or ask its seller to cancel it.")
    if now.refunds:
        said.append(f"Money for {_named(now.refunds)} is on its way back to you. Come back when it has arrived.")
    if now.disputes:
        said.append(f"A bank disputes the payment of {_named(now.disputes)}. Come back when that is decided.")
    if now.sold:
        said.append(f"Buyers wait for {_named(now.sold)}. Ship or reject them first.")
    if now.carts:
        said.append("Somebody is about to pay for something of yours. Archive your listings and come back in an hour.")
    if now.shops:
        said.append(
            f"{' and '.join(now.shops[:3])} {'is' if len(now.shops) == 1 else 'are'} still connected. Disconnect"
            f" {'it' if len(now.shops) == 1 else 'them'}, so that nothing more is sent here."
        )
    if now.labels:
        said.append(
            f"{counted(now.labels, 'label is', 'labels are')} being bought or taken back. Come back when the carrier"
            " has answered."
        )
    if now.payouts:
        said.append(
            f"{counted(now.payouts, 'payout is', 'payouts are')} on the way, or may still come back from the bank. Come"
            " back two weeks after the last one arrived."
        )
    if now.cases:
        said.append(f"{counted(now.cases, 'case is', 'cases are')} open. Close them first.")
    if not settled:
        for amount in now.owed:
            if amount.minor > 0:
                said.append(
                    f"You have {amount.words} coming. Write to us in a case: we pay it out and close the books."
                )
            else:
                said.append(f"You owe the marketplace {(-amount).words}. Write to us in a case to settle it.")
    return said
