"""What is read of what buyers ask. Nothing here writes."""

from django.db.models import Count, Prefetch, Q, QuerySet

from crossdock.domain.requests.ratings import Rated
from crossdock.domain.requests.returns import ReturnState
from crossdock.store.models import Order, Rating, Return, ReturnPicture, Seller
from crossdock.usecases.record.rights import theirs

# Tab -> (its words, its states, whether what came first stands first).
LISTS: dict[str, tuple[str, tuple[ReturnState, ...], bool]] = {
    "asked": ("To answer", (ReturnState.ASKED,), True),
    "accepted": ("On their way", (ReturnState.ACCEPTED,), True),
    "done": ("Received", (ReturnState.RECEIVED, ReturnState.REFUNDED), False),
    "declined": ("Declined, never sent", (ReturnState.DECLINED, ReturnState.LAPSED), False),
}


def returns_of(order: Order) -> QuerySet[Return]:
    """Newest first, with their lines and the names of their pictures."""
    rows = order.returns.select_related("credit", "order").prefetch_related("lines__line")
    return with_pictures(rows).order_by("-pk")


def with_pictures(rows: QuerySet[Return]) -> QuerySet[Return]:
    """Their names alone; what they show is read one by one."""
    return rows.prefetch_related(Prefetch("pictures", ReturnPicture.objects.defer("content")))


def picture_of(row: Return, name: str) -> ReturnPicture | None:
    """For whoever has found the return as theirs."""
    return row.pictures.filter(name=name).first()


def returns_to(seller: Seller | None) -> QuerySet[Return]:
    """With all that a page about one shows; without a seller all there are."""
    rows = theirs(Return, seller).select_related("order__seller__owner", "order__buyer", "credit")
    return rows.prefetch_related("lines__line__variant__listing", "lines__line__variant__connection")


def listed(seller: Seller, *, which: str, after: int | None, limit: int) -> list[Return]:
    """A page of a list; each waits as long as it has been asked for, so what is due first has the lowest number."""
    _, states, first = LISTS[which]
    rows = returns_to(seller).filter(state__in=states)
    if after is not None:
        rows = rows.filter(pk__gt=after) if first else rows.filter(pk__lt=after)
    return list(rows.order_by("pk" if first else "-pk")[:limit])


def counts_of(seller: Seller) -> dict[str, int]:
    """How many stand in each list."""
    each = {name: Count("pk", filter=Q(state__in=states)) for name, (_, states, _) in LISTS.items()}
    return dict(theirs(Return, seller).aggregate(**each))


def waiting_returns(seller: Seller) -> int:
    """How many wait for the seller's answer."""
    return theirs(Return, seller).filter(state=ReturnState.ASKED).count()


# Tab -> (its words, what is in it), for a seller and for staff.
RATINGS: dict[str, tuple[str, Q]] = {
    "open": ("Not answered", Q(answer="", down_at=None)),
    "answered": ("Answered", ~Q(answer="") & Q(down_at=None)),
    "all": ("All", Q()),
}
RATINGS_OF_STAFF: dict[str, tuple[str, Q]] = {
    "reported": ("Reported", Q(reported_at__isnull=False)),
    "down": ("Taken down", Q(down_at__isnull=False)),
    "all": ("All", Q()),
}


def ratings_of(seller: Seller | None) -> QuerySet[Rating]:
    """With their orders; without a seller all there are."""
    return theirs(Rating, seller).select_related(
        "order__buyer", "order__seller__owner", "seller", "decided_by", "reported_by"
    )


def ratings_shown(seller: Seller) -> QuerySet[Rating]:
    """To everybody."""
    return Rating.objects.filter(seller=seller, down_at=None)


def rated(seller: Seller) -> Rated:
    """What they come to; read with the seller, or by itself."""
    row = getattr(seller, "rating_sum", None)
    return row.value if row else Rated()
