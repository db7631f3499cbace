"""What the pages of a shop's rules share: a draft is tried on one page, and put in force or forgotten by another."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from crossdock.store.models import Connection, Seller
from crossdock.usecases.catalogue.selling import run
from crossdock.usecases.record.rights import theirs
from crossdock.web.forms import typed
from crossdock.web.seller.panel import try_it


def shop_of(seller: Seller, public_id: str) -> Connection:
    """With its rules. Raises Http404."""
    rows = theirs(Connection, seller).select_related("seller__owner", "selling")
    return get_object_or_404(rows, public_id=public_id)


def decided(
    request: HttpRequest,
    shop: Connection,
    *,
    page: str,
    use: Callable[[str, datetime], None],
    forget: Callable[[], None],
    said: str,
) -> HttpResponse:
    """Back to the `page`. `use` is given what the seller saw; its first batch follows at once, the worker does the
    rest.
    """
    if typed(request.POST, "verdict") != "use":
        try_it(request, lambda now: forget(), "Nothing was changed.")
    elif try_it(request, lambda now: use(typed(request.POST, "seen"), now), said):
        try_it(request, lambda now: run.follow(connection_id=shop.pk, now=now))
    return redirect(page, shop.public_id)
