"""/healthz for a load balancer: 200 while the database answers, 503 otherwise.

A silent worker is reported, not an error of this server. With `?deep=1` it is, as are a shop of which a stream is late
(usecases/shops/health.py) and a data folder whose disk is nearly full: for a monitor that wakes people.
"""

import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crossdock.usecases.shops.health import shops_now, worker_works
from crossdock.usecases.support.queries import since_last_sign

_MB = 1024**2
# The data folder holds uploads and, where it is our own, the database: it takes nothing any more when its disk is full.
# A share of it warns in time; of a very large disk the share alone would warn for years.
LOW_BYTES, LOW_SHARE, PLENTY_BYTES = 500 * _MB, 0.02, 10 * 1024 * _MB


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """`worker_heartbeat_age` in seconds, null when no worker was ever seen or the newest one signed off."""
    answer: dict[str, object] = {"database": "ok", "worker_heartbeat_age": None, "version": version("crossdock")}
    try:
        age = since_last_sign()
    except DatabaseError:
        answer["database"] = "unreachable"
        return JsonResponse(answer, status=503)
    answer["worker_heartbeat_age"] = None if age is None else round(age, 1)
    return _deep(answer) if request.GET.get("deep") else JsonResponse(answer)


def _deep(answer: dict[str, object]) -> JsonResponse:
    """Figures only, and 503 where it is our own promise that is broken: shops that are signed out or do not answer
    are told, and are their sellers' business; so are those with something in quarantine, which holds up nothing else.
    """
    try:
        answer["shops"] = shops = asdict(shops_now(now=timezone.now()))
        works = worker_works()
    except DatabaseError:
        answer["database"] = "unreachable"
        return JsonResponse(answer, status=503)
    answer["worker"] = "ok" if works else "silent"
    full = disk_nearly_full(settings.CONFIG.data)
    answer["disk"] = full or "ok"
    return JsonResponse(answer, status=200 if works and not shops["late"] and not full else 503)


def disk_nearly_full(folder: Path) -> str:
    """Empty: there is room. The page is public, so that the folder's path is not told."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError as error:
        return f"The data folder cannot be read ({type(error).__name__}). Check that its disk is mounted."
    if disk.free >= max(LOW_BYTES, min(disk.total * LOW_SHARE, PLENTY_BYTES)):
        return ""
    return (
        f"The data folder's disk is nearly full: {disk.free // _MB} MB of {disk.total // _MB} MB are free. Make room:"
        " when it is full, uploads fail, and so does a database on it."
    )
