"""Returns of the version in which nothing lapsed have their whole time from the update on."""

from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.requests.returns import SEND_WITHIN
from crossdock.store.models import Return
from crossdock.usecases.requests.overdue import tell_late
from market import World
from steps import back, forward

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_accepted_long_ago_is_not_closed_at_once() -> None:
    world, now = World(units=9), datetime.now(UTC)
    accepted = {"state": "accepted", "asked_at": now - timedelta(days=99), "answered_at": now - timedelta(days=90)}
    others = ({"sent_at": now}, {"binding": True}, {"state": "asked", "answered_at": None}, {"state": "declined"})
    made = [
        Return.objects.create(order=world.buy(1), seller=world.seller, reason="other", **{**accepted, **more})
        for more in ({}, *others)
    ]
    back("0069_unsent_returns")
    forward("0069_unsent_returns")
    for row in made:
        row.refresh_from_db()
    old, *rest = made
    assert old.due_at is not None and old.due_at >= now + SEND_WITHIN
    assert [row.due_at for row in rest] == [None] * len(others)
    assert tell_late(now=datetime.now(UTC)) == 0
