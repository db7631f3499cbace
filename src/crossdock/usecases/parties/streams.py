"""Where the streams of a shop stand: a cursor moves with what was read, and a stream's trouble is its own."""

from datetime import datetime, timedelta

from django.db import transaction

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import Connection, Cursor, ShopCopy
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=30)
# So long a page on which nothing can be understood is the shop's failure; then its rows are set aside one by one, so
# that what comes after them is read.
PATIENCE = timedelta(hours=1)
WORDS = {"orders": "orders", "products": "products", "counts": "counts", "recount": "comparison of the stock"}


def stream_failed(*, connection_id: int, stream: str, sentence: str, alert_at: int, now: datetime) -> None:
    """It is tried again with a growing pause, from where it stands; the other streams go on.

    The seller gets an alert at the failure of that number in a row.
    """
    with transaction.atomic():
        row = Cursor.objects.select_for_update(no_key=True).filter(connection_id=connection_id, stream=stream).first()
        if row is None:
            return
        row.failures, row.failing_since = row.failures + 1, row.failing_since or now
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * (1 << min(row.failures - 1, 10)))
        row.trouble, row.due_at, row.asked_at = sentence[:1000], now + wait, now
        row.save(update_fields=["failures", "failing_since", "trouble", "due_at", "asked_at"])
        if row.failures == alert_at:
            shop = Connection.objects.select_related("seller__owner").get(pk=connection_id)
            what = WORDS.get(stream, stream)
            raise_alert(
                code=AlertCode.NOT_UNDERSTOOD,
                seller=shop.seller,
                connection=shop,
                key=f"stream:{connection_id}:{stream}",
                now=now,
                evidence={"stream": stream, "trouble": sentence},
                sentence=(
                    f"{shop.name}: what it says about its {what} cannot be understood since"
                    f" {row.failing_since:%H:%M} UTC. {sentence} We try again by ourselves, and our staff see it."
                ),
            )


def stream_well(*, connection_id: int, stream: str, now: datetime) -> None:
    """It answered as it should."""
    if Cursor.objects.filter(connection_id=connection_id, stream=stream, failures__gt=0).update(
        failures=0, failing_since=None, trouble=""
    ):
        shop = Connection.objects.get(pk=connection_id)
        key = f"stream:{connection_id}:{stream}"
        codes = (AlertCode.NOT_UNDERSTOOD,)
        settle_by_fact(now=now, how="It is understood again.", codes=codes, connection=shop, key=key)


def resting(*, connection_id: int, stream: str, now: datetime) -> bool:
    """Its last try failed, and the next is not due."""
    rows = Cursor.objects.filter(connection_id=connection_id, stream=stream, failures__gt=0)
    return rows.filter(due_at__gt=now).exists()


def patience_over(*, connection_id: int, stream: str, now: datetime) -> bool:
    """The page that trips as a whole has had its time."""
    return Cursor.objects.filter(connection_id=connection_id, stream=stream, failing_since__lt=now - PATIENCE).exists()


def orders_to_read(*, connection_id: int, limit: int) -> list[str]:
    """Shop order ids whose copy is to be read back."""
    wanted = ShopCopy.objects.filter(connection_id=connection_id, read_wanted=True).exclude(shop_order_id="")
    return list(wanted.order_by("intended_at").values_list("shop_order_id", flat=True)[:limit])
