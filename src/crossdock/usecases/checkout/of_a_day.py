"""A seller's limit of orders in a day, where staff set one: asked as a checkout holds their units."""

from datetime import datetime

from crossdock.domain.moderation.quotas import Quota, most_of
from crossdock.store.models import Seller
from crossdock.store.together import ask
from crossdock.usecases.accounts.quotas.gate import Room, used
from crossdock.usecases.errors import Stale
from crossdock.usecases.record.telling import telling


def require_room_for_orders(seller: Seller, *, now: datetime) -> None:
    """Under the locks of the units. The seller's own row is locked before units elsewhere, so a lock of its own stands
    in line here, until the checkout is written. Raises Stale.
    """
    most = most_of(seller.quotas, Quota.ORDERS)
    if most is None:
        return
    ask(("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"orders of a day:{seller.pk}"]))
    room = Room(seller, Quota.ORDERS, used(seller, Quota.ORDERS, now=now), most)
    if not room.take():
        raise Stale(f"“{seller.name}” takes no more orders today. Try again tomorrow, or buy the rest without it.")
    with telling(now, savepoint=False) as told:
        room.tell(told)
