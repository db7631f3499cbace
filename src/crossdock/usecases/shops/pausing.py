"""A shop is paused, by its seller or by staff, and resumed. What staff paused only staff resume: not the seller, and
neither a new connection nor a passed test. A platform is paused as a whole: all its shops, and what connects meanwhile.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.health import FIRST
from crossdock.domain.roles import Right
from crossdock.store.models import Connection, Cursor, PlatformPause, User
from crossdock.store.models.shops import ConnectionState
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import NOT_YOURS, belongs, require

# Each reason of a whole platform's pause begins so. A shop that staff paused for another stays paused when it ends.
ALL_OF_IT = "All shops of this platform are paused."


def pause(*, connection: Connection, actor: User, now: datetime, why: str = "", anew: bool = False) -> None:
    """Its listings stop selling; orders placed before wait and are sent when it is resumed.

    Staff say why, and the seller is told. `anew`: this reason instead of the one that staff gave before.
    """
    require(actor, connection.seller, NOT_YOURS, Right.WORK)
    by_staff = not belongs(actor, connection.seller)
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
    sentence = _sentence(why)
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


def _sentence(why: str) -> str:
    return (
        f"Paused by the marketplace: {why[:300]} Its listings are not sold until it is resumed. Only our staff can"
        " resume it; report a problem if you think that this is a mistake."
    )


def paused_platform(platform: str) -> str:
    """What the seller of a shop reads that is connected while its platform is paused; empty when it is not."""
    row = PlatformPause.objects.filter(platform=platform).first()
    return _sentence(row.why) if row else ""


def pause_platform(*, platform: str, why: str, actor: User, now: datetime) -> int:
    """All its shops, those that connect until it is resumed too. Each seller is told why. How many were paused now."""
    require(actor, None, NOT_YOURS, Right.WORK)
    if not why.strip():
        raise Invalid("Say why: the sellers read it.")
    reason = f"{ALL_OF_IT} {why.strip()}"
    with transaction.atomic():
        PlatformPause.objects.update_or_create(
            platform=platform, defaults={"why": reason[:400], "at": now, "by": actor}
        )
        note(actor=actor, action="platform paused", subject=platform, now=now, detail={"why": why.strip()})
        shops = list(_shops(platform).filter(paused_by_staff="").exclude(state=ConnectionState.DISCONNECTED))
        for shop in shops:
            pause(connection=shop, actor=actor, why=reason, now=now)
    return len(shops)


def resume_platform(*, platform: str, actor: User, now: datetime) -> int:
    """What the platform's pause paused, and no other shop; a suspended seller's stay."""
    require(actor, None, NOT_YOURS, Right.WORK)
    with transaction.atomic():
        PlatformPause.objects.filter(platform=platform).delete()
        note(actor=actor, action="platform resumed", subject=platform, now=now)
        shops = list(_shops(platform).filter(paused_by_staff__contains=ALL_OF_IT, seller__owner__is_active=True))
        for shop in shops:
            resume(connection=shop, actor=actor, now=now)
    return len(shops)


def _shops(platform: str) -> QuerySet[Connection]:
    return Connection.objects.filter(platform=platform).select_related("seller__owner").order_by("pk")


def resume(*, connection: Connection, actor: User, now: datetime) -> None:
    """Everything is read again at once; what waited is sent. Where both paused it, staff end their own pause alone."""
    require(actor, connection.seller, NOT_YOURS, Right.WORK)
    by_staff = not belongs(actor, connection.seller)
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
