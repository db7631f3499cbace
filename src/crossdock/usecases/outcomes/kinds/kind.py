"""What a kind of command is: what it says, whom it asks, and what it means that it was done or refused.

How it is sent is the engine's: the function marked `@sends(kind)` there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelLines, CancelOrder, CommandKind, Done, Refused
from crossdock.store.models import Command, Order, ShopCopy
from crossdock.store.models.work import PartyKind
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock import restore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """A command with its order, both locked; no order for money and mail of none."""

    row: Command
    order: Order | None
    copy: ShopCopy | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when something was done, and what is told of it.

    `want_after`: counts lag, so a read before then says nothing. `restores`: the platform puts units back by itself;
    `keeps_out`: not those that are gone.
    """

    told: Telling
    want_after: datetime | None = None
    restores: bool = True
    keeps_out: bool = False


def nothing(held: Held, outcome: object, when: object) -> None:
    """The command's row says it all."""


def nothing_claimed(rows: Sequence[Command], now: datetime) -> None:
    """It is written as sent in its own row alone."""


def a_person_decides(held: Held, outcome: Refused, told: Telling) -> None:
    """Nobody expected a refusal: an alert, where there is an order to show it at."""
    order, row = held.order, held.row
    if order:
        told.raise_alert(
            code=AlertCode.COMMAND_DEAD,
            seller=order.seller,
            order=order,
            key=f"command:{row.pk}",
            sentence=f"Order {order}: “{row.kind.replace('_', ' ')}” was refused: {outcome.sentence}",
        )


def units_back(held: Held, ended: CancelOrder | CancelLines, outcome: Done, facts: Facts) -> None:
    """An order, or a part of it, ended in the shop: what that means for the shop's own count."""
    restore.after_ending(
        order=held.order,
        ended=ended,
        key=held.row.cause,
        already=outcome.already,
        restores=facts.restores,
        keeps_out=facts.keeps_out,
        told=facts.told,
    )


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """`creates`: a copy of the order comes of it, so a refusal is final only when no earlier try can still arrive.

    `names_copy`: its payload names the shop's order, and may have been written before that was known. `claimed` runs in
    the transaction that writes the rows as sent. Without success for two days it is dead, which `gave_up` hears of; one
    that `ends_refused` counts as refused then, so that what waits behind it in the order's line goes on.
    """

    name: CommandKind
    asks: PartyKind
    payload: TypeAdapter[T]
    done: Callable[[Held, Done, Facts], None] = nothing
    refused: Callable[[Held, Refused, Telling], None] = a_person_decides
    claimed: Callable[[Sequence[Command], datetime], None] = nothing_claimed
    gave_up: Callable[[Held, str, Telling], None] = nothing
    creates: bool = False
    names_copy: bool = False
    ends_refused: bool = False
