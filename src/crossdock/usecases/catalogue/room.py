"""Which listings have a place on sale, for a seller with a limit: one place each, first come first served. What a shop
brings beyond it is kept and waits, and is listed by itself, oldest first, when there is room.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.moderation.quotas import HIGHEST, KINDS, Quota, most_of
from crossdock.domain.roles import Right
from crossdock.domain.storable import typed_lines
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import AuditTopic, Connection, Listing, Seller, User
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.accounts.barring import locked
from crossdock.usecases.accounts.quotas.gate import Room, room_for
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import belongs, require
from crossdock.usecases.record.telling import Telling, telling

_AT_ONCE = 1_000
_WHY = 500
# As OFFERED says it, of a row in memory: its state is asked for apart.
_WANTS = {"active_in_shop": True, "gone_in_shop": False, "not_chosen": ""}
_WAITS = Q(state=ListingState.WAITING, **_WANTS)


def wants_place(listing: Listing) -> bool:
    """Whether it would be on sale, were it listed."""
    return all(getattr(listing, name) == value for name, value in _WANTS.items())


def limited(seller: Seller) -> bool:
    return most_of(seller.quotas, Quota.LISTINGS) is not None


def back_to(seller: Seller, state: str) -> str:
    """Where a listing goes that is put back by what holds other locks: in line, of a seller with a limit; within a
    minute it is on sale if there is room.
    """
    return ListingState.WAITING if state == ListingState.LIVE and limited(seller) else state


def settle_place(listing: Listing, *, before: bool, room: Room) -> None:
    """After it was filled anew; `before`: it had a place already. Nothing is saved here."""
    if listing.state == ListingState.LIVE and not before and wants_place(listing) and not room.take():
        listing.state = ListingState.WAITING


def tell_waiting(room: Room, shop: Connection, *, told: Telling) -> None:
    """What did not fit of this page stands in the alert; all that waits, on the page of listings."""
    waits = f"Products of {shop.name} wait: see the listings under “Waiting”." if room.refused else ""
    room.tell(told, waits)


def list_waiting(seller: Seller, *, now: datetime) -> int:
    """As many as there is room for, a batch; how many."""
    with transaction.atomic():
        room = room_for(seller, Quota.LISTINGS, now=now)
        waiting = Listing.objects.filter(_WAITS, seller=seller).order_by("pk")
        left = _AT_ONCE if room.most is None else max(0, min(_AT_ONCE, room.most - room.used))
        some = list(waiting.values_list("pk", flat=True)[:left])
        rows = Listing.objects.filter(_WAITS, pk__in=some)
        lock_in_order(rows)
        return rows.update(state=ListingState.LIVE, updated_at=now)


def fill_rooms(*, now: datetime) -> int:
    """Of every seller of whom something waits."""
    waiting = Seller.objects.filter(pk__in=Listing.objects.filter(_WAITS).order_by().values("seller"))
    return sum(list_waiting(seller, now=now) for seller in waiting.order_by("pk"))


def set_quotas(*, seller: Seller, wanted: Mapping[Quota, int | None], why: str, actor: User, now: datetime) -> bool:
    """None: as usual. The seller is told what holds, and what waited is listed where there is room now. False where it
    was so already. Raises NotAllowed, Invalid.
    """
    require(actor, None, "Only staff set a seller's limits.", Right.SELLERS)
    if belongs(actor, seller):
        raise NotAllowed("This shop is your own. Somebody else of staff decides about it.")
    why = typed_lines(why)[:_WHY]
    if not why:
        raise Invalid("Say why: the seller reads it.")
    for quota, most in wanted.items():
        if most is not None and not 0 <= most <= HIGHEST:
            raise Invalid(f"{KINDS[quota].title}: type a number from 0 to {HIGHEST:,}, or leave it empty.")
    with telling(now) as told:
        row = locked(seller)
        own = {quota.value: most for quota, most in wanted.items() if most is not None}
        kept = {name: most for name, most in row.quotas.items() if name not in [quota.value for quota in wanted]}
        if row.quotas == (new := kept | own):
            return False
        changed = [quota for quota in wanted if row.quotas.get(quota.value) != new.get(quota.value)]
        was, row.quotas = row.quotas, new
        row.quotas_told = {name: said for name, said in row.quotas_told.items() if Quota(name) not in changed}
        row.save(update_fields=["quotas", "quotas_told"])
        for quota in changed:
            how = "Staff changed this limit."
            told.settle_by_fact(how=how, codes=(AlertCode.QUOTA_NEAR,), key=f"quota:{quota}")
        detail = {"seller": row.public_id, "was": was, "is": new, "why": why}
        note(actor=actor, action="limits set", subject=row.name, now=now, detail=detail, topic=AuditTopic.SETTINGS)
        write_mail(
            cause=f"quotas:{row.public_id}:{now:%Y%m%d%H%M%S%f}",
            to=row.owner.email,
            now=now,
            subject="Your limits changed",
            body="\n".join([why, "", *(_line(quota, new) for quota in changed)]),
            path="/seller/profile/limits/",
        )
        list_waiting(row, now=now)
    return True


def _line(quota: Quota, quotas: dict[str, int]) -> str:
    most = most_of(quotas, quota)
    return f"{KINDS[quota].title}: {'no limit' if most is None else f'{most:,}'}"
