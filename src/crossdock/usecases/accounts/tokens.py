"""Access for programs: tokens kept as hashes, and answers kept per Idempotency-Key, so that a repeated request does
its work once.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.roles import Right
from crossdock.store.models import ApiToken, AuditTopic, IdempotentReply, Seller, User
from crossdock.store.once import insert_new
from crossdock.store.plans import prepared
from crossdock.store.together import ask
from crossdock.usecases.accounts.notices import tell_owner
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import holds, is_owner, require, require_owner

PREFIX = "cd_"
# A request that has no answer after so long died with its process; the same key may then be tried again.
IN_FLIGHT_FOR = timedelta(minutes=2)
KEPT_FOR = timedelta(days=7)
# How the keys of agents look beneath, which no other program's do: their answers say who buys, and go sooner
# (domain/retention.py).
OF_AGENTS = r"^(acp|ucp)-[0-9a-f]{64}$"
_SEEN_EVERY = timedelta(minutes=1)


EVERYTHING = "*"
# What a token may reach, in the order of the page. "change" has reading in it; "money" is
# credits, rejections and the balance.
AREAS = {
    "listings": "Listings",
    "offers": "Offers",
    "orders": "Orders",
    "money": "Rejecting, credits and balance",
    "shops": "Connections",
    "alerts": "Alerts",
}
# Of the marketplace's own tokens alone, and only where it is named: what docs/agents.md describes.
FOR_AGENTS = "agents"
OF_MARKETPLACE = {FOR_AGENTS: "Product feed and checkout for agents"}


def scopes_of(*, change: bool, areas: Sequence[str] = ()) -> str:
    """None named means all that there are today: what comes later is not in it."""
    if not set(areas) <= {*AREAS, *OF_MARKETPLACE}:
        raise Invalid("Choose from the list what the token may reach.")
    return " ".join(f"{area}:{'change' if change else 'read'}" for area in areas or AREAS)


def reaches(scopes: str, *, area: str, change: bool) -> bool:
    """An area that nobody named is closed to every token but those that reach everything, and what is of the
    marketplace alone to those, too.
    """
    held = scopes.split()
    everything = EVERYTHING in held and area not in OF_MARKETPLACE
    return everything or f"{area}:change" in held or (not change and f"{area}:read" in held)


def hash_of(secret: str) -> str:
    """Tokens are 43 random letters: a plain hash of them cannot be guessed back, and looking it up takes the same path
    for every secret.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


MOST_TOKENS = 50


def _require_room(seller: Seller, *, now: datetime) -> None:
    """The seller's row is locked, so that two tabs do not make one too many. Raises NotAllowed."""
    Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
    good = ApiToken.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), seller=seller, revoked_at=None)
    if good.count() >= MOST_TOKENS:
        raise NotAllowed(f"You have {MOST_TOKENS} tokens. Revoke one that no program uses any more.")


