"""/.well-known/ucp: that agents can buy here, where, by which capabilities, and the keys that order updates are signed
with. For everybody, the same for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crossdock.domain.agents.negotiation import Capability
from crossdock.domain.agents.ucp import CHECKOUT, ORDER, VERSION
from crossdock.usecases.outcomes.signing_keys import published
from crossdock.web.agents.ucp.handlers import handlers
from crossdock.web.agents.ucp.speech import UCP

BELOW = "/agents/ucp"
_SPEC = f"https://ucp.dev/{VERSION}"
FULFILLMENT = "dev.ucp.shopping.fulfillment"
SEARCH, LOOKUP = "dev.ucp.shopping.catalog.search", "dev.ucp.shopping.catalog.lookup"
OURS: Mapping[str, Sequence[Capability]] = {
    CHECKOUT: (Capability(VERSION),),
    FULFILLMENT: (Capability(VERSION, (CHECKOUT,)),),
    ORDER: (Capability(VERSION),),
    SEARCH: (Capability(VERSION),),
    LOOKUP: (Capability(VERSION),),
}


@csrf_exempt
def document(request: HttpRequest) -> HttpResponse:
    """The switch before all else: off, no method is answered."""
    if not UCP.on:
        raise Http404
    return _document(request)


@require_safe
@cache_control(public=True, max_age=3600)
def _document(request: HttpRequest) -> HttpResponse:
    service = {
        "version": VERSION,
        "spec": f"{_SPEC}/specification/overview",
        "transport": "rest",
        "endpoint": f"{settings.BASE_URL}{BELOW}",
        "schema": f"{_SPEC}/services/shopping/rest.openapi.json",
    }
    return JsonResponse(
        {
            "ucp": {
                "version": VERSION,
                "services": {"dev.ucp.shopping": [service]},
                "capabilities": {name: [_capability(name, one) for one in each] for name, each in OURS.items()},
                "payment_handlers": handlers(with_config=False),
            },
            "signing_keys": published(now=timezone.now()),
        }
    )


def _capability(name: str, one: Capability) -> dict[str, Any]:
    short = name.removeprefix("dev.ucp.shopping.")
    extends = one.extends[0] if len(one.extends) == 1 else list(one.extends)
    return {
        "version": one.version,
        "spec": f"{_SPEC}/specification/{short.replace('.', '/')}",
        "schema": f"{_SPEC}/schemas/shopping/{short.replace('.', '_')}.json",
        **({"extends": extends} if extends else {}),
    }
