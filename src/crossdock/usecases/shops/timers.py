"""The engine's side of a shop between orders: what is due of one party, its timers, renewed secrets, the audit of its
webhooks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind
from crossdock.domain.events import Look, LookKind
from crossdock.domain.health import FIRST, Stream, due_by
from crossdock.domain.storable import storable
from crossdock.store.models import (
    Call,
    Command,
    Connection,
    Cursor,
    Delivery,
    Exchange,
    IdempotentReply,
    NewsLag,
    ShadowRun,
    Variant,
)
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.parties.leases import DUE
from crossdock.usecases.parties.root_causes import tell_root
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.shops.connect import record_hooks
from crossdock.usecases.stock.reservations import locked, want_reads

# Streams of polling, and timers that are kept the same way.
SECRETS, ORDERS, RECOUNT = Stream.SECRETS, Stream.ORDERS, Stream.RECOUNT
PRODUCTS, COUNTS, HOOKS = Stream.PRODUCTS, Stream.COUNTS, Stream.HOOKS
PRICES, QUARANTINE = Stream.PRICES, Stream.QUARANTINE
KEEP_LAGS = timedelta(days=2)
STREAMS = (SECRETS, ORDERS, RECOUNT, PRODUCTS, COUNTS, HOOKS, QUARANTINE, PRICES)
# The first reading of the products has read their prices.
FIRST_SWEEP = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of one party now.

    `open` is false while it is stopped, resting, paused or waits for its seller; then nothing is sent.
    """

    kind: str
    name: str
    connection_id: int | None
    open: bool
    resting_until: datetime | None
    failures: int
    commands: bool
    deliveries: bool
    timers: bool
    orders: bool
    counts: bool
    next_at: datetime | None

    @property
    def anything(self) -> bool:
        return self.open and (self.commands or self.reads)

    @property
    def reads(self) -> bool:
        return self.deliveries or self.timers or self.orders or self.counts


# One round trip.
_DUE_OF = "".join(
    (
        """
SELECT p.kind, p.name, c.id,
  NOT p.stopped AND (p.resting_until IS NULL OR p.resting_until <= %(now)s) AND (c.id IS NULL OR c.state = 'active'),
  p.resting_until, p.failures, """,
        ", ".join(DUE),
        """, least((SELECT min(m.due_at) FROM store_command m WHERE m.party_id = p.id AND m.state = 'waiting'
    AND m.due_at > %(now)s),
        (SELECT min(k.due_at) FROM store_cursor k WHERE k.connection_id = c.id AND k.due_at > %(now)s),
        (SELECT min(v.want_after) FROM store_variantstock v JOIN store_variant a ON a.id = v.variant_id
          WHERE a.connection_id = c.id AND v.want_no > 0 AND NOT a.gone AND v.want_after > %(now)s),
        CASE WHEN p.resting_until > %(now)s THEN p.resting_until END)
FROM store_party p LEFT JOIN store_connection c ON c.party_id = p.id WHERE p.id = %(party)s
""",
    )
)


def due_of(*, party_id: int, now: datetime) -> Due | None:
    """None when there is no such party (any more)."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_OF, {"party": party_id, "now": now})
        row = cursor.fetchone()
    return Due(*row) if row else None


def ensure_timers(*, connection_id: int, now: datetime) -> None:
    """Every stream has its row; a new one is due at once, the sweep of prices after a while."""
    Cursor.objects.bulk_create(
        [
            Cursor(
                connection_id=connection_id,
                stream=stream,
                due_at=now + FIRST_SWEEP if stream is PRICES else now,
                due_by=first_promise(stream, now=now),
            )
            for stream in STREAMS
        ],
        ignore_conflicts=True,
    )


def first_promise(stream: Stream, *, now: datetime) -> datetime | None:
    """Of a stream that begins now, or begins again. A reconciliation and a sweep of prices wait for the first reading,
    however long it takes; of what stands in quarantine nothing is promised.
    """
    return None if stream in (RECOUNT, PRICES, QUARANTINE) else now + FIRST


_AUDIT_SOON = """
UPDATE store_cursor SET due_at = least(due_at, %(now)s + make_interval(secs => 30 + connection_id %% 300))
WHERE stream = 'hooks' AND due_at > %(now)s + interval '30 seconds'
"""


def audit_soon(*, now: datetime) -> int:
    """We were away: a shop may have switched off its webhooks within seconds. Spread over five minutes, by shop."""
    with connection.cursor() as cursor:
        cursor.execute(_AUDIT_SOON, {"now": now})
        return int(cursor.rowcount)


def timers_due(*, connection_id: int, now: datetime) -> dict[Stream, str]:
    """Stream -> cursor of what is due, in the order in which it should be done."""
    due = dict(Cursor.objects.filter(connection_id=connection_id, due_at__lte=now).values_list("stream", "value"))
    return {stream: due[stream] for stream in STREAMS if stream in due}


# The row as it was is what the subquery sees.
_MOVE = """
UPDATE store_cursor k SET value = %(value)s, due_at = %(due)s, asked_at = %(now)s,
  completed_at = CASE WHEN %(complete)s THEN %(now)s ELSE completed_at END,
  due_by = CASE WHEN %(complete)s OR completed_at IS NULL THEN %(promised)s ELSE due_by END
