"""What is read of copies and leavings, and of what a person still has open. Nothing here writes."""

from dataclasses import replace
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from crossdock.domain.cases import CaseState
from crossdock.domain.credit import CreditState
from crossdock.domain.labels import LabelState
from crossdock.domain.privacy.runs import RunKind, Standing
from crossdock.domain.stock import HoldState
from crossdock.domain.values import Money
from crossdock.store.models import (
    Case,
    Connection,
    Credit,
    DataPart,
    DataRun,
    Entry,
    Label,
    Order,
    PaymentIntent,
    Reservation,
    Seller,
    User,
)
from crossdock.store.models.money import IntentState
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.money.payouts import on_its_way
from crossdock.usecases.money.queries import payable_to
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.record.rights import is_staff

# So many orders are named; a page says "and more" of the rest.
_MOST = 50
_UNDER_WAY = Q(cancelled_at=None) & ~Q(parcels="shipped")


def runs_of(person: User) -> QuerySet[DataRun]:
    return DataRun.objects.filter(person=person)


def newest(person: User, kind: RunKind) -> DataRun | None:
    return runs_of(person).filter(kind=kind).order_by("-pk").first()


def pieces_of(run: DataRun) -> QuerySet[DataPart, bytes | memoryview]:
    """A copy's file, in its order."""
    return DataPart.objects.filter(run=run).order_by("no").values_list("content", flat=True)


def all_runs() -> QuerySet[DataRun]:
    return DataRun.objects.select_related("person", "asked_by", "second_by")


def standing(person: User, *, now: datetime) -> Standing:
    """What is not over yet."""
    whose = Whose(person)
    back = Credit.objects.filter(state__in=[CreditState.ASKED, CreditState.SECOND, CreditState.GRANTED])
    asked = PaymentIntent.objects.filter(buyer=person, state__in=[IntentState.CREATED, IntentState.UNKNOWN])
    bought = Standing(
        staff=is_staff(person),
        bought=_numbers(whose.bought.filter(_UNDER_WAY)),
        payments=asked.count(),
        refunds=_numbers(whose.bought.filter(credits__in=back)),
        disputes=_disputed(whose),
    )
    return bought if whose.seller is None else _selling(bought, whose.seller, now=now)


def _selling(so_far: Standing, seller: Seller, *, now: datetime) -> Standing:
    shops = Connection.objects.filter(seller=seller).exclude(state=ConnectionState.DISCONNECTED)
    asking = [LabelState.INTENDED, LabelState.UNKNOWN, LabelState.VOIDING]
    held = Reservation.objects.filter(variant__listing__seller=seller, state=HoldState.CHECKOUT)
    return replace(
        so_far,
        sold=_numbers(Order.objects.filter(_UNDER_WAY, seller=seller)),
        shops=list(shops.order_by("pk").values_list("name", flat=True)),
        carts=held.count(),
        labels=Label.objects.filter(seller=seller, state__in=asking).count(),
        cases=Case.objects.filter(seller=seller).exclude(state=CaseState.CLOSED).count(),
        payouts=on_its_way(seller, now=now),
        owed=[Money(*owed) for owed in payable_to(seller) if owed[0]],
    )


def _numbers(orders: QuerySet[Order]) -> list[int]:
    return list(orders.order_by("pk").values_list("number", flat=True).distinct()[:_MOST])


def _disputed(whose: Whose) -> list[int]:
    """Money that a bank took back stands in an account of its own until it is decided who bears it."""
    theirs = Q(transfer__order__buyer=whose.person) | Q(transfer__order__seller__owner=whose.person)
    rows = Entry.objects.filter(theirs, account="disputed").values("transfer__order__number")
    open_ones = rows.annotate(sum=Sum("amount_minor")).exclude(sum=0).order_by("transfer__order__number")
    return list(open_ones.values_list("transfer__order__number", flat=True)[:_MOST])
