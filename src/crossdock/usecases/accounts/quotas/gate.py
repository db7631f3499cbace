"""What a seller may have at most, how much of it they have, and the one gate before one more.

The seller's row is locked from the count to the commit, so two at once cannot both be the last. Whoever has no limit is
neither counted nor locked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from crossdock.domain.alerts import AlertCode
from crossdock.domain.cases import CaseState
from crossdock.domain.moderation.quotas import KINDS, Kind, Quota, is_near, most_of, near_words, why_full
from crossdock.domain.requests.messages import Side
from crossdock.domain.stock import HoldState
from crossdock.store.models import Case, Listing, Message, Order, Reservation, Seller
from crossdock.store.models.catalogue import OFFERED, ListingState
from crossdock.usecases.accounts.barring import locked
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.record.telling import Telling, telling

_DAY = timedelta(days=1)


def _listings(seller: int, now: datetime) -> int:
    return Listing.objects.filter(OFFERED, seller=seller).count()


def _by_hand(seller: int, now: datetime) -> int:
    return Listing.objects.filter(seller=seller, connection=None, state=ListingState.LIVE).count()


def _cases(seller: int, now: datetime) -> int:
    return Case.objects.filter(seller=seller).exclude(state=CaseState.CLOSED).count()


def _messages(seller: int, now: datetime) -> int:
    return Message.objects.filter(thread__order__seller=seller, side=Side.SELLER, at__gt=now - _DAY).count()


def _orders(seller: int, now: datetime) -> int:
    """Placed, and being paid: a checkout's holds name it."""
    holds = Reservation.objects.filter(
        state=HoldState.CHECKOUT, variant__listing__seller=seller, cause__startswith="checkout:"
    )
    paying = {cause.split(":")[1] for cause in holds.values_list("cause", flat=True)}
    return Order.objects.filter(seller=seller, placed_at__gt=now - _DAY).count() + len(paying)


_USED: dict[Quota, Callable[[int, datetime], int]] = {
    Quota.LISTINGS: _listings,
    Quota.BY_HAND: _by_hand,
    Quota.CASES: _cases,
    Quota.MESSAGES: _messages,
    Quota.ORDERS: _orders,
}


def used(seller: Seller, quota: Quota, *, now: datetime) -> int:
    return _USED[quota](seller.pk, now)


@dataclass(frozen=True, slots=True)
class Use:
    """One line of the page: `most` None is no limit; `own` is what staff set for this seller."""

    quota: Quota
    kind: Kind
    used: int
    most: int | None
    own: int | None

    @property
    def have(self) -> str:
        return f"{self.used:,}"

    @property
    def may(self) -> str:
        return "no limit" if self.most is None else f"{self.most:,}"

    @property
    def full(self) -> bool:
        return self.most is not None and self.used >= self.most

    @property
    def near(self) -> bool:
        return self.most is not None and is_near(self.used, self.most)


def uses_of(seller: Seller, *, now: datetime) -> list[Use]:
    return [
        Use(quota, KINDS[quota], used(seller, quota, now=now), most_of(seller.quotas, quota), seller.quotas.get(quota))
        for quota in Quota
    ]


@dataclass(slots=True)
class Room:
    """How many more, under the seller's lock. `left` None: as many as they like."""

    seller: Seller
    quota: Quota
    used: int = 0
    most: int | None = None
    refused: int = 0

    def take(self) -> bool:
        """One more, or none is left."""
        if self.most is not None and self.used >= self.most:
            self.refused += 1
            return False
        self.used += 1
        return True

    def tell(self, told: Telling, more: str = "") -> None:
        """Once when four fifths are used, and once when it is full; a limit that was changed begins anew. `more` says
        what did not fit.
        """
        if self.most is None or not is_near(self.used, self.most):
            return
        full = self.used >= self.most
        said = [f"{self.most} near", f"{self.most} full"]
        before = self.seller.quotas_told.get(self.quota.value, "")
        if before in said[int(full) :]:
            return
        self.seller.quotas_told = {**self.seller.quotas_told, self.quota.value: said[int(full)]}
        Seller.objects.filter(pk=self.seller.pk).update(quotas_told=self.seller.quotas_told)
        words = why_full(self.quota, self.most) if full else near_words(self.quota, self.used, self.most)
        told.raise_alert(
            code=AlertCode.QUOTA_NEAR,
            seller=self.seller,
            key=f"quota:{self.quota}",
            sentence=f"{words} {more}".strip(),
            evidence={"quota": self.quota.value, "used": self.used, "most": self.most},
        )


def room_for(seller: Seller, quota: Quota, *, now: datetime) -> Room:
    """In a transaction; before the locks of what the seller has, since this one comes first."""
    if most_of(seller.quotas, quota) is None:
        return Room(seller, quota)
    row = locked(seller)
    most = most_of(row.quotas, quota)
    return Room(row, quota, 0 if most is None else used(row, quota, now=now), most)


def take_one(seller: Seller, quota: Quota, *, now: datetime, told: Telling | None = None) -> None:
    """In the transaction that makes it. Raises NotAllowed with what to do."""
    with telling(now, told, savepoint=False) as told:
        room = room_for(seller, quota, now=now)
        if not room.take():
            raise NotAllowed(why_full(quota, room.most or 0))
        room.tell(told)
