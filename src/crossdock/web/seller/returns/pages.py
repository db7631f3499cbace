"""What comes back to a seller: the list with the time that is left, the answer, and the receipt with its preview."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.amounts import typed_decimal
from crossdock.domain.currencies import NotMoney
from crossdock.domain.requests.returns import (
    CONDITIONS,
    LONGEST_WORDS,
    REASONS,
    Condition,
    Fate,
    Payer,
    ReturnDeed,
    ReturnReason,
    why_not,
)
from crossdock.domain.values import Money
from crossdock.store.models import Return, Seller
from crossdock.usecases.errors import Invalid, Problem
from crossdock.usecases.orders.coming_back import ship_from_words
from crossdock.usecases.requests.queries import LISTS, counts_of, listed, picture_of, returns_to, with_pictures
from crossdock.usecases.requests.receive import Deduction, Got, Receipt, preview_receipt, receive
from crossdock.usecases.requests.returns import accept, decline
from crossdock.usecases.stock.back_on_the_shelf import why_not_restock
from crossdock.web.forms import money_of, one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.pictures import shown as shown_picture
from crossdock.web.platforms import manifest_of
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after
from crossdock.web.templatetags.crossdock import money

PAGE = 40
FATES: dict[Fate, str] = {
    Fate.RESTOCK: "For sale again",
    Fate.ASIDE: "Not for sale",
    Fate.IN_SHOP: "I enter the return in my shop",
}


class AcceptForm(forms.Form):
    send_to = forms.CharField(
        label="Send it to", max_length=LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 3}), strip=True
    )
    payer = forms.ChoiceField(
        label="Who pays for the way back?",
        choices=[(Payer.BUYER.value, "The buyer"), (Payer.SELLER.value, "I do, with a label")],
        widget=forms.RadioSelect,
        initial=Payer.BUYER.value,
    )
    label = forms.CharField(
        label="The label’s link or number",
        required=False,
        max_length=500,
        help_text="Only if you pay. The buyer reads it.",
    )


class DeclineForm(forms.Form):
    answer = forms.CharField(
        label="Why not?",
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The buyer reads it.",
    )


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    which = one_of(request.GET, "show", LISTS, "asked")
    found = listed(seller, which=which, after=number_after(request), limit=PAGE + 1)
    counts = counts_of(seller)
    context = {
        "rows": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "which": which,
        "tabs": [(name, words, counts[name]) for name, (words, _, _) in LISTS.items()],
        "now": timezone.now(),
    }
    return show(request, seller, "returns", context, here="returns")


def _row(seller: Seller, public_id: str) -> Return:
    return get_object_or_404(with_pictures(returns_to(seller)), public_id=public_id)


@sellers_only
@require_safe
def picture(request: HttpRequest, seller: Seller, public_id: str, name: str) -> HttpResponse:
    found = picture_of(_row(seller, public_id), name)
    if found is None:
        raise Http404
    return shown_picture(bytes(found.content))


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    return _one(request, seller, _row(seller, public_id), None, None)


@sellers_only
@require_POST
def answer(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    row, actor = _row(seller, public_id), signed_in(request)
    declines = request.POST.get("deed") == "decline"
    yes, no = AcceptForm(None if declines else request.POST), DeclineForm(request.POST if declines else None)
    form: forms.Form = no if declines else yes
    if form.is_valid():
        data, now = form.cleaned_data, timezone.now()
        try:
            if declines:
                decline(row=row, actor=actor, answer=data["answer"], now=now)
            else:
                payer = Payer(data["payer"])
                accept(row=row, actor=actor, send_to=data["send_to"], payer=payer, label=data["label"], now=now)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Declined. The buyer is told why." if declines else "The buyer is told where to.")
            return redirect("seller_return", public_id)
    return _one(request, seller, row, yes, no)


def _one(
    request: HttpRequest, seller: Seller, row: Return, yes: AcceptForm | None, no: DeclineForm | None
) -> HttpResponse:
    first = {
        "send_to": row.send_to or ship_from_words(row.order),
        "payer": row.payer or Payer.BUYER,
        "label": row.label,
    }
    context = {
        "row": row,
        "order": row.order,
        "reason": REASONS[ReturnReason(row.reason)],
        "can_accept": not why_not(row.value, ReturnDeed.ACCEPT),
        "can_decline": row.open and not why_not(row.value, ReturnDeed.DECLINE),
        "can_receive": row.open,
        "yes": yes if yes is not None and yes.is_bound else AcceptForm(initial=first),
        "no": no if no is not None else DeclineForm(),
        "fates": FATES,
        "conditions": CONDITIONS,
    }
    return show(request, seller, "return", context, here="returns", status=422 if request.method == "POST" else 200)


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def receipt(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """How it came back, what happens then, and the button that does it."""
    row = _row(seller, public_id)
    if why := why_not(row.value, ReturnDeed.RECEIVE) or ("" if row.open else "It was received already."):
        messages.info(request, why)
        return redirect("seller_return", public_id)
    given = request.POST if request.method == "POST" else request.GET
    manifest = manifest_of(row.order)
    got = _got(given, row)
    shown: Receipt | None = None
    wrong = ""
    try:
        deduction = _deduction(given, row)
        if got:
            shown = preview_receipt(row=row, got=got, deduction=deduction, manifest=manifest)
        if request.method == "POST":
            expected = _amount(given, row)
            credit = receive(
                row=row,
                got=got,
                deduction=deduction,
                expected_total=expected,
                manifest=manifest,
                actor=signed_in(request),
                now=timezone.now(),
            )
            said = f"Received. The buyer is refunded {money(credit.amount)}." if credit else "Received."
            messages.success(request, said)
            return redirect("seller_return", public_id)
    except Problem as problem:
        wrong = str(problem)
    lines = [(part, got.get(part.pk), why_not_restock(part.line.variant, manifest)) for part in row.lines.all()]
    context = {
        "row": row,
        "order": row.order,
        "lines": lines,
        "shown": shown,
        "reason": REASONS[ReturnReason(row.reason)],
        "wrong": wrong,
        "kept": typed(given, "kept", longest=20),
        "why": typed(given, "why", longest=300),
        "fates": [(fate.value, words) for fate, words in FATES.items()],
        "conditions": [(condition.value, words) for condition, words in CONDITIONS.items()],
    }
    return show(request, seller, "return_receipt", context, here="returns", status=422 if wrong else 200)


def _got(given: QueryDict, row: Return) -> dict[int, Got]:
    """What was chosen by the return's lines; nonsense is nothing chosen, and too many are the use-case's to refuse."""
    found: dict[int, Got] = {}
    for part in row.lines.all():
        units = typed(given, f"units_{part.pk}", longest=6)
        condition = typed(given, f"condition_{part.pk}", longest=20)
        fate = typed(given, f"fate_{part.pk}", longest=20)
        if units.isdecimal() and condition in set(Condition) and fate in set(Fate):
            found[part.pk] = Got(int(units), Condition(condition), Fate(fate))
    return found


def _deduction(given: QueryDict, row: Return) -> Deduction:
    """Raises Invalid."""
    text = typed(given, "kept", longest=20)
    if not text:
        return Deduction()
    try:
        amount: Any = money_of(typed_decimal(text), row.order.currency)
    except (NotMoney, forms.ValidationError) as problem:
        said = problem.messages[0] if isinstance(problem, forms.ValidationError) else str(problem)
        raise Invalid(f"What you keep: {said}") from None
    return Deduction(amount.minor, typed(given, "why", longest=300))


def _amount(given: QueryDict, row: Return) -> Money:
    """The amount that stood on the button; nonsense is an amount that no return has."""
    text = typed(given, "expected_total", longest=18)
    return Money(int(text) if text.isdecimal() else -1, row.order.currency)
