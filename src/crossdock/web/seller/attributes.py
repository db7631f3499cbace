"""Attributes of what a seller sells: rules that fill them from what the shop says, and values set by hand."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.finding.filling import Rule, Source, shown, words_of
from crossdock.domain.finding.taxonomy import CATEGORY, Attribute, Kind, Taxonomy
from crossdock.store.models import FillRule, Listing, Seller
from crossdock.usecases.catalogue.fill_rules import add_rule, preview, remove_rule, set_by_hand, words_of_shop
from crossdock.usecases.catalogue.filling import as_rule
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import theirs
from crossdock.web.people import signed_in
from crossdock.web.seller.listings import of_seller
from crossdock.web.seller.panel import sellers_only, show, try_it

SOURCES = {Source.OPTION: "An option of a variant", Source.TAG: "A tag", Source.TYPE: "A type or category"}
RULED, OPEN = "", "-"


class RuleForm(forms.Form):
    source = forms.ChoiceField(label="Where it stands in your shop", choices=[*SOURCES.items()])
    name = forms.CharField(
        label="Name of the option", max_length=100, required=False, help_text="As “Condition”. Empty: any option."
    )
    word = forms.CharField(
        label="Your shop says",
        max_length=200,
        required=False,
        help_text="As “NM”. Empty: whatever it says, by its name.",
    )
    attribute = forms.ChoiceField(label="It fills")
    value = forms.CharField(
        label="With", max_length=120, required=False, help_text="As “Near Mint”. Empty only with whatever it says."
    )

    def __init__(self, *args: Any, taxonomy: Taxonomy, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["attribute"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(CATEGORY, "Category"), *((each.key, each.name) for each in taxonomy.attributes.values())]

    def rule(self) -> Rule:
        data = self.cleaned_data
        name = data["name"] if data["source"] == Source.OPTION else ""
        return Rule(Source(data["source"]), name, data["word"], data["attribute"], data["value"])


def _value_words(taxonomy: Taxonomy, attribute: str, value: str) -> str:
    if attribute == CATEGORY:
        return taxonomy.categories[value].name if value in taxonomy.categories else value
    found = taxonomy.attributes.get(attribute)
    return words_of(found, value) if found else value


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, seller: Seller) -> HttpResponse:
    """A new rule is tried before it is kept; its fields can come from a link, as those of a word of the shop do."""
    taxonomy = in_force()
    asked = {name: request.GET[name][:200] for name in ("source", "name", "word") if name in request.GET}
    form = RuleForm(request.POST or None, taxonomy=taxonomy, initial=asked)
    tried = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("sure") == "yes":
                many = add_rule(seller=seller, rule=form.rule(), actor=signed_in(request), now=timezone.now())
                messages.success(request, _changed("The rule is kept.", many))
                return redirect("seller_attributes")
            tried = preview(seller=seller, rule=form.rule())
        except Problem as problem:
            form.add_error(None, str(problem))
    rows = list(theirs(FillRule, seller))
    context = {
        "form": form,
        "taxonomy": taxonomy,
        "tried": tried,
        "samples": [(title, _said(taxonomy, facts)) for title, facts in tried.samples] if tried else [],
        "rules": [
            (row, _value_words(taxonomy, row.attribute, row.value), _name(taxonomy, row.attribute)) for row in rows
        ],
        "sources": SOURCES,
        "words": words_of_shop(seller=seller, rules=[as_rule(row) for row in rows]),
    }
    status = 422 if form.is_bound and form.errors else 200
    return show(request, seller, "attributes", context, here="listings", status=status)


def _name(taxonomy: Taxonomy, key: str) -> str:
    if key == CATEGORY:
        return "Category"
    return taxonomy.attributes[key].name if key in taxonomy.attributes else f"{key} (no longer defined)"


def _said(taxonomy: Taxonomy, facts: tuple[str, ...]) -> str:
    """What a listing would say beside."""
    own = [f"{each.attribute.name}: {each.words}" for each in shown(taxonomy, facts)]
    own += [
        f"Category: {taxonomy.categories[key].name}"
        for fact in facts
        if fact.startswith(f"{CATEGORY}=") and (key := fact.partition("=")[2]) in taxonomy.categories
    ]
    return "; ".join(own)


def _changed(first: str, many: int) -> str:
    return f"{first} {many} listing{'' if many == 1 else 's'} changed at once; more than 500 follow in the background."


@sellers_only
@require_POST
def remove(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    row = get_object_or_404(theirs(FillRule, seller), pk=pk)

    def deed(now: Any) -> None:
        many = remove_rule(seller=seller, pk=row.pk, actor=signed_in(request), now=now)
        messages.success(request, _changed("The rule is gone.", many))

    try_it(request, deed)
    return redirect("seller_attributes")


class ByHandForm(forms.Form):
    """A field for each attribute. Empty follows the rules; "-" leaves it open."""

    def __init__(self, *args: Any, taxonomy: Taxonomy, listing: Listing, **options: Any) -> None:
        by_hand = listing.by_hand
        options["initial"] = {key: (values[0] if values else OPEN) for key, values in by_hand.items()}
        super().__init__(*args, **options)
        ruled = {
            each.attribute.key: each.words
            for each in shown(taxonomy, listing.facts)
            if each.attribute.key not in by_hand
        }
        categories = [(key, " › ".join(each.name for each in taxonomy.way_to(key))) for key in taxonomy.categories]
        if categories:
            self.fields[CATEGORY] = forms.ChoiceField(
                label="Category", required=False, choices=[(RULED, "By your rules"), (OPEN, "None"), *categories]
            )
        for attribute in taxonomy.attributes.values():
            self.fields[attribute.key] = _field(attribute, ruled.get(attribute.key, ""), by_hand.get(attribute.key, []))

    def values(self) -> dict[str, list[str]]:
        given = {key: str(value).strip() for key, value in self.cleaned_data.items()}
        return {key: [] if value == OPEN else [value] for key, value in given.items() if value != RULED}


def _field(attribute: Attribute, ruled: str, by_hand: list[str]) -> forms.Field:
    now = f"By your rules: {ruled}" if ruled else "By your rules"
    if attribute.kind in (Kind.CHOICE, Kind.YES_NO):
        known = [(choice.key, choice.name) for choice in attribute.choices] or [("yes", "Yes"), ("no", "No")]
        odd = [(value, f"{value} (no longer defined)") for value in by_hand if value not in dict(known)]
        return forms.ChoiceField(
            label=attribute.name, required=False, choices=[(RULED, now), (OPEN, "Left open"), *known, *odd]
        )
    unit = f" in {attribute.unit}" if attribute.unit else ""
    return forms.CharField(
        label=f"{attribute.name}{unit}",
        required=False,
        max_length=120,
        help_text=f"Empty: {now[0].lower()}{now[1:]}. “-” leaves it open.",
    )


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def of_listing(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    listing, taxonomy = get_object_or_404(of_seller(seller), public_id=public_id), in_force()
    form = ByHandForm(request.POST or None, taxonomy=taxonomy, listing=listing)
    if request.method == "POST" and form.is_valid():
        try:
            set_by_hand(listing=listing, values=form.values(), actor=signed_in(request), now=timezone.now())
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Saved.")
            return redirect("seller_listing", public_id)
    context = {"form": form, "listing": listing, "taxonomy": taxonomy}
    return show(request, seller, "listing_attributes", context, here="listings", status=422 if form.is_bound else 200)
