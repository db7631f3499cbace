"""Before you sell: what a new seller still has to bring, what to press for each line, and how far their approval is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.moderation.approval import WORDS, Deed, Item, Mark, Stage
from crossdock.store.models import Seller
from crossdock.usecases.accounts.approving import accept_terms, approval_of, ask, lines_of, steps_of, terms_now
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it

STEPS = 20
# Where each line is settled, and what its link says.
_PLACES = {
    Item.EMAIL: ("account_email", "Your e-mail address"),
    Item.IDENTITY: ("seller_before_document", "Show a document"),
    Item.TAX: ("seller_before_details", "Your tax details"),
    Item.CONTACT: ("seller_before_contact", "Your contact there"),
    Item.SHIPS_FROM: ("seller_ship_from", "Your address"),
}


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    approval = approval_of(seller)
    if approval is None:
        return show(request, seller, "joining/not_needed", {}, here="profile")
    lines, terms = lines_of(approval), terms_now()
    places = {item: (reverse(name), words) for item, (name, words) in _PLACES.items()}
    context = {
        "before": True,
        "approval": approval,
        "lines": [(line, *places.get(line.item, ("", ""))) for line in lines],
        "done": sum(line.mark is Mark.DONE for line in lines),
        "needed": sum(line.mark is not Mark.NOT_NEEDED for line in lines),
        "version": terms.number if terms else 0,
        "terms_line": Item.TERMS,
        "may_ask": approval.stage in (Stage.PREPARING, Stage.SENT_BACK),
        "complete": not any(line.missing for line in lines),
        "story": [(WORDS[Deed(step.deed)], step) for step in steps_of(approval)[:STEPS]],
    }
    return show(request, seller, "joining/checklist", context, here="profile")


@sellers_only
@require_POST
def terms(request: HttpRequest, seller: Seller) -> HttpResponse:
    number = typed(request.POST, "version", longest=9)
    version = int(number) if number.isdecimal() else 0
    actor = signed_in(request)
    said = "You accepted the terms."
    try_it(request, lambda now: accept_terms(seller=seller, version=version, actor=actor, now=now), said)
    return redirect("seller_before")


@sellers_only
@require_POST
def asked(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Pressed twice, or in a second tab, it is asked once."""
    said = "You asked for approval. We write to you as soon as somebody has looked at it."
    try_it(request, lambda now: ask(seller=seller, actor=signed_in(request), now=now), said)
    return redirect("seller_before")
