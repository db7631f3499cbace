"""Which of a seller's orders a list shows, as one value: it is read from an address and written back as one, so that a
list can be sent to somebody, kept as a tab and worked off in one go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum

from crossdock.domain.amounts import typed_decimal
from crossdock.domain.currencies import CURRENT, NotMoney, minor_units
from crossdock.domain.places import COUNTRIES
from crossdock.domain.risk import RiskLevel
from crossdock.domain.values import Money

QUEUE_WORDS = {
    "to_ship": "To ship",
    "overdue": "Overdue",
    "asked_to_cancel": "Asked to cancel",
    "held": "Held",
    "messages": "New messages",
    "needs_attention": "Needs attention",
    "cancelled": "Cancelled",
    "shipped": "Shipped",
    "all": "All",
}
RISK_WORDS = {
    RiskLevel.HIGH: "High risk",
    RiskLevel.MEDIUM: "Medium risk",
    RiskLevel.LOW: "Low risk",
    RiskLevel.NOT_ASSESSED: "Not assessed",
}
# Of orders whose listing was made by hand.
NO_SHOP = "none"
NAMES = ("queue", "q", "shop", "risk", "country", "carrier", "due", "tag", "currency", "low", "high")
# Parts that a reader sees and can take off one by one; an amount is one part.
PARTS: dict[str, tuple[str, ...]] = {
    "words": ("words",),
    "shop": ("shop",),
    "risk": ("risk",),
    "country": ("country",),
    "carrier": ("carrier",),
    "due": ("due",),
    "tag": ("tag",),
    "amount": ("currency", "low", "high"),
}


class Due(StrEnum):
    """Until when what is open has to leave, in the seller's own days. What is late is in each of them."""

    LATE = "late"
    TODAY = "today"
    TOMORROW = "tomorrow"
    WEEK = "week"


DUE_WORDS = {
    Due.LATE: "late",
    Due.TODAY: "due by today",
    Due.TOMORROW: "due by tomorrow",
    Due.WEEK: "due within 7 days",
}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What is empty chooses everything.

    `shop` is a connection's public id or NO_SHOP; `low` and `high` are in minor units of `currency`, both included.
    """

    queue: str = "all"
    words: str = ""
    shop: str = ""
    risk: str = ""
    country: str = ""
    carrier: str = ""
    due: str = ""
    tag: str = ""
    currency: str = ""
    low: int | None = None
    high: int | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Which parts choose anything, beside the queue."""
        return tuple(name for name, of in PARTS.items() if any(getattr(self, field) not in ("", None) for field in of))

    @property
    def address(self) -> str:
        """The query of its address, the same for the same choice."""
        said = (
            ("queue", self.queue),
            ("q", self.words),
            ("shop", self.shop),
            ("risk", self.risk),
            ("country", self.country),
            ("carrier", self.carrier),
            ("due", self.due),
            ("tag", self.tag),
            ("currency", self.currency),
            ("low", self.shown(self.low)),
            ("high", self.shown(self.high)),
        )
        return "&".join(f"{name}={_quoted(value)}" for name, value in said if value)

    def shown(self, minor: int | None) -> str:
        return "" if minor is None else str(Money(minor, self.currency))

    def without(self, part: str) -> "OrderFilter":
        """Raises KeyError."""
        empty = OrderFilter()
        return OrderFilter(
            **{field.name: getattr(empty if field.name in PARTS[part] else self, field.name) for field in fields(self)}
        )


# What an address holds as it is. The library's own way stands in a package that reaches the network, which is kept out.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def _quoted(text: str) -> str:
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in text.encode())


def read(values: Mapping[str, str], *, currency: str) -> tuple[OrderFilter, list[str]]:
    """What an address asks for, and sentences about what was typed and could not be understood.

    Names that are none, and choices that there are not, choose nothing. `currency` is what amounts are in where no
    other is said.
    """
    said = {name: values.get(name, "").strip() for name in NAMES}
    code = said["currency"].upper()
    code = code if code in CURRENT else currency
    wrong: list[str] = []
    low, high = (_amount(said[name], name, code, wrong) for name in ("low", "high"))
    if low is not None and high is not None and low > high:
        low, high = high, low
    found = OrderFilter(
        words=said["q"],
        shop=said["shop"] if said["shop"].isalnum() else "",
        risk=said["risk"] if said["risk"] in RISK_WORDS else "",
        country=said["country"].upper() if said["country"].upper() in COUNTRIES else "",
        carrier=said["carrier"],
        due=said["due"] if said["due"] in DUE_WORDS else "",
        tag=said["tag"],
        currency=code if low is not None or high is not None else "",
        low=low,
        high=high,
    )
    queue = said["queue"] if said["queue"] in QUEUE_WORDS else "all" if found.parts else "to_ship"
    return replace(found, queue=queue), wrong


def _amount(text: str, name: str, currency: str, wrong: list[str]) -> int | None:
    """None where nothing was typed, or nothing that is an amount: then `wrong` says so."""
    if not text:
        return None
    which = "smallest" if name == "low" else "largest"
    try:
        amount = typed_decimal(text)
        if amount < 0 or amount.quantize(Decimal(1).scaleb(-minor_units(currency))) != amount:
            raise NotMoney(f"{text} is no amount of {currency}.")
        return Money.of(amount, currency).minor
    except (NotMoney, ArithmeticError) as error:
        sentence = str(error) if isinstance(error, NotMoney) else f"{text} is no amount of {currency}."
        wrong.append(f"The {which} total is left out. {sentence}")
        return None
