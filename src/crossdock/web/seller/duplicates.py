"""Goods that stand in several of a seller's shops: what they say of each, and the way back."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib import messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.goods import Said, Verdict
from crossdock.store.models import Duplicate, Seller, Variant
from crossdock.usecases.catalogue.linking import decide_different, decide_same, undo
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
        "rows": [(row, members[row.pk], _first(members[row.pk]), Said.of(row.said).apart) for row in found[:PAGE]],
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
    # What stood on the page; one made for two places alone may leave both out.
    seen = request.POST.getlist("seen") or None
    alike = request.POST.getlist("alike") if seen else None
    late: list[Variant] = []
    match typed(request.POST, "verdict", longest=10):
        case Verdict.SAME:
            sold_as = typed(request.POST, "sold_as", longest=20)

            def same(now: datetime) -> None:
                late.extend(decide_same(duplicate=row, sold_as=sold_as, alike=alike, seen=seen, actor=actor, now=now))

            said = f"“{row.key}” is one thing now, and its units are sold once. You find it under “Decided”."
            try_it(request, same, said)
        case Verdict.DIFFERENT:
            try_it(
                request,
                lambda now: late.extend(decide_different(duplicate=row, seen=seen, actor=actor, now=now)),
                f"“{row.key}” stands for different things. You are asked again only where one more shop has it.",
            )
        case "undo":
            try_it(
                request,
                lambda now: late.extend(undo(duplicate=row, actor=actor, now=now)),
                f"Undone. “{row.key}” waits for your decision again.",
            )
    _tell_late(request, late)
    return redirect("seller_duplicates")


def _tell_late(request: HttpRequest, late: Sequence[Variant]) -> None:
    for variant in late:
        shop = variant.connection.name if variant.connection else "Your shop"
        messages.info(
            request,
            f"{shop} was asked to take units of “{variant}” out of its count, and may still do so. They are held here"
            " until its count is read. Compare that count.",
        )
