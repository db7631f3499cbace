"""The seller counted: what lifts a set-aside, and what ends the units that linked goods owe."""

from datetime import datetime

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.team.roles import Duty
from crossdock.store.models import User, Variant
from crossdock.store.models.stock import next_stock_no
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock.linked import counted_by_hand, settled_by_count
from crossdock.usecases.stock.reservations import as_value, locked, promised, record


def confirm_count(*, variant: Variant, count: int | None, actor: User, now: datetime) -> None:
    """The seller counted: lifts the set-aside.

    For a listing made by hand `count` is the new count; a shop's count is read from the shop.
    """
    require(actor, variant.listing.seller, duty=Duty.LISTINGS)
    with telling(now) as told:
        row = locked([variant.pk]).get(variant.pk)
        if row is None:
            raise Invalid("This item has no stock record.")
        before = row.count
        row.set_aside_by, row.aside_why = None, ""
        if variant.connection_id is None:
            if count is None or not 0 <= count <= 1_000_000:
                raise Invalid("Type the number of units that you have, from 0 to 1,000,000.")
            counted_by_hand(row, now=now)
            held = promised([variant.pk]).get(variant.pk, 0)
            row.count, row.count_at = count + held, now
        else:
            row.take(rules.confirm(as_value(row, now=now), no=next_stock_no()))
            settled_by_count([variant.pk])
            wake([variant.connection.party_id] if variant.connection else [])
        row.save()
        record(
            variant_id=variant.pk,
            now=now,
            kind="confirmed",
            cause="the seller counted",
            actor=actor,
            before=before,
            after=row.count,
        )
        told.settle_by_fact(
            how="The count was confirmed.",
            codes=(AlertCode.STOCK_DIFFERS, AlertCode.SOLD_ELSEWHERE),
            listing=variant.listing,
            key=f"variant:{variant.pk}",
        )
