"""Messages between the two sides of an order: what may be written, and how much of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = 4000
# Of one side without an answer within a day: more is no question.
MOST_UNANSWERED = 10
_TWICE = timedelta(minutes=10)
_DAY = timedelta(days=1)


class Side(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"

    @property
    def other(self) -> "Side":
        return Side.SELLER if self is Side.BUYER else Side.BUYER


Said = tuple[Side, str, datetime]


def is_repeat(said: Sequence[Said], side: Side, body: str, now: datetime) -> bool:
    """Whether the last message is this one: pressed twice. `said` is newest first."""
    return bool(said) and said[0][:2] == (side, body) and now - said[0][2] < _TWICE


def why_not_write(said: Sequence[Said], side: Side, body: str, now: datetime) -> str:
    """Empty when this may be written. `said` is newest first, and reaches back a day or to the other side's last."""
    if not body:
        return "Write something."
    if len(body) > LONGEST:
        return f"Write at most {LONGEST:,} characters."
    unanswered = 0
    for who, _, at in said:
        if who is not side:
            break
        unanswered += now - at < _DAY
    if unanswered >= MOST_UNANSWERED:
        return f"You wrote {unanswered} messages within a day without an answer. Wait for one."
    return ""
