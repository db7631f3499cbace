"""The form beside a grid of listings: what is wanted, read from the page's address, so that it can be shared."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from crossdock.domain.finding.choosing import Choice
from crossdock.store.models import Seller
from crossdock.usecases.catalogue.finding import Sort, Wanted, currencies
from crossdock.web.forms import MoneyField, money_of, typed

_SORTS = [
    (Sort.NEWEST, _("Newest first")),
    (Sort.CHEAPEST, _("Price, lowest first")),
    (Sort.DEAREST, _("Price, highest first")),
]


class FindForm(forms.Form):
    """Prices are of one currency: the one that is chosen, or the only one."""

    sort = forms.ChoiceField(label=_("Sort by"), choices=_SORTS, required=False)
    low = MoneyField(label=_("Price from"), required=False)
    high = MoneyField(label=_("Price to"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    stock = forms.BooleanField(label=_("In stock only"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for each in self.fields.values():
            each.perhaps = True  # type: ignore[attr-defined]
        self.codes = currencies()
        field = self.fields["currency"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Any")), *((code, code) for code in self.codes)]
        if len(self.codes) < 2:
            field.widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        by_price = given.get("sort") or given.get("low") is not None or given.get("high") is not None
        if by_price and not given.get("currency") and self.codes:
            given["currency"] = self.codes[0]
            if len(self.codes) > 1:
                # What was chosen for the buyer is said in the form, and can be changed there.
                data = QueryDict(mutable=True)
                data.update({name: self.data.get(name, "") for name in self.data} | {"currency": self.codes[0]})
                self.data = data
        for name in ("low", "high"):
            if given.get(name) is not None and given.get("currency"):
                try:
                    given[name] = money_of(given[name], given["currency"]).minor
                except forms.ValidationError as error:
                    self.add_error(name, error)
        low, high = given.get("low"), given.get("high")
        if low is not None and high is not None and low > high:
            given["low"] = None
            self.add_error("high", _("This is below the lowest price."))
        return given


def wanted_in(
    data: QueryDict, words: str, *, seller: Seller | None = None, choices: Sequence[Choice] = ()
) -> tuple[Wanted, FindForm]:
    """What cannot be read narrows nothing; the form says what it was."""
    form = FindForm(data, auto_id="find_%s")
    form.is_valid()
    given = form.cleaned_data
    currency = given.get("currency", "")
    wanted = Wanted(
        words=words,
        seller=seller,
        choices=tuple(choices),
        in_stock=given.get("stock", False),
        currency=currency,
        low=given.get("low") if currency else None,
        high=given.get("high") if currency else None,
        sort=Sort(given.get("sort", "")) if currency else Sort.NEWEST,
    )
    return wanted, form


def after_in(request: HttpRequest) -> str:
    """Where a page of the grid begins."""
    return typed(request.GET, "after", longest=40)
