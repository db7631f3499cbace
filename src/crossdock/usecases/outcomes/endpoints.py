"""Receivers of signed webhooks, as their seller sets them up. The secret is shown once; what is kept is sealed. Those
of agents' order updates are beside it (agents_told.py); what holds for both is here.
"""

import base64
import re
import secrets as random_bytes
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind
from crossdock.domain.redact import redact_text
from crossdock.domain.roles import Right
from crossdock.store.ids import public_id
from crossdock.store.models import Command, Endpoint, Party, Seller, User
from crossdock.store.models.work import CommandResult, CommandState, PartyKind
from crossdock.store.vault import seal, unseal
from crossdock.store.work import wake
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.record.audit import settings_note
from crossdock.usecases.record.events import EVENTS, TEST, send_to
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling, telling

MOST_ENDPOINTS = 10
OVERLAP = timedelta(hours=24)
_SIGNING = "whsec_"
_PARTY_PREFIX = "hook:"


def _in_use(endpoint: Endpoint, actor: User) -> Endpoint:
    """Locked. Raises NotAllowed for somebody else's, Invalid for one that was deleted."""
    row = locked(endpoint)
    _require(actor, row)
    if row.deleted_at is not None:
        raise Invalid("This receiver was deleted.")
    return row


def locked(endpoint: Endpoint) -> Endpoint:
    """As it is now, for this transaction alone."""
    rows = Endpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("seller__owner", "token")
    return rows.get(pk=endpoint.pk)


def _require(actor: User, row: Endpoint) -> None:
    require(actor, row.seller, "Only staff set up what an agent is told.", Right.TOKENS)


def host_of(url: str) -> str:
    """Empty for what is no web address. Whether we may call it is decided by the transport, on the socket."""
    found = re.match(r"https?://([^/?#@\s\\]+)(?=[/?#]|$)", url)
    return found[1] if found else ""


def endpoints_of(*, seller: Seller) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(seller=seller, deleted_at=None).select_related("party").order_by("pk")


def add_endpoint(
    *, seller: Seller, actor: User, url: str, name: str, events: Sequence[str], now: datetime
) -> tuple[Endpoint, str]:
    """The row, and the secret, which is known only now. No events means all of them."""
    require(actor, seller)
    url = url.strip()
    if not host_of(url) or len(url) > 500:
        raise Invalid("Type the whole web address of your receiver, beginning with https://.")
    unknown = set(events) - set(EVENTS)
    if unknown:
        raise Invalid(f"There is no event named {', '.join(sorted(unknown))}.")
    with transaction.atomic():
        Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
        others = endpoints_of(seller=seller)
        if others.filter(url=url).exists():
            raise Invalid("This address receives webhooks already.")
        if others.count() >= MOST_ENDPOINTS:
            raise Invalid(f"You have {MOST_ENDPOINTS} receivers; delete one first.")
        secret = fresh_secret()
        endpoint = made(
            Endpoint(seller=seller, url=url, name=name.strip()[:80], events=sorted(set(events))), secret, now=now
        )
        noted(endpoint, actor, "webhook receiver added", now=now)
    return endpoint, secret


def made(row: Endpoint, secret: str, *, now: datetime) -> Endpoint:
    """Written, with a party of its own; without a secret where none is shared."""
    row.public_id = public_id()
    row.party = Party.objects.create(kind=PartyKind.NOTIFY, name=f"{_PARTY_PREFIX}{row.public_id}")
    row.secrets, row.hint, row.created_at = seal({"now": secret} if secret else {}), secret[-4:], now
    row.save()
    return row


def _not_taken(row: Endpoint) -> QuerySet[Command]:
    """Of an agent's also what was refused: it has no list from which one message is sent again."""
    open_ones = Q(state__in=[CommandState.DEAD, CommandState.WAITING])
    refused = Q(state=CommandState.DONE, result=CommandResult.REFUSED)
    return Command.objects.filter(open_ones if row.token_id is None else open_ones | refused, party_id=row.party_id)


def noted(row: Endpoint, actor: User | None, action: str, *, now: datetime) -> None:
    whose = {"seller": row.seller.public_id} if row.seller else {"token": row.token_id}
    detail = {**whose, "webhook": row.public_id}
    settings_note(actor=actor, action=action, subject=host_of(row.url), now=now, detail=detail)


def fresh_secret() -> str:
    return _SIGNING + base64.b64encode(random_bytes.token_bytes(32)).decode()


def secrets_of(*, endpoint: Endpoint, now: datetime) -> list[str]:
    """What to sign with: the secret of now, and the one before it while both hold. Raises VaultLocked."""
    opened = unseal(endpoint.secrets)
    both = [opened["now"]] if "now" in opened else []
    if "before" in opened and endpoint.before_until is not None and now < endpoint.before_until:
        both.append(opened["before"])
    return both


def rotate_secret(*, endpoint: Endpoint, actor: User, now: datetime) -> str:
    """A new secret.

    The one before goes on signing beside it for a day, so that a receiver can change over without losing a message.
    """
    with transaction.atomic():
        row = _in_use(endpoint, actor)
        secret, before = fresh_secret(), unseal(row.secrets)["now"]
        row.secrets, row.hint = seal({"now": secret, "before": before}), secret[-4:]
        row.rotated_at, row.before_until = now, now + OVERLAP
        row.save(update_fields=["secrets", "hint", "rotated_at", "before_until"])
        noted(row, actor, "webhook secret changed", now=now)
    return secret


