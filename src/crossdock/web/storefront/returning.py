"""What a buyer sends back: one page for each order with all its returns, on which something is asked for, kept after
all, or said to be on its way. By those who are signed in from their order, by others by the link that is mailed to the
order's own address.
"""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.requests.returns import (
    CHOICES,
    LONGEST_WORDS,
    MOST_PICTURES,
    REASONS,
    ReturnDeed,
    ReturnReason,
    why_no_more_pictures,
    why_not,
)
from crossdock.store.models import Order, OrderLine, Return
from crossdock.usecases.errors import Invalid, NotAllowed, Problem
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.queries import picture_of, returns_of
from crossdock.usecases.requests.returns import (
    add_pictures,
    answer_within,
    ask_return,
    free_units,
    returns_until,
    sent,
    take_back,
    why_not_return,
)
from crossdock.web.people import signed_in
from crossdock.web.pictures import PhotosField, shown
from crossdock.web.storefront.withdrawing import opened_by_link


class AskForm(forms.Form):
    """A field for each line that can come back, `units_<line>`."""

    reason = forms.ChoiceField(
        label=_("Why?"),
        choices=[("", _("Choose a reason")), *((reason.value, _(REASONS[reason])) for reason in CHOICES)],
    )
    words = forms.CharField(
        label=_("What is wrong, or what should the seller know?"),
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    pictures = PhotosField(
        label=_("Pictures"),
        required=False,
        most=MOST_PICTURES,
        help_text=f"Of what is wrong, if something is. Up to {MOST_PICTURES}, 15 MB together; where they were taken is"
        " not kept.",
    )

    def __init__(self, *args: Any, free: dict[OrderLine, int], may: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.free = free
        if not may:
            # Nothing can be asked for, so no picture is decoded.
            del self.fields["pictures"]
        for line, most in free.items():
            name = f"units_{line.pk}"
            numbers = [(n, "Keep" if n == 0 else f"{n} of {most}") for n in range(min(most, 200) + 1)]
            first = 1 if len(free) == 1 and most == 1 else 0
            self.fields[name] = forms.TypedChoiceField(
                label=line.title, choices=numbers, coerce=int, required=False, empty_value=None, initial=first
            )

    @property
    def lines(self) -> list[tuple[OrderLine, forms.BoundField]]:
        return [(line, self[f"units_{line.pk}"]) for line in self.free]

    @property
    def units(self) -> dict[int, int]:
        chosen = {line.pk: self.cleaned_data.get(f"units_{line.pk}") or 0 for line in self.free}
        return {pk: many for pk, many in chosen.items() if many}


class SentForm(forms.Form):
    """What the buyer entered before stands in it, so that a wrong digit is corrected and not typed again."""

    carrier = forms.CharField(label=_("Carrier"), max_length=80, required=False)
    tracking = forms.CharField(label=_("Tracking number"), max_length=200)

    @classmethod
    def of(cls, row: Return) -> "SentForm":
        return cls(initial={"carrier": row.carrier, "tracking": row.tracking_number})


class PicturesForm(forms.Form):
    pictures = PhotosField(
        label=_("More pictures"), most=MOST_PICTURES, help_text=_("PNG, JPEG or WebP, 15 MB together.")
    )


@never_cache
@login_required
@require_safe
def my_picture(request: HttpRequest, public_id: str, which: str, name: str) -> HttpResponse:
    order = get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)
    return _picture(request, order, which=which, name=name)


@never_cache
@require_safe
def picture_by_link(request: HttpRequest, token: str, which: str, name: str) -> HttpResponse:
    return opened_by_link(request, token, partial(_picture, which=which, name=name))


def _picture(request: HttpRequest, order: Order, *, which: str, name: str) -> HttpResponse:
    found = picture_of(get_object_or_404(returns_of(order), public_id=which), name)
    if found is None:
        raise Http404
    return shown(bytes(found.content))


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, public_id: str) -> HttpResponse:
    order = get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)
    return _page(request, order, guest=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    return opened_by_link(request, token, partial(_page, guest=True))


def _page(request: HttpRequest, order: Order, *, guest: bool) -> HttpResponse:
    now = timezone.now()
    why, free = why_not_return(order, now=now), free_units(order)
    deed, which, sent_in = request.POST.get("deed", ""), request.POST.get("return", ""), (request.POST, request.FILES)
    ask = AskForm(*sent_in if deed == "ask" else (), free=free, may=not why)
    rows = {row.public_id: row for row in returns_of(order)}
    ways = {key: SentForm.of(row) for key, row in rows.items()}
    more = {key: PicturesForm() for key in rows}
    form: forms.Form = ask
    if deed == "pictures" and which in rows:
        form = more[which] = PicturesForm(*sent_in)
    elif deed == "sent" and which in rows:
        form = ways[which] = SentForm(request.POST)
    if request.method == "POST":
        try:
            said = _asked(order, ask, why) if deed == "ask" else _moved(rows.get(which), deed, form)
        except Invalid as problem:
            form.add_error(None, str(problem))
        except Problem as problem:
            messages.error(request, str(problem))
            return redirect(request.path)
        else:
            if said:
                messages.success(request, said)
                return redirect(request.path)
        if request.FILES and "pictures" in form.fields and "pictures" not in form.errors:
            form.add_error("pictures", _("Choose them again: nothing was sent yet, and a browser keeps no files."))
    context = {
        "order": order,
        "guest": guest,
        "rows": [
            (row, _can(row), REASONS[ReturnReason(row.reason)], ways[key], more[key]) for key, row in rows.items()
        ],
        "ask": None if why else ask,
        "why_not": why,
        "until": returns_until(order),
        "hours": round(answer_within().total_seconds() / 3600),
    }
    return render(request, "storefront/returns.html", context, status=422 if request.method == "POST" else 200)


def _can(row: Return) -> dict[str, bool]:
    return {
        "keep": row.open and not why_not(row.value, ReturnDeed.TAKE_BACK),
        "send": row.open and not why_not(row.value, ReturnDeed.SEND),
        "show": not _why_not_show(row),
    }


def _why_not_show(row: Return) -> str:
    """Asked before a picture is decoded, which takes a while; empty when one more may be added."""
    return why_not(row.value, ReturnDeed.SHOW) or why_no_more_pictures(len(row.pictures.all()), 1)


def _asked(order: Order, ask: AskForm, why: str) -> str:
    """What to say; empty where the form has to be filled in again. Raises NotAllowed, Invalid."""
    if ask.is_valid():
        data = ask.cleaned_data
        reason, words = ReturnReason(data["reason"]), data["words"]
        pictures = data.get("pictures", ())
        ask_return(order=order, units=ask.units, reason=reason, words=words, pictures=pictures, now=timezone.now())
        return f"{order.seller.name} has your request. You get an e-mail with the answer."
    if why:
        raise NotAllowed(why)
    return ""


def _moved(row: Return | None, deed: str, form: forms.Form) -> str:
    """The same of a return that is there."""
    if row is None or deed not in ("keep", "sent", "pictures"):
        raise NotAllowed("There is no such return of this order. Nothing was changed; its returns stand below.")
    now = timezone.now()
    if deed == "keep":
        take_back(row=row, now=now)
        return gettext("You keep it; the seller is told.")
    if deed == "sent" and (why := why_not(row.value, ReturnDeed.SEND)):
        raise NotAllowed(why)
    if deed == "pictures" and (why := _why_not_show(row)):
        raise NotAllowed(why)
    if not form.is_valid():
        return ""
    data = form.cleaned_data
    if deed == "pictures":
        add_pictures(row=row, pictures=data["pictures"], now=now)
        return gettext("The seller sees your pictures.")
    sent(row=row, carrier=data["carrier"], tracking=data["tracking"], now=now)
    return gettext("The seller knows that it is on its way.")
