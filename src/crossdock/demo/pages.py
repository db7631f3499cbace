"""Two pages that only the demo has: the mails that would have been sent, and the drawn cards."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from crossdock.demo.pictures import draw
from crossdock.store.models import Mail
from crossdock.web.storefront.browse import number_after

PAGE = 30


@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    after = number_after(request)
    found = list(
        (Mail.objects.all() if after is None else Mail.objects.filter(pk__lt=after)).order_by("-pk")[: PAGE + 1]
    )
    return render(
        request,
        "demo/mails.html",
        {"mails": found[:PAGE], "next_after": found[PAGE - 1].pk if len(found) > PAGE else None},
    )


@require_safe
@cache_control(max_age=86_400, public=True)
def card(request: HttpRequest, seed: str) -> HttpResponse:
    return HttpResponse(draw(seed), content_type="image/svg+xml")
