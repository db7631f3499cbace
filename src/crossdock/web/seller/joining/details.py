"""Who the seller is, for tax law, with a picture of a document; and whom buyers in the European Union turn to.

Only for the shop's owner, who proved lately that it is them: staff who act as the seller see none of it.
"""

from dataclasses import asdict
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.moderation.particulars import KINDS, Contact, Particulars
from crossdock.store.models import Seller
from crossdock.usecases.accounts.approving import approval_of
from crossdock.usecases.accounts.details import (
    KeyLost,
    Wrong,
    has_document,
    particulars_of,
    save_contact,
    save_document,
    save_particulars,
)
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import is_owner
from crossdock.web.forms import country_choices, typed
from crossdock.web.people import signed_in
from crossdock.web.pictures import PhotosField
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.signin.again import fresh


def _countries() -> list[tuple[str, str]]:
    return [("", "Choose a country"), *country_choices()]


class DetailsForm(forms.Form):
    kind = forms.ChoiceField(label="Who sells", choices=[(kind.value, words) for kind, words in KINDS.items()])
    name = forms.CharField(
        label="Legal name", max_length=200, help_text="As on your document, or in the register of companies."
    )
    line1 = forms.CharField(label="Street and number", max_length=200)
    city = forms.CharField(label="City", max_length=80)
    postal_code = forms.CharField(label="Postal code", max_length=12, required=False)
    country = forms.ChoiceField(label="Country", choices=_countries)
    born = forms.DateField(
        label="Date of birth",
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="Of a private person or a sole trader.",
        error_messages={"invalid": "Type a date, such as 1990-12-31."},
    )
    registration = forms.CharField(
        label="Number in the register of companies", max_length=60, required=False, help_text="Of a company."
    )
    tax_number = forms.CharField(label="Tax number", max_length=30)
    tax_country = forms.ChoiceField(label="Country that gave it", choices=_countries)
    vat_id = forms.CharField(label="VAT number", max_length=20, required=False, help_text="If you have one.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("postal_code", "born", "registration"):
            # Needed of some sellers: then "(optional)" beside it would be wrong.
            self.fields[name].perhaps = True  # type: ignore[attr-defined]

    @property
    def value(self) -> Particulars:
        born = self.cleaned_data["born"]
        return Particulars(**{**self.cleaned_data, "born": born.isoformat() if isinstance(born, date) else ""})


class ContactForm(forms.Form):
    name = forms.CharField(label="Name", max_length=200, help_text="A person or company in the European Union.")
    address = forms.CharField(label="Postal address", max_length=300, widget=forms.Textarea({"rows": 3}))
    email = forms.EmailField(label="E-mail address", max_length=200)


class DocumentForm(forms.Form):
    document = PhotosField(label="A picture of it", most=1)


def _not_theirs(request: HttpRequest, seller: Seller) -> HttpResponse | None:
    if is_owner(signed_in(request), seller):
        return None
    messages.error(request, "Only the shop’s owner sees and changes this.")
    return redirect("seller_before")


def _take(form: forms.Form, problem: Problem) -> None:
    for name, words in (problem.fields if isinstance(problem, Wrong) else {None: str(problem)}).items():
        form.add_error(name, words)


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def particulars(request: HttpRequest, seller: Seller) -> HttpResponse:
    if away := _not_theirs(request, seller):
        return away
    actor = signed_in(request)
    try:
        kept, lost = particulars_of(seller=seller, actor=actor), False
    except KeyLost:
        kept, lost = None, True
    first: dict[str, Any] = asdict(kept) if kept else {"country": seller.country, "tax_country": seller.country}
    form = DetailsForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            save_particulars(seller=seller, given=form.value, actor=actor, now=timezone.now())
        except Problem as problem:
            _take(form, problem)
        else:
            messages.success(request, "Your tax details are saved.")
            return redirect("seller_before")
    context = {"form": form, "kept": kept, "lost": lost}
    return show(request, seller, "joining/details", context, here="profile", status=422 if form.errors else 200)


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def document(request: HttpRequest, seller: Seller) -> HttpResponse:
    if away := _not_theirs(request, seller):
        return away
    if approval_of(seller) is None:
        messages.info(request, "Your shop needs no approval, so we want no document of you.")
        return redirect("seller_before")
    form = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    if request.method == "POST" and form.is_valid():
        (jpeg,) = form.cleaned_data["document"]
        save_document(seller=seller, jpeg=jpeg, actor=signed_in(request), now=timezone.now())
        messages.success(request, "We have your picture.")
        return redirect("seller_before")
    context = {"form": form, "there": has_document(seller)}
    return show(request, seller, "joining/document", context, here="profile", status=422 if form.errors else 200)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, seller: Seller) -> HttpResponse:
    if away := _not_theirs(request, seller):
        return away
    actor = signed_in(request)
    if request.method == "POST" and typed(request.POST, "deed", longest=8) == "remove":
        save_contact(seller=seller, given=None, actor=actor, now=timezone.now())
        messages.success(request, "Buyers see no contact any more.")
        return redirect("seller_before")
    form = ContactForm(request.POST or None, initial=seller.eu_contact)
    if request.method == "POST" and form.is_valid():
        try:
            save_contact(seller=seller, given=Contact(**form.cleaned_data), actor=actor, now=timezone.now())
        except Problem as problem:
            _take(form, problem)
        else:
            messages.success(request, "Saved. Buyers see it with each listing.")
            return redirect("seller_before")
    return show(request, seller, "joining/contact", {"form": form}, here="profile", status=422 if form.errors else 200)
