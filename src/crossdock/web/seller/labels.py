"""Buying a label here (S2): where parcels start, the parcel, the carrier's prices, the one purchase, printing and
taking back.

What rule S2 refuses is refused before any carrier is asked. Prices are asked for outside of any transaction, and for a
bounded time.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.labels import BUYING, HOME, Form, LabelState, Quote, country_name, why_not_address
from crossdock.domain.values import COUNTRIES, Address
from crossdock.kit.carrier import Carrier
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import BadInput, Outside
from crossdock.store.models import Label, Order, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.labels import purchase
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.rights import theirs
from crossdock.web.carriers import MEDIA, carrier_named, chosen_carrier, document, prices
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.label_forms import FIRST, LabelForm
from crossdock.web.seller.orders import of_seller
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.address import AddressForm

_CLOSED = "Labels cannot be bought here at the moment. Ship the parcel any other way you like and enter it by hand."


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def ship_from(request: HttpRequest, seller: Seller) -> HttpResponse:
    """`order` in the address: the one for which a label is wanted, to go on with."""
    wanted_for = _wanted_for(request, seller)
    kept = purchase.ship_from(seller=seller)
    first = {"name": seller.name, "country": HOME} if kept is None else asdict(kept)
    form = AddressForm(request.POST or None, countries=COUNTRIES, initial=first)
    form.fields["country"].error_messages["invalid_choice"] = "Choose the country from the list."
    if request.method == "POST" and form.is_valid():
        try:
            purchase.set_ship_from(seller=seller, address=Address(**form.cleaned_data), now=timezone.now())
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Your ship-from address is saved.")
            return redirect("seller_label_new", wanted_for.public_id) if wanted_for else redirect("seller_profile")
    context = {"form": form, "order": wanted_for, "only_home": not lifted(rule="S2")}
    return show(request, seller, "ship_from", context, here="profile", status=422 if form.errors else 200)


def _wanted_for(request: HttpRequest, seller: Seller) -> Order | None:
    public_id = typed(request.GET, "order", longest=20)
    return get_object_or_404(of_seller(seller), public_id=public_id) if public_id else None


def why_no_label(order: Order) -> str:
    """Rule S2 as far as the order alone decides it: before anything is typed, and long before anybody is asked."""
    if why := why_not_address(order.address, whose="the buyer's address"):
        return f"{why} A label needs it. Ship it any other way you like and enter the parcel by hand."
    if order.address.country != HOME and not lifted(rule="S2"):
        return (
            f"A label bought here goes only to the US, and this order goes to {country_name(order.address.country)}."
            " Ship it any other way you like and enter the parcel by hand."
        )
    return ""


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The parcel. Sent, it is asked for prices, which are kept for half an hour."""
    order = get_object_or_404(of_seller(seller).prefetch_related("lines"), public_id=public_id)
    if why := purchase.why_not_buy(order=order):
        messages.info(request, why)
        return redirect("seller_order", public_id)
    start = purchase.ship_from(seller=seller)
    carrier, closed = _carrier()
    refused = why_no_label(order) or closed
    if start is None and not refused:
        return redirect(f"{reverse('seller_ship_from')}?order={order.public_id}")
    if refused or start is None or carrier is None:
        context = {"order": order, "refused": refused}
        return show(
            request, seller, "label_new", context, here="orders", status=409 if request.method == "POST" else 200
        )
    form = LabelForm(
        request.POST or None,
        order=order,
        left=purchase.left_to_label(order=order),
        initial=request.session.get("parcel", FIRST),
        insures=carrier.can if purchase.insurance_offered(can=carrier.can) else None,
        made_in=start.country if start.country != order.address.country else "",
    )
    if form.is_bound and form.insures is None and typed(request.POST, "insured") and not form.errors:
        form.add_error(
            None,
            "A label bought here has no extra insurance. Leave it out, or ship the parcel another way and enter it by"
            " hand.",
        )
    if request.method == "POST" and form.is_valid():
        label = _asked(request, form, order, carrier)
        if label is not None:
            request.session["parcel"] = form.remembered()
            return redirect("seller_label", label.public_id)
    context = {
        "order": order,
        "form": form,
        "start": start,
        "to": order.address,
        "carrier": carrier,
        "lifted": lifted(rule="S2"),
        "has_labels": purchase.labels_of(order=order).exists(),
    }
    return show(request, seller, "label_new", context, here="orders", status=422 if form.is_bound else 200)


def _carrier() -> tuple[Carrier | None, str]:
    """The operator's carrier, or why nothing can be bought from it."""
    try:
        carrier = chosen_carrier()
    except NoSuchFolder:
        return None, _CLOSED
    return carrier, _CLOSED if carrier.missing() else ""


