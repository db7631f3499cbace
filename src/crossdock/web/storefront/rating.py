"""How buyers rate a seller: one page for each order that arrived; and what was said, for everybody to read."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.requests.ratings import LONGEST, WORDS
from crossdock.store.models import Seller
from crossdock.usecases.accounts.queries import sellers_shown
from crossdock.usecases.errors import Invalid, Problem
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.queries import rated, ratings_shown
from crossdock.usecases.requests.ratings import rate, report, take_back, why_not_rate_order
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.storefront.browse import hidden_seller, number_after

PAGE = 20


class RatingForm(forms.Form):
    stars = forms.TypedChoiceField(
        label=_("How was it?"),
        choices=[(stars, _(words)) for stars, words in WORDS.items()],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose how it was, from one star to five.")},
    )
    words = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Everybody can read it, without your name. Leave out names, addresses and numbers."),
    )


class ReportForm(forms.Form):
    why = forms.CharField(
        label=_("What is wrong with it?"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Our staff read it, and you are written to what was decided. The buyer does not learn who you are."
        ),
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, public_id: str) -> HttpResponse:
    buyer, now = signed_in(request), timezone.now()
    order = get_object_or_404(bought_by(bought_orders(), buyer), public_id=public_id)
    row = getattr(order, "rating", None)
    form = RatingForm(request.POST or None, initial={"stars": row.stars, "words": row.words} if row else None)
    try:
        if request.method == "POST" and typed(request.POST, "deed") == "take_back":
            take_back(order=order, buyer=buyer, now=now)
            messages.success(request, _("Your rating is gone."))
            return redirect("my_order", public_id)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            rate(order=order, buyer=buyer, stars=data["stars"], words=data["words"], now=now)
            messages.success(request, _("Thank you. Everybody can read it on the seller's page."))
            return redirect("my_order_rating", public_id)
    except Invalid as problem:
        form.add_error(None, str(problem))
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("my_order_rating", public_id)
    context = {"order": order, "row": row, "form": form, "why_not": why_not_rate_order(order, now=now)}
    return render(request, "storefront/rating.html", context, status=422 if request.method == "POST" else 200)


@require_safe
def of_seller(request: HttpRequest, slug: str) -> HttpResponse:
    who = get_object_or_404(sellers_shown(), slug=slug)
    if hidden := hidden_seller(request, who):
        return hidden
    rows = ratings_shown(who).order_by("-pk")
    after = number_after(request)
    found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE + 1])
    context = {
        "seller": who,
        "rated": rated(who),
        "rows": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "unlisted": after is not None,
    }
    return render(request, "storefront/ratings.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report_one(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    who = get_object_or_404(Seller, slug=slug)
    if hidden := hidden_seller(request, who):
        return hidden
    row = get_object_or_404(ratings_shown(who), public_id=public_id)
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            report(rating=row, reporter=signed_in(request), why=form.cleaned_data["why"], now=timezone.now())
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, gettext("Thank you. Our staff look at it, and you are written to."))
            return redirect("ratings_of", slug)
    context = {"seller": who, "row": row, "form": form, "unlisted": True}
    return render(request, "storefront/rating_report.html", context, status=422 if form.is_bound else 200)
