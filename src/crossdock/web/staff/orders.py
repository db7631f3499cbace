"""Everything about one order on one page, as staff need it to answer for it: what was asked of whom, what came in,
money, stock, mails, deeds.
"""

from collections.abc import Mapping

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from crossdock.domain.credit import CreditState
from crossdock.domain.roles import Right
from crossdock.store.models import (
    AuditEntry,
    Case,
    Command,
    Delivery,
    Entry,
    Exchange,
    Mail,
    Movement,
    Order,
    PaymentIntent,
    ShopCopy,
    User,
)
from crossdock.store.models.work import CommandState
from crossdock.usecases.labels.purchase import labels_of
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import room
from crossdock.web.staff.commands import rows_of
from crossdock.web.staff.credits import STATE_WORDS
from crossdock.web.staff.inbox import news_words
from crossdock.web.staff.panel import show, staff_only

LAST = 40


@staff_only(Right.LOOK)
@require_safe
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    order = get_object_or_404(
        Order.objects.select_related("seller__owner", "buyer", "connection__party").prefetch_related(
            "lines", "shipments__lines__line"
        ),
        public_id=public_id,
    )
    copy = ShopCopy.objects.filter(order=order).first()
    mails = list(Mail.objects.filter(order=order).order_by("-pk")[:LAST])
    subjects = [order.reference, f"money:{order.reference}"]
    of_labels = Q(subject__startswith=f"label:{order.reference}:")
    of_mails = Q(subject__in=[f"mail:{mail.pk}" for mail in mails], state=CommandState.DEAD)
    commands = (
        Command.objects.filter(Q(subject__in=subjects) | of_labels | of_mails)
        .select_related("party__connection__seller")
        .order_by("pk")
    )
    exchanges = Exchange.objects.filter(subject__in=subjects).select_related("party").order_by("-at")
    context = {
        "order": order,
        "copy": copy,
        "commands": rows_of(list(commands[:LAST])),
        "calls": exchanges[:LAST],
        "deliveries": [(delivery, news_words(delivery.news)) for delivery in _deliveries(order, copy)[:LAST]],
        "alerts": order.alerts.filter(settled_at=None).order_by("-pk")[:LAST],
        "settled": order.alerts.filter(settled_at__isnull=False).select_related("settled_by").order_by("-pk")[:LAST],
        "credits": [
            (credit, STATE_WORDS[CreditState(credit.state)]) for credit in order.credits.order_by("-pk")[:LAST]
        ],
        "room": room(order),
        "cases": Case.objects.filter(order=order).order_by("-pk")[:LAST],
        "entries": order.timeline.all(),
        "mails": mails,
        "labels": labels_of(order=order).select_related("bought_by"),
        **_money(order),
        **_stock(order),
        "deeds": AuditEntry.objects.filter(_about(order)).select_related("actor").order_by("-pk")[:LAST],
    }
    return show(request, "order", context, here="find")


def _deliveries(order: Order, copy: ShopCopy | None) -> QuerySet[Delivery]:
    """Those that named this order; what the shop calls it is known once it stands there."""
    if copy is None or not copy.shop_order_id or order.connection is None:
        return Delivery.objects.none()
    looks = [{"entity_id": copy.shop_order_id}]
    return (
        Delivery.objects.filter(party=order.connection.party, news__looks__contains=looks).defer("body").order_by("-pk")
    )


def _money(order: Order) -> Mapping[str, object]:
    return {
        "intent": PaymentIntent.objects.filter(order=order).first(),
        "book": Entry.objects.filter(transfer__order=order).select_related("transfer").order_by("pk")[:200],
        "payout": books.payout_of(order=order),
        "shop_refunds": order.shop_refunds.order_by("pk"),
    }


def _stock(order: Order) -> Mapping[str, object]:
    return {
        "holds": order.reservations.select_related("variant__listing", "variant__stock").order_by("pk"),
        "movements": Movement.objects.filter(order=order).select_related("variant").order_by("-pk")[:LAST],
    }


def _about(order: Order) -> Q:
    return Q(subject=str(order)) | Q(detail__order=order.public_id) | Q(subject__endswith=order.reference)
