"""How well a seller does, with what each figure means and what to do about it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from crossdock.domain.quality.score import DAYS, ENOUGH
from crossdock.store.models import Seller
from crossdock.usecases.support.quality import scores
from crossdock.web.seller.panel import sellers_only, show


@sellers_only
@require_safe
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    score = scores([seller], now=timezone.now())[seller.pk]
    return show(request, seller, "quality", {"score": score, "days": DAYS, "enough": ENOUGH}, here="home")
