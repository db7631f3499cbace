"""Whom we tell: people by mail (mails.py), sellers' programs by signed webhooks, agents' programs of their orders.

At least once: a webhook keeps its id.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings

from crossdock.domain.agents.ucp import PROFILE
from crossdock.domain.capability import Pace
from crossdock.domain.commands import CommandKind, Done, Later, Outcome, Refused, Why
from crossdock.engine.mails import MailHandler
from crossdock.engine.plain import PlainHandler
from crossdock.kit.notify import notifier
from crossdock.store.models import Endpoint
from crossdock.store.vault import VaultLocked
from crossdock.usecases.checkout.agents.news import order_news
from crossdock.usecases.outbox.payloads import EVENT
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.outcomes.endpoints import secrets_of
from crossdock.usecases.outcomes.signing_keys import to_sign_with
from crossdock.usecases.record.mail import BY_MAIL
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

Do = Callable[[Claimed], Awaitable[Outcome]]
WEBHOOKS = "standard_webhooks"
FOR_AGENTS = {"acp": "agentic_commerce", "ucp": "universal_commerce"}
_PACE = Pace(per_second=20, burst=40, parallel=4)


def open_handler(engine: "Engine", party_id: int, due: Due) -> PlainHandler:
    return MailHandler(engine) if due.name == BY_MAIL else PlainHandler(engine, _events(engine, party_id))


def _events(engine: "Engine", party_id: int) -> Do:
    """The transport keeps sellers' addresses away from private networks, except where local shops are allowed."""
    line = engine.transport.party(f"hook:{party_id}", _PACE)

    async def send(claimed: Claimed) -> Outcome:
        if claimed.kind != CommandKind.SEND_EVENT:
            return Refused(Why.UNSUPPORTED, f"A webhook does not know how to do “{claimed.kind}”.")
        event = EVENT.validate_python(claimed.payload)
        endpoint = await engine.threads.run(Endpoint.objects.filter(pk=event.endpoint).first)
        if endpoint is None or endpoint.deleted_at is not None:
            return Refused(Why.NOT_FOUND, "The receiver was deleted.")
        at = engine.clock().astimezone(UTC)
        try:
            secrets = await engine.threads.run(_secrets, endpoint, at)
        except VaultLocked as locked:
            return Later(str(locked), 300.0)
        if not event.session:
            return await notifier(WEBHOOKS).deliver(
                line, url=endpoint.url, secrets=secrets, message_id=event.id, body=event.body, at=at
            )
        news = await engine.threads.run(order_news, session=event.session, now=at)
        if news.body is None:
            return Done(news.told, note=news.why)
        # An order that is again as it was (a parcel that was taken back) is news under an id of its own.
        state = f"{claimed.cause} {news.told}"
        by_ucp = endpoint.protocol == "ucp"
        outcome = await notifier(FOR_AGENTS[endpoint.protocol]).deliver(
            line,
            url=endpoint.url,
            secrets=secrets,
            message_id=str(uuid5(NAMESPACE_URL, state)) if by_ucp else sha256(state.encode()).hexdigest(),
            body=news.body,
            at=at,
            since=claimed.since,
            sender=f"{settings.BASE_URL}{PROFILE}",
        )
        return replace(outcome, shop_id=news.told) if isinstance(outcome, Done) else outcome

    return send


def _secrets(endpoint: Endpoint, at: datetime) -> list[str]:
    """What to sign with: by UCP our own key, for all others what they and we alone know. Raises VaultLocked."""
    if endpoint.token_id is not None and endpoint.protocol == "ucp":
        return [to_sign_with(now=at)]
    return secrets_of(endpoint=endpoint, now=at)
