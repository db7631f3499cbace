"""What buyers said of the seller, to be answered or reported."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.requests.ratings import LONGEST
from crossdock.store.models import Seller
from crossdock.usecases.requests.queries import RATINGS, rated, ratings_of
from crossdock.usecases.requests.ratings import answer, report
from crossdock.web.forms import one_of
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.storefront.browse import number_after

PAGE = 20


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    which, after = one_of(request.GET, "show", RATINGS, "open"), number_after(request)
    rows = ratings_of(seller).filter(RATINGS[which][1]).order_by("-pk")
    found = list((rows if after is None else rows.filter(pk__lt=after))[: PAGE + 1])
    context = {
        "rows": found[:PAGE],
        "next_after": found[PAGE - 1].pk if len(found) > PAGE else None,
        "tabs": [(name, words) for name, (words, _) in RATINGS.items()],
        "which": which,
        "rated": rated(seller),
        "longest": LONGEST,
    }
    return show(request, seller, "ratings", context, here="ratings")


@sellers_only
@require_POST
def act(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Answers, or reports, as the button says."""
    row = get_object_or_404(ratings_of(seller), public_id=public_id)
    actor, words = signed_in(request), request.POST.get("words", "")
    if request.POST.get("deed") == "report":
        said = "Our staff look at it. You get an e-mail with what they decide."
        try_it(request, lambda now: report(rating=row, reporter=actor, why=words, now=now), said)
    else:
        said = "Your answer stands beside the rating." if words.strip() else "Your answer is gone."
        try_it(request, lambda now: answer(rating=row, actor=actor, words=words, now=now), said)
    return redirect("seller_ratings")
