"""A seller's balance, computed from the books, and when an order's money becomes payable.

What the books owe a seller is the sum of their account. Of it, the money of each order that is not payable yet is
pending, and what a buyer's bank took back, or a return would credit, stays held until it is decided; the rest is
available.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from crossdock.domain.credit import CreditState
from crossdock.domain.earnings.balance import Balance, Reserve, Sent, Waits, payable_from
from crossdock.domain.orders import ParcelState
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Entry, Order, RiskHold, Seller, Shipment
from crossdock.usecases.money.books import seller_account
from crossdock.usecases.money.held_back import held_back
from crossdock.usecases.record.rights import theirs

_AT_ONCE = 200

_BALANCES = """
SELECT currency, sum(whole), sum(pending), sum(held) FROM (
  SELECT currency, -sum(amount_minor) AS whole, 0 AS pending, 0 AS held FROM store_entry WHERE account = %(account)s
  GROUP BY currency
  UNION ALL
  SELECT currency, 0, greatest(minor, 0), 0 FROM (
    SELECT e.currency, -sum(e.amount_minor) AS minor FROM store_order o JOIN store_transfer t ON t.order_id = o.id
    JOIN store_entry e ON e.transfer_id = t.id AND e.account = %(account)s
    WHERE o.seller_id = %(seller)s AND o.payable_at IS NULL GROUP BY o.id, e.currency) w
  UNION ALL
  SELECT currency, 0, 0, least(greatest(minor, 0), greatest(disputed, 0) + back) FROM (
    SELECT e.currency, -sum(e.amount_minor) FILTER (WHERE e.account = %(account)s) AS minor,
    sum(e.amount_minor) FILTER (WHERE e.account = 'disputed') AS disputed,
    coalesce((SELECT k.minor FROM unnest(%(orders)s::bigint[], %(back)s::bigint[]) AS k(id, minor)
      WHERE k.id = o.id AND e.currency = o.currency), 0) AS back
    FROM store_order o JOIN store_transfer t ON t.order_id = o.id JOIN store_entry e ON e.transfer_id = t.id
    WHERE o.seller_id = %(seller)s AND o.payable_at IS NOT NULL AND o.id IN (
      SELECT d.order_id FROM store_transfer d JOIN store_entry x ON x.transfer_id = d.id AND x.account = 'disputed'
      UNION ALL SELECT unnest(%(orders)s::bigint[]))
    GROUP BY o.id, e.currency) h
) parts GROUP BY currency ORDER BY currency
"""


def reserve() -> Reserve:
    """What the operator set."""
    config = settings.CONFIG
    return Reserve(
        timedelta(days=config.payable_days_after_delivery), timedelta(days=config.payable_days_after_shipping)
    )


def balances(seller: Seller, *, now: datetime) -> list[Balance]:
    """Of each currency that the seller ever had money in; one statement, and what `held_back` asks."""
    back = held_back(seller, now=now)
    of, orders, minors = seller_account(seller.pk), [*back], [*back.values()]
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"account": of, "seller": seller.pk, "orders": orders, "back": minors})
        rows = [(code, int(whole), int(pending), int(held)) for code, whole, pending, held in cursor.fetchall()]
    return [Balance(code, pending, held, whole - pending - held) for code, whole, pending, held in rows]


def _left(account: str) -> Subquery:
    """Minor units of the order's own currency that stand in this account for it."""
    rows = Entry.objects.filter(transfer__order=OuterRef("pk"), account=account, currency=OuterRef("currency"))
    return Subquery(rows.order_by().values("transfer__order").annotate(sum=Sum("amount_minor")).values("sum"))


