"""What must always hold. Every quarter of an hour it is checked of what was written lately, once a night of
everything. A broken one is logged, kept in the audit, and an alert for staff that carries the evidence.

The alert settles by itself once it holds again. Whoever finds it here found it late: the proofs of `crossdock_lab`
are there to find it first.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import connection
from psycopg.sql import SQL, Identifier

from crossdock.domain.alerts import AlertCode
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.models import Alert, AuditTopic, OrderLine, Reservation, Seller
from crossdock.usecases.record.alerts import raise_alert, settle_alert
from crossdock.usecases.record.audit import note
from crossdock.usecases.stock.linked import CAUSE

_log = logging.getLogger(__name__)
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that breaks it, in words, and whose it is."""

    text: str
    seller_id: int | None = None


class Invariant(Protocol):
    @property
    def sentence(self) -> str: ...

    def broken(self, *, now: datetime) -> list[Found]:
        """What breaks it; empty when it holds."""


@dataclass(frozen=True, slots=True)
class CheckoutsEnd:
    sentence: str = "A checkout's units come back when its time is over."

    def broken(self, *, now: datetime) -> list[Found]:
        late = Reservation.objects.filter(state=HoldState.CHECKOUT, expires_at__lt=now - timedelta(minutes=10))
        return [
            Found(f"{hold.cause} ended {hold.expires_at:%H:%M}", hold.variant.listing.seller_id)
            for hold in late.select_related("variant__listing")[:_MOST_NAMED]
        ]


@dataclass(frozen=True, slots=True)
class UnlandedOrdersHold:
    """Until the shop is known to have taken an order, its units are promised here."""

    sentence: str = "Every line of an order that is not in its shop yet holds its units."

    def broken(self, *, now: datetime) -> list[Found]:
        lines = OrderLine.objects.filter(
            order__copy__state__in=[CopyState.INTENDED, CopyState.SENT],
            order__cancelled_at=None,
            order__placed_at__lt=now - timedelta(minutes=1),
        ).select_related("order")
        bare = []
        for line in lines.order_by("pk")[:5000]:
            if (
                not Reservation.objects.filter(order=line.order, variant_id=line.variant_id)
                .exclude(state=HoldState.ENDED)
                .exists()
            ):
                bare.append(Found(f"order {line.order.number}: {line.title}", line.order.seller_id))
        return bare[:_MOST_NAMED]


@dataclass(frozen=True, slots=True)
class HoldsHaveOrders:
    sentence: str = "Units that are owed belong to an order."

    def broken(self, *, now: datetime) -> list[Found]:
        loose = Reservation.objects.filter(state__in=[HoldState.OWED, HoldState.TAKEN], order=None)
        # What linked goods owe belongs to a sale in another shop.
        loose = loose.exclude(cause__startswith=CAUSE)
        return [
            Found(hold.cause, hold.variant.listing.seller_id)
            for hold in loose.select_related("variant__listing")[:_MOST_NAMED]
        ]


@dataclass(frozen=True, slots=True)
class Sql:
    """A query whose every row names something broken: a text and, where somebody owns it, the seller.

    One that would read whole tables has the condition `lately`, in place of {lately}: it leaves what was written since
    `%(order)s` and the like, keys of two hours ago, and %(since)s, that time. Empty: only the night's check asks.
    """

    sentence: str
    query: str
    lately: str | None = None

    def broken(self, *, now: datetime) -> list[Found]:
        return self._rows(self.query.replace("{lately}", ""), None)

    def broken_lately(self, keys: Mapping[str, int | datetime], *, now: datetime) -> list[Found]:
        if self.lately is None:
            return self.broken(now=now)
        if not self.lately:
            return []
        return self._rows(self.query.replace("%", "%%").replace("{lately}", self.lately), keys)

    @staticmethod
    def _rows(query: str, params: Mapping[str, int | datetime] | None) -> list[Found]:
        with connection.cursor() as cursor:
            cursor.execute(query, params)
            return [Found(str(text), seller) for text, seller in cursor.fetchmany(_MOST_NAMED)]


