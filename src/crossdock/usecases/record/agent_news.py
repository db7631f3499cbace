"""What an agent's own program is told: that an order of its sessions changed.

The row is written in the transaction of what happened and says only which session's order it is: the whole order goes
out as it stands when it is sent (usecases/checkout/agents/news.py), so nothing of it is kept here, and what came twice
is told once.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.store.models import AgentSession, Command, Endpoint, PaymentIntent
from crossdock.usecases.outbox.payloads import EVENT, SendEvent
from crossdock.usecases.outbox.queue import command_to, enqueue_all

_KEY = "agent-"
# Orders of the other protocol are read, not told.
TOLD = "acp"


def payment_key(session: AgentSession) -> str:
    """Of the session's next try to pay; by its beginning an agent's payment is known."""
    return f"{_KEY}{session.public_id}-{session.tries}"


def of_an_agent(intent: PaymentIntent) -> bool:
    return settings.AGENTS and intent.checkout.startswith(_KEY)


def sessions_behind(intents: Collection[int]) -> QuerySet[AgentSession]:
    """Those that were paid by one of these payments, and whose protocol has updates here."""
    return AgentSession.objects.filter(intent__in=intents, protocol=TOLD)


def update_commands(sessions: Iterable[AgentSession], *, cause: str, now: datetime) -> list[Command]:
    """One for each session whose agent is told anything; not written yet. `cause` names what happened; while its
    receiver is paused one for each order waits, however much happens.
    """
    told = list(sessions)
    tokens = {session.token_id for session in told}
    rows = Endpoint.objects.filter(token__in=tokens, deleted_at=None) if tokens else ()
    listening = {row.token_id: row for row in rows}
    return [
        _command(listening[session.token_id], session, cause, now) for session in told if session.token_id in listening
    ]


def tell_agent(payment: str, *, cause: str, now: datetime) -> None:
    """Of what no line of an order's story says: a part that came to no order. `payment`: its public id."""
    if settings.AGENTS:
        behind = AgentSession.objects.filter(intent__public_id=payment, protocol=TOLD)
        enqueue_all(update_commands(behind, cause=cause, now=now))


def _command(endpoint: Endpoint, session: AgentSession, cause: str, now: datetime) -> Command:
    if endpoint.paused_at is not None:
        cause = f"paused:{endpoint.paused_at.isoformat()}"
    return command_to(
        party_id=endpoint.party_id,
        cause=f"agent:{endpoint.public_id}:{session.public_id}:{cause}"[:120],
        subject=f"agent:{endpoint.public_id}:{session.public_id}",
        kind=CommandKind.SEND_EVENT,
        payload=EVENT.dump_python(SendEvent(endpoint.pk, "", {}, session.pk), mode="json"),
        now=now,
    )
