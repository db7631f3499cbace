"""Report a problem, ask about an order: a form that shows what will be attached, the case with its thread, and the
list of all.
"""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.cases import KIND_WORDS, CaseKind, CaseState
from crossdock.store.models import Alert, Case, Connection, Listing, Order, Seller
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.support import cases
from crossdock.usecases.support.cases import cases_of, open_case
from crossdock.usecases.support.evidence import Subject, gather, subject_of
from crossdock.web import evidence as shown
from crossdock.web.forms import one_of, typed
from crossdock.web.people import signed_in
from crossdock.web.seller import asking
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 25
MOST_CHOICES = 10
TABS = {"open": "Open", "waiting": "Waiting for you", "closed": "Closed", "all": "All"}
STATE_WORDS = {
    CaseState.OPEN: ("Sent to staff", ""),
    CaseState.WAITING_FOR_STAFF: ("Waiting for staff", ""),
    CaseState.WAITING_FOR_SELLER: ("Waiting for you", "warn"),
    CaseState.CLOSED: ("Closed", "good"),
}
# What a seller opens by hand; the other kinds come from their own pages.
OPENED_HERE = (CaseKind.PROBLEM, CaseKind.RISK, CaseKind.PRIVACY)


class CaseForm(forms.Form):
    subject = forms.CharField(label="In a few words", max_length=200)
    body = forms.CharField(
        label="What happened, and what did you expect?",
        max_length=cases.LONGEST_BODY,
        widget=forms.Textarea(attrs={"rows": 6}),
    )


@dataclass(frozen=True, slots=True)
class About:
    """What the address says that it is about, and where its page is."""

    subject: Subject
    words: str
    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a report may be about; `query` opens the form about it."""

    words: str
    more: str
    query: str


def about(seller: Seller, given: QueryDict) -> About:
    """Raises Http404 for what is not this seller's."""
    if id := typed(given, "order", longest=14):
        order = get_object_or_404(
            theirs(Order, seller).select_related("connection__party", "copy", "buyer"), public_id=id
        )
        return About(
            subject_of(seller=seller, order=order), f"Order #{order.number}", f"/seller/orders/{id}/", {"order": id}
        )
    if id := typed(given, "listing", longest=14):
        listing = get_object_or_404(theirs(Listing, seller).select_related("connection__party"), public_id=id)
        return About(
            subject_of(seller=seller, listing=listing), listing.title, f"/seller/listings/{id}/", {"listing": id}
        )
    if id := typed(given, "shop", longest=14):
        shop = get_object_or_404(theirs(Connection, seller).select_related("party"), public_id=id)
        return About(subject_of(seller=seller, connection=shop), shop.name, f"/seller/shops/{id}/", {"shop": id})
    if id := typed(given, "alert", longest=14):
        rows = theirs(Alert, seller).select_related(
            "order__connection__party", "order__copy", "listing__connection__party", "connection__party"
        )
        alert = get_object_or_404(rows, public_id=id)
        return About(subject_of(seller=seller, alert=alert), alert.kind.title, "/seller/alerts/", {"alert": id})
    return About(subject_of(seller=seller), "", "/seller/cases/", {})


@sellers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, seller: Seller) -> HttpResponse:
    """The evidence stands below the form, each item with a tick. What is sent is what was shown and left ticked."""
    given = request.POST if request.method == "POST" else request.GET
    it = about(seller, given)
    kind = CaseKind(typed(given, "kind")) if typed(given, "kind") in OPENED_HERE else CaseKind.PROBLEM
    form = CaseForm(
        request.POST or None, initial={"subject": "Is this order safe to ship?" if kind is CaseKind.RISK else ""}
    )
    if request.method == "POST" and form.is_valid():
        try:
            case = _open(request, seller, it, kind, form.cleaned_data)
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, "Sent to staff. Their answer comes here and by mail.")
            return redirect("seller_case", case.public_id)
    evidence = _gather(it.subject) if it.words else {}
    ticked = set(request.POST.getlist("attach")) if request.method == "POST" else None
    context = {
        "form": form,
        "about": it,
        "kind": kind,
        "kind_word": KIND_WORDS[kind],
        "ticked": ticked,
        "parts": shown.parts(evidence) if evidence else [],
        "facts": shown.facts(evidence) if evidence else [],
        "cut": bool(evidence) and evidence["cut"],
        "choices": [] if it.words else choices(seller),
    }
    return show(request, seller, "case_new", context, here="cases", status=422 if form.is_bound else 200)


