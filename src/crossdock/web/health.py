"""/healthz for a load balancer: 200 while the database answers, 503 otherwise.

A silent worker is reported, not an error of this server.
"""

from importlib.metadata import version

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_LAST_SIGN = "SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers"


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """`worker_heartbeat_age` in seconds, null when no worker was ever seen or the newest one signed off."""
    answer: dict[str, object] = {"database": "ok", "worker_heartbeat_age": None, "version": version("crossdock")}
    try:
        with connection.cursor() as cursor:
            cursor.execute(_LAST_SIGN)
            age = cursor.fetchone()[0]
    except DatabaseError:
        answer["database"] = "unreachable"
        return JsonResponse(answer, status=503)
    answer["worker_heartbeat_age"] = None if age is None else round(age, 1)
    return JsonResponse(answer)
