"""Two requests of an agent about one session at the same moment: what the second reads after it waited."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections
from tests.web.agents.test_ucp_checkouts import agent, at, host, made, on, pay, worlds  # noqa: F401

from at_once import meanwhile
from crossdock.store.models import AgentSession, Order, PaymentIntent
from crossdock.usecases.checkout.agents.sessions import cancel_session, change_session, take_over
from crossdock.usecases.errors import NotAllowed
from crossdock.web.agents import paying
from market import World
from ucp_agent import UcpAgent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def session(worlds: list[World], agent: UcpAgent) -> AgentSession:  # noqa: F811
    return AgentSession.objects.get(public_id=made(agent, worlds)["id"])


def test_who_waited_for_a_payment_meets_it_and_pays_nothing(session: AgentSession) -> None:
    looked = paying.look(session)
    second = meanwhile(lambda: paying.begin(looked, "sandbox"), lambda: paying.begin(looked, "sandbox"))
    assert "being paid right now" in str(second)
    assert PaymentIntent.objects.count() == 1 and AgentSession.objects.get().tries == 1


@pytest.mark.parametrize("what", ["change", "cancel", "take over"])
def test_what_waited_for_a_payment_changes_nothing_of_it(session: AgentSession, what: str) -> None:
    looked, now = paying.look(session), datetime.now(UTC)
    deeds: dict[str, Callable[[], object]] = {
        "change": lambda: change_session(session=session, items=[], details={}, now=now),
        "cancel": lambda: cancel_session(session=session, now=now),
        "take over": lambda: take_over(session=session, now=now),
    }
    second = meanwhile(lambda: paying.begin(looked, "sandbox"), deeds[what])
    assert isinstance(second, NotAllowed)
    row = AgentSession.objects.get()
    assert (row.canceled_at, row.items) == (None, session.items) and row.intent is not None


def test_many_at_once_without_a_key_charge_once(worlds: list[World], agent: UcpAgent) -> None:  # noqa: F811
    said = made(agent, worlds)

    def complete(_: int) -> int:
        try:
            return int(agent.post(at(said, "/complete"), pay()).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(complete, range(5)))
    assert 200 in answers and set(answers) <= {200, 409}
    assert [intent.state for intent in PaymentIntent.objects.all()] == ["captured"] and Order.objects.count() == 2