def choices(seller: Seller) -> list[Choice]:
    """What it is most likely about, ten at most: open alerts, the orders that came or changed last, shops. Three
    questions, however many there are.
    """
    alerts = [
        Choice(alert.kind.title, str(alert.order or alert.connection or ""), f"alert={alert.public_id}")
        for alert in open_alerts(seller=seller)[:MOST_CHOICES]
    ]
    orders = [
        Choice(f"Order #{order.number}", str(order.ship_to.get("name", "")), f"order={order.public_id}")
        for order in theirs(Order, seller).order_by("-pk")[:MOST_CHOICES]
    ]
    open_shops = theirs(Connection, seller).exclude(state=ConnectionState.DISCONNECTED).order_by("pk")
    shops = [Choice(shop.name, shop.address, f"shop={shop.public_id}") for shop in open_shops[:2]]
    room = MOST_CHOICES - len(shops)
    few = max(room // 2, room - len(orders))
    return [*alerts[:few], *orders[: room - len(alerts[:few])], *shops]


def _gather(subject: Subject, only: list[str] | None = None) -> dict[str, Any]:
    speaker = asking.platform(subject.shop.platform) if subject.shop else None
    return gather(subject=subject, now=timezone.now(), manifest=speaker.manifest if speaker else None, only=only)


def _open(request: HttpRequest, seller: Seller, it: About, kind: CaseKind, data: dict[str, Any]) -> Case:
    subject = it.subject
    return open_case(
        seller=seller,
        opened_by=signed_in(request),
        kind=kind,
        subject=data["subject"],
        body=data["body"],
        order=subject.order,
        listing=subject.listing,
        connection=subject.connection,
        alert=subject.alert,
        evidence=_gather(subject, request.POST.getlist("attach")),
        now=timezone.now(),
    )


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    which = one_of(request.GET, "show", TABS, "open")
    kind = typed(request.GET, "kind", longest=20)
    rows = cases_of(seller=seller, which=which)
    if kind in set(CaseKind):
        rows = rows.filter(kind=kind)
    after = number_after(request)
    found = list((rows if after is None else rows.filter(pk__lt=after)).order_by("-pk")[: PAGE + 1])
    context = {
        "rows": [(case, KIND_WORDS[CaseKind(case.kind)], *STATE_WORDS[CaseState(case.state)]) for case in found[:PAGE]],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tabs": list(TABS.items()),
        "tab": which,
        "kind": kind,
        "kinds": list(KIND_WORDS.items()),
        "any": bool(found) or seller.cases.exists(),
    }
    return show(request, seller, "cases", context, here="cases")


def _of(seller: Seller, public_id: str) -> Case:
    return get_object_or_404(
        seller.cases.select_related("order", "listing", "connection", "alert"), public_id=public_id
    )


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    case = _of(seller, public_id)
    words, tone = STATE_WORDS[CaseState(case.state)]
    context = {
        "case": case,
        "kind_word": KIND_WORDS[CaseKind(case.kind)],
        "state_word": words,
        "state_tone": tone,
        "thread": case.messages.select_related("author"),
        "parts": shown.parts(case.evidence),
        "facts": shown.facts(case.evidence),
    }
    return show(request, seller, "case", context, here="cases")


@sellers_only
@require_POST
def answer(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """One form, three buttons."""
    case, actor = _of(seller, public_id), signed_in(request)
    match request.POST.get("deed"):
        case "answer":
            body = request.POST.get("body", "")
            try_it(request, lambda now: cases.answer(case=case, author=actor, body=body, now=now), "Sent to staff.")
        case "close":
            try_it(request, lambda now: cases.close(case=case, actor=actor, now=now), "Closed.")
        case "reopen":
            try_it(request, lambda now: cases.reopen(case=case, actor=actor, now=now), "Open again.")
        case _:
            raise BadRequest("Which button?")
    return redirect("seller_case", public_id)
