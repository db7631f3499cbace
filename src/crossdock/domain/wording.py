"""Small words for sentences that people read."""

from datetime import datetime


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 listing", "2 listings"; `many` where an s is not enough."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def moment(at: datetime) -> str:
    """ "30 November 2026, 10:21 UTC", for mails and sentences, which everybody reads alike; `at` is in UTC."""
    return f"{at:%d %B %Y, %H:%M} UTC"
