"""Names of goods, and the pool of linked goods over random sequences of sales, reads, corrections and restocks."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.domain import goods
from crossdock.domain.stock import Hold, HoldState, Stock, apply_read, available

SHOPS = ("a", "b", "c")
Fell = Callable[..., int]


@dataclass
class Pool:
    """Units on one shelf, each counted by every shop. Buyers here buy from shop "a". `fell` is the product's, or a
    planted bug.
    """

    units: int
    fell: Fell
    early: Fell = goods.told_early
    unanswered: list[str] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.there = dict.fromkeys(SHOPS, self.units)
        self.told = dict.fromkeys(SHOPS, self.units)
        self.known = {shop: Stock(count=self.units) for shop in SHOPS}
        self.holds: dict[str, list[Hold]] = {shop: [] for shop in SHOPS}

    def sold_in(self, shop: str) -> None:
        if self.there[shop] > 0 and self.units > 0:
            self.there[shop] -= 1
            self.units -= 1

    def restock(self, shop: str) -> None:
        """One more on the shelf, typed in one shop alone."""
        self.there[shop] += 1
        self.units += 1

    def correct(self, shop: str) -> None:
        """The shop takes out what it owes and was not asked for yet; only then the fence is drawn."""
        for place, hold in enumerate(self.holds[shop]):
            if hold.id.startswith("owed") and hold.fence_no is None and self.there[shop] >= hold.quantity:
                self.there[shop] -= hold.quantity
                self.holds[shop][place] = replace(hold, fence_no=next(self.numbers))
                return

    def carry_out(self, shop: str) -> None:
        """The same, and its answer is not here yet."""
        for hold in self.holds[shop]:
            if hold.id.startswith("owed") and hold.fence_no is None and hold.id not in self.unanswered:
                if self.there[shop] >= hold.quantity:
                    self.there[shop] -= hold.quantity
                    self.unanswered.append(hold.id)
                return

    def answer(self, shop: str) -> None:
        for place, hold in enumerate(self.holds[shop]):
            if hold.id in self.unanswered and hold.fence_no is None:
                self.holds[shop][place] = replace(hold, fence_no=next(self.numbers))
                return

    def read(self, shop: str) -> None:
        no = next(self.numbers)
        after, ended = apply_read(
            self.known[shop],
            self.holds[shop],
            count=self.there[shop],
            version="",
            read_no=no,
            applied_no=next(self.numbers),
        )
        corrected = sum(hold.quantity for hold in ended if hold.id.startswith("owed"))
        left = self.fell(told=self.told[shop], count=self.there[shop], corrected=corrected)
        early = self.early(told=self.told[shop], count=self.there[shop], corrected=corrected)
        self.known[shop], self.told[shop] = after, self.there[shop]
        self.holds[shop] = [hold for hold in self.holds[shop] if hold not in ended]
        kind = f"maybe-{shop}" if any(hold.id in self.unanswered for hold in self.holds[shop]) else "owed"
        for other in SHOPS:
            if early and other != shop:
                self.take_back(other, f"maybe-{shop}", early)
            if left and other != shop:
                self.holds[other].append(Hold(f"{kind}{next(self.numbers)}", left, HoldState.OWED))

    def take_back(self, shop: str, kind: str, units: int) -> None:
        kept = []
        for hold in self.holds[shop]:
            back = min(units, hold.quantity) if hold.id.startswith(kind) else 0
            units -= back
            kept += [replace(hold, quantity=hold.quantity - back)] if hold.quantity > back else []
        self.holds[shop] = kept

    def buy(self) -> bool:
        """Here, from what is for sale; the shop takes the unit at once."""
        if not available(self.known["a"], self.holds["a"]):
            return False
        self.holds["a"].append(Hold(f"order{next(self.numbers)}", 1, HoldState.TAKEN, next(self.numbers)))
        self.there["a"] -= 1
        self.units -= 1
        return True

    def play(self, steps: list[tuple[str, str]]) -> None:
        """Never is more for sale than there is, once every shop was read."""
        for act, shop in steps:
            if act == "buy":
                for each in SHOPS:
                    self.read(each)
                self.buy()
            else:
                getattr(self, act)(shop)
            assert self.units >= 0, "a unit was sold that nobody has"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sold_in", "restock", "correct", "carry_out", "answer", "read", "buy"]), st.sampled_from(SHOPS)
    ),
    max_size=40,
)
NO_RISE = st.lists(
    st.tuples(st.sampled_from(["sold_in", "carry_out", "answer", "read", "buy"]), st.sampled_from(SHOPS)), max_size=40
)


@given(st.integers(1, 4), STEPS)
@settings(max_examples=300, deadline=None)
def test_never_more_is_sold_than_the_pool_has(units: int, steps: list[tuple[str, str]]) -> None:
    Pool(units, goods.fell).play(steps)


@given(st.integers(1, 4), NO_RISE)
@settings(max_examples=200, deadline=None)
def test_once_all_is_answered_no_unit_is_held_too_many(units: int, steps: list[tuple[str, str]]) -> None:
    pool = Pool(units, goods.fell)
    pool.play(steps)
    for _ in range(3 * units):
        for shop in SHOPS:
            pool.read(shop)
            pool.carry_out(shop)
            pool.answer(shop)
            pool.read(shop)
    assert available(pool.known["a"], pool.holds["a"]) == pool.units


def test_a_planted_bug_takes_a_sale_back_with_a_correction() -> None:
    steps = [("sold_in", "c"), ("read", "c"), ("carry_out", "b"), ("sold_in", "b"), ("read", "b"), ("answer", "b")]
    Pool(2, goods.fell).play([*steps, ("buy", "a")])
    with pytest.raises(AssertionError, match="nobody has"):
        Pool(2, goods.fell, early=lambda **_: 2).play([*steps, ("buy", "a")])


@pytest.mark.parametrize(
    ("bug", "steps"),
    [
        (lambda **_: 0, [("sold_in", "b"), ("buy", "a")]),
        (
            # Whatever a shop that owes counts fewer is taken for its correction.
            lambda *, told, count, corrected: 0 if corrected else max(0, told - count),
            [("sold_in", "c"), ("read", "c"), ("correct", "b"), ("sold_in", "b"), ("buy", "a")],
        ),
    ],
)
def test_a_planted_bug_sells_a_unit_that_nobody_has(bug: Fell, steps: list[tuple[str, str]]) -> None:
    units = sum(act == "sold_in" for act, _ in steps)
    Pool(units, goods.fell).play(steps)
    with pytest.raises(AssertionError, match="nobody has"):
        Pool(units, bug).play(steps)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("4006381333931", "04006381333931"),
        ("0 36000-29145 2", "00036000291452"),
        ("96385074", "00000096385074"),
        ("14006381333938", "14006381333938"),
        ("01234565", ""),
        ("00000001234565", ""),
        ("40063813339312", ""),
        ("6385074", ""),
        ("96385074.0", ""),
        ("٩6385074", ""),
        ("4006381333932", ""),
        ("0000000000000", ""),
        ("n/a", ""),
        ("ABC4006381333931", ""),
        ("", ""),
    ],
)
def test_the_digits_of_a_gtin(written: str, digits: str) -> None:
    assert goods.gtin(written) == digits


@pytest.mark.parametrize("sku", ["", " ", "0", "0000", "N/A", "does not apply", "Does  Not Apply!", "xxx", "-", "7"])
def test_what_names_nothing(sku: str) -> None:
    assert not goods.names_something(sku)


@pytest.mark.parametrize("sku", ["FOX-1", "10", "A7", "00012", "Testament-3"])
def test_what_names_something(sku: str) -> None:
    assert goods.names_something(sku)


def test_one_unit_by_its_certificate() -> None:
    mine = ["certificate", "certificate=12", "grader=psa"]
    assert goods.same_unit(mine, ["certificate=12"])
    assert not goods.same_unit(mine, ["certificate=12", "grader=cgc"])
    assert not goods.same_unit(mine, ["certificate=13", "grader=psa"])
    assert not goods.same_unit([], [])
