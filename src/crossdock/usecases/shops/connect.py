"""Connecting a shop: a one-time attempt, its proof and preview, then the connection.

The same shop is connected once on the whole marketplace.
"""

import hashlib
import secrets as random_secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from crossdock.domain.alerts import ROOT_CAUSES, AlertCode
from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.health import FIRST
from crossdock.domain.orders import CopyState
from crossdock.domain.values import Access
from crossdock.domain.wording import counted
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import (
    Command,
    ConnectAttempt,
    Connection,
    Cursor,
    Listing,
    Party,
    Seller,
    ShadowRun,
    ShopCopy,
    User,
)
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.store.vault import seal, unseal
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.alerts import settle_by_fact
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.rights import require, require_of
from crossdock.usecases.shops.identity import is_same_shop, name_of
from crossdock.usecases.shops.pausing import paused_platform
from crossdock.usecases.shops.recorded_calls import hand_over
from crossdock.usecases.shops.shop_money import CHANGED, prices_unknown
from crossdock.usecases.stock.limits import count_anew

ATTEMPT_LASTS = timedelta(hours=1)
STREAMS = ("products", "orders", "counts", "hooks", "secrets")
LOOK_FIRST = "You chose to only look first. Begin shadow mode, or resume it to sell."


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt with what the seller typed and what the connector wanted to be kept, unsealed."""

    row: ConnectAttempt
    form: Mapping[str, str]
    keep: Mapping[str, str]


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def start_attempt(
    *,
    seller: Seller,
    user: User,
    platform: str,
    way: str,
    address: str,
    form: Mapping[str, str],
    now: datetime,
    keep: Mapping[str, str] | None = None,
    reconnects: Connection | None = None,
) -> tuple[ConnectAttempt, str]:
    """The row, and the one-time state that only the browser (or the shop) will bring back; we keep its hash."""
    if reconnects is not None:
        require_of(seller, reconnects)
    state = random_secrets.token_urlsafe(32)
    row = ConnectAttempt.objects.create(
        seller=seller,
        user=user,
        platform=platform,
        way=way,
        address=address,
        state_hash=_hash(state),
        reconnects=reconnects,
        keep=seal({"form": _flat(form), "keep": _flat(keep or {})}),
        expires_at=now + ATTEMPT_LASTS,
    )
    return row, state


def _flat(values: Mapping[str, str]) -> str:
    return "\x1e".join(f"{key}\x1f{value}" for key, value in values.items())


def _unflat(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (part.partition("\x1f") for part in text.split("\x1e") if part)}


def keep_more(*, attempt: ConnectAttempt, keep: Mapping[str, str]) -> None:
    """What the connector wants to see again at the end of its redirect."""
    opened = unseal(attempt.keep)
    attempt.keep = seal({"form": opened["form"], "keep": _flat(keep)})
    attempt.save(update_fields=["keep"])


def take_attempt(*, state: str, now: datetime) -> Attempt:
    """The redirect came back (or the shop called): good once, and not for long. Raises Invalid."""
    with transaction.atomic():
        row = (
            ConnectAttempt.objects.select_for_update(no_key=True, of=("self",)).filter(state_hash=_hash(state)).first()
        )
        if row is None:
            raise Invalid("This sign-in was not started here. Begin again from “Connect a shop”.")
        if row.used_at is not None or row.expires_at < now:
            raise Invalid("This sign-in was used already or took too long. Begin again from “Connect a shop”.")
        row.used_at = now
        row.save(update_fields=["used_at"])
    return opened_attempt(row)


def find_attempt(*, state: str) -> ConnectAttempt | None:
    """The attempt that this state began, used or not; nothing is changed."""
    return ConnectAttempt.objects.select_related("user", "seller").filter(state_hash=_hash(state)).first()


def opened_attempt(row: ConnectAttempt) -> Attempt:
    kept = unseal(row.keep)
    return Attempt(row, _unflat(kept["form"]), _unflat(kept["keep"]))


def secrets_of(*, attempt: ConnectAttempt) -> dict[str, str]:
    return unseal(attempt.secrets) if attempt.secrets else {}


def prove_attempt(
    *,
    attempt: ConnectAttempt,
    secrets: Mapping[str, str],
    proof: Mapping[str, Any],
    preview: list[dict[str, Any]],
    now: datetime,
) -> None:
    """What the connection test found, kept until the seller confirms.

    `proof`: shop_id, name, currency, checks, settings, locations.
    """
    attempt.secrets, attempt.proof, attempt.preview = seal(secrets), dict(proof), preview
    attempt.save(update_fields=["secrets", "proof", "preview"])


def confirm_attempt(
    *,
    attempt: ConnectAttempt,
    left_out: Iterable[str],
    settings: Mapping[str, str],
    now: datetime,
    shadow: bool = False,
) -> Connection:
    """The connection, and its first reading at once. Confirming twice gives the same connection.

    `shadow`: a new one is only read until its seller goes live. One that was connected before may have orders that are
    still to be written to it: it is paused, unless it was only read before.
    """
    with transaction.atomic():
        attempt = ConnectAttempt.objects.select_for_update(no_key=True, of=("self",)).get(pk=attempt.pk)
        proof = attempt.proof
        if proof is None or attempt.secrets is None:
            raise Invalid("This shop was not tested yet. Begin again from “Connect a shop”.")
        if not all(check["ok"] for check in proof["checks"]):
            raise NotAllowed("The connection test found something missing; give it first.")
        if proof["currency"] not in CURRENCIES:
            raise Invalid(f"The shop's currency ({proof['currency'] or 'none'}) is not one we know.")
        known = Connection.objects.filter(
            # Those from before there was an address in the key as well.
            Q(shop_key=proof["shop_id"]) | Q(shop_key=proof.get("stays") or None, address=attempt.address),
            platform=attempt.platform,
        )
        # Listings before their shop, as a page of products locks them.
        shops = {*known.values_list("pk", flat=True), attempt.reconnects_id} - {None}
        lock_in_order(Listing.objects.filter(connection__in=shops))
        same = known.select_for_update(no_key=True, of=("self",))
        existing = same.exclude(state=ConnectionState.DISCONNECTED).first()
        back = existing or attempt.reconnects or same.filter(seller=attempt.seller).order_by("-pk").first()
        if existing and existing.seller_id != attempt.seller_id:
            raise Invalid(
                "This shop is already connected by another seller. A shop can be connected once on the whole"
                " marketplace."
            )
        if back is not None and not is_same_shop(back.shop_key, proof["shop_id"], proof.get("stays", "")):
            raise Invalid(
                f"You signed in to another shop ({proof['name']}). Sign in to {back.name}, or connect the other one as"
                " a new shop."
            )
        if (
            attempt.reconnects is None
            and existing
            and attempt.created_at > existing.created_at
            and existing.state == ConnectionState.ACTIVE
        ):
            raise Invalid(f"You have connected this shop already, as {existing.name}.")
        chosen = {**(back.settings if back else {}), **proof["settings"], **settings, "left_out": sorted(left_out)}
        try:
            with transaction.atomic():
                shop = _write(attempt, proof, back, chosen, look_first=shadow, now=now)
                if shadow and back is None:
                    look_only(shop=shop, now=now)
        except IntegrityError:
            raise Invalid("This shop is already connected.") from None
        hand_over(attempt=attempt, party_id=shop.party_id)
        said = {"shop": shop.public_id, "platform": shop.platform}
        action = "shop reconnected" if back else "shop connected"
        settings_note(actor=attempt.user, action=action, subject=shop.name, now=now, detail=said)
        attempt.delete()
    return shop


def _write(
    attempt: ConnectAttempt,
    proof: Mapping[str, Any],
    back: Connection | None,
    chosen: dict[str, Any],
    *,
    look_first: bool,
    now: datetime,
) -> Connection:
    party = back.party if back else Party.objects.create(kind=PartyKind.SHOP, name=attempt.platform)
    shop = back or Connection(seller=attempt.seller, party=party, platform=attempt.platform, shop_key=proof["shop_id"])
    before, shop.shop_key = shop.currency, proof["shop_id"]
    shop.way, shop.address, shop.name, shop.currency = (
        attempt.way,
        attempt.address,
        name_of(attempt, proof, shop),
        proof["currency"],
    )
    if back and (before != shop.currency or CHANGED in chosen):
        prices_unknown(shop=shop, now=now)
    chosen.pop(CHANGED, None)
    counted, shop.secrets, shop.settings = shop.settings.get("location", ""), attempt.secrets or b"", chosen
    # What staff paused stays paused, however often it is connected; so does a platform.
    shop.paused_by_staff = shop.paused_by_staff or paused_platform(shop.platform)
    waits = shop.paused_by_staff or (LOOK_FIRST if look_first and back and back.shadow_since is None else "")
    shop.state = ConnectionState.PAUSED if waits else ConnectionState.ACTIVE
    shop.state_sentence, shop.checks, shop.checked_at = waits, list(proof["checks"]), now
    shop.save()
    if back and counted != chosen.get("location", ""):
        count_anew(shop)
    open_again(shop=shop, how="The shop was reconnected.", now=now)
    return shop


def look_only(*, shop: Connection, now: datetime) -> None:
    """From now on nothing of it is for sale, and nothing is written to it."""
    shop.shadow_since = now
    shop.save(update_fields=["shadow_since"])
    ShadowRun.objects.create(connection=shop, began_at=now)


def open_again(*, shop: Connection, how: str, now: datetime) -> None:
    """A shop that could not be spoken to can be: everything is read, and what waited is sent, at once."""
    for stream in STREAMS:
        begun = {"due_at": now, "due_by": now + FIRST}
        Cursor.objects.update_or_create(connection=shop, stream=stream, defaults=begun)
    settle_by_fact(now=now, how=how, codes=(*ROOT_CAUSES, AlertCode.SHOP_MONEY_CHANGED), connection=shop)
    Party.objects.filter(pk=shop.party_id).update(
        resting_until=None, failures=0, failing_since=None, last_error="", stopped=False
    )
    Command.objects.filter(party=shop.party_id, state=CommandState.WAITING).update(due_at=now)
    wake([shop.party_id])


def record_test(*, connection: Connection, checks: list[dict[str, Any]], now: datetime) -> None:
    Connection.objects.filter(pk=connection.pk).update(checks=checks, checked_at=now)


def store_secrets(*, connection_id: int, secrets: Mapping[str, str], now: datetime) -> None:
    """Renewed credentials, stored before they are used."""
    Connection.objects.filter(pk=connection_id).update(secrets=seal(secrets))


def record_hooks(
    *, connection_id: int, expected: Iterable[str], active: Iterable[str], healed: Iterable[str], now: datetime
) -> None:
    """`proven_after`: a delivery that arrives later proves that the webhooks work; begun anew with each mending."""
    audit = {"expected": sorted(expected), "active": sorted(active), "healed": sorted(healed)}
    shop = Connection.objects.only("hooks").get(pk=connection_id)
    before = (shop.hooks or {}).get("proven_after")
    whole = not audit["healed"] and audit["expected"] == audit["active"]
    after = before if whole and before else now.isoformat()
    Connection.objects.filter(pk=connection_id).update(hooks={**audit, "proven_after": after}, hooks_checked_at=now)


def what_disconnect_does(*, connection: Connection) -> list[str]:
    """What the seller reads before the button."""
    listings = Listing.objects.filter(connection=connection, state="live").count()
    waiting = ShopCopy.objects.filter(
        connection=connection, state__in=[CopyState.INTENDED, CopyState.SENT], order__cancelled_at=None
    ).count()
    open_orders = connection.orders.filter(cancelled_at=None).exclude(parcels="shipped").count()
    return [
        f"Not for sale any more: {counted(listings, 'listing')}. They are kept, and sell again when you connect the"
        " same shop again.",
        f"{counted(open_orders, 'open order')} left here to ship by hand, since tracking no longer comes back.",
        (
            f"Not in your shop yet and not sent any more: {counted(waiting, 'order')}. Reject or ship by hand."
            if waiting
            else "No order is on its way to your shop."
        ),
        "Our webhooks in your shop are removed and your keys are deleted here.",
    ]


def disconnect(*, connection: Connection, actor: User, now: datetime) -> None:
    """The keys are forgotten; listings, orders and history stay.

    Webhooks are removed by the caller beforehand, as well as it goes.
    """
    require(actor, connection.seller)
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(
            state=ConnectionState.DISCONNECTED, state_sentence="Disconnected by you.", secrets=seal({}), hooks={}
        )
        detail = {"shop": connection.public_id}
        settings_note(actor=actor, action="shop disconnected", subject=connection.name, now=now, detail=detail)
        settle_by_fact(now=now, how="The shop was disconnected.", codes=tuple(AlertCode), connection=connection)


def _hook_url(platform: str, public_id: str) -> str:
    base = settings.HOOK_URL
    return f"{base}/hooks/shop/{platform}/{public_id}" if base else ""


def access_of(*, connection: Connection) -> Access:
    """Raises VaultLocked when the key is gone."""
    plain = {key: str(value) for key, value in connection.settings.items() if isinstance(value, str | int)}
    return Access(
        connection.party_id,
        connection.platform,
        connection.way,
        connection.address,
        unseal(connection.secrets),
        plain,
        settings.APPS.get(connection.platform, {}),
        # Webhooks would be written into the shop: one that is only looked at is asked regularly.
        "" if connection.shadow_since else _hook_url(connection.platform, connection.public_id),
        settings.ALLOW_LOCAL_SHOPS,
    )


def access_for_attempt(*, attempt: ConnectAttempt, secrets: Mapping[str, str]) -> Access:
    """Not a connection yet: no webhooks, no settings; its budget is kept under a party id of its own (negative, so it
    can't collide).
    """
    return Access(
        -attempt.pk,
        attempt.platform,
        attempt.way,
        attempt.address,
        dict(secrets),
        {},
        settings.APPS.get(attempt.platform, {}),
        "",
        settings.ALLOW_LOCAL_SHOPS,
    )
