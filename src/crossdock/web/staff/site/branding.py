"""What the marketplace is called and looks like: chosen, looked at in light and dark, then set for everybody."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.roles import Right
from crossdock.domain.site.brand import (
    DEFAULT_ACCENT,
    LONGEST_CONTACT,
    LONGEST_NAME,
    LONGEST_SENDER,
    Brand,
    NotABrand,
    checked,
)
from crossdock.store.models import User
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.brand import brand_of, set_brand, versions, who_set
from crossdock.web.forms import typed
from crossdock.web.picture_encoding import NotAPicture, icon, logo
from crossdock.web.pictures import is_ours, keep
from crossdock.web.staff.panel import page_of, show, staff_only

_PICTURES = {"accept": "image/png,image/jpeg,image/webp"}
_DRAW = {"logo": logo, "icon": icon}


class BrandForm(forms.Form):
    name = forms.CharField(
        label="Name of the marketplace",
        max_length=LONGEST_NAME,
        required=False,
        help_text="In the header, in titles, mails and receipts. Empty: the one that the operator's settings give.",
    )
    accent = forms.CharField(
        label="Colour",
        required=False,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text="Of links and buttons. Dark pages use a lighter shade of it, which is made by itself.",
    )
    logo_file = forms.FileField(
        label="Logo",
        required=False,
        widget=forms.FileInput(attrs=_PICTURES),
        help_text="PNG, JPEG or WebP, up to 15 MB; drawn anew, at most 480 × 120 pixels. One that can be seen on white"
        " and on black is best.",
    )
    no_logo = forms.BooleanField(label="No logo of our own", required=False)
    icon_file = forms.FileField(
        label="Icon",
        required=False,
        widget=forms.FileInput(attrs=_PICTURES),
        help_text="For browsers’ tabs: a square picture; drawn anew, at most 192 × 192 pixels.",
    )
    no_icon = forms.BooleanField(label="No icon of our own", required=False)
    contact = forms.EmailField(
        label="Contact address",
        max_length=LONGEST_CONTACT,
        required=False,
        help_text="At the foot of every page.",
    )
    sender = forms.CharField(
        label="Mails come from",
        max_length=LONGEST_SENDER,
        required=False,
        help_text="The name beside the sender's address, which the operator's settings give. Empty: the marketplace's"
        " name.",
    )
    logo = forms.CharField(required=False, widget=forms.HiddenInput)
    icon = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """With the addresses of the pictures, so that the second press needs no file."""
        data = super().clean() or self.cleaned_data
        for which, draw in _DRAW.items():
            address = data.get(which, "")
            data[which] = address if is_ours(address) else ""
            upload = data.get(f"{which}_file")
            if data.get(f"no_{which}"):
                data[which] = ""
            elif upload:
                try:
                    data[which] = keep(upload, draw)
                except NotAPicture as no:
                    self.add_error(f"{which}_file", str(no))
        if not self.errors:
            try:
                values = {name: data[name].strip() for name in Brand.__dataclass_fields__}
                data["brand"] = checked(Brand(**{**values, "accent": values["accent"].lower()}))
            except NotABrand as wrong:
                self.add_error(wrong.field, str(wrong))
        return data

    def remember_pictures(self) -> None:
        """Where something else is wrong, a browser sends no file a second time by itself."""
        kept = {which: self.cleaned_data.get(which, "") for which in _DRAW}
        self.data = {**self.data.dict(), **kept}  # type: ignore[attr-defined]


@staff_only(Right.PAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, staff: User) -> HttpResponse:
    """A first press shows how it looks, the second sets what was shown, and nothing else."""
    newest = versions().first()
    held = brand_of(newest)
    shown: Brand | None = None
    trouble, status = "", 200
    form = BrandForm(initial=_initial(held))
    if request.method == "POST":
        if typed(request.POST, "default"):
            shown = Brand()
        else:
            form = BrandForm(request.POST, request.FILES)
            if form.is_valid():
                shown = form.cleaned_data["brand"]
            else:
                form.remember_pictures()
        status = 200 if shown else 422
        if shown and typed(request.POST, "sure") == "yes":
            if typed(request.POST, "shown") != shown.digest:
                trouble = "It is another one than you looked at. This is how it looks now."
            else:
                try:
                    return _set(request, staff, shown)
                except Problem as problem:
                    trouble = str(problem)
        elif shown and _seen(request) not in (None, newest.number if newest else 0):
            # What this form was filled with is older.
            trouble = (
                f"{who_set(newest)} set another one since you opened this page. What you see here is yours: compare it"
                " with the versions below before you set it."
            )
        if shown:
            # With the pictures' new addresses.
            form = BrandForm(initial=_initial(shown))
    history, next_after = page_of(request, versions(), size=20)
    context = {
        "form": form,
        "newest": newest,
        "chosen": held != Brand(),
        "tones": ("light", "dark"),
        "shown": shown,
        "accent": (shown.accent or DEFAULT_ACCENT)[1:] if shown else "",
        "trouble": trouble,
        "history": history,
        "next_after": next_after,
    }
    return show(request, "site/brand", context, here="brand", status=422 if trouble else status)


def _initial(brand: Brand) -> dict[str, str]:
    whole = replace(brand, accent=brand.accent or DEFAULT_ACCENT)
    return {name: getattr(whole, name) for name in Brand.__dataclass_fields__}


def _seen(request: HttpRequest) -> int | None:
    """The number of the version that the form was filled with; None where it says none."""
    seen = typed(request.POST, "seen", longest=18)
    return int(seen) if seen.isdecimal() and len(seen) < 9 else None


def _set(request: HttpRequest, staff: User, wanted: Brand) -> HttpResponse:
    """Raises a Problem."""
    if set_brand(wanted=wanted, seen=_seen(request) or 0, actor=staff, now=timezone.now()):
        messages.success(request, "Set. Every page and mail has it within half a minute.")
    else:
        messages.info(request, "It is so already.")
    return redirect("staff_brand")
