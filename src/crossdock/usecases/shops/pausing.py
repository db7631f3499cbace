"""A shop is paused, by its seller or by staff, and resumed. What staff paused only staff resume: not the seller, and
neither a new connection nor a passed test.
"""

from datetime import datetime

from django.db import transaction

from crossdock.domain.health import FIRST
from crossdock.domain.roles import Right
from crossdock.store.models import Connection, Cursor, User
from crossdock.store.models.shops import ConnectionState
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import NOT_YOURS, is_owner, require


def pause(*, connection: Connection, actor: User, now: datetime, why: str = "", anew: bool = False) -> None:
    """Its listings stop selling; orders placed before wait and are sent when it is resumed.

    Staff say why, and the seller is told. `anew`: this reason instead of the one that staff gave before.
    """
    require(actor, connection.seller, NOT_YOURS, Right.WORK)
    by_staff = not is_owner(actor, connection.seller)
    if by_staff and not why.strip():
        raise Invalid("Say why, so that the seller knows.")
    with transaction.atomic():
        shop = _locked(connection)
        if by_staff:
            _pause_by_staff(shop, actor, why.strip(), anew=anew, now=now)
        elif shop.state == ConnectionState.ACTIVE:
            shop.state = ConnectionState.PAUSED
            shop.state_sentence = "Paused by you. Its listings are not sold until you resume it."
            shop.save(update_fields=["state", "state_sentence"])


def _locked(connection: Connection) -> Connection:
    rows = Connection.objects.select_for_update(no_key=True, of=("self",)).select_related("seller__owner")
    return rows.get(pk=connection.pk)


def _pause_by_staff(shop: Connection, actor: User, why: str, *, anew: bool, now: datetime) -> None:
    """A shop that its seller paused, or that needs a new sign-in, stays that as well."""
    before = shop.paused_by_staff
    sentence = (
        f"Paused by the marketplace: {why[:300]} Its listings are not sold until it is resumed. Only our staff can"
        " resume it; report a problem if you think that this is a mistake."
    )
    if shop.state == ConnectionState.DISCONNECTED or (before and not anew):
        return
    if shop.state == ConnectionState.ACTIVE or (before and shop.state_sentence == before):
        shop.state, shop.state_sentence = ConnectionState.PAUSED, sentence
    shop.paused_by_staff = sentence
    shop.save(update_fields=["state", "state_sentence", "paused_by_staff"])
    detail = {"shop": shop.public_id, "why": why}
    note(actor=actor, action="paused", subject=shop.name, now=now, detail=detail)
    write_mail(
        cause=f"paused:{shop.public_id}:{now.isoformat(timespec='seconds')}",
        to=shop.seller.owner.email,
        now=now,
        subject=f"{shop.name} is paused",
        body=f"{shop.name}: {sentence} Orders that were placed before wait and are sent then.",
        path=f"/seller/shops/{shop.public_id}/",
    )


def resume(*, connection: Connection, actor: User, now: datetime) -> None:
    """Everything is read again at once; what waited is sent. Where both paused it, staff end their own pause alone."""
    require(actor, connection.seller, NOT_YOURS, Right.WORK)
    by_staff = not is_owner(actor, connection.seller)
    with transaction.atomic():
        shop = _locked(connection)
        said = shop.paused_by_staff
        if said and not by_staff:
            raise NotAllowed(said)
        if by_staff and not shop.seller.owner.is_active:
            raise NotAllowed("Its seller is suspended. Let them in again first (crossdock person EMAIL --restore).")
        goes_on = shop.state == ConnectionState.PAUSED and said in ("", shop.state_sentence)
        if not said and not goes_on:
            return
        shop.paused_by_staff = ""
        if goes_on:
            shop.state, shop.state_sentence = ConnectionState.ACTIVE, ""
        shop.save(update_fields=["state", "state_sentence", "paused_by_staff"])
        if by_staff:
            note(actor=actor, action="resumed", subject=shop.name, now=now, detail={"shop": shop.public_id})
        if goes_on:
            # What was promised before the pause counts from now on.
            streams = Cursor.objects.filter(connection=shop).exclude(stream="recount")
            streams.update(due_at=now, due_by=now + FIRST)
            wake([shop.party_id])
