"""What a seller sells of a shop: rules tried over all of its products, and put in force."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.capability import Word
from crossdock.domain.selling.choice import LONGEST_WORD, MOST_WORDS, Choice, words_in
from crossdock.domain.values import Money
from crossdock.store.models import Seller
from crossdock.usecases.catalogue.selling import preview, rules, run
from crossdock.web.forms import MoneyField, money_of, one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.evening.drafts import decided, shop_of
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
WHICH = {preview.Which.ALL: "All", preview.Which.SOLD: "Sold", preview.Which.OUT: "Not sold"}


class Lines(forms.CharField):
    """Words, one a line."""

    def __init__(self, label: str) -> None:
        longest = MOST_WORDS * (LONGEST_WORD + 2)
        super().__init__(label=label, required=False, max_length=longest, widget=forms.Textarea(attrs={"rows": 3}))


class ChoiceForm(forms.Form):
    """An empty field says nothing, so the empty form is everything. Prices are in the shop's currency."""

    types = Lines("Its type or category is one of")
    not_types = Lines("Its type or category is not")
    tags = Lines("Its tag is one of")
    not_tags = Lines("Its tag is not")
    low = MoneyField(label="It costs at least", required=False)
    high = MoneyField(label="It costs at most", required=False)

    def __init__(self, *args: object, currency: str, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.currency = currency
        for name in ("low", "high"):
            self.fields[name].help_text = f"In {currency}, by its lowest price in your shop."

    def _price(self, name: str) -> int | None:
        amount = self.cleaned_data[name]
        return None if amount is None else money_of(amount, self.currency).minor

    def clean_low(self) -> int | None:
        return self._price("low")

    def clean_high(self) -> int | None:
        return self._price("high")

    def choice(self) -> Choice:
        data = self.cleaned_data
        words = {name: words_in(data[name]) for name in ("types", "not_types", "tags", "not_tags")}
        priced = data["low"] is not None or data["high"] is not None
        return Choice(**words, low=data["low"], high=data["high"], currency=self.currency if priced else "")


def _typed(choice: Choice, add: str) -> dict[str, object]:
    """As the form shows it; `add` is a word of the shop to put in as well (“types:Cards”)."""
    shown: dict[str, object] = {
        name: "\n".join(getattr(choice, name)) for name in ("types", "not_types", "tags", "not_tags")
    }
    name, _, word = add.partition(":")
    if word and name in shown:
        shown[name] = "\n".join(words_in(f"{shown[name]}\n{word}"))
    for name, minor in (("low", choice.low), ("high", choice.high)):
        shown[name] = None if minor is None else Money(minor, choice.currency).decimal
    return shown


def _silent(platform: str) -> list[str]:
    """What the shop's platform does not tell of a product, so that no choice can go by it."""
    speaker = asking.platform(platform)
    words = speaker.manifest.words if speaker else ()
    known = {Word.TYPES: "types or categories", Word.TAGS: "tags"}
    return [name for word, name in known.items() if word not in words]


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The draft with what it would sell, or where there is none what is in force. Trying changes nothing."""
    shop, actor = shop_of(seller, public_id), signed_in(request)
    row = rules.selling_of(shop)
    draft = rules.choice_in(row.draft) if row and row.draft is not None else None
    tried = draft or (rules.choice_in(row.choice) if row else Choice())
    initial = _typed(tried, typed(request.GET, "add", longest=LONGEST_WORD + 20))
    form = ChoiceForm(request.POST or None, currency=shop.currency, initial=initial)
    if request.method == "POST" and form.is_valid():
        choice = form.choice()
        if try_it(request, lambda now: rules.try_choice(connection=shop, choice=choice, actor=actor)):
            return redirect("seller_choice", public_id)
    which = preview.Which(one_of(request.GET, "show", WHICH, preview.Which.ALL))
    found = preview.page(connection=shop, choice=tried, which=which, after=number_after(request), limit=PAGE + 1)
    speaker = asking.platform(shop.platform)
    context = {
        "shop": shop,
        "label": speaker.manifest.label if speaker else shop.platform,
        "silent": _silent(shop.platform),
        "form": form,
        "draft": draft,
        "seen": rules.mark(draft) if draft else "",
        "sentences": tried.sentences,
        "counts": preview.counts(connection=shop, choice=tried),
        "rows": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tabs": WHICH.items(),
        "which": which,
        "waiting": run.still_to_follow(shop),
    }
    status = 422 if request.method == "POST" else 200
    return show(request, seller, "choice", context, here="shops", status=status)


@sellers_only
@require_POST
def decide(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The draft is put in force, or forgotten."""
    shop, actor = shop_of(seller, public_id), signed_in(request)
    return decided(
        request,
        shop,
        page="seller_choice",
        use=lambda seen, now: rules.use_draft(connection=shop, seen=seen, actor=actor, now=now),
        forget=lambda: rules.forget_draft(connection=shop, actor=actor),
        said="This is sold from now on. What is here already follows within minutes.",
    )
