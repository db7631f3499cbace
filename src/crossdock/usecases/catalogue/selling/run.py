"""A shop's listings follow its seller's rules again, a batch at a time: what an import does by itself with what it
reads, done for what is here already.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Min

from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.values import Money
from crossdock.store.bulk import update_rows
from crossdock.store.models import Connection, Listing, Selling, Variant
from crossdock.usecases.accounts.quotas.gate import room_for
from crossdock.usecases.catalogue.room import settle_place, tell_waiting, wants_place
from crossdock.usecases.catalogue.selling.rules import Rules, rules_in
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
            _follow(some, rules_in(row), row.connection, now=now)
        reached = Selling.objects.filter(pk=row.pk, revision=row.revision, after=row.after)
        reached.update(after=some[-1] if some else None)
    return True


def _follow(listings: list[int], rules: Rules, shop: Connection, *, now: datetime) -> None:
    room = room_for(shop.seller, Quota.LISTINGS, now=now)
    rows = Listing.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=listings).order_by("pk")
    found = {row.pk: row for row in rows}
    repriced = _reprice(found, rules)
    changed = list[Listing]()
    for row in found.values():
        lowest = None if row.shop_lowest_minor is None else Money(row.shop_lowest_minor, row.currency)
        if (why := rules.why_out(row.said, lowest)) != row.not_chosen or row.pk in repriced:
            before = wants_place(row)
            row.not_chosen, row.updated_at = why, now
            settle_place(row, before=before, room=room)
            changed.append(row)
    update_rows(changed, ("state", "not_chosen", "lowest_minor", "updated_at"))
    with telling(now, savepoint=False) as told:
        tell_waiting(room, shop, told=told)


def _reprice(listings: Mapping[int, Listing], rules: Rules) -> set[int]:
    """The variants of these listings, which are locked, by the shop's prices that they follow; which listings changed.
    Only what changes is locked: an import may be moving a variant here from another product.
    """
    theirs = Variant.objects.filter(listing__in=listings)

    def asked(variant: Variant) -> int:
        own = Money(variant.followed_minor, listings[variant.listing_id].currency)
        return rules.priced(own)["price_minor"]

    stale = [variant.pk for variant in theirs if asked(variant) != variant.price_minor]
    if not stale:
        return set()
    locked = list(theirs.select_for_update(no_key=True, of=("self",)).filter(pk__in=stale).order_by("pk"))
    for variant in locked:
        variant.price_minor = asked(variant)
    update_rows(locked, ["price_minor"])
    repriced = {variant.listing_id for variant in locked}
    of_each = theirs.filter(listing__in=repriced, gone=False).order_by().values_list("listing")
    for pk, lowest in of_each.annotate(Min("price_minor")):
        listings[pk].lowest_minor = lowest
    return repriced


def still_to_follow(shop: Connection) -> int:
    """Listings that wait for the rules in force."""
    row = Selling.objects.filter(connection=shop, after__isnull=False).first()
    return 0 if row is None else Listing.objects.filter(connection=shop, pk__gt=row.after).count()
