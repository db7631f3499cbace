"""What a seller fixes about a connected shop: how many units are never sold here, and which location's stock counts."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from crossdock.store.models import Connection, Cursor, User, Variant
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.stock import locked, want_reads

MOST_BUFFER = 10_000


def choose_settings(
    *, connection: Connection, buffer: int, settings: Mapping[str, str], actor: User, now: datetime
) -> None:
    """`settings` replaces the named ones. When one of them changes (another location), every count is read again at once."""
    if not actor.is_staff and connection.seller.owner_id != actor.pk:
        raise NotAllowed("This shop is not yours.")
    if not 0 <= buffer <= MOST_BUFFER:
        raise Invalid(f"Type how many units to keep back, from 0 to {MOST_BUFFER:,}.")
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
        changed = {name: value for name, value in settings.items() if shop.settings.get(name) != value}
        shop.buffer, shop.settings = buffer, {**shop.settings, **changed}
        shop.save(update_fields=["buffer", "settings"])
        if changed:
            want_reads(rows=locked(Variant.objects.filter(connection=shop, gone=False).values_list("pk", flat=True)))
            Cursor.objects.filter(connection=shop, stream="counts").update(due_at=now)
            wake([shop.party_id])


def sync_now(*, connection: Connection, actor: User, now: datetime) -> None:
    """Everything is due at once; what waited is tried again."""
    if not actor.is_staff and connection.seller.owner_id != actor.pk:
        raise NotAllowed("This shop is not yours.")
    if connection.state != "active":
        raise NotAllowed("The shop is not active; nothing is read from it now.")
    with transaction.atomic():
        Cursor.objects.filter(connection=connection).update(due_at=now)
        wake([connection.party_id])
