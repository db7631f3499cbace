"""Tracking numbers for many orders at once: paste or choose a file, see what each row would do, then do it."""

import re
import secrets
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossdock.domain.pasted import MOST_BYTES, MOST_ROWS, PastedRow, Unreadable, rows_in, text_of
from crossdock.store.models import Seller
from crossdock.usecases.orders.paste_tracking import Fate, Judged, apply, judge
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show


class PasteForm(forms.Form):
    text = forms.CharField(
        label="Paste here",
        required=False,
        strip=False,
        widget=forms.Textarea(
            {"rows": 10, "spellcheck": "false", "placeholder": "1001\t9400 1118 9922 3344 5566 77\tUSPS"}
        ),
        help_text=(
            "One order per line: order number, tracking number and, if you like, the carrier. A line of headings may"
            " come first, in any order."
        ),
    )
    file = forms.FileField(label="Or a CSV file", required=False, allow_empty_file=True, help_text="At most 1 MB.")

    def rows(self) -> list[PastedRow]:
        """Raises Unreadable."""
        upload = self.cleaned_data["file"]
        if upload is None:
            return rows_in(self.cleaned_data["text"])
        if upload.size > MOST_BYTES:
            raise Unreadable("This file is larger than 1 MB. Split it.")
        return rows_in(text_of(upload.read()))


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The confirmation sends the rows themselves again: they are judged anew, and what is shipped by then is left
    alone.
    """
    token = request.POST.get("token", "")
    sure = request.method == "POST" and re.fullmatch(r"[\w-]{16}", token, re.ASCII) is not None
    form = PasteForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            rows = form.rows()
        except Unreadable as why:
            form.add_error(None, str(why))
        else:
            if sure:
                judged = apply(seller=seller, rows=rows, token=token, actor=signed_in(request), now=timezone.now())
            else:
                judged = judge(seller=seller, rows=rows)
            return show(request, seller, "pasted", _seen(judged, done=sure), here="orders")
    context = {"form": form, "most": MOST_ROWS}
    return show(request, seller, "paste", context, here="orders", status=422 if form.is_bound else 200)


_TONES = {
    Fate.SHIP: ("Will ship", "good"),
    Fate.ADD: ("Number will be added", "good"),
    Fate.DONE: ("Done", "good"),
    Fate.SAME: ("Nothing to do", ""),
    Fate.NOT: ("Not possible", "bad"),
}


def _seen(judged: list[Judged], *, done: bool) -> dict[str, Any]:
    good = [one for one in judged if one.good]
    return {
        "rows": [(one, *_TONES[one.fate]) for one in judged],
        "done": done,
        "good": len(good),
        "did": sum(one.fate is Fate.DONE for one in judged),
        "bad": sum(one.fate is Fate.NOT for one in judged),
        "same": sum(one.fate is Fate.SAME for one in judged),
        # Only what is good goes on, in one plain shape whatever was pasted.
        "text": "\n".join(
            "\t".join((_cell(one.row.order), _cell(one.row.tracking), _cell(one.row.carrier))) for one in good
        ),
        "token": secrets.token_urlsafe(12),
    }


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
