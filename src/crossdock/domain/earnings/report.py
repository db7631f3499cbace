"""A report of a period: its figures, each the sum of what transfers of some kinds moved in one kind of account, and
what is open at its end. Never summed across currencies.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class Flow:
    """What transfers of one kind moved in one kind of account. `word` is the first of their causes (`paid`), or
    `credit_dispute` where a bank gave the buyer what a dispute credits; `account` the first of the account's name
    (`seller`).
    """

    currency: str
    word: str
    account: str
    minor: int
    count: int


@dataclass(frozen=True, slots=True)
class Open:
    """What accounts of one kind hold; below zero is what we owe."""

    currency: str
    account: str
    minor: int


@dataclass(frozen=True, slots=True)
class Figure:
    """`sign` makes what the account gained, or gave, a figure above zero."""

    key: str
    group: str
    title: str
    means: str
    words: tuple[str, ...]
    account: str
    sign: int


def _figure(key: str, group: str, title: str, means: str, words: str, account: str, sign: int) -> Figure:
    return Figure(key, group, title, means, tuple(words.split()), account, sign)


FIGURES: dict[str, Figure] = {
    one.key: one
    for one in (
        _figure("sales", "Sales", "Sales", "What buyers paid for their orders, with shipping.", "paid", "gateway", 1),
        _figure("fees", "Fees", "Commission kept", "Of the orders that were paid.", "paid", "fees", -1),
        _figure(
            "fees_back",
            "Fees",
            "Commission given back",
            "To sellers, with what buyers got back, from us or their banks.",
            "credit credit_dispute",
            "fees",
            1,
        ),
        _figure(
            "credits",
            "Credits",
            "Credited to buyers",
            "Promised, whoever gave it and why. What banks took back stands under disputes.",
            "credit",
            "refunds_due",
            -1,
        ),
        _figure(
            "refunded",
            "Credits",
            "Refunds that arrived",
            "Confirmed by the payment provider.",
            "refunded",
            "gateway",
            -1,
        ),
        _figure(
            "refunds_back",
            "Credits",
            "Refunds that came back",
            "The buyer’s bank sent them back.",
            "refund_failed",
            "gateway",
            1,
        ),
        _figure(
            "disputes",
            "Disputes",
            "Disputes opened",
            "Taken back by buyers’ banks, round by round.",
            "disputed",
            "disputed",
            1,
        ),
        _figure("won", "Disputes", "Disputes won", "Given back by the banks.", "dispute_won", "disputed", -1),
        _figure(
            "lost_seller",
            "Disputes",
            "Disputes lost, borne by sellers",
            "As staff decided.",
            "dispute_paid",
            "disputed",
            -1,
        ),
        _figure(
            "lost_us",
            "Disputes",
            "Disputes lost, borne by the marketplace",
            "Under the sellers’ protection.",
            "protected",
            "disputed",
            -1,
        ),
        _figure(
            "undone",
            "Disputes",
            "Disputes decided, then won after all",
            "Taken back again.",
            "dispute_undone",
            "disputed",
            1,
        ),
        _figure("labels", "Labels", "Labels bought", "By sellers, at the carriers.", "label", "carrier", -1),
        _figure("labels_back", "Labels", "Labels taken back", "Not used.", "label_void", "carrier", 1),
        _figure("payouts", "Payouts", "Payouts sent to sellers", "Asked of the bank.", "payout", "seller", 1),
        _figure(
            "payouts_paid", "Payouts", "Payouts that arrived", "The bank’s last word.", "payout_paid", "transit", 1
        ),
        _figure(
            "payouts_back",
            "Payouts",
            "Payouts that came back",
            "Owed to the sellers again.",
            "payout_back",
            "seller",
            -1,
        ),
    )
}

# What is open: account, title, what it means, and the sign that makes the usual case a figure above zero.
OPEN: dict[str, tuple[str, str, int]] = {
    "seller": ("Owed to sellers", "Available or not yet; below zero, they owe us.", -1),
    "refunds_due": ("Owed to buyers", "Credited, and not confirmed by the payment provider yet.", -1),
    "transit": ("Payouts under way", "Sent to the bank, and neither arrived nor back.", -1),
    "carrier": ("Owed to carriers", "Labels that were bought.", -1),
    "disputed": ("With buyers’ banks", "Disputed, or lost and not decided yet.", 1),
    "gateway": ("At the payment provider", "After refunds, disputes and payouts.", 1),
    "fees": ("Commission, from the beginning", "Kept, less what was given back.", -1),
    "protection": ("Protection, from the beginning", "Lost disputes that the marketplace bore.", 1),
}


@dataclass(frozen=True, slots=True)
class Sum:
    """A figure of one currency: how many transfers it is made of, and what they come to."""

    figure: Figure
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Balance:
    account: str
    title: str
    means: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Report:
    """Of one currency. `lost` is what banks won in the period and kept, whoever bears it; `open` is at its end."""

    currency: str
    sums: tuple[Sum, ...]
    lost: tuple[int, Money]
    open: tuple[Balance, ...]

    @property
    def moved(self) -> bool:
        return bool(self.lost[0]) or any(one.count for one in self.sums)


def reports(flows: Iterable[Flow], lost: Iterable[Flow], held: Iterable[Open]) -> list[Report]:
    """By currency, in the order of their codes: each in which anything moved, or is open."""
    flows, lost, held = list(flows), list(lost), list(held)
    codes = {one.currency for one in (*flows, *lost)} | {one.currency for one in held if one.minor}
    return [_report(code, flows, lost, held) for code in sorted(codes)]


def _report(code: str, flows: list[Flow], lost: list[Flow], held: list[Open]) -> Report:
    return Report(
        code,
        tuple(_sum(figure, code, flows) for figure in FIGURES.values()),
        _added([one for one in lost if one.currency == code], code),
        tuple(
            Balance(account, title, means, Money(sign * minor, code))
            for account, (title, means, sign) in OPEN.items()
            for minor in [sum(one.minor for one in held if (one.currency, one.account) == (code, account))]
        ),
    )


def _sum(figure: Figure, code: str, flows: list[Flow]) -> Sum:
    mine = [one for one in flows if (one.currency, one.account) == (code, figure.account) and one.word in figure.words]
    count, amount = _added(mine, code)
    return Sum(figure, count, Money(figure.sign * amount.minor, code))


def _added(flows: list[Flow], code: str) -> tuple[int, Money]:
    return sum(one.count for one in flows), Money(sum(one.minor for one in flows), code)
