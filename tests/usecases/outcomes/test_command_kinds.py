"""Kinds of commands: rows that an earlier version wrote stay readable, and one that knows more stops nothing."""

from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Done, Later, Refused, Why
from crossdock.store.models import Alert, Command
from crossdock.store.models.work import CommandState
from crossdock.usecases.outbox.payloads import with_copy
from crossdock.usecases.outcomes import claims, settle
from crossdock.usecases.outcomes.kinds import KINDS
from market import World

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
# As the first version of each wrote it, without what was added since.
OLD: dict[CommandKind, dict[str, Any]] = {
    CommandKind.CANCEL_ORDER: {"reference": "R", "shop_order_id": "", "reason": "other"},
    CommandKind.CANCEL_LINES: {
        "reference": "R",
        "shop_order_id": "7",
        "lines": [["v1", 2]],
        "reason": "damaged",
        "key": "R:1",
    },
    CommandKind.ADJUST_STOCK: {"product_id": "p", "variant_id": "v", "delta": -2, "key": "k", "reason": "rejected"},
    CommandKind.WRITE_FULFILMENT: {
        "reference": "R",
        "shop_order_id": "7",
        "key": "fulfilment:R:12",
        "lines": [["v1", 1]],
        "tracking_number": "1Z",
        "carrier": "UPS",
        "tracking_url": "",
        "shipped_at": "2026-11-01T10:00:00Z",
    },
    CommandKind.REFUND_PAYMENT: {"intent": "pi", "amount_minor": 500, "currency": "USD", "order": None},
    CommandKind.BUY_LABEL: {"label": "l1"},
    CommandKind.VOID_LABEL: {"label": "l1"},
    CommandKind.SEND_MAIL: {"mail": 4},
    CommandKind.SEND_EVENT: {"endpoint": 3, "id": "evt_1", "body": {"type": "test"}},
}


@pytest.mark.parametrize("kind", OLD)
def test_a_row_of_an_earlier_version_is_read(kind: CommandKind) -> None:
    payload = KINDS[kind].payload
    said = payload.validate_python(OLD[kind])
    again = payload.dump_python(said, mode="json")
    assert payload.validate_python(again) == said
    assert {key: again[key] for key in OLD[kind]} == {**OLD[kind]}, "and written as it was"


def test_the_shops_id_is_filled_in_only_where_it_is_missing() -> None:
    assert with_copy({"shop_order_id": "", "x": 1}, "7") == {"shop_order_id": "7", "x": 1}
    assert with_copy({"shop_order_id": "5"}, "7") == {"shop_order_id": "5"}


@pytest.mark.django_db
@pytest.mark.parametrize("outcome", [Done("x"), Refused(Why.INVALID, "It is not known here."), Later("Not now.")])
def test_a_kind_that_nobody_knows_any_more_stops_nothing(outcome: Any) -> None:
    world = World(units=5, now=NOW)
    order = world.buy()
    row = Command.objects.create(
        party_id=world.shop.party_id,
        cause="old",
        subject=f"risk:{order.reference}",
        kind="read_palm",
        payload={},
        due_at=NOW,
        created_at=NOW,
    )
    claimed = claims.claim_commands(party_id=world.shop.party_id, owner="me", limit=9, now=world.later())
    assert row.pk in {one.id for one in claimed}
    settle.settle_command(command_id=row.pk, outcome=outcome, random=Random(1), now=world.later())
    row.refresh_from_db()
    assert row.state == (CommandState.WAITING if isinstance(outcome, Later) else CommandState.DONE)
    alerts = Alert.objects.filter(code=AlertCode.COMMAND_DEAD, order=order)
    assert alerts.count() == isinstance(outcome, Refused)
