"""A test order: what will happen stands before its button, and each step is ticked as it is taken."""

from dataclasses import asdict

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.capability import Capability
from crossdock.domain.values import Address
from crossdock.store.models import Connection, Seller
from crossdock.usecases.checkout.basket import ships_to
from crossdock.usecases.errors import Problem
from crossdock.usecases.labels.purchase import ship_from
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.shops.trial_orders import LEAST, Fit, fit_for_trial, trials_of, try_order
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.address import AddressForm


class TrialForm(AddressForm):
    """What is ordered, and where to."""

    product = forms.ChoiceField(
        label="Product", help_text="One unit of it leaves your shop's stock for a moment.", choices=[]
    )

    def __init__(self, shop: Connection, fit: list[Fit], *args: object, **options: object) -> None:
        super().__init__(*args, countries=ships_to(shop), **options)
        choices = [
            (each.variant.public_id, f"{each.variant}, {each.free} free, {each.variant.price.words}") for each in fit
        ]
        self.fields["product"].choices = choices  # type: ignore[attr-defined]
        self.fields["country"].error_messages["invalid_choice"] = "Choose the country from the list."
        self.fields["product"].error_messages["invalid_choice"] = "Choose one of the products in the list."


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    shop = get_object_or_404(theirs(Connection, seller).select_related("party", "seller__owner"), public_id=public_id)
    now = timezone.now()
    fit = fit_for_trial(shop, now=now)
    trials = trials_of(shop)
    known = trials[0].order.create.ship_to if trials else ship_from(seller=seller)
    first = asdict(known) if known else {"name": seller.name, "country": seller.country}
    form = TrialForm(shop, fit, request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        product = data.pop("product")
        (chosen,) = (each.variant for each in fit if each.variant.public_id == product)
        try:
            try_order(connection=shop, variant=chosen, ship_to=Address(**data), actor=signed_in(request), now=now)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "The test order is on its way.")
            return redirect("seller_shop_try", public_id)
    speaker = asking.platform(shop.platform)
    manifest = speaker.manifest if speaker else None
    context = {
        "shop": shop,
        "form": form,
        "fit": fit,
        "least": LEAST,
        "running": bool(trials) and trials[0].running,
        "trials": trials,
        "at_our_price": manifest is not None and manifest.can(Capability.ORDER_AT_OUR_PRICE),
        "cancels": manifest is not None and manifest.can(Capability.ORDER_CANCEL),
        "why_not_cancel": manifest.sentence(Capability.ORDER_CANCEL) if manifest else "",
        "restores": manifest is not None and manifest.can(Capability.CANCEL_RESTORES),
    }
    return show(request, seller, "trial_order", context, here="shops", status=422 if form.errors else 200)
