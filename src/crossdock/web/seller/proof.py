"""The proof that something stands in the shop, step by step: the order, and each parcel that was entered here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crossdock.domain.orders import CopyState
from crossdock.store.models import Fulfilment, Order, Shipment, ShopCopy
from crossdock.usecases.orders.queries import written_parcels

_UNDER_WAY = (CopyState.INTENDED, CopyState.SENT, CopyState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Step:
    """`after` is the time since the step before; `state`: done, now, wrong or ahead."""

    words: str
    at: datetime | None
    after: str
    state: str


@dataclass(frozen=True, slots=True)
class ParcelProof:
    """`steps` is empty where nothing is written into the shop. `again`: the seller may have it sent again."""

    steps: tuple[Step, ...]
    sentence: str
    state: str
    again: bool

    @property
    def busy(self) -> bool:
        return self.state in _UNDER_WAY


def took(since: datetime | None, until: datetime | None) -> str:
    if since is None or until is None or until < since:
        return ""
    passed = until - since
    if passed < timedelta(minutes=1):
        return f"{passed.total_seconds():.1f} s later"
    minutes = int(passed.total_seconds() // 60)
    return f"{minutes} min later" if minutes < 120 else f"{minutes // 60} h later"


def steps(words: Sequence[str], moments: Sequence[datetime | None], *, state: str) -> Iterator[Step]:
    """Each with when, or with what stands in its way; the last one is "read back and equal"."""
    stopped = state in (CopyState.REFUSED, CopyState.MISSING)
    last = len(words) - 1
    open_yet = True
    for i, (sentence, at) in enumerate(zip(words, moments, strict=True)):
        before = moments[i - 1] if i else None
        if at is not None:
            yield Step(sentence, at, took(before, at), "wrong" if i == last and state == CopyState.DIFFERS else "done")
        elif open_yet:
            open_yet = False
            ended = state == CopyState.CANCELLED
            yield Step(sentence, None, "", "wrong" if stopped else "ahead" if ended else "now")
        else:
            yield Step(sentence, None, "", "ahead")


def order_steps(copy: ShopCopy) -> list[Step]:
    there = copy.shop_number or copy.shop_order_id
    made = "Found" if copy.adopted else "Created"
    words = [
        "Queued for your shop",
        "Sent to your shop",
        f"{made} in your shop{f' as {there}' if there else ''}" if copy.acknowledged_at else "Created in your shop",
        "Read back: items and quantities are equal",
    ]
    moments = [copy.intended_at, copy.sent_at, copy.acknowledged_at, copy.equal_at]
    if copy.state == CopyState.DIFFERS:
        words[3], moments[3] = "Read back and compared: it differs", copy.read_at
    return list(steps(words, moments, state=copy.state))


def parcel_proofs(order: Order, parcels: Sequence[Shipment]) -> dict[int, ParcelProof]:
    """By parcel, for those that are written into the shop."""
    if order.connection is None:
        return {}
    rows = written_parcels(parcels)
    return {pk: _proof(row, push=order.connection.push_fulfilments) for pk, row in rows.items()}


def _proof(row: Fulfilment, *, push: bool) -> ParcelProof:
    words = [
        "Queued for your shop",
        "Sent to your shop",
        "It was in your shop already" if row.adopted else "Entered in your shop",
        "Read back and compared: equal",
    ]
    moments = [row.intended_at, row.sent_at, row.acknowledged_at, row.equal_at]
    if row.acknowledged_at is not None and row.sent_at is None:
        # The shop had it before we sent anything.
        words.pop(1)
        moments.pop(1)
    if row.state == CopyState.DIFFERS:
        words[-1], moments[-1] = "Read back and compared: it differs", row.acknowledged_at
    refused = row.state in (CopyState.REFUSED, CopyState.DIFFERS)
    return ParcelProof(tuple(steps(words, moments, state=row.state)), row.sentence, row.state, refused and push)
