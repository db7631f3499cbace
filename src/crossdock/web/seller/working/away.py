"""Holidays: from when until when, what is to happen meanwhile, and a look at that before it is done."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.due.away import Away, AwayMode, NotAway, day_words, wanted
from crossdock.domain.wording import counted
from crossdock.store.models import Seller
from crossdock.usecases.accounts.away import come_back, plan_away
from crossdock.usecases.catalogue.offers import under_way_of
from crossdock.usecases.catalogue.queries import live_by_seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.daily.order_list import queues
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show

_MODES = [
    (AwayMode.PAUSE.value, "Sell nothing: my listings are paused until I am back"),
    (AwayMode.LATER.value, "Go on selling: orders ship when I am back, and buyers read from when"),
]


class AwayForm(forms.Form):
    first = forms.DateField(label="First day of your holidays", widget=forms.DateInput(attrs={"type": "date"}))
    back = forms.DateField(
        label="You work again on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="They end by themselves when that day begins. Leave it empty if you do not know yet.",
    )
    mode = forms.ChoiceField(label="Meanwhile", choices=_MODES, widget=forms.RadioSelect, initial=AwayMode.PAUSE.value)

    def __init__(self, *args: Any, seller: Seller, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seller = seller
        away = seller.away
        if away is not None and away.begun:
            del self.fields["first"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        try:
            data["away"] = wanted(
                self.seller.away,
                first=data.get("first"),
                back=data["back"],
                mode=AwayMode(data["mode"]),
                now=timezone.now(),
                calendar=self.seller.calendar,
            )
        except NotAway as wrong:
            self.add_error("back" if "back" in str(wrong) else None, str(wrong))
        return data


def _initial(seller: Seller) -> dict[str, object]:
    away, calendar = seller.away, seller.calendar
    if away is None:
        return {"first": calendar.day_of(timezone.now())}
    back = calendar.day_of(away.ends) if away.ends else None
    return {"first": calendar.day_of(away.begins), "back": back, "mode": away.mode.value}


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Posted once it shows what would happen; posted again with what was shown in `do` it happens."""
    form = AwayForm(request.POST or None, initial=_initial(seller), seller=seller)
    preview, seen = list[str](), ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if typed(request.POST, "do") == _shown(data):
            try:
                plan_away(
                    seller=seller,
                    first=data.get("first"),
                    back=data["back"],
                    mode=AwayMode(data["mode"]),
                    actor=signed_in(request),
                    now=timezone.now(),
                )
            except Problem as problem:
                form.add_error(None, str(problem))
            else:
                messages.success(request, "Saved. Have a good time.")
                return redirect("seller_away")
        else:
            preview, seen = _preview(seller, data["away"]), _shown(data)
    context = {"form": form, "preview": preview, "seen": seen, "mine": _words(seller)}
    return show(request, seller, "away", context, here="profile", status=422 if form.errors else 200)


def _shown(data: dict[str, Any]) -> str:
    """What a preview is of: other days or another kind are shown first, too."""
    return f"{data.get('first') or ''} {data['back'] or ''} {data['mode']}"


def _words(seller: Seller) -> str:
    """The holidays that are set, in one sentence; empty without."""
    away, calendar = seller.away, seller.calendar
    if away is None:
        return ""
    until = f"you are back on {day_words(away.ends, calendar)}" if away.ends else "their end is open"
    if away.begun:
        return f"You are on holiday since {day_words(away.begins, calendar)}; {until}."
    return f"Your holidays begin on {day_words(away.begins, calendar)}; {until}."


def _preview(seller: Seller, away: Away) -> list[str]:
    now, calendar = timezone.now(), seller.calendar
    listed, waiting = live_by_seller([seller.pk]).get(seller.pk, 0), queues(seller=seller, now=now)
    back = f" on {day_words(away.ends, calendar)}, when that day begins" if away.ends else " when you say so"
    starts = "now" if away.begun or away.begins <= now else f"on {day_words(away.begins, calendar)}"
    cards = f"Your {counted(listed, 'live listing')}"
    if away.mode is AwayMode.PAUSE:
        sold = (
            f"{cards} cannot be found or bought; the pages and buyers' carts say that you are on holiday. What you left"
            " out or archived stays so. Your shops are read on, and sell on their own sites."
        )
    else:
        sold = (
            f"{cards} can be bought. The pages, carts and checkouts say from when orders are shipped, and each order's"
            " ship-by is counted from that day."
        )
    return [
        f"It begins {starts} and ends{back}. Days are those of your time zone.",
        sold,
        f"Orders that wait to be shipped: {waiting['to_ship']}. Their clock stands still: none becomes late, and each"
        " gets a new ship-by when you are back. You may ship them all the same.",
        f"Offers under way: {under_way_of(seller=seller)}. Their times run on: answer before you go what you want to"
        " sell. What was agreed can be paid.",
        "Requests to cancel, withdrawals, returns and messages reach you as always, with the times that they have.",
    ]


@sellers_only
@require_POST
def back(request: HttpRequest, seller: Seller) -> HttpResponse:
    if come_back(seller=seller, actor=signed_in(request), now=timezone.now()):
        messages.success(request, "Your holidays are over. Everything sells as before.")
    else:
        messages.info(request, "You are not on holiday.")
    return redirect("seller_away")