def change_endpoint(*, endpoint: Endpoint, actor: User, name: str, events: Sequence[str]) -> None:
    if set(events) - set(EVENTS):
        raise Invalid("Choose the events from the list.")
    with transaction.atomic():
        row = _in_use(endpoint, actor)
        row.name, row.events = name.strip()[:80], sorted(set(events))
        row.save(update_fields=["name", "events"])


def pause_endpoint(*, endpoint: Endpoint, actor: User, now: datetime) -> None:
    """Nothing is sent; what waits stays waiting, and what happens meanwhile is not told later."""
    with transaction.atomic():
        row = _in_use(endpoint, actor)
        if row.paused_at is None:
            _stop(row, why="Paused by you.", now=now)


def _stop(row: Endpoint, *, why: str, now: datetime) -> None:
    row.paused_at, row.paused_why = now, why[:300]
    row.save(update_fields=["paused_at", "paused_why"])
    Party.objects.filter(pk=row.party_id).update(stopped=True)


def resume_endpoint(*, endpoint: Endpoint, actor: User, now: datetime) -> int:
    """What waits or was given up is sent, oldest first. Returns how many messages that are."""
    with telling(now) as told:
        row = _in_use(endpoint, actor)
        many = go_on(row, now=now)
        told.settle_by_fact(
            how="The receiver was resumed.", codes=(AlertCode.ENDPOINT_FAILING,), key=f"endpoint:{row.pk}"
        )
    return many


def go_on(row: Endpoint, *, now: datetime) -> int:
    """Of a locked row: nothing holds it back any more."""
    row.paused_at, row.paused_why = None, ""
    row.save(update_fields=["paused_at", "paused_why"])
    Party.objects.filter(pk=row.party_id).update(
        stopped=False, resting_until=None, failures=0, failing_since=None, last_error=""
    )
    again = {"state": CommandState.WAITING, "result": CommandResult.NONE, "finished_at": None}
    many = _not_taken(row).update(**again, due_at=now, created_at=now)
    wake([row.party_id])
    return many


def delete_endpoint(*, endpoint: Endpoint, actor: User, now: datetime) -> None:
    """At once: what waits is withdrawn, and the secret is forgotten. Deleting twice is deleting once."""
    with telling(now) as told:
        row = locked(endpoint)
        _require(actor, row)
        if row.deleted_at is not None:
            return
        close(row, actor, now=now)
        told.settle_by_fact(
            how="The receiver was deleted.", codes=(AlertCode.ENDPOINT_FAILING,), key=f"endpoint:{row.pk}"
        )


def close(row: Endpoint, actor: User | None, *, now: datetime) -> None:
    """Of a locked row that was not deleted."""
    row.deleted_at, row.secrets, row.before_until = now, seal({}), None
    row.save(update_fields=["deleted_at", "secrets", "before_until"])
    noted(row, actor, "webhook receiver deleted", now=now)
    Party.objects.filter(pk=row.party_id).update(stopped=True)
    Command.objects.filter(party_id=row.party_id, state__in=[CommandState.WAITING, CommandState.DEAD]).update(
        state=CommandState.WITHDRAWN, finished_at=now, sentence="The receiver was deleted."
    )


def send_test(*, endpoint: Endpoint, actor: User, now: datetime) -> None:
    """A message of the type "test", signed like every other."""
    with transaction.atomic():
        row = _in_use(endpoint, actor)
        if row.paused_at is not None:
            raise NotAllowed("This receiver is paused. Resume it first.")
        cause = f"test:{row.public_id}:{now.isoformat()}"
        data = {"sentence": "This is a test. Nothing happened."}
        send_to(endpoint=row, event=TEST, cause=cause, data=data, now=now)


def send_again(*, endpoint: Endpoint, command_id: int, actor: User, now: datetime) -> None:
    """One message that was given up or refused, under its old id, so that a receiver that has it knows."""
    with transaction.atomic():
        row = _in_use(endpoint, actor)
        if row.paused_at is not None:
            raise NotAllowed("This receiver is paused. Resume it first.")
        sent = Command.objects.filter(pk=command_id, party_id=row.party_id, kind=CommandKind.SEND_EVENT)
        ended = Q(state=CommandState.DEAD) | Q(state=CommandState.DONE, result="refused")
        if not sent.filter(ended).update(
            state=CommandState.WAITING, result="none", due_at=now, created_at=now, finished_at=None, unresolved=False
        ):
            raise NotAllowed("Only what was given up or refused can be sent again.")
        wake([row.party_id])


def deliveries_of(*, endpoint: Endpoint, before: int | None, limit: int) -> list[Command]:
    """Newest first."""
    rows = Command.objects.filter(party_id=endpoint.party_id, kind=CommandKind.SEND_EVENT)
    return list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[:limit])


def endpoint_gave_up(*, command: Command, sentence: str, told: Telling) -> None:
    """It took nothing for two days, or said that it is gone for good: it is paused, and its seller decides; of an
    agent's, staff do, who find it counted on their first page.

    Called while the command is settled.
    """
    endpoint = (
        Endpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("seller__owner")
        .filter(pk=EVENT.validate_python(command.payload).endpoint, deleted_at=None)
        .first()
    )
    if endpoint is None:
        return
    said = redact_text(sentence)
    if endpoint.paused_at is None:
        _stop(endpoint, why=f"Paused by us: {said}", now=told.now)
    if endpoint.seller is None:
        return
    host = host_of(endpoint.url)
    told.raise_alert(
        code=AlertCode.ENDPOINT_FAILING,
        seller=endpoint.seller,
        key=f"endpoint:{endpoint.pk}",
        evidence={"endpoint": endpoint.public_id, "host": host, "answer": said},
        sentence=(
            f"{host} did not take our webhooks: {said} It is paused. Mend it and resume; what was not taken is sent"
            " then."
        ),
    )
