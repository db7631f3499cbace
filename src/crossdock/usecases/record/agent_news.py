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
# By protocol the setting that turns it on.
SWITCHES = {"acp": "AGENTS", "ucp": "AGENTS_UCP"}


def spoken() -> list[str]:
    """The protocols that are switched on."""
    return [name for name, switch in SWITCHES.items() if getattr(settings, switch)]


def payment_key(session: AgentSession) -> str:
    """Of the session's next try to pay; by its beginning an agent's payment is known."""
    return f"{_KEY}{session.public_id}-{session.tries}"


def of_an_agent(intent: PaymentIntent) -> bool:
    return bool(spoken()) and intent.checkout.startswith(_KEY)


def sessions_behind(intents: Collection[int]) -> QuerySet[AgentSession]:
    """Those that were paid by one of these payments."""
    return AgentSession.objects.filter(intent__in=intents, protocol__in=spoken())


def update_commands(sessions: Iterable[AgentSession], *, cause: str, now: datetime) -> list[Command]:
    """One for each session whose agent is told anything; not written yet. `cause` names what happened; while its
    receiver is paused one for each order waits, however much happens.
    """
    told = list(sessions)
    tokens = {session.token_id for session in told}
    rows = Endpoint.objects.filter(token__in=tokens, deleted_at=None) if tokens else ()
    listening = {(row.token_id, row.protocol): row for row in rows}
    heard_by = [(session, listening.get((session.token_id, session.protocol))) for session in told]
    return [_command(endpoint, session, cause, now) for session, endpoint in heard_by if endpoint is not None]


def tell_agent(payment: str, *, cause: str, now: datetime) -> None:
    """Of what no line of an order's story says: a part that came to no order. `payment`: its public id."""
    if protocols := spoken():
        behind = AgentSession.objects.filter(intent__public_id=payment, protocol__in=protocols)
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
