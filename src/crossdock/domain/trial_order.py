"""A test order: made in the shop, read back and cancelled, before anybody pays. What each step means, in words that
its seller reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from crossdock.domain.commands import CreateOrder, Done
from crossdock.domain.events import Count, ShopOrder, ShopOrderState
from crossdock.domain.orders import differences


class StepName(StrEnum):
    """In the order in which they are taken."""

    COUNTED = "counted"
    CREATED = "created"
    READ_BACK = "read_back"
    TAKEN = "taken"
    CANCELLED = "cancelled"
    GIVEN_BACK = "given_back"


TITLES: Mapping[StepName, str] = {
    StepName.COUNTED: "Your shop says how many it has",
    StepName.CREATED: "The order is created in your shop",
    StepName.READ_BACK: "It is read back and compared",
    StepName.TAKEN: "Your shop took the unit out of its stock",
    StepName.CANCELLED: "The order is cancelled in your shop",
    StepName.GIVEN_BACK: "Your shop put the unit back",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`ok` None is neither good nor bad: something to know."""

    name: StepName
    ok: bool | None
    sentence: str
    at: datetime

    @property
    def title(self) -> str:
        return TITLES[self.name]


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """How far one got. `before` is the shop's count before it, None while it is not known or nothing is counted;
    `shop_id` is empty until the order stands there.
    """

    create: CreateOrder
    before: int | None = None
    shop_id: str = ""
    number: str = ""
    url: str = ""
    steps: tuple[Step, ...] = ()

    def counted(self, count: Count | None) -> "TrialOrder":
        return replace(self, before=count.count if count else None)

    def standing(self, outcome: Done) -> "TrialOrder":
        return replace(self, shop_id=outcome.shop_id, number=outcome.shop_number, url=outcome.url)

    def with_step(self, step: Step) -> "TrialOrder":
        """A step that is taken again after a lost answer stands once."""
        return replace(self, steps=(*(each for each in self.steps if each.name is not step.name), step))

    def took(self, name: StepName) -> bool:
        return any(step.name is name for step in self.steps)

    @property
    def stands(self) -> bool:
        """Whether the shop may still have it, open."""
        return bool(self.shop_id) and not any(step.name is StepName.CANCELLED and step.ok for step in self.steps)

    @property
    def named(self) -> str:
        """As the seller finds it in the shop."""
        return self.number or self.shop_id

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.create.lines)


def counted(count: Count | None, *, at: datetime) -> Step:
    """`count` None: the shop does not know the variant any more."""
    if count is None:
        return Step(StepName.COUNTED, False, "Your shop does not have this product any more.", at)
    if count.count is None:
        return Step(StepName.COUNTED, None, "Your shop does not count this product.", at)
    return Step(StepName.COUNTED, True, f"{count.count} in stock.", at)


def read_back(trial: TrialOrder, seen: ShopOrder, *, at_our_price: bool, at: datetime) -> Step:
    """Compared as every order is; cancelled meanwhile by somebody in the shop is no fault."""
    if seen.state is not ShopOrderState.OPEN:
        return Step(StepName.READ_BACK, None, f"Somebody ended order {trial.named} in your shop meanwhile.", at)
    found = differences(trial.create, seen, at_our_price=at_our_price)
    if not found:
        price = f"{seen.total.words}, the price here" if at_our_price else "the same product and units"
        return Step(StepName.READ_BACK, True, f"It is what was sent: {price}.", at)
    return Step(StepName.READ_BACK, False, " ".join(f"{each.sentence}." for each in found), at)


def taken(trial: TrialOrder, count: Count | None, *, at: datetime) -> Step:
    """Somebody may buy in the shop at the same moment, and some shops count a little later: no proof is not a fault."""
    if trial.before is None or count is None or count.count is None:
        return Step(StepName.TAKEN, None, "Your shop does not count this product, so nothing was taken.", at)
    if trial.before - count.count == trial.units:
        return Step(StepName.TAKEN, True, f"{trial.before} before, {count.count} now.", at)
    sentence = (
        f"{trial.before} before, {count.count} now, where {trial.before - trial.units} was expected: your shop counts"
        " later, or something else moved at the same time."
    )
    return Step(StepName.TAKEN, None, sentence, at)


def given_back(trial: TrialOrder, count: Count | None, *, restores: bool, at: datetime) -> Step:
    """`restores`: the platform puts the units of a cancelled order back by itself."""
    if trial.before is None or count is None or count.count is None:
        return Step(StepName.GIVEN_BACK, None, "Your shop does not count this product, so nothing was put back.", at)
    if count.count == trial.before:
        return Step(StepName.GIVEN_BACK, True, f"{count.count} in stock, as before.", at)
    now = f"{trial.before} before the test, {count.count} now."
    if not restores:
        return Step(StepName.GIVEN_BACK, None, f"{now} Correct the count in your shop.", at)
    return Step(
        StepName.GIVEN_BACK,
        None,
        f"{now} Your shop counts later, or something else moved at the same time: look at its count in a minute.",
        at,
    )
