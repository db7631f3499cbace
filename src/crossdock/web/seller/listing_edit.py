"""Listings made by hand: their form, with pictures by address or uploaded."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller
from crossdock.usecases.catalogue.import_products import MOST_IMAGES
from crossdock.usecases.catalogue.listings import edit_listing, make_listing
from crossdock.usecases.errors import Problem
from crossdock.usecases.stock.reservations import availability
from crossdock.web.forms import MoneyField, WholeNumber, money_of
from crossdock.web.picture_encoding import NotAPicture
from crossdock.web.pictures import is_ours, keep
from crossdock.web.seller.listings import of_seller
from crossdock.web.seller.panel import sellers_only, show

MOST_UNITS = 1_000_000
LONGEST_ADDRESS = 1000


class ListingForm(forms.Form):
    """`currency` is fixed by the seller or the listing; `images` are the pictures that it has already, any of which
    may be taken off. `shown_back` is the price that the seller is asked to look at.
    """

    shown_back: Money | None = None

    title = forms.CharField(label="Title", max_length=300)
    description = forms.CharField(label="Description", max_length=20_000, required=False, widget=forms.Textarea)
    price = MoneyField(label="Price")
    count = WholeNumber(label="Units that you have to sell", min_value=0, max_value=MOST_UNITS)
    sku = forms.CharField(
        label="SKU", max_length=200, required=False, help_text="Your own number for it; buyers see it."
    )
    kept = forms.MultipleChoiceField(label="Pictures", required=False, widget=forms.CheckboxSelectMultiple)
    addresses = forms.CharField(
        label="Pictures by address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One https address a line.",
    )
    upload = forms.FileField(
        label="Upload a picture",
        required=False,
        help_text="PNG, JPEG or WebP, up to 15 MB. What a photo says about where it was taken is not kept.",
        widget=forms.ClearableFileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )

    def __init__(self, *args: Any, currency: str, images: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency, self.images = currency, images
        self.fields["price"].label = f"Price in {currency}"
        if images:
            self.fields["kept"].choices = [(url, url) for url in images]  # type: ignore[attr-defined]
        else:
            del self.fields["kept"]

    def clean_addresses(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["addresses"].splitlines() if line.strip()]
        for line in lines:
            parts = urlsplit(line)
            if parts.scheme != "https" or not parts.hostname or len(line) > LONGEST_ADDRESS:
                raise forms.ValidationError(f"“{line[:80]}” is no https address.")
        return lines

    def clean_upload(self) -> "UploadedFile[Any] | None":
        return self.cleaned_data["upload"] or None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        try:
            data["money"] = money_of(data["price"], self.currency) if "price" in data else None
        except forms.ValidationError as error:
            self.add_error("price", error)
        return data

    def pictures(self) -> list[str]:
        """All pictures that the listing shall have. Raises NotAPicture."""
        data = self.cleaned_data
        uploaded = [keep(data["upload"])] if data.get("upload") else []
        return list(dict.fromkeys([*data.get("kept", []), *data["addresses"], *uploaded]))[: MOST_IMAGES + 1]


def _uploaded_before(request: HttpRequest) -> list[str]:
    """Pictures of this site among those that the form names: they came with it before its price was shown back."""
    return [url for url in request.POST.getlist("kept") if is_ours(url)][:MOST_IMAGES]


def _shown_back(request: HttpRequest, form: ListingForm, old: Money | None) -> ListingForm | None:
    """The same form with the price as it was read, to be sent once more; None when the seller has seen that price.

    An uploaded picture cannot be sent again by the browser, so it is kept already. Raises NotAPicture.
    """
    price: Money = form.cleaned_data["money"]
    if price == old or request.POST.get("seen") == f"{price} {price.currency}":
        return None
    data, values = form.cleaned_data, request.POST.copy()
    uploaded = [keep(data["upload"])] if data.get("upload") else []
    values.setlist("kept", [*data.get("kept", []), *uploaded])
    again = ListingForm(values, currency=form.currency, images=list(dict.fromkeys([*form.images, *uploaded])))
    again.is_valid()
    again.shown_back = price
    return again


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, seller: Seller) -> HttpResponse:
    form = ListingForm(
        request.POST or None, request.FILES or None, currency=seller.currency, images=_uploaded_before(request)
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if again := _shown_back(request, form, None):
                return _form(request, seller, again, listing=None)
            listing = make_listing(
                seller=seller,
                title=data["title"],
                description=data["description"],
                price=data["money"],
                count=data["count"],
                sku=data["sku"],
                images=form.pictures(),
                now=timezone.now(),
            )
        except (Problem, NotAPicture) as problem:
            form.add_error("upload" if isinstance(problem, NotAPicture) else None, str(problem))
        else:
            messages.success(request, f"“{listing.title}” is for sale.")
            return redirect("seller_listing", listing.public_id)
    return _form(request, seller, form, listing=None)


def _form(request: HttpRequest, seller: Seller, form: ListingForm, listing: Listing | None) -> HttpResponse:
    rates = listing is not None or seller.shipping_rates.filter(currency=seller.currency).exists()
    context = {"form": form, "listing": listing, "rates": rates}
    status = 422 if form.is_bound and form.shown_back is None else 200
    return show(request, seller, "listing_form", context, here="listings", status=status)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    listing = get_object_or_404(of_seller(seller), public_id=public_id)
    if listing.synced:
        messages.info(request, "This listing follows your shop; edit the product there.")
        return redirect("seller_listing", public_id)
    variant = listing.variants.select_related("listing", "connection").get()
    left = availability(variants=[variant], now=timezone.now())[variant.pk]
    initial = {
        "title": listing.title,
        "description": listing.description,
        "price": variant.price.decimal,
        "count": left or 0,
        "sku": variant.sku,
        "kept": listing.images,
    }
    images = [*dict.fromkeys([*listing.images, *_uploaded_before(request)])]
    form = ListingForm(
        request.POST or None, request.FILES or None, currency=listing.currency, images=images, initial=initial
    )
    form.fields["sku"].disabled = True
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        # A count that was left as it stood is not a count: meanwhile somebody may have bought one.
        count = data["count"] if "count" in form.changed_data else None
        try:
            if again := _shown_back(request, form, variant.price):
                again.fields["sku"].disabled = True
                return _form(request, seller, again, listing=listing)
            edit_listing(
                listing=listing,
                title=data["title"],
                description=data["description"],
                price=data["money"],
                count=count,
                images=form.pictures(),
                now=timezone.now(),
            )
        except (Problem, NotAPicture) as problem:
            form.add_error("upload" if isinstance(problem, NotAPicture) else None, str(problem))
        else:
            messages.success(request, "Saved.")
            return redirect("seller_listing", public_id)
    return _form(request, seller, form, listing=listing)
