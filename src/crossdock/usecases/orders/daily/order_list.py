"""The lists of orders that sellers work through: queues, what narrows them, and how many there are."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value
from django.db.models.fields.json import KT

from crossdock.domain.daily.filters import NO_SHOP, Due, OrderFilter
from crossdock.domain.orders import ParcelState
from crossdock.store.models import Alert, Connection, Order, OrderLine, Seller, Shipment, ShopCopy, TaggedOrder
from crossdock.usecases.orders.daily.notes import named
from crossdock.usecases.orders.shippable import ASKED, HELD, NOT_ASKED, NOT_HELD
from crossdock.usecases.record.rights import theirs

# A tab says "99+" for more.
MOST_COUNTED = 100

# An order whose whole price went back to the buyer has nothing left to ship; one that cost nothing has.
_OPEN = Q(cancelled_at=None, parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED]) & (
    Q(total_minor=0) | Q(credited_minor__lt=F("total_minor"))
)

# Sorted by what is due first; the others by what came last.
_DUE = {"to_ship": "ship_by", "overdue": "ship_by", "asked_to_cancel": "cancel_request__answer_by"}


def _queues(now: datetime) -> dict[str, Q]:
    return {
        "to_ship": _OPEN & NOT_HELD & NOT_ASKED,
        "overdue": _OPEN & NOT_HELD & NOT_ASKED & Q(ship_by__lt=now),
        "asked_to_cancel": _OPEN & ASKED,
        "held": _OPEN & HELD,
        "messages": Q(thread__unread_seller__gt=0),
        "needs_attention": Q(Exists(Alert.objects.filter(order=OuterRef("pk"), settled_at=None))),
        "cancelled": Q(cancelled_at__isnull=False),
        "shipped": Q(parcels=ParcelState.SHIPPED),
        "all": Q(),
    }


def of_queue(*, queue: str, now: datetime) -> Q:
    """A queue as a filter of orders of any seller; each comes once. Raises KeyError."""
    awake = Q(seller__away_since=None) | Q(ship_by__lt=F("seller__away_since"))
    return _queues(now)[queue] & awake if queue == "overdue" else _queues(now)[queue]


def queues(*, seller: Seller, now: datetime) -> dict[str, int]:
    """How many orders wait in each queue: one question that an index answers alone, and one of the alerts."""
    named = _queues(seller.clock(now)).items()
    counts = {name: Count("pk", filter=where) for name, where in named if name != "needs_attention"}
    alerts = Alert.objects.filter(order__seller=seller, seller=seller, settled_at=None)
    attention = alerts.aggregate(n=Count("order", distinct=True))["n"]
    return {**Order.objects.filter(seller=seller).aggregate(**counts), "needs_attention": attention}


def in_queue(
    *, seller: Seller, queue: str, now: datetime, query: str = "", after: int | None = None, limit: int = 50
) -> list[Order]:
    """`in_list` of a whole queue."""
    return in_list(seller=seller, wanted=OrderFilter(queue, query), now=now, after=after, limit=limit)


def in_list(
    *, seller: Seller, wanted: OrderFilter, now: datetime, after: int | None = None, limit: int = 50
) -> list[Order]:
    """What is due first comes first (ship-by, time to answer), the rest newest first; keyset by the last row's id.

    The search looks at what the seller is shown: our number and reference, the shop's number, SKU, title, the names of
    buyer and recipient, tracking number, and the address that the shop has of the buyer. Never at the buyer's own
    e-mail address: whoever can search for it can find out whose it is.
    """
    found = found_in(seller=seller, wanted=wanted, now=now, after=after)
    return list(
        found.select_related("buyer", "copy", "connection", "risk_hold", "cancel_request", "thread").prefetch_related(
            "lines", "shipments"
        )[:limit]
    )


def found_in(*, seller: Seller, wanted: OrderFilter, now: datetime, after: int | None = None) -> QuerySet[Order]:
    """What in_list lists, in its order and from there on."""
    found = _narrowed(seller, wanted, now, _shops(seller, [wanted]))
    due = _DUE.get(wanted.queue) or ("ship_by" if wanted.due else None)
    if after is not None:
        found = found.filter(_behind(seller, after, due) if due else Q(pk__lt=after))
    return found.order_by(*((due, "pk") if due else ("-pk",)))


def counts_of(*, seller: Seller, wanted: Sequence[OrderFilter], now: datetime) -> list[int]:
    """How many orders each of these lists has, MOST_COUNTED at most: one statement for all, and one for their shops."""
    shops = _shops(seller, wanted)
    parts = [
        _narrowed(seller, one, now, shops).order_by().values_list(Value(no, IntegerField()), "pk")[:MOST_COUNTED]
        for no, one in enumerate(wanted)
    ]
    if not parts:
        return []
    rows = [no for no, _ in (parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0])]
    return [rows.count(no) for no in range(len(wanted))]


def _shops(seller: Seller, wanted: Sequence[OrderFilter]) -> dict[str, int]:
    """The keys of the shops that these lists name. Asked inside of the list, the database would not know whether a shop
    has one order or all of them, and read through all.
    """
    named = {one.shop for one in wanted} - {"", NO_SHOP}
    rows = theirs(Connection, seller).filter(public_id__in=named)
    return dict(rows.values_list("public_id", "pk")) if named else {}


def _narrowed(seller: Seller, wanted: OrderFilter, now: datetime, shops: Mapping[str, int]) -> QuerySet[Order]:
    clock = seller.clock(now)
    found: QuerySet[Order] = Order.objects.filter(_queues(clock).get(wanted.queue, Q()), seller=seller)
    if text := wanted.words.strip().lstrip("#"):
        found = found.filter(_matches(seller, text))
    if wanted.shop == NO_SHOP:
        found = found.filter(connection=None)
    elif wanted.shop:
        # No shop has the key 0.
        found = found.filter(connection=shops.get(wanted.shop, 0))
    if wanted.risk:
        found = found.filter(risk=wanted.risk)
    if wanted.country:
        found = found.alias(to_country=KT("ship_to__country")).filter(to_country=wanted.country)
    if wanted.carrier:
        sent = Shipment.objects.filter(order=OuterRef("pk"), carrier__iexact=wanted.carrier, undone_at=None)
        found = found.filter(Exists(sent.exclude(carrier="")))
    if wanted.tag:
        tagged = TaggedOrder.objects.filter(tag__in=named(seller=seller, name=wanted.tag))
        found = found.filter(pk__in=tagged.values("order"))
    if wanted.due:
        found = found.filter(_OPEN, ship_by__lte=_until(seller, Due(wanted.due), clock))
    if wanted.low is not None:
        found = found.filter(total_minor__gte=wanted.low, currency=wanted.currency)
    if wanted.high is not None:
        found = found.filter(total_minor__lte=wanted.high, currency=wanted.currency)
    return found


def _until(seller: Seller, due: Due, clock: datetime) -> datetime:
    """The end of that day where the seller is."""
    if due is Due.LATE:
        return clock
    days = {Due.TODAY: 0, Due.TOMORROW: 1, Due.WEEK: 7}[due]
    calendar = seller.calendar
    return calendar.ends(calendar.day_of(clock) + timedelta(days=days))


def _matches(seller: Seller, text: str) -> Q:
    """What names one order is looked up by an index of its own; the words of a title or a name are looked for in this
    seller's orders alone.
    """
    mine = Order.objects.filter(seller=seller)
    copies = ShopCopy.objects.filter(order__seller=seller).exclude(shop_number="")
    parcels = Shipment.objects.filter(order__seller=seller, tracking_number__iexact=text).exclude(tracking_number="")
    exact = [
        mine.filter(reference=text.partition("@")[0].upper()).values("pk"),
        copies.filter(shop_number__iexact=text).values("order"),
        copies.filter(shop_number__iexact=f"#{text}").values("order"),
        parcels.values("order"),
    ]
    if text.isdecimal() and len(text) < 18:
        exact.append(mine.filter(number=int(text)).values("pk"))
    lines = OrderLine.objects.filter(Q(sku__iexact=text) | Q(title__icontains=text), order__seller=seller)
    people = mine.annotate(recipient=KT("ship_to__name")).filter(
        Q(recipient__unaccent__icontains=text) | Q(buyer__name__unaccent__icontains=text)
    )
    return reduce(or_, (Q(pk__in=rows) for rows in (*exact, lines.values("order"), people.values("pk"))))


def _behind(seller: Seller, after: int, due: str) -> Q:
    """What follows this order in a list by a date; everything when it is none of the seller's."""
    last = Order.objects.filter(seller=seller, pk=after).values_list(due, flat=True).first()
    return Q() if last is None else Q(**{f"{due}__gt": last}) | Q(**{due: last, "pk__gt": after})
