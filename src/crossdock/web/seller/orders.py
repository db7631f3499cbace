"""The order page: three axes, the proof that it stands in the shop, money,
parcels, risk, one timeline.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.alerts import ROOT_CAUSES
from crossdock.domain.commands import CommandKind
from crossdock.domain.labels import BUYING
from crossdock.domain.orders import CopyState, ParcelState
from crossdock.domain.risk import RiskLevel
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Order, Seller, ShopCopy
from crossdock.store.models.risk import RiskChoice
from crossdock.store.models.work import CommandState
from crossdock.usecases.labels.label_list import cost_of, in_list
from crossdock.usecases.labels.purchase import labels_of, why_not_buy
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import why_not_ask
from crossdock.usecases.money.left import room
from crossdock.usecases.money.protection import covered
from crossdock.usecases.money.queries import lost_dispute_of
from crossdock.usecases.orders.actions import why_not_create
from crossdock.usecases.orders.daily.notes import notes_of, tags_of, tags_on
from crossdock.usecases.orders.queries import copy_of, story_of
from crossdock.usecases.orders.reject import why_not_reject
from crossdock.usecases.orders.reject_units import why_not_parts
from crossdock.usecases.orders.shippable import asked_to_cancel, why_locked, why_not_ship
from crossdock.usecases.outbox.queries import calls_with_shop, commands_about
from crossdock.usecases.parties.quarantine import in_words, of_order
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.requests.queries import returns_of
from crossdock.usecases.risk.holds import MEANING, choice, held
from crossdock.usecases.stock.queries import stock_rows
from crossdock.usecases.stock.reservations import availability
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.seller.proof import order_steps, parcel_proofs

LAST_CALLS = 12


@dataclass(frozen=True, slots=True)
class Action:
    """An entry of "More actions". One that cannot be done stays visible with the reason."""

    words: str
    url: str
    why_not: str = ""
    post: bool = False


def of_seller(seller: Seller) -> QuerySet[Order]:
    return theirs(Order, seller).select_related(
        "seller__owner", "buyer", "connection__party", "copy", "intent", "risk_hold", "cancel_request", "thread"
    )


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    return one_with(request, seller, public_id)


def one_with(request: HttpRequest, seller: Seller, public_id: str, **unkept: str) -> HttpResponse:
    """`unkept`: what was typed on it and could not be kept, and why."""
    order = get_object_or_404(
        of_seller(seller).prefetch_related("lines", "shipments__lines__line"), public_id=public_id
    )
    copy, lost, now = copy_of(order), lost_dispute_of(order), timezone.now()
    commands = commands_about(order)
    busy = any(command.state in (CommandState.WAITING, CommandState.IN_FLIGHT) for command in commands)
    alerts = list(open_alerts(seller=seller).filter(about(order, copy)))
    told = {alert.evidence.get("command") for alert in alerts}
    calls = calls_with_shop(order)
    labels = list(labels_of(order=order))
    proofs = parcel_proofs(order, list(order.shipments.all()))
    context = {
        "order": order,
        "copy": copy,
        "steps": order_steps(copy) if copy else [],
        "alerts": [view_of(alert) for alert in alerts],
        "parcels": [parcel for parcel in order.shipments.all() if parcel.undone_at is None],
        "undone": [parcel for parcel in order.shipments.all() if parcel.undone_at is not None],
        "proofs": proofs,
        "money": _money(order),
        "protection": covered(order, lost, now=now),
        "lost": lost,
        "refund": next((command for command in commands if command.kind == CommandKind.REFUND_PAYMENT), None),
        "shop_refunds": order.shop_refunds.order_by("pk"),
        "credits": order.credits.order_by("pk"),
        "risk_goes": order.connection is not None and lifted(rule="S5"),
        "risk_means": MEANING[RiskChoice.HOLD if held(order) else choice()] if order.risk == RiskLevel.HIGH else "",
        "actions": _actions(order, copy),
        "quarantined": in_words(of_order(order=order)),
        "dead": [command for command in commands if command.state == CommandState.DEAD and command.pk not in told],
        "waiting": next(
            (command for command in commands if command.state == CommandState.WAITING and command.sentence), None
        ),
        "held": held(order),
        "asked": asked_to_cancel(order),
        "returns": returns_of(order),
        "room": room(order),
        "can_ship": not why_not_ship(order),
        "can_label": not why_not_buy(order=order),
        "labels": labels,
        "label_costs": cost_of(in_list(seller=seller, which="all").filter(order=order)),
        "labelled": {label.shipment_id for label in labels},
        "entries": story_of(order),
        "notes": notes_of(order),
        "tags": tags_on([order]).get(order.pk, []),
        "known_tags": tags_of(seller=seller),
        "calls": calls[:LAST_CALLS],
        "stock": _stock(order),
        "to": order.address,
        "late": not order.cancelled_at
        and not held(order)
        and order.parcels != ParcelState.SHIPPED
        and order.ship_by < seller.clock(now),
        "open": not order.cancelled_at and order.parcels != ParcelState.SHIPPED,
        "busy": busy
        or any(label.state in BUYING for label in labels)
        or any(proof.busy for proof in proofs.values())
        or bool(copy and copy.state in (CopyState.INTENDED, CopyState.SENT, CopyState.ACKNOWLEDGED)),
        **unkept,
    }
    return show(request, seller, "order", context, here="orders", status=422 if unkept else 200)


@dataclass(frozen=True, slots=True)
class Counts:
    """S4: both sides of one line's item as they are now, before and after a cancel alike."""

    count: int | None
    here: int | None
    aside: bool
    listing: Listing


def about(order: Order, copy: ShopCopy | None) -> Q:
    """Alerts of the order; and while it is not in its shop, what keeps everything from getting there."""
    if copy is None or order.cancelled_at is not None or copy.state not in (CopyState.INTENDED, CopyState.SENT):
        return Q(order=order)
    return Q(order=order) | Q(connection=order.connection_id, order=None, code__in=ROOT_CAUSES)


def _stock(order: Order) -> dict[int, Counts]:
    """By line."""
    lines = list(order.lines.select_related("variant__connection", "variant__listing"))
    rows = stock_rows(line.variant_id for line in lines)
    left = availability(variants=[line.variant for line in lines], now=timezone.now())
    return {
        line.pk: Counts(row.count, left.get(line.variant_id), row.set_aside_by_id is not None, line.variant.listing)
        for line in lines
        if (row := rows.get(line.variant_id)) is not None
    }


def _money(order: Order) -> dict[str, Money]:
    """The seller's side of it, all of it from the books: paid, less credits, less the fee that is left, less labels."""
    return {
        "fee": Money(-books.fee_of(order=order), order.currency),
        "payout": Money(books.payout_of(order=order), order.currency),
    }


def _actions(order: Order, copy: ShopCopy | None) -> list[Action]:
    def at(name: str) -> str:
        return f"/seller/orders/{order.public_id}/{name}/"

    return [
        Action("Create the order on your store", at("create"), why_not_create(order), post=True),
        Action("Reject order", at("reject"), why_not_reject(order)),
        *([Action("Reject single units", at("reject/lines"))] if not why_not_parts(order) else []),
        Action("Ask for a credit", at("credit"), why_not_ask(order)),
        Action("Ship items", at("ship"), why_not_ship(order)),
        Action("Buy a label", at("label"), why_not_buy(order=order)),
        Action("Packing slip", at("slip"), why_locked(order)),
        Action("Report a problem", f"/seller/cases/new/?order={order.public_id}"),
    ]
