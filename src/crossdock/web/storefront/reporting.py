"""Reporting a listing: by anybody, signed in or not."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from crossdock.domain.moderation.reports import LONGEST, LONGEST_NAME, REASONS, Reason
from crossdock.store.models import User
from crossdock.usecases.accounts.tries import Source, begin_try, wait_in_words
from crossdock.usecases.catalogue.moderation.reporting import report
from crossdock.usecases.catalogue.queries import listings_shown
from crossdock.usecases.errors import Problem
from crossdock.web.people import visitor
from crossdock.web.storefront.browse import hidden_from_buyers

# So many reports come from one address, or of one account, before one has to wait.
_FREE, _FREE_SIGNED_IN = 10, 20


class ReportForm(forms.Form):
    """`name` and `email` are asked of those alone who are not signed in."""

    reason = forms.ChoiceField(
        label=_("What is wrong?"),
        choices=[("", _("Choose one")), *((each.value, _(words)) for each, words in REASONS.items())],
    )
    words = forms.CharField(
        label=_("Say what, and why"),
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 6}),
        help_text=_("Name the picture or the words that it is about, and the law or right, if you know it."),
    )
    name = forms.CharField(
        label=_("Your name"), max_length=LONGEST_NAME, required=False, widget=forms.TextInput({"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=_(
            "For the receipt and our decision. The seller does not learn who you are. You may leave both empty"
            " where sexual abuse of children is shown."
        ),
    )
    faith = forms.BooleanField(
        label=_("I believe in good faith that this is accurate and complete"),
        error_messages={"required": _("Confirm this, or change what you wrote.")},
    )

    def __init__(self, *args: Any, who: User | None, **options: Any) -> None:
        super().__init__(*args, **options)
        if who is not None:
            del self.fields["email"]
        for name in {"name", "email"} & self.fields.keys():
            # Needed but for one reason: "(optional)" would be wrong.
            self.fields[name].perhaps = True  # type: ignore[attr-defined]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(listings_shown(), public_id=public_id)
    if hidden := hidden_from_buyers(request, listing):
        return hidden
    who = visitor(request)
    form = ReportForm(request.POST or None, who=who, initial={"name": who.name if who else ""})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given, now = form.cleaned_data, timezone.now()
            source = (
                Source(f"report-of:{who.pk}", _FREE_SIGNED_IN)
                if who
                else Source(f"report:{request.META.get('REMOTE_ADDR', '')}", _FREE)
            )
            if wait := begin_try([source], now=now):
                form.add_error(None, f"Too many reports came from here. Try again in {wait_in_words(wait)}.")
                status = 429
            else:
                try:
                    made = report(
                        listing=listing,
                        reason=Reason(given["reason"]),
                        words=given["words"],
                        name=given["name"],
                        email=given.get("email", ""),
                        reporter=who,
                        now=now,
                    )
                except Problem as problem:
                    form.add_error(None, str(problem))
                else:
                    receipt = f" A receipt is on its way to {made.email}." if made.email else " Keep that number."
                    messages.success(request, f"Thank you. Your report has the number {made.public_id}.{receipt}")
                    return redirect("listing", public_id)
    context = {"listing": listing, "form": form, "unlisted": True, "who": who}
    return render(request, "storefront/report.html", context, status=status)
