"""/metrics: what Prometheus reads, when CROSSDOCK_METRICS is on; imported by nobody while it is off.

Figures of the whole marketplace are asked of the database at each reading; those of requests are this process's own,
and say so by the label `process`. Answered to this machine alone, or to whoever has the token.
"""

import hmac
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, Summary
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crossdock.identity import LOOPBACK
from crossdock.usecases.record.audit_sending import behind
from crossdock.usecases.shops.health import shops_now, worker_age
from crossdock.usecases.support.queries import figures
from crossdock.web.middleware import PASSED_ON, Around

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
OURS = {"process": str(os.getpid())}
REQUESTS = Counter("crossdock_requests", "Requests answered", ["status", "process"], registry=REGISTRY)
# There from the beginning: growth is only seen of what had a value before.
for _status in ("2xx", "3xx", "4xx", "5xx"):
    REQUESTS.labels(status=_status, **OURS)
SECONDS = Histogram("crossdock_request_seconds", "How long answers took", ["process"], registry=REGISTRY)
STATEMENTS = Summary(
    "crossdock_request_statements", "Statements to the database per request", ["view", "process"], registry=REGISTRY
)

# (name, what it is, its labels, a query that gives the labels' values and the figure). Each walks an index over rows
# that are not over yet, or a bounded number of the newest.
_GAUGES: tuple[tuple[str, str, list[str], str], ...] = (
    (
        "crossdock_queue_waiting",
        "Rows that wait: commands to shops and others, deliveries from them, jobs",
        ["queue"],
        "SELECT 'commands', count(*) FROM store_command WHERE state IN ('waiting', 'in_flight') UNION ALL"
        " SELECT 'deliveries', count(*) FROM store_delivery WHERE handled_at IS NULL UNION ALL"
        " SELECT 'jobs', count(*) FROM procrastinate_jobs WHERE status = 'todo'",
    ),
    (
        "crossdock_queue_oldest_seconds",
        "How long the oldest of them is overdue",
        ["queue"],
        "SELECT 'commands', coalesce(greatest(0, extract(epoch FROM now() - min(due_at))), 0)::float8 FROM"
        " store_command WHERE state = 'waiting' UNION ALL SELECT 'deliveries', coalesce(extract(epoch FROM now() -"
        " min(received_at)), 0)::float8 FROM store_delivery WHERE handled_at IS NULL UNION ALL SELECT 'jobs',"
        " coalesce(greatest(0, extract(epoch FROM now() - min(coalesce(j.scheduled_at, e.at)))), 0)::float8 FROM"
        " procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred' WHERE"
        " j.status = 'todo'",
    ),
    (
        "crossdock_commands",
        "Commands that are not over, and those that were given up",
        ["state"],
        "SELECT s, (SELECT count(*) FROM store_command c WHERE c.state = s AND c.state IN ('waiting', 'in_flight',"
        " 'dead')) FROM unnest(ARRAY['waiting', 'in_flight', 'dead']) s",
    ),
    (
        "crossdock_stream_lag_seconds",
        "Of each stream of the connected shops: how far the worst one is past its promise",
        ["stream"],
        "SELECT r.stream, max(greatest(0, extract(epoch FROM now() - r.due_by)))::float8 FROM store_cursor r JOIN"
        " store_connection c ON c.id = r.connection_id WHERE c.state = 'active' AND r.due_by IS NOT NULL GROUP BY 1",
    ),
    (
        "crossdock_outcomes",
        "How commands ended within the last hour, of the newest 5,000",
        ["kind", "result"],
        "SELECT kind, CASE WHEN state = 'dead' THEN 'dead' ELSE result END, count(*) FROM (SELECT kind, state, result,"
        " finished_at FROM store_command ORDER BY id DESC LIMIT 5000) c WHERE finished_at > now() - interval '1 hour'"
        " GROUP BY 1, 2",
    ),
    (
        "crossdock_workers",
        "Workers that were heard of within a minute; one that was killed is not",
        [],
        "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute'",
    ),
    (
        "crossdock_quarantine_rows",
        "Things of shops that could not be understood and stand by themselves",
        [],
        "SELECT count(*) FROM store_quarantined WHERE state = ANY(%(standing)s)",
    ),
)
_FORGED = "SELECT coalesce(sum(forged), 0) FROM store_connection"