ALL: tuple[Invariant, ...] = (
    CheckoutsEnd(),
    UnlandedOrdersHold(),
    HoldsHaveOrders(),
    Sql(
        "Units that the shop has taken are let go by a read, and that read is wanted.",
        # Rules 4 and 5: the fence is drawn and the read wanted in one transaction; only applying that read ends both.
        "SELECT 'order ' || o.number || ' holds ' || r.quantity || ' of variant ' || r.variant_id, o.seller_id FROM"
        " store_reservation r JOIN store_variantstock v ON v.variant_id = r.variant_id JOIN store_variant a ON a.id ="
        " r.variant_id JOIN store_order o ON o.id = r.order_id WHERE r.state <> 'ended' AND r.fence_no IS NOT NULL AND"
        " v.want_no < r.fence_no AND a.connection_id IS NOT NULL AND NOT a.gone",
    ),
    Sql(
        "A cancelled order holds its units only while something is still being done for it.",
        "SELECT 'order ' || o.number || ' holds ' || r.quantity || ' of variant ' || r.variant_id, o.seller_id FROM"
        " store_reservation r JOIN store_order o ON o.id = r.order_id WHERE r.state <> 'ended' AND r.fence_no IS NULL"
        " AND o.cancelled_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM store_command c WHERE c.subject = o.reference"
        " AND c.state IN ('waiting', 'in_flight', 'dead')) "
        # A shop that refused to cancel is a person's business; they were told.
        "AND NOT EXISTS (SELECT 1 FROM store_command c WHERE c.subject = o.reference AND c.kind = 'cancel_order' AND"
        " c.result = 'refused')",
    ),
    Sql(
        "A count below zero is told to its seller.",
        "SELECT l.title || ': ' || v.count, l.seller_id FROM store_variantstock v JOIN store_variant a ON a.id ="
        " v.variant_id JOIN store_listing l ON l.id = a.listing_id WHERE v.count < 0 AND NOT EXISTS (SELECT 1 FROM"
        " store_alert t WHERE t.listing_id = l.id AND t.code = 'stock_below_zero')",
    ),
    Sql(
        "No number of a stock row is ahead of the sequence that they are drawn from.",
        # After a restore from two sources a read would never be applied again: its number would be older than what it
        # should replace.
        "SELECT 'variant ' || v.variant_id, l.seller_id FROM store_variantstock v JOIN store_variant a ON a.id ="
        " v.variant_id JOIN store_listing l ON l.id = a.listing_id, stock_no s WHERE greatest(v.applied_no,"
        " v.ceiling_no, v.want_no) > s.last_value",
        lately="",
    ),
    Sql(
        "No payment goes back twice.",
        "SELECT 'order ' || o.number, o.seller_id FROM store_command c JOIN store_order o ON o.reference ="
        " c.payload->>'order' WHERE c.kind = 'refund_payment' AND c.state <> 'withdrawn' AND c.result <> 'refused'"
        " {lately}GROUP BY o.id HAVING sum((c.payload->>'amount_minor')::bigint) > o.total_minor +"
        # What the buyer's bank sent back may go out once more.
        " (SELECT coalesce(sum(e.amount_minor), 0) FROM store_transfer t JOIN store_entry e ON e.transfer_id = t.id"
        " WHERE t.order_id = o.id AND t.cause LIKE 'refund_failed:%' AND e.account = 'gateway')",
        lately="AND c.subject IN (SELECT n.subject FROM store_command n WHERE n.id > %(command)s AND n.kind ="
        " 'refund_payment') ",
    ),
    Sql(
        "What a payment gives back beside its orders is what came to no order.",
        # The parts of a payment that was captured; of one that was given up the whole.
        "SELECT 'payment ' || p.public_id, (SELECT min(o.seller_id) FROM store_order o WHERE o.intent_id = p.id) FROM"
        " store_command c JOIN store_paymentintent p ON p.public_id = substr(c.subject, 8) WHERE c.kind ="
        " 'refund_payment' AND c.subject LIKE 'intent:%' AND c.state <> 'withdrawn' AND c.result <> 'refused'"
        " {lately}GROUP BY p.id HAVING sum((c.payload->>'amount_minor')::bigint) > CASE WHEN p.state = 'captured' THEN"
        " (SELECT coalesce(sum((part->>'items_minor')::bigint + (part->>'shipping_minor')::bigint), 0) FROM"
        " jsonb_array_elements(p.basket->'parts') part WHERE part->>'back' <> '') ELSE p.amount_minor END",
        lately="AND c.subject IN (SELECT n.subject FROM store_command n WHERE n.id > %(command)s AND n.kind ="
        " 'refund_payment') ",
    ),
    Sql(
        "No buyer is credited more than they paid.",
        "SELECT 'order ' || o.number, o.seller_id FROM store_order o WHERE (o.credited_minor > o.total_minor OR"
        " o.total_minor < (SELECT coalesce(-sum(e.amount_minor), 0) FROM store_transfer t JOIN store_entry e ON"
        " e.transfer_id = t.id WHERE t.order_id = o.id AND t.cause LIKE 'credit:%' AND e.account = 'refunds_due'))"
        "{lately}",
        lately=" AND o.id IN (SELECT t.order_id FROM store_transfer t WHERE t.id > %(transfer)s)",
    ),
    Sql(
        "The books balance.",
        "SELECT e.currency || ' is off by ' || sum(e.amount_minor), min(o.seller_id) FROM store_entry e JOIN"
        " store_transfer t ON t.id = e.transfer_id LEFT JOIN store_order o ON o.id = t.order_id {lately}GROUP BY"
        " e.currency HAVING sum(e.amount_minor) <> 0",
        lately="WHERE t.id > %(transfer)s ",
    ),
    Sql(
        "Every placed order was paid into the books once.",
        "SELECT 'order ' || o.number, o.seller_id FROM store_order o WHERE (SELECT count(*) FROM store_transfer t WHERE"
        " t.cause = 'paid:' || o.reference) <> 1{lately}",
        lately=" AND o.id > %(order)s",
    ),
    Sql(
        "The orders of a payment, and the parts of it that went back, are the payment.",
        "SELECT 'payment ' || p.public_id, min(o.seller_id) FROM store_paymentintent p LEFT JOIN store_order o ON"
        " o.intent_id = p.id WHERE p.state = 'captured' {lately}GROUP BY p.id HAVING p.amount_minor <>"
        " coalesce(sum(o.total_minor), 0) + (SELECT coalesce(sum((part->>'items_minor')::bigint +"
        " (part->>'shipping_minor')::bigint), 0) FROM jsonb_array_elements(p.basket->'parts') part WHERE"
        " part->>'back' <> '')",
        lately="AND p.id IN (SELECT n.intent_id FROM store_order n WHERE n.id > %(order)s) ",
    ),
    Sql(
        "Every label is booked at its price, once, for as long as it is paid.",
        "SELECT 'label ' || l.reference || ' is booked at ' || b.minor, l.seller_id FROM store_label l CROSS JOIN"
        " LATERAL (SELECT coalesce(-sum(e.amount_minor), 0) AS minor FROM store_transfer t JOIN store_entry e ON"
        " e.transfer_id = t.id WHERE t.cause IN ('label:' || l.reference, 'label_void:' || l.reference) AND e.account ="
        " 'carrier:' || l.provider) b WHERE b.minor <> CASE WHEN l.state IN ('bought', 'voiding', 'void_refused') THEN"
        " l.price_minor ELSE 0 END{lately}",
        lately=" AND l.id IN (SELECT n.id FROM store_label n WHERE n.id > %(label)s UNION SELECT n.id FROM store_label"
        " n JOIN store_transfer t ON n.reference = split_part(t.cause, ':', 2) WHERE t.id > %(transfer)s AND t.cause"
        " LIKE 'label%%' UNION SELECT n.id FROM store_label n WHERE n.voided_at > %(since)s)",
    ),
    Sql(
        "Every payout is booked at its amount, once, until it came back.",
        "SELECT 'payout ' || p.public_id || ' is booked at ' || b.minor, p.seller_id FROM store_payout p CROSS JOIN"
        " LATERAL (SELECT coalesce(sum(e.amount_minor), 0) AS minor FROM store_transfer t JOIN store_entry e ON"
        " e.transfer_id = t.id WHERE t.cause IN ('payout:' || p.public_id, 'payout_back:' || p.public_id) AND e.account"
        " = 'seller:' || p.seller_id) b WHERE b.minor <> CASE WHEN p.state IN ('intended', 'acknowledged', 'paid') THEN"
        " p.amount_minor ELSE 0 END{lately}",
        lately=" AND p.public_id IN (SELECT split_part(t.cause, ':', 2) FROM store_transfer t WHERE t.id > %(transfer)s"
        " AND t.cause LIKE 'payout%%' UNION SELECT n.public_id FROM store_payout n WHERE n.ended_at > %(since)s)",
    ),
    Sql(
        "What buyers paid is what went back to them, our commission, labels, payouts, and what we owe sellers.",
        "SELECT s.name || ' is off by ' || sum(b.minor) || ' ' || b.currency, s.id FROM (SELECT o.seller_id,"
        " o.currency, o.total_minor - o.credited_minor AS minor FROM store_order o UNION ALL SELECT o.seller_id,"
        " e.currency, e.amount_minor FROM store_entry e JOIN store_transfer t ON t.id = e.transfer_id JOIN store_order"
        " o ON o.id = t.order_id WHERE e.account = 'fees' UNION ALL SELECT seller_id, currency, -price_minor FROM"
        " store_label WHERE state IN ('bought', 'voiding', 'void_refused') UNION ALL SELECT seller_id, currency,"
        " -amount_minor FROM store_payout WHERE state IN ('intended', 'acknowledged', 'paid') UNION ALL SELECT"
        " substr(account, 8)::bigint, currency, amount_minor FROM store_entry WHERE account LIKE 'seller:%') b JOIN"
        " store_seller s ON s.id = b.seller_id GROUP BY s.id, b.currency HAVING sum(b.minor) <> 0",
        lately="",
    ),
    Sql(
        "No order was acknowledged twice by its shop.",
        # There is one create per order: a second copy shows as another binding, without a cancel of the first.
        "SELECT c.subject, o.seller_id FROM store_command c JOIN store_order o ON o.reference = c.subject JOIN"
        " store_shopcopy s ON s.order_id = o.id WHERE c.kind = 'create_order' AND c.result = 'ok' AND s.shop_order_id"
        " NOT IN ('', c.outcome->>'shop_id') AND NOT EXISTS (SELECT 1 FROM store_command k WHERE k.subject ="
        " o.reference AND k.kind = 'cancel_order' AND k.state <> 'withdrawn' AND k.payload->>'shop_order_id' ="
        " c.outcome->>'shop_id'){lately}",
        lately=" AND c.id > %(command)s",
    ),
)


