"""Everything about one order on one page, as staff need it to answer for it: what was asked of whom, what came in,
money, stock, mails, deeds.
"""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.credit import CreditState
from crossdock.domain.roles import Right
from crossdock.store.models import (
    Order,
    User,
)
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.labels.purchase import labels_of
from crossdock.usecases.money import books
from crossdock.usecases.money.left import room, taken_in
from crossdock.usecases.money.protection import covered
from crossdock.usecases.money.queries import book_of, intent_of, lost_dispute_of, paid_with
from crossdock.usecases.orders.queries import bare_orders, copy_of, story_of, whole_orders
from crossdock.usecases.outbox.queries import calls_about, commands_of_order, deliveries_about
from crossdock.usecases.record.queries import deeds_of_order, mails_of
from crossdock.usecases.requests.messages import read_reported
from crossdock.usecases.stock.queries import moved_by
from crossdock.usecases.support.queries import cases_about
from crossdock.web.staff.commands import rows_of
from crossdock.web.staff.credits import STATE_WORDS
from crossdock.web.staff.inbox import news_words
from crossdock.web.staff.panel import show, staff_only

LAST = 40


@staff_only(Right.LOOK)
@require_safe
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    order = get_object_or_404(whole_orders(), public_id=public_id)
    copy = copy_of(order)
    mails = list(mails_of(order)[:LAST])
    commands = commands_of_order(order, mails)
    context = {
        "order": order,
        "copy": copy,
        "commands": rows_of(list(commands[:LAST])),
        "calls": calls_about(order)[:LAST],
        "deliveries": [(delivery, news_words(delivery.news)) for delivery in deliveries_about(order, copy)[:LAST]],
        "alerts": order.alerts.filter(settled_at=None).order_by("-pk")[:LAST],
        "settled": order.alerts.filter(settled_at__isnull=False).select_related("settled_by").order_by("-pk")[:LAST],
        "credits": [
            (credit, STATE_WORDS[CreditState(credit.state)]) for credit in order.credits.order_by("-pk")[:LAST]
        ],
        "cases": cases_about(order)[:LAST],
        "entries": story_of(order),
        "mails": mails,
        "labels": labels_of(order=order).select_related("bought_by"),
        **_money(order),
        **_stock(order),
        "deeds": deeds_of_order(order)[:LAST],
    }
    return show(request, "order", context, here="find")


@staff_only(Right.CASES)
@require_safe
def messages(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """What the two sides wrote, once one of them has reported it."""
    order = get_object_or_404(bare_orders(), public_id=public_id)
    try:
        said, why_not = read_reported(order=order, actor=staff, now=timezone.now()), ""
    except NotAllowed as no:
        said, why_not = [], str(no)
    return show(request, "messages", {"order": order, "said": said, "why_not": why_not, "side": ""}, here="find")


def _money(order: Order) -> Mapping[str, object]:
    intent, lost, book = intent_of(order), lost_dispute_of(order), list(book_of(order)[:200])
    return {
        "intent": intent,
        "protection": covered(order, lost, now=timezone.now()),
        "lost": lost,
        "together": paid_with(intent).exclude(pk=order.pk) if intent else [],
        "book": book,
        "room": room(order, taken_in(book, order)),
        "payout": books.payout_of(order=order),
        "shop_refunds": order.shop_refunds.order_by("pk"),
    }


def _stock(order: Order) -> Mapping[str, object]:
    return {
        "holds": order.reservations.select_related("variant__listing", "variant__stock").order_by("pk"),
        "movements": moved_by(order)[:LAST],
    }