class Marketplace(Collector):
    """One reading of the whole marketplace; a database that is away is a figure too."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("crossdock_database_up", "1 while the database answers")
        try:
            found = list(_asked())
        except DatabaseError:
            found = []
        up.add_metric([], 1.0 if found else 0.0)
        yield up
        yield from found
        free = GaugeMetricFamily("crossdock_disk_free_bytes", "Room on the data folder's disk")
        try:
            free.add_metric([], float(shutil.disk_usage(settings.CONFIG.data).free))
        except OSError:
            free.add_metric([], 0.0)
        yield free


REGISTRY.register(Marketplace())


def _asked() -> Iterator[Metric]:
    from crossdock.store.models.quarantine import STANDING

    for name, help_text, labels, query in _GAUGES:
        family = GaugeMetricFamily(name, help_text, labels=labels)
        for *values, figure in figures(query, {"standing": list(STANDING)} if "%(standing)s" in query else None):
            family.add_metric([str(value) for value in values], float(figure))
        yield family
    forged = CounterMetricFamily("crossdock_deliveries_forged", "Webhook deliveries whose signature did not fit")
    ((many,),) = figures(_FORGED)
    forged.add_metric([], float(many))
    yield forged
    yield from _shops()
    if settings.AUDIT_TO:
        late = behind(target=settings.AUDIT_TO)
        rows = GaugeMetricFamily("crossdock_audit_unsent_rows", "Rows of the audit log that the receiver has not yet")
        rows.add_metric([], float(late.rows))
        yield rows
        oldest = GaugeMetricFamily("crossdock_audit_unsent_seconds", "How long the oldest of them waits")
        oldest.add_metric([], max(0.0, (timezone.now() - late.since).total_seconds()) if late.since else 0.0)
        yield oldest
    age = worker_age()
    silent = GaugeMetricFamily("crossdock_worker_silent_seconds", "Since a worker was last heard of; +Inf: never")
    silent.add_metric([], float("inf") if age is None else age)
    yield silent
    yield _pool()


def _shops() -> Iterable[Metric]:
    now = shops_now(now=timezone.now())
    shops = GaugeMetricFamily("crossdock_shops", "Connected shops by how they are", labels=["state"])
    for state in ("healthy", "signed_out", "failing", "late", "odd"):
        shops.add_metric([state], float(getattr(now, state)))
    late = GaugeMetricFamily("crossdock_streams_late", "Streams of shops that are overdue", labels=["stream"])
    for stream, many in now.late_streams.items():
        late.add_metric([stream], float(many))
    return shops, late


def _pool() -> Metric:
    """Of this process; a server without a pool has none."""
    family = GaugeMetricFamily(
        "crossdock_pool_connections", "This process's connections to the database", labels=["what", "process"]
    )
    stats = pool_stats()
    for what, key in (("open", "pool_size"), ("free", "pool_available"), ("requests_waiting", "requests_waiting")):
        family.add_metric([what, OURS["process"]], float(stats.get(key, 0)))
    return family


def pool_stats() -> Mapping[str, int]:
    pool = getattr(connection, "pool", None)
    return pool.get_stats() if pool is not None else {}


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Nobody else learns that it is here."""
    if not _may(request):
        return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _may(request: HttpRequest) -> bool:
    token = settings.CONFIG.metrics_token
    if token:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # A proxy on this machine speaks for the whole world.
    return request.META.get("REMOTE_ADDR") in LOOPBACK and not request.META.get(PASSED_ON)


# Statements of the request that this context serves; a list, since the thread that asks the database shares it.
_COUNT: ContextVar[list[int] | None] = ContextVar("statements", default=None)


def _count(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    count = _COUNT.get()
    if count is not None:
        count[0] += 1
    return execute(sql, params, many, context)


def _listen(connection: Any, **_: Any) -> None:
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count)


connection_created.connect(_listen, dispatch_uid="crossdock.metrics")


class Measured(Around):
    """Counts each request, how long it took and what it asked of the database."""

    def before(self, request: HttpRequest) -> None:
        count = [0]
        _COUNT.set(count)
        request.META["crossdock.measured"] = (time.perf_counter(), count)

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        began, count = request.META["crossdock.measured"]
        SECONDS.labels(**OURS).observe(time.perf_counter() - began)
        REQUESTS.labels(status=f"{response.status_code // 100}xx", **OURS).inc()
        match = request.resolver_match
        # The name of a view: addresses hold ids without end.
        STATEMENTS.labels(view=(match.view_name or match._func_path) if match else "none", **OURS).observe(count[0])
        return response
