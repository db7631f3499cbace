"""/healthz for a load balancer: 200 while the database answers, 503 otherwise.

A silent worker is reported, not an error of this server. With `?deep=1` it is, as is a shop of which a stream is late
(usecases/health.py): for a monitor that wakes people.
"""

from dataclasses import asdict
from importlib.metadata import version

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crossdock.usecases.health import shops_now, worker_works

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
    return _deep(answer) if request.GET.get("deep") else JsonResponse(answer)


def _deep(answer: dict[str, object]) -> JsonResponse:
    """Figures only, and 503 where it is our own promise that is broken: shops that are signed out or do not answer
    are told, and are their sellers' business.
    """
    try:
        answer["shops"] = shops = asdict(shops_now(now=timezone.now()))
        works = worker_works()
    except DatabaseError:
        answer["database"] = "unreachable"
        return JsonResponse(answer, status=503)
    answer["worker"] = "ok" if works else "silent"
    return JsonResponse(answer, status=200 if works and not shops["late"] else 503)
