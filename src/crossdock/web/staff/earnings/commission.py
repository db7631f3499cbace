"""Commission by category and promotion: the rules in force, to come and over, and a new one, shown with whom it
concerns before it holds.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.validators import MaxValueValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.earnings.commission import in_percent
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.roles import Right
from crossdock.store.models import CommissionRule, Seller, User
from crossdock.usecases.accounts.commission import basis_points
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.commission import Wish, add, end, preview, rules
from crossdock.web.forms import one_of, typed
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only

# The day after it has to exist, in every time zone.
_LATEST = date(2999, 12, 31)
WHICH = {"set": "Set", "over": "Over", "all": "All"}


def _day(label: str, *, required: bool, help_text: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    latest = MaxValueValidator(_LATEST, "Choose a day before the year 3000.")
    return forms.DateField(label=label, required=required, help_text=help_text, widget=widget, validators=[latest])


class RuleForm(forms.Form):
    """Days are UTC days, as in statements."""

    percent = forms.CharField(label="Per cent", max_length=12, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    category = forms.ChoiceField(label="Category", required=False)
    seller = forms.CharField(
        label="Seller",
        required=False,
        max_length=200,
        help_text="The e-mail address of one seller, for a promotion. Empty: all sellers.",
    )
    since = _day("First day", required=True, help_text="Days are UTC. Orders keep what they were paid with.")
    until = _day("Last day", required=False, help_text="Empty: until you end it.")
    why = forms.CharField(label="Why?", max_length=300, help_text="Staff read it later.")

    def __init__(self, *args: Any, taxonomy: Taxonomy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = {key: " › ".join(each.name for each in taxonomy.way_to(key)) for key in taxonomy.categories}
        choices = sorted(ways.items(), key=lambda pair: pair[1])
        self.fields["category"].choices = [("", "All goods"), *choices]  # type: ignore[attr-defined]

    def clean_percent(self) -> int:
        try:
            return basis_points(self.cleaned_data["percent"])
        except Problem as problem:
            raise forms.ValidationError(str(problem)) from None

    def clean_seller(self) -> Seller | None:
        text = self.cleaned_data["seller"].strip()
        if not text:
            return None
        found = sellers_named("").filter(owner__email__iexact=text).first()
        if found is None:
            raise forms.ValidationError("Nobody sells under this address. Look it up under Sellers.")
        return found

    def wish(self) -> Wish:
        data, last = self.cleaned_data, self.cleaned_data["until"]
        return Wish(
            basis_points=data["percent"],
            since=_begins(data["since"]),
            until=_begins(last + timedelta(days=1)) if last else None,
            seller=data["seller"],
            category=data["category"],
            why=data["why"],
        )


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@staff_only(Right.RULES)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which, now = one_of(request.GET, "which", WHICH, "set"), timezone.now()
    found, next_after = page_of(request, rules(which, now=now))
    taxonomy = in_force()
    context = {
        "rows": [(row, in_percent(row.basis_points), *_words(row, taxonomy, now)) for row in found],
        "next_after": next_after,
        "which": which,
        "tabs": list(WHICH.items()),
    }
    return show(request, "commission", context, here="commission")


def _words(row: CommissionRule, taxonomy: Taxonomy, now: datetime) -> tuple[str, tuple[str, str], date | None]:
    """What it is for, how it stands, and its last day."""
    way = " › ".join(each.name for each in taxonomy.way_to(row.category))
    what = way or (f"{row.category}: no such category any more" if row.category else "All goods")
    last = None if row.until is None else (row.until.astimezone(UTC) - timedelta(microseconds=1)).date()
    if row.until is not None and row.until <= now:
        return what, ("Over", ""), last
    return what, ("To come", "info") if row.since > now else ("Holds", "good"), last


@staff_only(Right.RULES)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, staff: User) -> HttpResponse:
    """First it is shown whom it concerns; the second press sets it."""
    now, shown = timezone.now(), None
    initial = {"since": now.astimezone(UTC).date(), "seller": typed(request.GET, "seller", longest=200)}
    form = RuleForm(request.POST or None, initial=initial, taxonomy=in_force())
    if request.method == "POST" and form.is_valid():
        seen = typed(request.POST, "seen", longest=200)
        try:
            if seen:
                row = add(wish=form.wish(), seen=seen, actor=staff, now=now)
                said = "It was set already." if row is None else f"{in_percent(row.basis_points)} is set."
                messages.success(request, said)
                return redirect("staff_commission_rules")
            shown = preview(wish=form.wish(), now=now)
        except Problem as problem:
            form.add_error(None, str(problem))
    return show(
        request, "commission_new", {"form": form, "shown": shown}, here="commission", status=422 if form.errors else 200
    )


@staff_only(Right.RULES)
@fresh
@require_POST
def stop(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    row = get_object_or_404(rules("all", now=timezone.now()), public_id=public_id)
    end(row=row, actor=staff, now=timezone.now())
    messages.success(request, f"{in_percent(row.basis_points)} no longer holds for orders from now on.")
    return redirect("staff_commission_rules")
