"""What a connection test means: rights that are missing become one alert; a shop that passes is well again, also one
that waited for its seller to sign in, and its webhooks are looked after at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import Connection, Cursor
from crossdock.store.models.shops import ConnectionState
from crossdock.store.work import wake
from crossdock.usecases.parties.leases import party_well
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.shops.connect import open_again, record_test


def connection_tested(*, connection: Connection, checks: Sequence[dict[str, Any]], now: datetime) -> None:
    """A check that names a `right` is about a permission, so the shop itself answered."""
    missing = [check for check in checks if not check["ok"] and check.get("right")]
    with transaction.atomic():
        record_test(connection=connection, checks=list(checks), now=now)
        if missing:
            rights = [check["right"] for check in missing]
            words = " ".join(f"{check['title'].rstrip('.')}. {check['sentence']}".strip() for check in missing)
            raise_alert(
                code=AlertCode.SCOPE_MISSING,
                seller=connection.seller,
                connection=connection,
                now=now,
                evidence={"missing": rights},
                sentence=f"{connection.name} does not let us do all that is needed: {words} Reconnect and allow it.",
            )
            return
        if not all(check["ok"] for check in checks):
            return
        settle_by_fact(
            now=now, how="The connection test passed.", codes=(AlertCode.SCOPE_MISSING,), connection=connection
        )
        waiting = Connection.objects.filter(pk=connection.pk, state=ConnectionState.NEEDS_REAUTH)
        kept = connection.paused_by_staff
        state = ConnectionState.PAUSED if kept else ConnectionState.ACTIVE
        if waiting.update(state=state, state_sentence=kept):
            # Its keys work: they were given back their rights, or what refused them was not the shop.
            open_again(shop=connection, how="The connection test passed.", now=now)
        elif connection.state == ConnectionState.ACTIVE:
            Cursor.objects.filter(connection=connection, stream="hooks").update(due_at=now)
            party_well(party_id=connection.party_id, now=now)
            wake([connection.party_id])
