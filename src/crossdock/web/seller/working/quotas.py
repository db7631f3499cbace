"""How much a seller has of what they may have, and what to do about it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.store.models import Seller
from crossdock.usecases.accounts.quotas.gate import uses_of
from crossdock.web.seller.panel import sellers_only, show


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    return show(request, seller, "quotas", {"uses": uses_of(seller, now=timezone.now())}, here="profile")
