"""What a seller does with an order: ship it by hand, change a number, create it in the shop, reject it.

Each form can be sent twice and acts once.
"""

import secrets

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.commands import CancelReason, order_reference
from crossdock.domain.requests.cancels import GOES_ON, LONGEST_REASON, CancelDeed, why_not
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Order, Seller, Shipment
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.actions import (
    change_tracking,
    create_in_shop,
    resend_command,
    ship_by_hand,
    undo_by_hand,
    why_not_undo,
)
from crossdock.usecases.orders.fulfilments import send_again
from crossdock.usecases.orders.queries import parcels_there
from crossdock.usecases.orders.reject import REASON_WORDS, preview, reason_of, reject_order
from crossdock.usecases.orders.reject_units import why_not_parts
from crossdock.usecases.orders.shippable import asked_to_cancel, entered_where, why_not_ship
from crossdock.usecases.outbox.queries import with_party
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.requests.cancel import decline
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.platforms import manifest_of
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.templatetags.crossdock import money

CARRIERS = (
    "USPS",
    "UPS",
    "FedEx",
    "DHL",
    "Royal Mail",
    "Canada Post",
    "Australia Post",
    "Deutsche Post",
    "La Poste",
    "PostNL",
    "Japan Post",
)


class ParcelForm(forms.Form):
    tracking = forms.CharField(label="Tracking number", max_length=120, required=False)
    carrier = forms.CharField(
        label="Carrier", max_length=80, required=False, widget=forms.TextInput(attrs={"list": "carriers"})
    )