def _asked(request: HttpRequest, form: LabelForm, order: Order, carrier: Carrier) -> Label | None:
    """None: the form says why. The carrier is asked between two short transactions, never inside one."""
    try:
        wanted, lines = purchase.shipment_for(
            order=order,
            parcel=form.parcel(),
            can=carrier.can,
            carrier=carrier.label,
            lines=form.units(),
            insured=form.to_insure(),
            customs=form.customs(),
        )
        quotes = prices(wanted)
        return purchase.keep_quotes(
            order=order,
            by=signed_in(request),
            provider=carrier.name,
            wanted=wanted,
            lines=lines,
            quotes=quotes,
            now=timezone.now(),
        )
    except (Problem, BadInput) as problem:
        form.add_error(None, str(problem))
    except Outside:
        form.add_error(None, f"{carrier.label} did not answer with prices. Nothing was bought; try again in a minute.")
    return None


def _label(seller: Seller, public_id: str) -> Label:
    rows = theirs(Label, seller).select_related("order__seller__owner", "order__buyer", "order__connection", "shipment")
    return get_object_or_404(rows, public_id=public_id)


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Prices to choose from, and afterwards the label that came of them: the same address, so that "back" buys
    nothing.
    """
    label = _label(seller, public_id)
    wanted = purchase.wanted_of(label=label)
    forms = _forms(label)
    context: dict[str, Any] = {
        "label": label,
        "order": label.order,
        "wanted": wanted,
        "lines": purchase.lines_of(label=label),
        "to": wanted.ship_to,
        "busy": label.state in (*BUYING, LabelState.VOIDING),
        "forms": forms,
        "events": list(reversed(label.events)),
        "why_not_void": purchase.why_not_void(label=label),
    }
    if label.state == LabelState.QUOTED:
        context |= _prices(purchase.quotes_of(label=label))
        context["old"] = timezone.now() - label.quoted_at > purchase.QUOTES_LAST
        context["until"] = label.quoted_at + purchase.QUOTES_LAST
    return show(request, seller, "label", context, here="orders")


def _prices(quotes: Sequence[Quote]) -> dict[str, Any]:
    """The quotes; the cheapest that can be bought of each currency, where there is a choice."""
    first: dict[str, Quote] = {}
    for quote in quotes:
        if not quote.not_now:
            first.setdefault(quote.price.currency, quote)
    currencies = list(dict.fromkeys(quote.price.currency for quote in quotes))
    cheapest = {quote.ref for quote in first.values()} if len(quotes) > 1 else set()
    return {"quotes": quotes, "cheapest": cheapest, "currencies": currencies}


def _forms(label: Label) -> list[str]:
    if not label.carrier_ref:
        return []
    try:
        can = {str(form) for form in carrier_named(label.provider).can.forms}
    except NoSuchFolder:
        can = set()
    return [form for form in ("pdf", "png", "zpl") if form in can or label.documents.filter(form=form).exists()]


@sellers_only
@require_POST
def buy(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Pressed twice, in two tabs, or after "back": the same label."""
    label = _label(seller, public_id)
    try:
        can = carrier_named(label.provider).can
    except NoSuchFolder:
        messages.error(request, _CLOSED)
        return redirect("seller_label", public_id)
    quote_ref = request.POST.get("quote", "")[:200]
    try:
        purchase.buy_label(
            order=label.order,
            by=signed_in(request),
            token=label.public_id,
            quote_ref=quote_ref,
            can=can,
            now=timezone.now(),
        )
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("seller_label", public_id)


@sellers_only
@require_POST
def void(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    label = _label(seller, public_id)
    actor = signed_in(request)
    try_it(
        request,
        lambda now: purchase.void_label(label=label, by=actor, now=now),
        "The carrier is asked to take the label back. Do not use it any more.",
    )
    return redirect("seller_label", public_id)


@sellers_only
@require_safe
def printed(request: HttpRequest, seller: Seller, public_id: str, form: str) -> HttpResponse:
    """The label itself. A voided one is not handed out again: the carrier would refuse the parcel."""
    label = _label(seller, public_id)
    if label.state in (LabelState.VOIDED, LabelState.VOIDING):
        messages.error(request, "This label was taken back; a parcel with it would not be carried.")
        return redirect("seller_label", public_id)
    try:
        kind = Form(form)
        content = document(label, kind)
    except (Outside, NoSuchFolder, ValueError) as problem:
        messages.error(request, f"The label cannot be printed yet: {problem}")
        return redirect("seller_label", public_id)
    response = HttpResponse(content, content_type=MEDIA[kind])
    how = "inline" if kind is Form.PDF else "attachment"
    name = "".join(letter for letter in label.tracking_number if letter.isascii() and letter.isalnum()) or "label"
    response["Content-Disposition"] = f'{how}; filename="label-{label.order.number}-{name}.{kind}"'
    return response
