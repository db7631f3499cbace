"""A price that jumps in the shop: held when it changes by more than the seller allows, until they take or keep."""

# In percent of the shop's price that is followed here, up or down alike.
LEAST, MOST = 1, 99


def jumps(*, was: int, told: int, limit: int | None, kept: int | None = None) -> bool:
    """Whether the price `told` by the shop waits for its seller while what it asked before (`was`) is followed; all in
    minor units, and both the shop's: what a price rule makes of them is another matter.

    `limit` None holds nothing; `kept` is the price of the shop to which the seller said no already: it stays held,
    whatever the limit is now. What was never asked for anything (0) has nothing to jump from.
    """
    if limit is None or told == was or was <= 0:
        return False
    return told == kept or abs(told - was) * 100 > limit * was
