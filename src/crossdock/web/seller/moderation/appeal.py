"""Why a listing was taken down, and the seller's word against it: an appeal, or that it is changed."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.alerts import AlertCode
from crossdock.domain.moderation.takedowns import APPEAL_FOR, LONGEST, WORDS, Deed, may_ask
from crossdock.store.models import ListingReview, Seller
from crossdock.usecases.catalogue.moderation.deciding import ask, statement_of
from crossdock.usecases.catalogue.moderation.queries import down_of, sellers_story
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.alerts import open_alerts
from crossdock.web.people import signed_in
from crossdock.web.seller.alert_view import view_of
from crossdock.web.seller.listings import of_seller
from crossdock.web.seller.panel import sellers_only, show

_STEPS = 20
_SENT = {
    Deed.APPEALED: "Sent. Another person than the one who took it down decides, and writes to you.",
    Deed.CHANGED: "Sent. Staff look at the listing as it is now, and write to you.",
}


class AskForm(forms.Form):
    words = forms.CharField(label="What should staff know?", max_length=LONGEST, widget=forms.Textarea({"rows": 6}))


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    listing = get_object_or_404(of_seller(seller), public_id=public_id)
    review = down_of(listing)
    if review is None:
        if request.method == "POST":
            messages.info(request, "This listing is not taken down any more.")
        return redirect("seller_listing", public_id)
    form, now = AskForm(request.POST or None), timezone.now()
    if request.method == "POST" and form.is_valid() and (sent := _sent(request, review, form)):
        messages.success(request, _SENT[sent])
        return redirect("seller_listing_appeal", public_id)
    review.listing = listing
    context = {
        "listing": listing,
        "review": review,
        "statement": statement_of(review),
        "may": [deed.value for deed in may_ask(review.standing, now)],
        "until": review.decided_at + APPEAL_FOR if review.decided_at else None,
        "form": form,
        "alerts": [
            view_of(alert)
            for alert in open_alerts(seller=seller).filter(listing=listing, code=AlertCode.LISTING_TAKEN_DOWN)
        ],
        "story": [(WORDS[Deed(step.deed)], step) for step in sellers_story(listing)[:_STEPS]],
    }
    return show(request, seller, "taken_down", context, here="listings", status=422 if form.is_bound else 200)


def _sent(request: HttpRequest, review: ListingReview, form: AskForm) -> Deed | None:
    """What was asked; None where it could not be, and the form says why."""
    deed = Deed.CHANGED if request.POST.get("deed") == Deed.CHANGED else Deed.APPEALED
    words = form.cleaned_data["words"]
    try:
        ask(review=review, deed=deed, words=words, actor=signed_in(request), now=timezone.now())
    except Problem as problem:
        form.add_error(None, str(problem))
        return None
    return deed
