"""Which shops do not work over the whole marketplace, and which of that is one platform's incident."""

from datetime import datetime

from django.db.models import Count, Max, Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.incidents import Failing, Incident, incidents
from crossdock.store.models import Connection
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.desk import NOT_WORKING

# More failing shops than this are one incident whatever each of them says; the rest is counted, not read.
MOST = 2000


def incidents_now(*, now: datetime) -> list[Incident]:
    """Two queries, however many shops fail. A shop that asks to sign in again fails since its alert was raised."""
    signed_out = Max(
        "alerts__raised_at", filter=Q(alerts__code=AlertCode.SIGN_IN_AGAIN, alerts__settled_at=None, alerts__order=None)
    )
    ill = Connection.objects.filter(NOT_WORKING).annotate(signed_out=signed_out).order_by("-pk")
    rows = ill.values_list(
        "platform", "pk", "state", "signed_out", "state_sentence", "party__failing_since", "party__last_error"
    )
    failing = [
        Failing(platform, pk, asked or now, sentence)
        if state == ConnectionState.NEEDS_REAUTH
        else Failing(platform, pk, since or now, error)
        for platform, pk, state, asked, sentence, since, error in rows[:MOST]
    ]
    return incidents(failing, of=_connected())


def _connected() -> dict[str, int]:
    open_ones = Connection.objects.exclude(state__in=[ConnectionState.DISCONNECTED, ConnectionState.PAUSED])
    return dict(open_ones.values_list("platform").annotate(shops=Count("pk")).order_by("platform"))