WHERE connection_id = %(shop)s AND stream = %(stream)s
RETURNING (SELECT o.completed_at IS NULL FROM store_cursor o WHERE o.id = k.id)
"""


def move_cursor(
    *, connection_id: int, stream: str, value: str, next_due: datetime, complete: bool, now: datetime
) -> bool:
    """In the transaction that keeps what was read. `complete` means that the page was the last one: only then is the
    stream done. While a shop is read for the first time, each page is; then this is true.
    """
    promised = due_by(Stream(stream), done_at=now, interval=next_due - now) if complete else now + FIRST
    kept: dict[str, Any] = {"value": value, "due": next_due, "complete": complete, "promised": promised, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {**kept, "shop": connection_id, "stream": str(stream)})
        row = cursor.fetchone()
    if complete:
        Connection.objects.filter(pk=connection_id).update(last_read_at=now)
    return bool(row and row[0])


def set_timer(
    *, connection_id: int, stream: Stream, at: datetime, now: datetime, asked: bool = True, done: bool = False
) -> None:
    """The next time; what was read so far stays. `asked` is false when it was only put off; `done` keeps a promise
    and makes the next one.
    """
    changed = {"due_at": at} | ({"asked_at": now} if asked else {})
    if done:
        changed |= {"completed_at": now, "due_by": due_by(stream, done_at=now, interval=at - now)}
    Cursor.objects.filter(connection_id=connection_id, stream=stream).update(**changed)


def count_calls(*, connection_id: int, calls: int, now: datetime) -> None:
    """So often was a shop asked that is only looked at; where it went live meanwhile, its report is written."""
    ShadowRun.objects.filter(connection_id=connection_id, ended_at=None).update(calls=F("calls") + calls)


def keep_audit(
    *, connection_id: int, expected: tuple[str, ...], active: tuple[str, ...], healed: tuple[str, ...], now: datetime
) -> None:
    """What the audit of the shop's webhooks found after healing; what could not be healed is an alert."""
    with transaction.atomic():
        record_hooks(connection_id=connection_id, expected=expected, active=active, healed=healed, now=now)
        shop = Connection.objects.select_related("seller__owner").get(pk=connection_id)
        missing = sorted(set(expected) - set(active))
        if missing:
            raise_alert(
                code=AlertCode.WEBHOOK_LOST,
                seller=shop.seller,
                connection=shop,
                now=now,
                evidence={"missing": missing},
                sentence=(
                    f"{shop.name} does not tell us about {', '.join(missing)} any more. Until it does, we ask it"
                    " regularly, so news comes later."
                ),
            )
        else:
            settle_by_fact(now=now, how="The shop tells us again.", codes=(AlertCode.WEBHOOK_LOST,), connection=shop)


def heard(*, connection_id: int, at: datetime, now: datetime) -> None:
    """A delivery of this shop arrived at `at`, and was taken up `now`."""
    Connection.objects.filter(pk=connection_id).update(last_delivery_at=at)


def uninstalled(*, connection_id: int, now: datetime) -> None:
    """The seller removed our app there: the credentials are dead, whatever the next call would say."""
    with transaction.atomic():
        shop = (
            Connection.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "party")
            .get(pk=connection_id)
        )
        if shop.state not in (ConnectionState.ACTIVE, ConnectionState.PAUSED):
            return
        shop.state, shop.state_sentence = ConnectionState.NEEDS_REAUTH, "The app was removed in the shop."
        shop.save(update_fields=["state", "state_sentence"])
        tell_root(code=AlertCode.SIGN_IN_AGAIN, shop=shop, now=now)


