"""Which shops do not work over the whole marketplace, and which of that is one platform's incident."""

from datetime import datetime

from django.db.models import Count

from crossdock.domain.incidents import Failing, Incident, incidents
from crossdock.store.models import Connection
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.shops.health import Trouble, not_working, worker_works

# More failing shops than this are one incident whatever each of them says; the rest is counted, not read.
MOST = 2000


def incidents_now(*, now: datetime) -> list[Incident]:
    """A fixed number of queries, however many shops fail. Streams that are late while no worker works are no
    platform's incident.
    """
    ill = sorted(not_working(now=now).values(), key=lambda one: one.shop, reverse=True)
    if any(one.trouble is Trouble.LATE for one in ill) and not worker_works():
        ill = [one for one in ill if one.trouble is not Trouble.LATE]
    return incidents([Failing(one.platform, one.shop, one.since, one.error) for one in ill[:MOST]], of=_connected())


def _connected() -> dict[str, int]:
    open_ones = Connection.objects.exclude(state__in=[ConnectionState.DISCONNECTED, ConnectionState.PAUSED])
    return dict(open_ones.values_list("platform").annotate(shops=Count("pk")).order_by("platform"))
