"""The pool of a web server's threads. While the database answers, a request waits for its turn; when nothing listens
there, it hears so in a quarter of a second instead of waiting out its turn.
"""

from contextlib import suppress
from time import monotonic
from typing import Any, cast

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool, PoolTimeout

from crossdock.web.pooled.listening import listens

_STEP_SECONDS = 0.25


class Pool(ConnectionPool[Any]):
    def getconn(self, timeout: float | None = None) -> Any:
        deadline = monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            # Each turn asks the pool to grow, so that it fills again as soon as the database is back.
            with suppress(PoolTimeout):
                return super().getconn(min(_STEP_SECONDS, deadline - monotonic()))
            if monotonic() >= deadline:
                raise PoolTimeout("every connection to the database is in use")
            kwargs = self.kwargs if isinstance(self.kwargs, dict) else {}
            if not listens(str(kwargs.get("host") or ""), str(kwargs.get("port") or "5432")):
                raise psycopg.OperationalError("the database does not accept connections")


class DatabaseWrapper(base.DatabaseWrapper):
    """Only with OPTIONS["pool"]; settings.py chooses it then."""

    @property
    def pool(self) -> Any:
        # The stubs know nothing of Django's pools.
        django = cast(Any, self)
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        pools: dict[str, Any] = django._connection_pools
        if self.alias not in pools:
            pool = Pool(
                kwargs={**self.get_connection_params(), "autocommit": True},
                open=False,
                configure=django._configure_connection,
                check=ConnectionPool.check_connection if self.settings_dict["CONN_HEALTH_CHECKS"] else None,
                **options,
            )
            # Of two threads that come here together the first one's pool is used; the other was never opened.
            pools.setdefault(self.alias, pool)
        return pools[self.alias]
