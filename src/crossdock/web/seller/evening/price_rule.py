"""What a shop's goods cost here: a seller's price rule, tried over everything and put in force."""

from decimal import Decimal

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.selling.pricing import LEAST_PERCENT, MOST_PERCENT, WAYS, Pricing, Way, examples, roundings
from crossdock.domain.values import Money
from crossdock.store.models import Seller
from crossdock.usecases.catalogue.selling import price_preview, price_rules, rules, run
from crossdock.web.forms import MoneyField, TypedDecimal, money_of, one_of
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.evening.drafts import decided, shop_of
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 50
WHICH = {"": "All", "changing": "Changing"}
_HUNDREDTHS = 100


class RuleForm(forms.Form):
    """An empty field says nothing, so the empty form is the shop's own prices. Amounts are in the shop's currency."""

    percent = TypedDecimal(
        label="Percent on your shop's price",
        required=False,
        min_value=Decimal(LEAST_PERCENT) / _HUNDREDTHS,
        max_value=Decimal(MOST_PERCENT) / _HUNDREDTHS,
        decimal_places=2,
        help_text="12.5 makes a price of 100 one of 112.5; -5 makes it 95.",
    )
    fixed = TypedDecimal(label="And an amount a piece", required=False, max_digits=13, decimal_places=4)
    rounding = forms.ChoiceField(label="Round to", required=False)
    way = forms.ChoiceField(label="Which way", required=False, choices=[(way.value, WAYS[way]) for way in Way])
    minimum = MoneyField(label="Never below", required=False)
    not_below_shop = forms.BooleanField(label="Never below your shop's own price", required=False)

    def __init__(self, *args: object, currency: str, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.currency = currency
        rounding = self.fields["rounding"]
        assert isinstance(rounding, forms.ChoiceField)
        offered = [(f"{step}.{ending}", examples(step, ending, currency)) for step, ending in roundings(currency)]
        rounding.choices = [("", "No rounding"), *offered]
        self.fields["fixed"].help_text = f"In {currency}. With a minus in front it is taken off."
        self.fields["minimum"].help_text = f"In {currency}."

    def _minor(self, name: str) -> int:
        amount = self.cleaned_data[name]
        return 0 if amount is None else money_of(amount, self.currency).minor

    def clean_fixed(self) -> int:
        return self._minor("fixed")

    def clean_minimum(self) -> int:
        return self._minor("minimum")

    def rule(self) -> Pricing:
        data = self.cleaned_data
        step, _, ending = data["rounding"].partition(".")
        way = Way(data["way"] or Way.NEAREST) if step else Way.NEAREST
        rule = Pricing(
            percent=int((data["percent"] or Decimal(0)) * _HUNDREDTHS),
            fixed=data["fixed"],
            step=int(step or 0),
            ending=int(ending or 0),
            way=way,
            minimum=data["minimum"],
            not_below_shop=data["not_below_shop"],
            currency=self.currency if data["fixed"] or step or data["minimum"] else "",
        )
        return Pricing() if rule.plain else rule


def _typed(rule: Pricing, currency: str) -> dict[str, object]:
    """As the form shows it. Amounts of another currency are gone: they would be other prices."""
    shown: dict[str, object] = {
        "percent": (Decimal(rule.percent) / _HUNDREDTHS).normalize() + 0 if rule.percent else None,
        "not_below_shop": rule.not_below_shop,
        "way": rule.way.value,
    }
    if rule.currency == currency:
        shown["rounding"] = f"{rule.step}.{rule.ending}" if rule.step else ""
        for name, minor in (("fixed", rule.fixed), ("minimum", rule.minimum)):
            shown[name] = Money(minor, currency).decimal if minor else None
    return shown


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The draft with what it would ask, or where there is none what is in force. Trying changes nothing."""
    shop, actor = shop_of(seller, public_id), signed_in(request)
    speaker = asking.platform(shop.platform)
    manifest = speaker.manifest if speaker else None
    row = rules.selling_of(shop)
    draft = rules.pricing_in(row.pricing_draft) if row and row.pricing_draft is not None else None
    tried = draft or (rules.pricing_in(row.pricing) if row else Pricing())
    form = RuleForm(request.POST or None, currency=shop.currency, initial=_typed(tried, shop.currency))
    if request.method == "POST" and form.is_valid():
        rule = form.rule()
        if try_it(
            request, lambda now: price_rules.try_rule(connection=shop, rule=rule, manifest=manifest, actor=actor)
        ):
            return redirect("seller_price_rule", public_id)
    which = one_of(request.GET, "show", WHICH, "")
    after = number_after(request)
    found = price_preview.page(connection=shop, rule=tried, changing=which == "changing", after=after, limit=PAGE + 1)
    context = {
        "shop": shop,
        "why_none": price_rules.why_no_rule(manifest),
        "wrong_money": tried.why_not(shop.currency),
        "form": form,
        "draft": draft,
        "seen": price_rules.mark(draft) if draft else "",
        "sentences": tried.sentences,
        "changes": price_preview.changes(connection=shop, rule=tried),
        "rows": [(row, row.beyond(shop.price_limit)) for row in found[:PAGE]],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tabs": WHICH.items(),
        "which": which,
        "waiting": run.still_to_follow(shop),
        "history": price_rules.rule_history(shop),
    }
    status = 422 if request.method == "POST" else 200
    return show(request, seller, "price_rule", context, here="shops", status=status)


@sellers_only
@require_POST
def decide(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The draft is put in force, or forgotten."""
    shop, actor = shop_of(seller, public_id), signed_in(request)
    return decided(
        request,
        shop,
        page="seller_price_rule",
        use=lambda seen, now: price_rules.use_rule(connection=shop, seen=seen, actor=actor, now=now),
        forget=lambda: price_rules.forget_rule(connection=shop, actor=actor),
        said="These prices are asked from now on. What is here already follows within minutes.",
    )
