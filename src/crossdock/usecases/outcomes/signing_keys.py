"""The keys that the marketplace signs its own messages with. The public ones stand in the profile that agents read; the
private ones are sealed like every secret.

Rotation as UCP v2026-04-08 has it (docs/specification/signatures.md, Key Rotation): “Add new key … Start signing …
Grace period — Continue accepting signatures from old keys (minimum 7 days) … Remove old key”. A profile may be kept for
an hour by whoever read it, so a new key is published for longer than that before it signs.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from crossdock.domain.agents import keys
from crossdock.domain.roles import Right
from crossdock.store.models import SigningKey, User
from crossdock.store.vault import seal, unseal
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require

AHEAD, GRACE, OLD = timedelta(hours=2), timedelta(days=14), timedelta(days=90)


def published(*, now: datetime) -> list[dict[str, str]]:
    """The public keys, the newest first; the first time that somebody asks, one is made."""
    rows = list(_in_force(now))
    return [row.public for row in rows or [_first(now)]]


def to_sign_with(*, now: datetime) -> str:
    """The newest key that signs by now, private, as JSON. Raises VaultLocked."""
    row = _in_force(now).filter(signs_from__lte=now).first() or _first(now)
    return json.dumps({**row.public, **unseal(row.secret)})


def all_keys() -> Sequence[SigningKey]:
    """Also those that ended and are not forgotten yet, the newest first."""
    return list(SigningKey.objects.order_by("-pk"))


def rotate(*, actor: User, now: datetime) -> SigningKey:
    """A new key, which signs once every reader can know it. The one before is published on. Raises NotAllowed while a
    new one still waits for its time.
    """
    _require(actor)
    with transaction.atomic():
        _one_at_a_time()
        before = _in_force(now)
        if (soon := before.filter(signs_from__gt=now).first()) is not None:
            raise NotAllowed(f"The key {soon.kid} was made just now and does not sign yet.")
        starts = now + AHEAD if before.exists() else now
        before.filter(ends_at=None).update(ends_at=starts + GRACE)
        row = _made(now, signs_from=starts)
        settings_note(actor=actor, action="signing key rotated", subject=row.kid, now=now)
    return row


def drop(*, kid: str, actor: User, now: datetime) -> SigningKey:
    """One that others may know: it is published no longer and its private part is gone, at once; the next one signs
    from now on. Returns that one. “Immediately remove compromised key from profile” (the same page).
    """
    _require(actor)
    with transaction.atomic():
        _one_at_a_time()
        row = _in_force(now).filter(kid=kid).first()
        if row is None:
            raise Invalid("There is no such key in the profile.")
        row.ends_at, row.secret = now, seal({})
        row.save(update_fields=["ends_at", "secret"])
        settings_note(actor=actor, action="signing key dropped", subject=row.kid, now=now)
        newest = SigningKey.objects.filter(ends_at=None).order_by("-pk").first()
        if newest is None:
            return _made(now, signs_from=now)
        if not _in_force(now).filter(signs_from__lte=now).exists():
            newest.signs_from = now
            newest.save(update_fields=["signs_from"])
    return newest


def _require(actor: User) -> None:
    require(actor, None, "Only staff change what the marketplace signs with.", Right.TOKENS)


def _in_force(now: datetime) -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-pk")


def _first(now: datetime) -> SigningKey:
    """Several may ask at once; one key is made."""
    with transaction.atomic():
        _one_at_a_time()
        return _in_force(now).filter(signs_from__lte=now).first() or _made(now, signs_from=now)


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('signing keys'))")


def _made(now: datetime, *, signs_from: datetime) -> SigningKey:
    public, private = keys.fresh()
    secret = seal({"d": private})
    return SigningKey.objects.create(
        kid=public["kid"], public=public, secret=secret, created_at=now, signs_from=signs_from
    )