def make_token(
    *,
    name: str,
    seller: Seller | None,
    actor: User,
    now: datetime,
    scopes: str = EVERYTHING,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """The row and the secret, which is known only now. Without a seller it is the marketplace's own, made by staff; a
    seller's is made by its owner alone, since it works in their name.
    """
    if not name.strip():
        raise Invalid("Give the token a name, so that you know later what it is for.")
    if seller is None:
        require(actor, None, "Only staff make tokens of the marketplace.", Right.TOKENS)
    else:
        require_owner(actor, seller, "Only the seller makes tokens of this shop.")
    if expires_at is not None and expires_at <= now:
        raise Invalid("Choose a day in the future.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        if seller is not None:
            _require_room(seller, now=now)
        token = ApiToken.objects.create(
            name=name.strip()[:80],
            hash=hash_of(secret),
            hint=secret[-4:],
            seller=seller,
            made_by=actor,
            created_at=now,
            scopes=scopes,
            expires_at=expires_at,
        )
        _audit("token made", token, actor, now=now)
        owner = seller.owner if seller is not None else actor
        tell_owner(user=owner, what="token", about=token.name, path="/seller/tokens/" if seller else "/staff/", now=now)
    return token, secret


def revoke_token(*, token: ApiToken, actor: User, now: datetime) -> None:
    """At once and for ever; revoking twice keeps the first time."""
    require(actor, token.seller, "This token is not yours.", Right.TOKENS)
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            _audit("token revoked", token, actor, now=now)


def revoke_token_of(*, token: ApiToken, now: datetime) -> None:
    """Its maker lost the role. By the operator, in the caller's transaction."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
        _audit("token revoked", token, None, now=now)


def _audit(action: str, token: ApiToken, actor: User | None, *, now: datetime) -> None:
    note(actor=actor, action=action, subject=str(token), now=now, detail={"token": token.pk}, topic=AuditTopic.ACCOUNT)


def all_tokens() -> QuerySet[ApiToken]:
    """For staff: the marketplace's and every seller's."""
    return ApiToken.objects.select_related("seller", "made_by")


@prepared
def _tokens(hash: str) -> QuerySet[ApiToken]:
    return ApiToken.objects.select_related("seller__owner", "made_by").filter(hash=hash)


def token_of(*, secret: str, now: datetime) -> ApiToken | None:
    """The token that this secret opens, or None: unknown, revoked, expired, or whoever made it is no longer what they
    were then: an account that is open, the shop's owner, staff with the right to make it.
    """
    (found,) = ask(_tokens(hash_of(secret)))
    token: ApiToken | None = next(iter(found), None)
    if token is None or token.revoked_at is not None or not token.made_by.is_active:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    if not (holds(token.made_by, Right.TOKENS) if token.seller is None else is_owner(token.made_by, token.seller)):
        return None
    if token.last_used_at is None or token.last_used_at < now - _SEEN_EVERY:
        seen_long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - _SEEN_EVERY)
        ApiToken.objects.filter(seen_long_ago, pk=token.pk).update(last_used_at=now)
    return token


def speaks_for(*, token: ApiToken, profile: str) -> bool:
    """Whether an agent's token may name this profile; the first that it names is its own from then on."""
    if not token.profile and ApiToken.objects.filter(pk=token.pk, profile="").update(profile=profile):
        token.profile = profile
    elif not token.profile:
        # Another request of it was first just now.
        token.refresh_from_db(fields=["profile"])
    return token.profile == profile


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer that a request with this key got the first time."""

    status: int
    body: Any


class InFlight(NotAllowed):
    """A request with the same key is being worked on."""


class OtherBody(Invalid):
    """The key was used for something else."""


def begin_once(*, token: ApiToken, key: str, fingerprint: str, now: datetime) -> Kept | None:
    """None: do the work, then `finish_once` or `forget_once`. Raises InFlight or OtherBody."""
    if not 1 <= len(key) <= 120 or not key.isprintable():
        raise Invalid("The Idempotency-Key must have 1 to 120 printable characters.")
    if insert_new([IdempotentReply(token=token, key=key, fingerprint=fingerprint, created_at=now)], "token_id", "key"):
        return None
    with transaction.atomic():
        row = IdempotentReply.objects.select_for_update(no_key=True).filter(token=token, key=key).first()
        if row is None:
            # The first request failed just now and freed its key.
            raise InFlight("A request with this Idempotency-Key is still being worked on; ask again in a moment.")
        if now - row.created_at >= KEPT_FOR:
            # As if it were gone: the hourly housekeeping has not come by yet.
            row.fingerprint, row.status, row.body, row.created_at = fingerprint, None, None, now
            row.save(update_fields=["fingerprint", "status", "body", "created_at"])
            return None
        if row.fingerprint != fingerprint:
            raise OtherBody("This Idempotency-Key was used for another request; take a new one.")
        if row.status is not None:
            return Kept(row.status, row.body)
        if now - row.created_at < IN_FLIGHT_FOR:
            raise InFlight("A request with this Idempotency-Key is still being worked on; ask again in a moment.")
        row.created_at = now
        row.save(update_fields=["created_at"])
    return None


def finish_once(*, token: ApiToken, key: str, status: int, body: Any) -> None:
    IdempotentReply.objects.filter(token=token, key=key).update(status=status, body=body)


def forget_once(*, token: ApiToken, key: str) -> None:
    """The work failed in a way that a repeat may well not: the key is free again."""
    IdempotentReply.objects.filter(token=token, key=key, status=None).delete()
