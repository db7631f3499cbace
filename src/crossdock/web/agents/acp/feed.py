"""The product feed as the protocol's two files: metadata.json and products.jsonl, a full replacement.

The protocol's feed API is the agent's, which merchants call; what is here are the files that are uploaded there, or
fetched from here where an agent agrees to that.
"""

import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.utils import timezone

from crossdock.store.models import ApiToken
from crossdock.usecases.catalogue.feed import offered
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.web.agents.acp.feed_shape import product
from crossdock.web.agents.acp.speech import ACP
from crossdock.web.agents.entrance import for_agents
from crossdock.web.streams import in_turn

_FILES = for_agents(ACP, change=False, methods=("GET",))


@_FILES
def metadata(request: HttpRequest, agent: ApiToken) -> HttpResponse:
    """There is one feed, of everything that is for sale; it is made when it is asked for, so that is its time."""
    return JsonResponse({"id": settings.BASE_URL, "updated_at": timezone.now().isoformat(timespec="seconds")})


@_FILES
def products(request: HttpRequest, agent: ApiToken) -> StreamingHttpResponse:
    """One product a line. A listing of which no variant is left is none."""
    response = StreamingHttpResponse(in_turn(request, _lines()), content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="products.jsonl"'
    return response


def _lines() -> Iterator[str]:
    taxonomy = in_force()
    for batch in offered(now=timezone.now()):
        yield "".join(_line(product(listing, offers, taxonomy)) for listing, offers in batch if offers)


def _line(row: dict[str, Any]) -> str:
    """In ASCII: some readers take more than a newline for the end of a line (U+2028)."""
    return json.dumps(row, separators=(",", ":")) + "\n"