# Table and time of what was written lately, by the name of its key. Read backwards by the key, so it takes as long as
# there is of it.
_KEYS = {
    "order": ("store_order", "placed_at"),
    "command": ("store_command", "created_at"),
    "transfer": ("store_transfer", "at"),
    "label": ("store_label", "quoted_at"),
}
_LATELY = timedelta(hours=2)


def _keys(now: datetime) -> dict[str, int | datetime]:
    found: dict[str, int | datetime] = {"since": now - _LATELY}
    with connection.cursor() as cursor:
        for name, (table, moment) in _KEYS.items():
            before = SQL("SELECT id FROM {} WHERE {} < %s ORDER BY id DESC LIMIT 1")
            cursor.execute(before.format(Identifier(table), Identifier(moment)).as_string(), [now - _LATELY])
            row = cursor.fetchone()
            found[name] = row[0] if row else 0
    return found


def check(*, now: datetime, whole: bool = True) -> dict[str, list[str]]:
    """Sentence -> what breaks it, for those that do not hold; each is logged, kept for staff, and alerted with its
    evidence. Unless `whole`, of what was written lately, and wholly where an alert stands.
    """
    told = Alert.objects.filter(code=AlertCode.INVARIANT_BROKEN, settled_at=None)
    standing = set() if whole else set(told.values_list("evidence__sentence", flat=True))
    keys: dict[str, int | datetime] = {} if whole else _keys(now)
    broken = {}
    for number, invariant in enumerate(ALL):
        if isinstance(invariant, Sql) and not whole and invariant.sentence not in standing:
            found = invariant.broken_lately(keys, now=now)
        else:
            found = invariant.broken(now=now)
        if found:
            broken[number] = found
    for number, found in broken.items():
        sentence, words = ALL[number].sentence, [one.text for one in found]
        _log.error("does not hold: %s %s", sentence, "; ".join(words))
        note(
            actor=None,
            action="invariant broken",
            subject=sentence,
            now=now,
            detail={"found": words},
            topic=AuditTopic.SYSTEM,
        )
    _alert(broken, now=now)
    return {ALL[number].sentence: [one.text for one in found] for number, found in broken.items()}


def _alert(broken: dict[int, list[Found]], *, now: datetime) -> None:
    """One alert per sentence and seller; those of yesterday that hold again are settled."""
    still: set[int] = set()
    for number, found in broken.items():
        by_seller: dict[int, list[str]] = defaultdict(list)
        for one in found:
            if one.seller_id is not None:
                by_seller[one.seller_id].append(one.text)
        for seller in Seller.objects.filter(pk__in=by_seller):
            alert = raise_alert(
                code=AlertCode.INVARIANT_BROKEN,
                seller=seller,
                key=f"invariant:{ALL[number].sentence[:60]}",
                for_staff=True,
                now=now,
                sentence=(
                    f"This must always hold and does not: {ALL[number].sentence} ({seller.name}:"
                    f" {'; '.join(by_seller[seller.pk][:3])})"
                ),
                evidence={"sentence": ALL[number].sentence, "found": by_seller[seller.pk]},
            )
            still.add(alert.pk)
    for alert in Alert.objects.filter(code=AlertCode.INVARIANT_BROKEN, settled_at=None).exclude(pk__in=still):
        settle_alert(alert=alert, actor=None, how="It holds again.", now=now)
