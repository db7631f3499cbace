"""Small words for sentences that people read."""


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 listing", "2 listings"; `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or one + 's'}"
