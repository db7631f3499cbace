"""/.well-known/acp.json: that agents can buy here, and where. For everybody, and the same for all.

The protocol's list of services has no word for a feed yet, so it is not named.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from crossdock.web.agents.acp.speech import ACP, VERSIONS

BELOW = "/agents/acp"


@csrf_exempt
def document(request: HttpRequest) -> HttpResponse:
    """The switch before all else: off, no method is answered."""
    if not ACP.on:
        raise Http404
    return _document(request)


@require_safe
@cache_control(public=True, max_age=3600)
def _document(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {
            "protocol": {"name": "acp", "version": VERSIONS[0], "supported_versions": list(VERSIONS)},
            "api_base_url": f"{settings.BASE_URL}{BELOW}",
            "transports": ["rest"],
            "capabilities": {"services": ["checkout"]},
        }
    )
