"""A price that jumps in the shop: held when it changes by more than the seller allows, until they take or keep."""

# In percent of the price that is asked here, up or down alike.
LEAST, MOST = 1, 99


def jumps(*, asked: int, told: int, limit: int | None, kept: int | None = None) -> bool:
    """Whether the price `told` by the shop waits for its seller while `asked` stays; all in minor units.

    `limit` None holds nothing; `kept` is the price of the shop to which the seller said no already: it stays held,
    whatever the limit is now. What was never asked for anything (0) has nothing to jump from.
    """
    if limit is None or told == asked or asked <= 0:
        return False
    return told == kept or abs(told - asked) * 100 > limit * asked
