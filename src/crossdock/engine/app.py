"""The worker's Procrastinate app, beside Django's on the same database. Jobs are deferred by name through Django's
connection, in the transaction's wake.

Two apps, because a worker needs an asynchronous connection while its use-cases go on deferring synchronously.
"""

from typing import Any, TypeVar

from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import AsyncConnection
from psycopg.abc import PQGen

T = TypeVar("T")
# Ctrl-C comes by the event loop; the answer itself ends a wait at once.
_LOOK_UP_SECONDS = 60.0

app = App(connector=DjangoConnector())


class Listening(AsyncConnection[Any]):
    """Psycopg looks up from each wait ten times a second, for programs that no event loop tells of Ctrl-C. A worker
    waits for notifications all day.
    """

    async def wait(self, gen: PQGen[T], *places: Any, **named: Any) -> T:
        if not places:
            named.setdefault("interval", _LOOK_UP_SECONDS)
        return await super().wait(gen, *places, **named)


def worker_connector() -> PsycopgConnector:
    """As `DjangoConnector.get_worker_connector()` makes it, with one connection at rest instead of four."""
    kwargs = connector_params("default")
    return PsycopgConnector(kwargs=kwargs, connection_class=Listening, min_size=1, max_size=4)
