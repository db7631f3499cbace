"""Shadow mode begins and ends. While it lasts the shop is read as any other, nothing of it is for sale, and the table
of commands takes none to it (store/migrations/0074).
"""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from crossdock.domain.health import FIRST
from crossdock.domain.stock import HoldState
from crossdock.store.models import Command, Connection, Cursor, Order, Reservation, ShadowRun, User, VariantStock
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.store.work import wake
from crossdock.usecases.catalogue.duplicates import find_all_duplicates
from crossdock.usecases.catalogue.evening.report import report_of
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require
from crossdock.usecases.shops.connect import look_only

_OPEN = (CommandState.WAITING, CommandState.IN_FLIGHT, CommandState.DEAD)
PAUSE_FIRST = "Pause your shop first: then nobody is buying while it changes."


def why_no_shadow(connection: Connection) -> str:
    """Why the shop cannot be only looked at; empty when it can. What was sold here is still written to it."""
    if connection.paused_by_staff:
        return connection.paused_by_staff
    if connection.state != ConnectionState.PAUSED:
        return PAUSE_FIRST
    if Order.objects.filter(connection=connection).exists():
        return "Something of this shop was sold here already, and its orders may still have to be written to it."
    if VariantStock.objects.filter(variant__connection=connection, told_count__isnull=False).exists():
        return "Goods of this shop are linked with another place. Undo that under “Same goods in several shops” first."
    if Reservation.objects.filter(variant__connection=connection).exclude(state=HoldState.ENDED).exists():
        return "A buyer holds something of this shop right now. Try again in a few minutes."
    if Command.objects.filter(party_id=connection.party_id, state__in=_OPEN).exists():
        return "Something is still on its way to this shop. Try again when it is done."
    return ""


def begin_shadow(*, connection: Connection, actor: User, now: datetime) -> None:
    """Of a shop that is paused and has sold nothing here yet; it is read again from now on. Raises NotAllowed, Invalid.
    Pressed twice it begins once. Webhooks are removed by the caller beforehand.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        # Held against whoever is just writing a row that names it: the later of two sees the other's.
        shop = Connection.objects.select_for_update(of=("self",)).get(pk=connection.pk)
        if shop.shadow_since is not None:
            return
        if why := why_no_shadow(shop):
            raise Invalid(why)
        shop.state, shop.state_sentence, shop.hooks = ConnectionState.ACTIVE, "", {}
        shop.save(update_fields=["state", "state_sentence", "hooks"])
        look_only(shop=shop, now=now)
        settings_note(actor=actor, action="shadow mode began", subject=shop.name, now=now, detail=_named(shop))
        _read_again(shop, now=now)


def go_live(*, connection: Connection, per_second: float, actor: User, now: datetime) -> None:
    """The report is kept, and from now on it sells what it would have. Everything is read again at once, as of any
    shop: nothing was promised of its units so far. Raises NotAllowed, Invalid. Pressed twice it happens once.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        shop = Connection.objects.select_for_update(no_key=True, of=("self",)).get(pk=connection.pk)
        run = ShadowRun.objects.filter(connection=shop, ended_at=None).first()
        if shop.shadow_since is None or run is None:
            return
        if shop.state != ConnectionState.ACTIVE:
            raise Invalid("Your shop is not connected now; resume or reconnect it first.")
        if not shop.cursors.filter(stream="products", completed_at__isnull=False).exists():
            raise Invalid("Your products are still being read for the first time. Go live when they are here.")
        seen = report_of(run=run, per_second=per_second, now=now)
        run.report, run.ended_at = _plain(asdict(seen)), now
        run.save(update_fields=["report", "ended_at"])
        shop.shadow_since = None
        shop.save(update_fields=["shadow_since"])
        settings_note(actor=actor, action="went live", subject=shop.name, now=now, detail=_named(shop))
        find_all_duplicates(connection_id=shop.pk, now=now)
        _read_again(shop, now=now)


def _named(shop: Connection) -> dict[str, str]:
    return {"shop": shop.public_id}


def _plain(report: dict[str, object]) -> dict[str, object]:
    """As JSON has it."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in report.items()}


def _read_again(shop: Connection, *, now: datetime) -> None:
    streams = Cursor.objects.filter(connection=shop).exclude(stream="recount")
    streams.update(due_at=now, due_by=now + FIRST)
    wake([shop.party_id])
