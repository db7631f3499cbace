"""The marketplace's attributes and categories: what is in force, and a document that replaces it, tried before."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.catalogue.taxonomy import changes, checked, define, document_in_force, in_force, versions
from crossdock.usecases.errors import Problem
from crossdock.web.staff.panel import show, staff_only

LONGEST = 1_000_000
LAST = 20


class DocumentForm(forms.Form):
    """As a file or as text; the file wins."""

    document = forms.CharField(
        label="The document",
        required=False,
        max_length=LONGEST,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        help_text="JSON. docs/finding.md describes it.",
    )
    upload = forms.FileField(
        label="Or a file with it",
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": "application/json,.json"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload = data.get("upload")
        if upload and upload.size > LONGEST:
            raise forms.ValidationError("The file is larger than 1 MB.")
        try:
            written = upload.read().decode("utf-8-sig") if upload else data.get("document", "")
            data["read"] = json.loads(written)
        except UnicodeDecodeError:
            raise forms.ValidationError("The file is no text in UTF-8.") from None
        except (ValueError, RecursionError) as wrong:
            where = f" It breaks off at line {wrong.lineno}." if isinstance(wrong, json.JSONDecodeError) else ""
            raise forms.ValidationError(f"This is no JSON.{where}") from None
        return data


def _as_text(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


@staff_only(Right.CATALOGUE)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    taxonomy = in_force()
    trees = [(len(taxonomy.way_to(each.key)) - 1, each) for each in _in_order(taxonomy)]
    context = {"taxonomy": taxonomy, "trees": trees, "versions": versions()[:LAST]}
    return show(request, "taxonomy", context, here="taxonomy")


def _in_order(taxonomy: Any, above: str = "") -> list[Any]:
    return [found for each in taxonomy.below(above) for found in (each, *_in_order(taxonomy, each.key))]


@staff_only(Right.CATALOGUE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, staff: User) -> HttpResponse:
    """First it is shown what would change; the second press saves."""
    form = DocumentForm(
        request.POST or None, request.FILES or None, initial={"document": _as_text(document_in_force())}
    )
    shown = None
    if request.method == "POST" and form.is_valid():
        document = form.cleaned_data["read"]
        try:
            if request.POST.get("sure") == "yes":
                fresh = define(document=document, actor=staff, now=timezone.now())
                said = "Saved. Listings are filled again in the background." if fresh else "That is in force already."
                messages.success(request, said)
                return redirect("staff_taxonomy")
            shown = changes(in_force(), checked(document))
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            form = DocumentForm(initial={"document": _as_text(document)})
    status = 422 if form.is_bound and form.errors else 200
    return show(request, "taxonomy_edit", {"form": form, "shown": shown}, here="taxonomy", status=status)
