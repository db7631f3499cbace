"""What is promised of a connected shop: each of its streams is due again by a time. One that is overdue is not
healthy, whether or not anybody saw an error.

The time is set when a stream is done, so that whatever keeps it from being done again (a call that hangs, an error of
ours, a worker that was killed or never started) shows by itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Stream(StrEnum):
    """The first seven are timers (a cursor each); commands and deliveries are told by their oldest row. What stands in
    quarantine is told by its own page and alert: nothing is promised of it.
    """

    SECRETS = "secrets"
    ORDERS = "orders"
    RECOUNT = "recount"
    PRODUCTS = "products"
    COUNTS = "counts"
    HOOKS = "hooks"
    PRICES = "prices"
    COMMANDS = "commands"
    DELIVERIES = "deliveries"
    QUARANTINE = "quarantine"


# How long after its time a stream may be done: a busy round, a rest after one bad answer, a restart of ours.
PATIENCE = {
    Stream.SECRETS: timedelta(minutes=10),
    Stream.ORDERS: timedelta(minutes=5),
    Stream.PRODUCTS: timedelta(minutes=10),
    Stream.COUNTS: timedelta(minutes=10),
    Stream.HOOKS: timedelta(minutes=20),
    Stream.RECOUNT: timedelta(hours=6),
    Stream.PRICES: timedelta(hours=6),
    Stream.COMMANDS: timedelta(minutes=5),
    Stream.DELIVERIES: timedelta(minutes=5),
}
# A stream that was never done is promised so soon after its beginning, or after the last page of a first reading.
FIRST = timedelta(minutes=15)
# A command that was tried and still is not over.
UNFINISHED = timedelta(minutes=15)
# What could not be read is tried again within seconds; what still stands then needs somebody.
ODD_AFTER = timedelta(minutes=10)

_MEANS = {
    Stream.ORDERS: (
        "Its orders have not been read",
        "Shipments, cancels and refunds made in the shop are not seen here until they are.",
    ),
    Stream.PRODUCTS: ("Its products have not been read", "New prices and products are not seen here until they are."),
    Stream.COUNTS: (
        "Its stock counts have not all been read",
        "What is shown may be old; a count that is too old is not sold.",
    ),
    Stream.HOOKS: (
        "Its webhooks have not been checked",
        "If the shop has switched them off, its news arrives later.",
    ),
    Stream.SECRETS: ("Its sign-in has not been renewed", "When it ends, nothing can be read or sent."),
    Stream.PRICES: (
        "Its prices have not all been read",
        "A price that a tax rate or a sale changed in the shop is not seen here until they are.",
    ),
    Stream.RECOUNT: ("Its stock has not been reconciled", "Differences in the counts are found later."),
    Stream.COMMANDS: ("have waited for this shop", "Orders, cancels and corrections are not in the shop yet."),
    Stream.DELIVERIES: ("from the shop have not been looked at", "What they tell is not seen here yet."),
}
_THINGS = {Stream.COMMANDS: ("change", "changes"), Stream.DELIVERIES: ("message", "messages")}


@dataclass(frozen=True, slots=True)
class Promise:
    """What is known of one stream: when it was last done (None: never), by when it is due again (None: nothing is
    promised), and how many things wait in it.
    """

    stream: Stream
    done_at: datetime | None
    due_by: datetime | None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Late:
    """`since` is when the stream was last as it should be. `sentence` says what depends on it; `what` is the same
    without the time.
    """

    stream: Stream
    since: datetime
    what: str
    sentence: str


def due_by(stream: Stream, *, done_at: datetime, interval: timedelta) -> datetime:
    """The promise that is made when a stream was done and is to be done again after `interval`."""
    return done_at + interval + PATIENCE[stream]


def overdue(promise: Promise, *, now: datetime) -> Late | None:
    """None: kept so far."""
    if promise.due_by is None or now <= promise.due_by or promise.stream not in _MEANS:
        return None
    since = promise.done_at or promise.due_by
    said, means = _MEANS[promise.stream]
    if promise.stream in _THINGS:
        one, many = _THINGS[promise.stream]
        has = said.replace("have ", "has ", 1) if promise.waiting == 1 else said
        said = f"{promise.waiting} {one if promise.waiting == 1 else many} {has}"
    return Late(promise.stream, since, f"{said}.", f"{said} since {moment(since, now=now)}. {means}")


# The same for all shops that have some, so that one platform's changed format is seen as one incident.
ODD = "What the shop sent could not be read."


def odd_in_words(many: int, *, since: datetime, now: datetime) -> str:
    """What stands in quarantine, for the shop as a whole; the alert of each cause names the rows."""
    things = "1 thing" if many == 1 else f"{many} things"
    have, they = ("has", "it") if many == 1 else ("have", "them")
    return (
        f"{things} from the shop {have} not been read since {moment(since, now=now)}. Everything else goes on; we"
        f" try {they} again by ourselves, and our staff see why."
    )


def moment(at: datetime, *, now: datetime) -> str:
    """The time, with the day where it is not today."""
    same_day = at.date() == now.date()
    return f"{at:%H:%M} UTC" if same_day else f"{at.day} {at:%b, %H:%M} UTC"
