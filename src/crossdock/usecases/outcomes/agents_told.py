"""Where the programs of agents hear of their orders: by ACP where staff say, signed with a secret that both know; by
UCP where the agent's own profile says, signed with our key.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.domain.roles import Right
from crossdock.store.models import AgentSession, ApiToken, Command, Endpoint, Order, User
from crossdock.store.models.work import CommandResult
from crossdock.usecases.accounts.tokens import FOR_AGENTS, reaches
from crossdock.usecases.errors import Invalid
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.outbox.queue import enqueue_all
from crossdock.usecases.outcomes.endpoints import (
    close,
    delete_endpoint,
    fresh_secret,
    go_on,
    host_of,
    locked,
    made,
    noted,
    resume_endpoint,
)
from crossdock.usecases.record.agent_news import update_commands
from crossdock.usecases.record.rights import require

MOST_SHORT = 16
_LONGEST = 500


def agents_endpoints(tokens: Iterable[ApiToken]) -> dict[int, list[Endpoint]]:
    """By their token's key, one for each protocol; most tokens have none."""
    found: dict[int, list[Endpoint]] = {}
    for row in Endpoint.objects.filter(token__in=list(tokens), deleted_at=None).order_by("protocol"):
        if row.token_id is not None:
            found.setdefault(row.token_id, []).append(row)
    return found


def updates_to(*, token: ApiToken) -> QuerySet[Command]:
    """Every message to the agent behind a token, also to addresses that it left."""
    rows = Command.objects.filter(party__endpoint__token=token, kind=CommandKind.SEND_EVENT)
    return rows.select_related("party__endpoint")


def orders_told(rows: Iterable[Command]) -> dict[int, list[Order]]:
    """By the key of such a message the orders that it is of, the first one first."""
    sessions = {row.pk: EVENT.validate_python(row.payload).session for row in rows}
    orders = Order.objects.filter(intent__agent_session__in=set(sessions.values())).order_by("pk")
    by_session: dict[int, list[Order]] = {}
    for order in orders.select_related("intent__agent_session"):
        if order.intent is not None:
            by_session.setdefault(order.intent.agent_session.pk, []).append(order)
    return {pk: by_session.get(session, []) for pk, session in sessions.items()}


def agents_endpoint(*, token: ApiToken, protocol: str = "acp") -> Endpoint | None:
    return next((row for row in agents_endpoints([token]).get(token.pk, []) if row.protocol == protocol), None)


def resume_agent(*, token: ApiToken, actor: User, now: datetime) -> int:
    """Whatever of it is paused goes on. Returns how many messages wait. Raises Invalid where it is told nothing."""
    rows = agents_endpoints([token]).get(token.pk, [])
    if not rows:
        raise Invalid("This agent is told nothing.")
    return sum(resume_endpoint(endpoint=row, actor=actor, now=now) for row in rows)


def tell_agent_at(*, token: ApiToken, actor: User, url: str, secret: str, now: datetime) -> tuple[Endpoint, str]:
    """Where the program behind an agent's token hears of its orders, and the secret that it checks them with: the one
    that the agent gave, or a fresh one. It takes the place of the address before. Raises Invalid and NotAllowed.
    """
    require(actor, None, "Only staff set up what an agent is told.", Right.TOKENS)
    url, secret = url.strip(), secret.strip()
    if not host_of(url) or len(url) > _LONGEST:
        raise Invalid("Give the whole web address of the agent's receiver, beginning with https://.")
    if secret and not (MOST_SHORT <= len(secret) <= 200 and secret.isascii() and secret.isprintable()):
        raise Invalid(f"The secret must have {MOST_SHORT} to 200 letters, digits and signs.")
    with transaction.atomic():
        row = ApiToken.objects.select_for_update(no_key=True, of=("self",)).get(pk=token.pk)
        if row.seller_id is not None or not reaches(row.scopes, area=FOR_AGENTS, change=True):
            raise Invalid("This token is no agent's that may buy.")
        before, unheard = agents_endpoint(token=row), list[int]()
        if before is not None:
            sent = Command.objects.filter(party_id=before.party_id).exclude(result=CommandResult.OK)
            unheard = list(sent.values_list("payload__session", flat=True))
            delete_endpoint(endpoint=before, actor=actor, now=now)
        secret = secret or fresh_secret()
        endpoint = made(Endpoint(token=row, url=url, name=row.name), secret, now=now)
        # What the address before did not take is told at this one.
        enqueue_all(update_commands(AgentSession.objects.filter(pk__in=unheard), cause="moved", now=now))
        noted(endpoint, actor, "agent's receiver added", now=now)
    return endpoint, secret


def follow_profile(*, token: ApiToken, url: str, read_at: datetime, now: datetime) -> None:
    """By UCP “the platform provides its webhook URL in the order capability's config field … The business discovers
    this URL from the platform's profile” (v2026-04-08, docs/specification/order.md). `url` is what the profile said
    when it was read, or empty; one that was read earlier than what is known already (by another process, which keeps it
    for a while) changes nothing.
    """
    if _as_known(_newest(token), url, read_at):
        return
    with transaction.atomic():
        ApiToken.objects.select_for_update(no_key=True, of=("self",)).get(pk=token.pk)
        before = _newest(token)
        if _as_known(before, url, read_at):
            return
        if before is None or before.deleted_at is not None:
            row = Endpoint(token=token, protocol="ucp", url=url, name=token.name, rotated_at=read_at)
            noted(made(row, "", now=now), None, "agent's receiver added", now=now)
            return
        row = locked(before)
        row.rotated_at = read_at
        if not url:
            row.save(update_fields=["rotated_at"])
            close(row, None, now=now)
            return
        # What the address before did not take is told at this one.
        row.url = url
        row.save(update_fields=["url", "rotated_at"])
        noted(row, None, "agent's receiver moved", now=now)
        go_on(row, now=now)


def _newest(token: ApiToken) -> Endpoint | None:
    return Endpoint.objects.filter(token=token, protocol="ucp").order_by("-pk").first()


def _as_known(row: Endpoint | None, url: str, read_at: datetime) -> bool:
    known = "" if row is None or row.deleted_at is not None else row.url
    return known == url or (row is not None and row.rotated_at is not None and row.rotated_at >= read_at)