def want_counts(*, connection_id: int, shop_variant_ids: Iterable[str], now: datetime) -> None:
    """A shop said that these counts changed: read them."""
    ids = {storable(id_) for id_ in shop_variant_ids}
    _want_counts(Variant.objects.filter(connection_id=connection_id, shop_variant_id__in=ids))


def want_counts_of_products(*, connection_id: int, shop_product_ids: Iterable[str], now: datetime) -> None:
    """The same, where the shop only named the products."""
    ids = {storable(id_) for id_ in shop_product_ids}
    _want_counts(Variant.objects.filter(connection_id=connection_id, listing__shop_product_id__in=ids, gone=False))


def _want_counts(variants: QuerySet[Variant]) -> None:
    with transaction.atomic():
        want_reads(rows=locked(variants.values_list("pk", flat=True)))


# What the lists of what changed tell as well.
LISTED = (LookKind.ORDER, LookKind.PRODUCT, LookKind.COUNTS, LookKind.NOTHING)


def want_lists(*, connection_id: int, looks: Sequence[Look], counts_too: bool, now: datetime) -> None:
    """Instead of reading each of them: the lists of what changed are read at once. `counts_too`: they don't tell of
    counts there, so these are wanted as well.
    """
    by_kind: dict[str, list[str]] = {}
    for look in looks:
        by_kind.setdefault(look.kind, []).append(look.entity_id)
    for kind, stream in ((LookKind.ORDER, ORDERS), (LookKind.PRODUCT, PRODUCTS)):
        if kind in by_kind:
            rows = Cursor.objects.filter(connection_id=connection_id, stream=stream, due_at__gt=now, failures=0)
            rows.update(due_at=now)
    want_counts(connection_id=connection_id, shop_variant_ids=by_kind.get(LookKind.COUNTS, []), now=now)
    if counts_too:
        ids = by_kind.get(LookKind.PRODUCT, [])
        want_counts_of_products(connection_id=connection_id, shop_product_ids=ids, now=now)


def read_since(*, connection_id: int, at: datetime) -> bool:
    """The shop answered something since then."""
    return Connection.objects.filter(pk=connection_id, last_read_at__gt=at).exists()


@dataclass(frozen=True, slots=True)
class ClosedNews:
    """A delivery that matters though its shop is not connected (any more)."""

    id: int
    party_id: int
    connection_id: int
    news: dict[str, Any]
    doubles: int


def closed_news(*, limit: int = 200) -> list[ClosedNews]:
    """Privacy requests, and news of our removal, for shops that no pump visits."""
    rows = Delivery.objects.filter(handled_at=None, party__connection__isnull=False).exclude(
        party__connection__state=ConnectionState.ACTIVE
    )
    values = rows.order_by("pk").values_list("pk", "party_id", "party__connection__pk", "news", "doubles")[: limit * 10]
    return [ClosedNews(*row) for row in values if _speaks_of(row[3])][:limit]


def _speaks_of(news: dict[str, Any]) -> bool:
    return any(
        look["kind"] in (LookKind.DATA_REQUEST, LookKind.ERASE_BUYER, LookKind.ERASE_SHOP, LookKind.UNINSTALLED)
        for look in news.get("looks", [])
    )


def prune(*, older_than: timedelta, now: datetime) -> int:
    """Handled deliveries, recorded calls and the API's kept answers stay for a while, then go.

    Returns how many went.
    """
    before = now - older_than
    gone = Exchange.objects.filter(at__lt=before).delete()[0] + Call.objects.filter(at__lt=before).delete()[0]
    gone += IdempotentReply.objects.filter(created_at__lt=before).delete()[0]
    gone += NewsLag.objects.filter(at__lt=max(before, now - KEEP_LAGS)).delete()[0]
    gone += Command.objects.filter(kind=CommandKind.SEND_EVENT, finished_at__lt=before).delete()[0]
    return gone + Delivery.objects.filter(received_at__lt=before, handled_at__isnull=False).delete()[0]
