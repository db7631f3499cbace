"""A shop's listings follow its seller's rules again, a batch at a time: what an import does by itself with what it
reads, done for what is here already.
"""

from datetime import datetime

from django.db import transaction

from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.selling.choice import Chooser
from crossdock.domain.values import Money
from crossdock.store.bulk import update_rows
from crossdock.store.models import Connection, Listing, Selling
from crossdock.usecases.accounts.quotas.gate import room_for
from crossdock.usecases.catalogue.room import settle_place, tell_waiting, wants_place
from crossdock.usecases.catalogue.selling.rules import choice_in
from crossdock.usecases.record.telling import telling

BATCH = 500


def follow_some(*, now: datetime) -> bool:
    """A batch of the shop that got least far; whether there was any."""
    waiting = Selling.objects.filter(after__isnull=False).order_by("after", "pk").values_list("connection", flat=True)
    shop = waiting.first()
    return shop is not None and follow(connection_id=shop, now=now)


def follow(*, connection_id: int, now: datetime) -> bool:
    """A batch of this shop's listings, locked in id order; whether any waited. What is as it was is not written.

    The row of rules is written last: an import holds its listings before it reads which rules are in force. Rules that
    change meanwhile begin anew, and then this batch has moved nothing.
    """
    with transaction.atomic():
        row = (
            Selling.objects.select_related("connection__seller")
            .filter(connection=connection_id, after__isnull=False)
            .first()
        )
        if row is None:
            return False
        behind = Listing.objects.filter(connection=connection_id, pk__gt=row.after).order_by("pk")
        some = list(behind.values_list("pk", flat=True)[:BATCH])
        if some:
            _choose(some, Chooser.of(choice_in(row.choice)), row.connection, now=now)
        reached = Selling.objects.filter(pk=row.pk, revision=row.revision, after=row.after)
        reached.update(after=some[-1] if some else None)
    return True


def _choose(listings: list[int], chooser: Chooser, shop: Connection, *, now: datetime) -> None:
    room = room_for(shop.seller, Quota.LISTINGS, now=now)
    rows = Listing.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=listings).order_by("pk")
    changed = list[Listing]()
    for row in rows:
        price = None if row.lowest_minor is None else Money(row.lowest_minor, row.currency)
        if (why := chooser.why_not(row.said, price)) != row.not_chosen:
            before = wants_place(row)
            row.not_chosen, row.updated_at = why, now
            settle_place(row, before=before, room=room)
            changed.append(row)
    update_rows(changed, ("state", "not_chosen", "updated_at"))
    with telling(now, savepoint=False) as told:
        tell_waiting(room, shop, told=told)


def still_to_follow(shop: Connection) -> int:
    """Listings that wait for the rules in force."""
    row = Selling.objects.filter(connection=shop, after__isnull=False).first()
    return 0 if row is None else Listing.objects.filter(connection=shop, pk__gt=row.after).count()
