"""Goods that stand in several of a seller's shops: what they say of each, and the way back."""

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.goods import Verdict
from crossdock.store.models import Duplicate, Seller, Variant
from crossdock.usecases.catalogue.duplicates import decide_different, decide_same, undo
from crossdock.usecases.catalogue.queries import duplicates_of, members_of
from crossdock.usecases.record.rights import theirs
from crossdock.usecases.stock.reservations import availability
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 20


class Tab(models.TextChoices):
    OPEN = "", "To decide"
    DECIDED = "decided", "Decided"


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    tab, after = typed(request.GET, "show", longest=10), number_after(request)
    tab = tab if tab in Tab.values else Tab.OPEN
    rows = duplicates_of(seller, decided=tab == Tab.DECIDED)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PAGE + 1])
    members = members_of(found[:PAGE])
    left = availability(variants=[each for some in members.values() for each in some], now=timezone.now())
    context = {
        "rows": [(row, members[row.pk], _first(members[row.pk])) for row in found[:PAGE]],
        "left": left,
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tab": tab,
        "tabs": Tab.choices,
    }
    return show(request, seller, "duplicates", context, here="listings")


def _first(members: list[Variant]) -> str:
    """Which one buyers see unless the seller chooses another: what is sold as it already, else the cheapest of a
    shop's.
    """
    shops = [each for each in members if each.connection is not None]
    heads = [each for each in shops if each.stock.group == each.pk]
    return min(heads or shops, key=lambda each: each.price_minor).public_id if shops else ""


@sellers_only
@require_POST
def decide(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    row, actor = get_object_or_404(theirs(Duplicate, seller).select_related("seller__owner"), pk=pk), signed_in(request)
    match typed(request.POST, "verdict", longest=10):
        case Verdict.SAME:
            sold_as = typed(request.POST, "sold_as", longest=20)
            try_it(
                request,
                lambda now: decide_same(duplicate=row, sold_as=sold_as, actor=actor, now=now),
                f"“{row.key}” is one thing now, and its units are sold once. You find it under “Decided”.",
            )
        case Verdict.DIFFERENT:
            try_it(
                request,
                lambda now: decide_different(duplicate=row, actor=actor, now=now),
                f"“{row.key}” stands for different things. You are not asked again.",
            )
        case "undo":
            try_it(
                request,
                lambda now: undo(duplicate=row, actor=actor, now=now),
                f"Undone. “{row.key}” waits for your decision again.",
            )
    return redirect("seller_duplicates")
