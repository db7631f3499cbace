"""Open orders that no news came of for long are read again: what is deleted for good in a shop tells nobody, and no
list of changed orders holds it.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from crossdock.domain.orders import CopyState, ParcelState
from crossdock.store.models import ShopCopy

EVERY = timedelta(hours=6)
MOST = 50


def want_old_copies(*, connection_id: int, now: datetime) -> int:
    """How many are read again; the longest unread first, a few at a time."""
    old = ShopCopy.objects.filter(
        Q(read_at=None) | Q(read_at__lt=now - EVERY),
        connection=connection_id,
        read_wanted=False,
        cancelled_there=False,
        state__in=[CopyState.ACKNOWLEDGED, CopyState.EQUAL, CopyState.DIFFERS],
        order__cancelled_at=None,
        order__parcels__in=[ParcelState.UNSHIPPED, ParcelState.PARTLY_SHIPPED],
    ).exclude(shop_order_id="")
    chosen = list(old.order_by("read_at", "pk").values_list("pk", flat=True)[:MOST])
    return ShopCopy.objects.filter(pk__in=chosen, read_wanted=False).update(read_wanted=True)