def _with_facts(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Each order with what decides whether its money is payable."""
    parcels = Shipment.objects.filter(order=OuterRef("pk"), undone_at=None)
    # When it left is the seller's own word: it counts from when we heard of it, if that is later.
    left = parcels.annotate(left=Greatest("shipped_at", "heard_at")).order_by("-left")
    return orders.annotate(
        last_shipped=Subquery(left.values("left")[:1]),
        last_delivered=Subquery(
            parcels.exclude(label__delivered_at=None).order_by("-label__delivered_at").values("label__delivered_at")[:1]
        ),
        under_way=Exists(parcels.filter(Q(label=None) | Q(label__delivered_at=None))),
        at_risk=Exists(RiskHold.objects.filter(order=OuterRef("pk"), cleared_at=None)),
        asked=Exists(Credit.objects.filter(order=OuterRef("pk"), state__in=[CreditState.ASKED, CreditState.SECOND])),
        disputed=Coalesce(_left("disputed"), 0),
    )


def _from(order: Order) -> datetime | None:
    shipped = order.parcels == ParcelState.SHIPPED
    return payable_from(
        Sent(
            order.last_shipped if shipped else None,  # type: ignore[attr-defined]
            None if order.under_way else order.last_delivered,  # type: ignore[attr-defined]
            order.cancelled_at,
        ),
        reserve(),
    )


def why_waits(order: Order) -> Waits:
    """The order as `waiting` gives it."""
    if order.disputed > 0:  # type: ignore[attr-defined]
        return Waits.DISPUTED
    if order.at_risk:  # type: ignore[attr-defined]
        return Waits.RISK
    if order.asked:  # type: ignore[attr-defined]
        return Waits.CREDIT_ASKED
    if order.payable_at is not None:
        return Waits.RETURN
    return Waits.NOT_SHIPPED if _from(order) is None else Waits.RESERVE


def expected(order: Order) -> datetime | None:
    """When it becomes available by itself; None where a person has something to do first."""
    return _from(order) if why_waits(order) is Waits.RESERVE else None


def waiting(seller: Seller, back: Mapping[int, int]) -> QuerySet[Order]:
    """Orders whose money is pending or held, newest first, each with `minor`: what it brought, or has left. `back` is
    what is held for returns (`held_back`).
    """
    account = seller_account(seller.pk)
    disputed = Entry.objects.filter(account="disputed", transfer__order__seller=seller).values("transfer__order")
    found = theirs(Order, seller).filter(Q(payable_at=None) | Q(pk__in=disputed) | Q(pk__in=[*back]))
    rows = _with_facts(found).annotate(minor=Coalesce(-_left(account), 0)).filter(minor__gt=0)
    return rows.filter(Q(payable_at=None) | Q(disputed__gt=0) | Q(pk__in=[*back])).order_by("-pk")


def waits(order: Order, back: Mapping[int, int]) -> Money:
    """How much of an order that `waiting` gives is not available."""
    minor: int = order.minor  # type: ignore[attr-defined]
    if order.payable_at is not None:
        minor = min(minor, max(0, order.disputed) + back.get(order.pk, 0))  # type: ignore[attr-defined]
    return Money(minor, order.currency)


def release(*, now: datetime) -> int:
    """Write down which orders became payable; those that have to be shipped after all wait again. How many were
    released.
    """
    open_again = Order.objects.filter(
        parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED], cancelled_at=None, payable_at__isnull=False
    )
    open_again.update(payable_at=None)
    ended = Order.objects.filter(Q(parcels=ParcelState.SHIPPED) | Q(cancelled_at__isnull=False), payable_at=None)
    shortest = min(reserve().delivered, reserve().shipped)
    ripe = _with_facts(ended).filter(Q(cancelled_at__isnull=False) | Q(last_shipped__lte=now - shortest))
    ripe = ripe.filter(Q(at_risk=False), Q(asked=False), Q(disputed__lte=0))
    released, after = 0, 0
    while True:
        with transaction.atomic():
            page = list(
                ripe.filter(pk__gt=after)
                .order_by("pk")
                .select_for_update(no_key=True, skip_locked=True, of=("self",))[:_AT_ONCE]
            )
            if not page:
                return released
            due = [order.pk for order in page if (since := _from(order)) is not None and since <= now]
            Order.objects.filter(pk__in=due).update(payable_at=now)
        released, after = released + len(due), page[-1].pk
