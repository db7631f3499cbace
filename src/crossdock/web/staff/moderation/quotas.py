"""How much a seller has, and may have: the usual limits, and those that staff set for them alone."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.moderation.quotas import HIGHEST, KINDS, Quota
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.accounts.quotas.gate import Use, uses_of
from crossdock.usecases.catalogue.room import set_quotas
from crossdock.usecases.errors import Problem
from crossdock.web.forms import WholeNumber
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import show, staff_only


class QuotasForm(forms.Form):
    """A number for each limit; empty is the usual one."""

    why = forms.CharField(
        label="Why", max_length=500, help_text="The seller reads it.", widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, uses: list[Use], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for use in uses:
            usual = "no limit" if use.kind.usual is None else f"{use.kind.usual:,}"
            self.fields[use.quota] = WholeNumber(
                label=use.kind.title,
                required=False,
                min_value=0,
                max_value=HIGHEST,
                initial=use.own,
                help_text=f"{use.have} now, of {use.may}. Empty: as usual, {usual}. {use.kind.about}",
            )
        self.order_fields([*(use.quota for use in uses), "why"])

    def wanted(self) -> dict[Quota, int | None]:
        return {quota: self.cleaned_data[quota] for quota in KINDS}


@staff_only(Right.SELLERS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Saved twice, the second time changes nothing. What is there beyond a lower limit stays."""
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    now = timezone.now()
    form = QuotasForm(request.POST or None, uses=uses_of(seller, now=now))
    if request.method == "POST" and form.is_valid():
        try:
            why = form.cleaned_data["why"]
            changed = set_quotas(seller=seller, wanted=form.wanted(), why=why, actor=staff, now=now)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            said = f"The limits of {seller.name} hold from now on, and they are told."
            messages.success(request, said if changed else "Nothing changed, and nobody is told.")
            return redirect("staff_seller_quotas", public_id)
    context = {"seller": seller, "form": form}
    return show(request, "seller_quotas", context, here="sellers", status=422 if form.errors else 200)
