"""Parties at work: who holds one, which are due, and how long one rests after trouble of its own."""

from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import Command, Connection, Cursor, Party
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState
from crossdock.store.work import wake
from crossdock.usecases.parties.root_causes import UNREACHABLE_AFTER, tell_root
from crossdock.usecases.record.alerts import settle_by_fact

LONGEST_WAIT = timedelta(minutes=5)


def take_lease(*, party_id: int, owner: str, seconds: float, now: datetime) -> bool:
    """One conditional update: somebody alive holds it, or we do."""
    free = Q(lease_until=None) | Q(lease_until__lt=now) | Q(lease_owner=owner)
    return bool(
        Party.objects.filter(free, pk=party_id).update(lease_owner=owner, lease_until=now + timedelta(seconds=seconds))
    )


def renew_lease(*, party_id: int, owner: str, seconds: float, now: datetime) -> bool:
    """False when it was lost: stop sending."""
    mine = Party.objects.filter(pk=party_id, lease_owner=owner)
    return bool(mine.update(lease_until=now + timedelta(seconds=seconds)))


def release_lease(*, party_id: int, owner: str) -> None:
    Party.objects.filter(pk=party_id, lease_owner=owner).update(lease_owner="", lease_until=None)


# What is due of party p with shop c, each carried by a partial index. The sweep and the pump ask with these same words:
# were the sweep's wider, it would wake a party every few seconds for what its pump then leaves alone. A command behind
# an unfinished or dead one of its subject is not due, nor is one that the lease's living owner has in flight.
DUE_COMMANDS = """EXISTS (SELECT 1 FROM store_command m WHERE m.party_id = p.id
    AND ((m.state = 'waiting' AND m.due_at <= %(now)s)
      OR (m.state = 'in_flight' AND (m.outcome->>'owner' IS DISTINCT FROM p.lease_owner OR p.lease_until < %(now)s)))
    AND NOT EXISTS (SELECT 1 FROM store_command e WHERE e.party_id = m.party_id AND e.subject = m.subject
      AND e.id < m.id AND e.state IN ('waiting','in_flight','dead')))"""
DUE_DELIVERIES = "EXISTS (SELECT 1 FROM store_delivery d WHERE d.party_id = p.id AND d.handled_at IS NULL)"
DUE_TIMERS = "EXISTS (SELECT 1 FROM store_cursor k WHERE k.connection_id = c.id AND k.due_at <= %(now)s)"
DUE_ORDERS = """EXISTS (SELECT 1 FROM store_shopcopy s WHERE s.connection_id = c.id AND s.read_wanted
    AND s.shop_order_id <> '')"""
DUE_COUNTS = """EXISTS (SELECT 1 FROM store_variantstock v JOIN store_variant a ON a.id = v.variant_id
    WHERE a.connection_id = c.id AND v.want_no > 0 AND NOT a.gone
      AND (v.want_after IS NULL OR v.want_after <= %(now)s))"""
DUE = (DUE_COMMANDS, DUE_DELIVERIES, DUE_TIMERS, DUE_ORDERS, DUE_COUNTS)
# A party is due when one of its rows is, and nobody alive holds it.
_DUE = "".join(
    (
        """
SELECT p.id FROM store_party p LEFT JOIN store_connection c ON c.party_id = p.id
WHERE (p.lease_until IS NULL OR p.lease_until < %(now)s) AND (p.resting_until IS NULL OR p.resting_until <= %(now)s)
  AND NOT p.stopped AND (c.id IS NULL OR c.state = 'active')
  AND (""",
        " OR ".join(DUE),
        ") ORDER BY p.id LIMIT %(limit)s",
    )
)


def due_parties(*, now: datetime, limit: int = 1000, only: int | None = None) -> list[int]:
    """Parties with due rows that nobody holds. `only` asks about one party (a pump that just released its lease)."""
    sql = _DUE if only is None else _DUE.replace("WHERE (", "WHERE p.id = %(only)s AND (", 1)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"now": now, "limit": limit, "only": only})
        return [row[0] for row in cursor.fetchall()]


def backoff(*, attempts: int, random: Random, base_seconds: float = 1.0) -> timedelta:
    """Doubling with full jitter in its upper half, capped."""
    seconds = min(LONGEST_WAIT.total_seconds(), base_seconds * 2 ** min(attempts, 12))
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))


def party_failed(*, party_id: int, sentence: str, after_seconds: float | None, random: Random, now: datetime) -> None:
    """Trouble that concerns the whole party: it rests, so that a thousand waiting commands don't each try."""
    with transaction.atomic():
        party = Party.objects.select_for_update(no_key=True).get(pk=party_id)
        party.failures += 1
        party.failing_since = party.failing_since or now
        party.last_error = sentence
        wait = (
            timedelta(seconds=after_seconds)
            if after_seconds is not None
            else backoff(attempts=party.failures, random=random)
        )
        party.resting_until = now + min(wait, LONGEST_WAIT)
        party.save(update_fields=["failures", "failing_since", "last_error", "resting_until"])
        shop = Connection.objects.select_related("seller__owner", "party").filter(party=party).first()
        if shop and now - party.failing_since > UNREACHABLE_AFTER:
            tell_root(code=AlertCode.SHOP_UNREACHABLE, shop=shop, now=now)


def party_well(*, party_id: int, now: datetime) -> None:
    """It answered: forget the trouble, and send what waited because of it."""
    ill = Party.objects.filter(pk=party_id, failures__gt=0)
    if ill.update(failures=0, failing_since=None, resting_until=None, last_error=""):
        Command.objects.filter(party_id=party_id, state=CommandState.WAITING, due_at__gt=now, unresolved=False).update(
            due_at=now
        )
        shop = Connection.objects.filter(party_id=party_id).first()
        if shop:
            # Whatever was between us may have been between its deliveries and us.
            soon = now + timedelta(seconds=party_id % 60)
            Cursor.objects.filter(connection=shop, stream="hooks", due_at__gt=soon).update(due_at=soon)
            settle_by_fact(now=now, how="The shop answers again.", codes=(AlertCode.SHOP_UNREACHABLE,), connection=shop)
        wake([party_id])


def sign_in_again(*, party_id: int, sentence: str, now: datetime) -> None:
    """Nothing more is sent until the seller reconnects; what waits keeps waiting."""
    with transaction.atomic():
        shop = (
            Connection.objects.select_for_update(no_key=True, of=("self",))
            .select_related("seller__owner", "party")
            .filter(party_id=party_id)
            .first()
        )
        if shop is None or shop.state != ConnectionState.ACTIVE:
            return
        shop.state, shop.state_sentence = ConnectionState.NEEDS_REAUTH, sentence
        shop.save(update_fields=["state", "state_sentence"])
        tell_root(code=AlertCode.SIGN_IN_AGAIN, shop=shop, now=now)
