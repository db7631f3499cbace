"""/.well-known/acp.json: that agents can buy here, and where. For everybody, and the same for all.

The protocol's list of services has no word for a feed yet, so it is not named.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from crossdock.web.agents.refusing import VERSIONS

BELOW = "/agents/acp"


@require_safe
@cache_control(public=True, max_age=3600)
def document(request: HttpRequest) -> JsonResponse:
    if not settings.AGENTS:
        raise Http404
    return JsonResponse(
        {
            "protocol": {"name": "acp", "version": VERSIONS[0], "supported_versions": list(VERSIONS)},
            "api_base_url": f"{settings.BASE_URL}{BELOW}",
            "transports": ["rest"],
            "capabilities": {"services": ["checkout"]},
        }
    )
