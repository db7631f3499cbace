"""Working days, public holidays and closed days, and what they make of an order that is placed now."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.due.calendar import Calendar, Span, public_holidays, states_of
from crossdock.domain.due.ship_by import LONGEST_HANDLING, in_words
from crossdock.domain.due.typed_days import NoDays, read_days, written
from crossdock.domain.due.zones import place_of, zones
from crossdock.store.models import Seller
from crossdock.store.models.people import NO_HOLIDAYS
from crossdock.usecases.accounts.working_days import due_of, set_working_days
from crossdock.usecases.errors import Problem
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.templatetags.crossdock import country

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SOON = timedelta(days=120)
_SHOWN = 8


def _zones(of: str) -> list[tuple[str, list[tuple[str, str]]]]:
    def named(names: list[str]) -> list[tuple[str, str]]:
        return sorted(((name, f"{place_of(name)} ({name})") for name in names), key=lambda pair: pair[1])

    mine = [name for name, where in zones().items() if where == of]
    groups = [("In your country", named(mine))] if mine else []
    return [*groups, ("Everywhere", named([name for name in zones() if name not in mine]))]


def _holidays(of: str) -> list[tuple[str, str]]:
    states = sorted(states_of(of).items(), key=lambda pair: pair[1])
    every = [("", f"{country(of)}, those of the whole country")]
    return [*every, *((f"{of}-{code}", name) for code, name in states), (NO_HOLIDAYS, "None: I work on them")]


class DaysForm(forms.Form):
    handling_days = forms.IntegerField(
        label="Working days until you ship",
        min_value=0,
        max_value=LONGEST_HANDLING,
        help_text="The day of the order does not count. With 0, what comes before 14:00 is shipped on the same day.",
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="You work on",
        coerce=int,
        choices=list(enumerate(_DAYS, 1)),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Tick at least one day on which you work."},
    )
    time_zone = forms.ChoiceField(label="Your time zone", help_text="Your working days end at midnight there.")
    holidays = forms.ChoiceField(label="Public holidays that are free", required=False)
    closed = forms.CharField(
        label="Other days on which you are closed",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "2026-12-24\n2026-12-28 to 2026-12-31"}),
        help_text="One a line: a day, or a first and a last one. Nothing is paused on them.",
    )

    def __init__(self, *args: Any, of: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["time_zone"].choices = _zones(of)  # type: ignore[attr-defined]
        self.fields["holidays"].choices = _holidays(of)  # type: ignore[attr-defined]

    def clean_closed(self) -> tuple[Span, ...]:
        try:
            return read_days(self.cleaned_data["closed"])
        except NoDays as wrong:
            raise forms.ValidationError(str(wrong)) from None


def _initial(seller: Seller) -> dict[str, object]:
    calendar = seller.calendar
    return {
        "handling_days": seller.handling_days,
        "weekdays": sorted(day + 1 for day in calendar.weekdays),
        "time_zone": calendar.zone,
        "holidays": seller.holidays,
        "closed": written(calendar.closed),
    }


def _free_days(calendar: Calendar, today: date) -> list[tuple[date, str]]:
    """What is free soon though its weekday is worked on, with why."""
    found: list[tuple[date, str]] = []
    for n in range(_SOON.days):
        day = today + timedelta(days=n)
        if day.weekday() in calendar.weekdays and not calendar.works_on(day):
            public = public_holidays(calendar.region, day.year) if calendar.region else {}
            found.append((day, public.get(day, "Closed")))
    return found[:_SHOWN]


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    form = DaysForm(request.POST or None, initial=_initial(seller), of=seller.country)
    if request.method == "POST" and form.is_valid():
        try:
            set_working_days(seller=seller, actor=signed_in(request), **form.cleaned_data)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Saved. It counts for orders from now on.")
            return redirect("seller_working_days")
    now, calendar = timezone.now(), seller.calendar
    context = {
        "form": form,
        "due": in_words(due_of(seller, now), calendar),
        "free": _free_days(calendar, calendar.day_of(now)),
    }
    return show(request, seller, "working_days", context, here="profile", status=422 if form.errors else 200)