class ShipForm(ParcelForm):
    """A number of units per line that is left; `key` is the form's own, so that sending it twice ships once."""

    key = forms.CharField(max_length=60, widget=forms.HiddenInput)

    def __init__(self, order: Order, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        request = asked_to_cancel(order)
        if request is not None:
            said = "withdrew from the contract" if request.binding else "asked to cancel this order"
            self.fields["anyway"] = forms.BooleanField(
                label="It has left already, or leaves anyway",
                help_text=f"The buyer {said}. What is shipped ends that: tick this if the parcel cannot be stopped.",
                error_messages={
                    "required": f"The buyer {said}. Do not ship it unless it cannot be stopped; then tick this."
                },
            )
        self.lines = [(line, line.left) for line in order.lines.all() if line.left]
        for line, left in self.lines:
            self.fields[f"line_{line.pk}"] = forms.IntegerField(
                label=f"Units of {line.title}", min_value=0, max_value=left, initial=left, required=False
            )

    def rows(self) -> list[tuple[object, int, forms.BoundField]]:
        return [(line, left, self[f"line_{line.pk}"]) for line, left in self.lines]

    def units(self) -> dict[int, int]:
        return {line.pk: self.cleaned_data[f"line_{line.pk}"] or 0 for line, _ in self.lines}


def _order(seller: Seller, public_id: str) -> Order:
    return get_object_or_404(of_seller(seller).prefetch_related("lines"), public_id=public_id)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def ship(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    order = _order(seller, public_id)
    if request.method == "POST" and _shipped_before(order, typed(request.POST, "key")):
        return redirect("seller_order", public_id)
    if why_not := why_not_ship(order, anyway=True):
        messages.info(request, why_not)
        return redirect("seller_order", public_id)
    form = ShipForm(order, request.POST or None, initial={"key": secrets.token_urlsafe(12)})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            parcel = ship_by_hand(
                order=order,
                lines=form.units(),
                tracking=data["tracking"],
                carrier=data["carrier"],
                actor=signed_in(request),
                now=timezone.now(),
                key=data["key"],
                anyway=data.get("anyway", False),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            number = f" with {parcel.tracking_number}" if parcel.tracking_number else " without a number"
            messages.success(request, f"Shipped{number}. The buyer is told.")
            more = "next" in request.POST and not why_not_ship(_order(seller, public_id))
            return redirect("seller_order_ship" if more else "seller_order", public_id)
    context = {"order": order, "form": form, "carriers": CARRIERS, "entered_where": entered_where(order)}
    return show(request, seller, "ship", context, here="orders", status=422 if form.is_bound else 200)


def _shipped_before(order: Order, key: str) -> bool:
    return bool(key) and order.shipments.filter(parcel_id=f"hand:{key}").exists()


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def parcel(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    """Another number, or one at last; the parcel stays the same."""
    order = _order(seller, public_id)
    shipment = get_object_or_404(Shipment, pk=pk, order=order, undone_at=None)
    form = ParcelForm(request.POST or None, initial={"tracking": shipment.tracking_number, "carrier": shipment.carrier})
    if request.method == "POST" and form.is_valid():
        try:
            change_tracking(
                shipment=shipment,
                tracking=form.cleaned_data["tracking"],
                carrier=form.cleaned_data["carrier"],
                actor=signed_in(request),
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error("tracking", str(problem))
        else:
            messages.success(request, "The tracking number is saved; the buyer is told.")
            return redirect("seller_order", public_id)
    context = {"order": order, "form": form, "parcel": shipment, "carriers": CARRIERS}
    context["why_not_undo"] = why_not_undo(shipment)
    return show(request, seller, "parcel", context, here="orders", status=422 if form.is_bound else 200)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def undo_parcel(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    """A parcel that did not leave; what undoing does stands above the button."""
    order = _order(seller, public_id)
    shipment = get_object_or_404(parcels_there(), pk=pk, order=order)
    if shipment.undone_at is not None:
        messages.info(request, "This shipment is undone already.")
        return redirect("seller_order", public_id)
    if why := why_not_undo(shipment):
        messages.info(request, why)
        return redirect("seller_order", public_id)
    if request.method == "POST":
        actor = signed_in(request)
        try_it(request, lambda now: undo_by_hand(shipment=shipment, actor=actor, now=now), "The shipment is undone.")
        return redirect("seller_order", public_id)
    return show(request, seller, "parcel_undo", {"order": order, "parcel": shipment}, here="orders")


@sellers_only
@require_POST
def send_parcel(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    """Into the shop, after what stood in the way was mended. It is looked for there first."""
    shipment = get_object_or_404(Shipment, pk=pk, order=_order(seller, public_id))
    actor = signed_in(request)
    said = "We look for the shipment in your shop and enter it if it is not there."
    try_it(request, lambda now: send_again(shipment=shipment, actor=actor, now=now), said)
    return redirect("seller_order", public_id)


@sellers_only
@require_POST
def create(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """ "Create the order on your store": it looks there first, so it can be pressed as often as one likes."""
    order = _order(seller, public_id)
    try:
        why = create_in_shop(order=order, actor=signed_in(request), now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(
            request,
            f"We look for the order in your shop and create it if it is not there. Why it was missing: {why}",
        )
    return redirect("seller_order", public_id)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def reject(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """What a reject would do stands there before its button; the button carries the amount."""
    order = _order(seller, public_id)
    given = typed(request.POST if request.method == "POST" else request.GET, "reason", longest=30)
    reason = CancelReason(given) if given in set(CancelReason) else None
    wrong = ""
    if request.method == "POST":
        if order.cancelled_at is not None:
            messages.info(request, "This order is cancelled already; the buyer was credited once.")
            return redirect("seller_order", public_id)
        try:
            reject_order(
                order=order,
                reason=reason_of(given),
                actor=signed_in(request),
                now=timezone.now(),
                expected_total=_expected(request, order),
            )
        except Problem as problem:
            wrong = str(problem)
        else:
            messages.success(request, f"Rejected. The buyer is refunded {money(_expected(request, order))}.")
            return redirect("seller_order", public_id)
    context = {
        "order": order,
        "preview": preview(order=order, now=timezone.now(), reason=reason, manifest=manifest_of(order)),
        "reason": reason,
        "reasons": [(item.value, words) for item, words in REASON_WORDS.items()],
        "wrong": wrong,
        "can_part": not why_not_parts(order),
    }
    return show(request, seller, "reject", context, here="orders", status=422 if wrong else 200)


class DeclineForm(forms.Form):
    """`seen` names the request that the page showed."""

    answer = forms.CharField(
        label="Why does the order go on?",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The buyer reads it. For example: it was handed to the carrier this morning.",
    )
    seen = forms.IntegerField(widget=forms.HiddenInput)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def decline_cancel(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The buyer asked to cancel, and the order goes on, with the seller's reason."""
    order = _order(seller, public_id)
    asked = asked_to_cancel(order)
    if asked is None or (why := why_not(asked.value, CancelDeed.DECLINE)):
        messages.info(request, why if asked else "No request to cancel waits for an answer.")
        return redirect("seller_order", public_id)
    form = DeclineForm(request.POST or None, initial={"seen": asked.asks})
    if request.method == "POST" and form.is_valid():
        data, actor = form.cleaned_data, signed_in(request)
        try:
            decline(order=order, actor=actor, answer=data["answer"], seen=data["seen"], now=timezone.now())
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Declined. The buyer is told why, and you can ship the order.")
            return redirect("seller_order", public_id)
    context = {"order": order, "form": form, "asked": asked, "goes_on": GOES_ON}
    return show(request, seller, "decline_cancel", context, here="orders", status=422 if form.is_bound else 200)


def _expected(request: HttpRequest, order: Order) -> Money:
    """The amount that stood on the button; nonsense is an amount that no order has."""
    text = typed(request.POST, "expected_total", longest=18)
    return Money(int(text) if text.isdecimal() else -1, order.currency)


@sellers_only
@require_POST
def resend(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    """Something that gave up tries again. Only what belongs to this seller's shops and orders."""
    command = get_object_or_404(with_party(), pk=pk)
    order = theirs(Order, seller).filter(reference=order_reference(command.subject)).first()
    shop = theirs(Connection, seller).filter(party=command.party).first()
    if order is None and shop is None:
        return redirect("seller_orders")
    actor = signed_in(request)
    try_it(request, lambda now: resend_command(command=command, actor=actor, now=now), "It is tried again now.")
    return redirect("seller_order", order.public_id) if order else redirect("seller_shop", shop.public_id)  # type: ignore[union-attr]
