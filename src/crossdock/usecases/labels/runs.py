"""Labels for many orders in one go: what a parcel of each would cost, and buying what was shown, each once.

Prices are a run of their own, since a carrier takes its time for each; nothing is bought by it. The run that buys takes
those prices by their ids, so nobody pays another one, and a label that is bought already is not bought again.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crossdock.domain.daily.bulk import GOING, BulkKind, ForAll, ForOne, RowState
from crossdock.domain.labels import PAID, Can, LabelState, Parcel, Quote, Wanted, why_not_label
from crossdock.domain.values import Money
from crossdock.store.crash import point
from crossdock.store.models import BulkRow, BulkRun, Label, Order, Seller, User
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.usecases.labels import purchase
from crossdock.usecases.orders.daily import bulk
from crossdock.usecases.orders.daily.bulk_rows import Ended, actor_of, end_once, said
from crossdock.usecases.record.policy import lifted

NO_WEIGHT = "Type its weight, or one for all."
# Whatever the parcel is, the address can be looked at.
_ANY = Parcel(100, 200, 100, 10)
BUYING = "The label is being bought."


def judge(
    *,
    seller: Seller,
    orders: Sequence[Order],
    parcel: Parcel | None,
    grams: Mapping[str, int],
    can: Can,
    carrier: str,
) -> list[bulk.Judged]:
    """Whether a label can be had for each; as many statements for one as for all. Writes nothing.

    `parcel` is that of all orders (None: nobody said yet, and it is no reason), `grams` says by public id what one
    weighs.
    """
    start = purchase.ship_from(seller=seller)
    left, free = purchase.left_of(orders), lifted(rule="S2")
    judged = []
    for order in orders:
        why = purchase.why_nothing(order, left[order.pk])
        if not why and start is not None:
            mine = replace(parcel, grams=grams.get(order.public_id, parcel.grams)) if parcel else _ANY
            weightless = not mine.grams
            wanted = Wanted(order.reference, start, order.address, _ANY if weightless else mine)
            why = why_not_label(wanted, lifted=free, can=can, carrier=carrier)
            why = NO_WEIGHT if weightless and not why else why
        judged.append(bulk.Judged(order, why))
    return judged


@dataclass(frozen=True, slots=True)
class Asked:
    """What a carrier is asked the price of, for one row."""

    row_id: int
    wanted: Wanted
    lines: Mapping[int, int]


def asks(*, row_id: int, can: Can, carrier: str, now: datetime) -> Asked | None:
    """What to ask for a row that waits. None: it waits no more, or cannot be asked, which is written down."""
    rows = BulkRow.objects.filter(pk=row_id, state=RowState.WAITING)
    found = rows.select_related("run", "order__seller", "order__risk_hold", "order__cancel_request").first()
    if found is None:
        return None
    try:
        parcel = _parcel(found)
        wanted, lines = purchase.shipment_for(order=found.order, parcel=parcel, can=can, carrier=carrier)
    except Problem as problem:
        unpriced(row_id=row_id, why=str(problem), now=now)
        return None
    return Asked(row_id, wanted, lines)


def _parcel(row: BulkRow) -> Parcel:
    whole, one = said(row, row.run)
    if whole.parcel is None:
        raise Invalid("Nobody said how large the parcels are.")
    return replace(whole.parcel, grams=one.grams or whole.parcel.grams)


def unpriced(*, row_id: int, why: str, now: datetime) -> None:
    """The carrier has no price, or gave no answer."""
    end_once(row_id, lambda _: (RowState.FAILED, why), now=now)


def priced(*, asked: Asked, provider: str, quotes: tuple[Quote, ...], now: datetime) -> None:
    """The prices are kept, and the cheapest stands in the row."""

    def deed(row: BulkRow) -> Ended:
        label = purchase.keep_quotes(
            order=row.order,
            by=actor_of(row),
            provider=provider,
            wanted=asked.wanted,
            lines=asked.lines,
            quotes=quotes,
            now=now,
        )
        best = cheapest(label)
        if best is None:
            raise NotAllowed(quotes[0].not_now)
        row.label = label
        return RowState.DONE, _words(best)

    end_once(asked.row_id, deed, now=now)


def cheapest(label: Label) -> Quote | None:
    """Of the first currency, the one that can be bought: quotes are kept in that order."""
    return next((quote for quote in purchase.quotes_of(label=label) if not quote.not_now), None)


def _words(quote: Quote) -> str:
    days = f", {quote.days} day{'' if quote.days == 1 else 's'}" if quote.days is not None else ""
    return f"{quote.price.words}: {quote.carrier} {quote.service}{days}."


# Buying


@dataclass(frozen=True, slots=True)
class Offer:
    """What a run over prices found and what can be bought of it now. `sums` by currency; `old`: too late for that."""

    rows: tuple[BulkRow, ...]
    sums: tuple[Money, ...]
    old: bool

    @property
    def words(self) -> str:
        return " and ".join(money.words for money in self.sums)


def offer_of(*, run: BulkRun, now: datetime) -> Offer:
    """Of prices that nobody bought yet. Reads only."""
    rows = run.rows.filter(state=RowState.DONE, label__state=LabelState.QUOTED).select_related("label", "order")
    found = [(row, quote) for row in rows.order_by("pk") if row.label and (quote := cheapest(row.label))]
    return Offer(
        tuple(row for row, _ in found),
        tuple(bulk.sums_of(quote.price for _, quote in found)),
        any(row.label and now - row.label.quoted_at > purchase.QUOTES_LAST for row, _ in found),
    )


def begin_buying(*, run: BulkRun, confirmed: str, actor: User, now: datetime) -> BulkRun:
    """A run that buys the cheapest of each; pressed twice it is one. `confirmed` is the sum in words as it was shown.

    Raises NotAllowed, Stale, Invalid.
    """
    before = bulk.runs_of(run.seller).filter(kind=BulkKind.LABEL, key__startswith=f"{run.public_id}-").first()
    offer = offer_of(run=run, now=now)
    if run.state in GOING:
        raise Stale("Not all prices are there yet.")
    if not offer.rows:
        if before is not None:
            return before
        raise Stale("There is no price that could be bought. Ask for prices again.")
    if offer.words != confirmed:
        raise Stale(f"The labels cost {offer.words or 'nothing'} now. Look again and confirm that.")
    if offer.old:
        raise Stale("These prices are more than half an hour old. Ask for prices again.")
    each = {}
    for row in offer.rows:
        best = cheapest(row.label) if row.label else None
        if row.label and best:
            each[row.order.public_id] = ForOne(label=row.label.public_id, quote=best.ref)
    same = hashlib.sha256(" ".join(one.label for one in each.values()).encode()).hexdigest()[:20]
    return bulk.begin(
        seller=run.seller,
        kind=BulkKind.LABEL,
        judged=[bulk.Judged(row.order, "") for row in offer.rows],
        given=ForAll(),
        each=each,
        key=f"{run.public_id}-{same}",
        actor=actor,
        now=now,
    )


def buy_row(*, run: BulkRun, row_id: int, can_of: Callable[[str], Can], now: datetime) -> None:
    """One label is asked for, once; what the carrier says is written by `answered`."""

    def deed(row: BulkRow) -> Ended:
        one = said(row, run)[1]
        kept = Label.objects.filter(order=row.order, public_id=one.label).first()
        if kept is None:
            raise Stale("These prices are not kept any more. Ask for prices again.")
        row.label = purchase.buy_label(
            order=row.order,
            by=actor_of(row),
            token=one.label,
            quote_ref=one.quote,
            can=can_of(kept.provider),
            now=now,
        )
        return _end_of(row.label) or (RowState.ASKED, BUYING)

    end_once(row_id, deed, now=now)


def told_rows(label: Label, *, now: datetime) -> None:
    """The carrier has spoken: the row that asked has its end, and its run is looked at. In the label's transaction."""
    end = _end_of(label)
    if end is None:
        return
    rows = BulkRow.objects.filter(label=label, state=RowState.ASKED)
    if rows.update(state=end[0], sentence=end[1][:400], at=now):
        BulkRun.objects.filter(rows__label=label, kind=BulkKind.LABEL, state__in=GOING).update(due_at=now)
    point("bulk.label_settled")


def _end_of(label: Label) -> Ended | None:
    """None while the carrier is asked."""
    if label.state in PAID:
        what = f"{label.carrier} {label.service} for {label.price.words}"
        return RowState.DONE, f"{what}, number {label.tracking_number}."
    if label.state == LabelState.REFUSED:
        return RowState.FAILED, f"No label was bought, and nothing was charged: {label.sentence}"
    if label.state == LabelState.VOIDED:
        return RowState.FAILED, "Its label was taken back meanwhile."
    return None
