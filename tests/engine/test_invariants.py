"""What must always hold about stock, in production: each sentence can break, staff get an alert with the evidence, and
it goes when it holds again.
"""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.domain.commands import Done
from crossdock.engine import invariants
from crossdock.store.models import Alert, AuditEntry, Command, Label, VariantStock
from crossdock.usecases.money import books
from market import World

pytestmark = pytest.mark.django_db

BREAKING = {
    "Units that the shop has taken are let go by a read, and that read is wanted.": (
        "UPDATE store_reservation SET fence_no = nextval('stock_no'), state = 'taken'; UPDATE store_variantstock SET"
        " want_no = 0"
    ),
    "A cancelled order holds its units only while something is still being done for it.": (
        "UPDATE store_order SET cancelled_at = now(); UPDATE store_command SET state = 'withdrawn'"
    ),
    "A count below zero is told to its seller.": "UPDATE store_variantstock SET count = -1",
    "No number of a stock row is ahead of the sequence that they are drawn from.": (
        "UPDATE store_variantstock SET applied_no = 1 + (SELECT last_value FROM stock_no)"
    ),
    "No payment goes back twice.": (
        "INSERT INTO store_command (party_id, cause, subject, kind, payload, state, result, sentence, outcome,"
        " attempts, unresolved, due_at, created_at) SELECT c.party_id, 'refund ' || n, 'money', 'refund_payment',"
        " jsonb_build_object('order', o.reference, 'amount_minor', o.total_minor), 'waiting', 'none', '', '{}', 0,"
        " false, now(), now() FROM store_order o, store_command c, generate_series(1, 2) n WHERE c.kind ="
        " 'create_order'"
    ),
    "What a payment gives back beside its orders is what came to no order.": (
        "INSERT INTO store_command (party_id, cause, subject, kind, payload, state, result, sentence, outcome,"
        " attempts, unresolved, due_at, created_at) SELECT c.party_id, 'refund', 'intent:' || p.public_id,"
        " 'refund_payment', jsonb_build_object('intent', p.public_id, 'amount_minor', 1), 'waiting', 'none', '', '{}',"
        " 0, false, now(), now() FROM store_paymentintent p, store_command c WHERE c.kind = 'create_order'"
    ),
    "No order was acknowledged twice by its shop.": (
        "UPDATE store_command SET state = 'done', result = 'ok', outcome = '{\"shop_id\": \"s1\"}' WHERE kind ="
        " 'create_order'; UPDATE store_shopcopy SET shop_order_id = 's2'"
    ),
}


@pytest.mark.parametrize("sentence", BREAKING)
def test_each_can_break_and_is_told_with_its_evidence(sentence: str) -> None:
    world = World()
    order = world.buy()
    assert invariants.check(now=world.later()) == {}
    with connection.cursor() as cursor:
        cursor.execute(BREAKING[sentence])
    broken = invariants.check(now=world.later())
    assert sentence in broken
    alert = Alert.objects.get(code="invariant_broken", evidence__sentence=sentence)
    assert alert.seller == order.seller
    assert alert.for_staff
    assert alert.evidence["found"] == broken[sentence]
    assert AuditEntry.objects.filter(action="invariant broken", subject=sentence[:120]).exists()
    invariants.check(now=world.later())
    assert Alert.objects.filter(code="invariant_broken", evidence__sentence=sentence).count() == 1


def test_an_alert_goes_when_it_holds_again() -> None:
    world = World(units=0)
    VariantStock.objects.update(count=-1)
    invariants.check(now=world.later())
    assert Alert.objects.filter(code="invariant_broken", settled_at=None).exists()
    VariantStock.objects.update(count=0)
    assert invariants.check(now=world.later()) == {}
    assert not Alert.objects.filter(code="invariant_broken", settled_at=None).exists()


def test_they_hold_all_along_an_order_way() -> None:
    """From the hold to the cancel: nothing that is allowed looks broken."""
    world = World(units=2)
    order = world.buy()
    (create,) = world.claim()
    assert invariants.check(now=world.later(120)) == {}
    world.settle(create, world.create_there(order))
    assert invariants.check(now=world.later()) == {}
    world.read()
    assert invariants.check(now=world.later()) == {}
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    reject_order(order=order, reason=CancelReason.OTHER, actor=None, expected_total=order.total, now=world.later())
    assert invariants.check(now=world.later()) == {}
    (cancel,) = world.claim()
    world.cancel_there("s1")
    world.settle(cancel, Done("s1"))
    assert invariants.check(now=world.later()) == {}
    world.read()
    assert invariants.check(now=world.now + timedelta(minutes=20)) == {}


@pytest.mark.parametrize("sentence", BREAKING)
def test_what_was_written_lately_is_checked_every_quarter_of_an_hour(sentence: str) -> None:
    world = World(now=datetime.now(UTC))
    world.buy()
    assert invariants.check(now=world.later(), whole=False) == {}
    with connection.cursor() as cursor:
        cursor.execute(BREAKING[sentence])
    nightly = sentence.startswith("No number of a stock row")
    assert (sentence in invariants.check(now=world.later(), whole=False)) is not nightly
    assert sentence in invariants.check(now=world.later())


def test_what_was_written_long_ago_is_left_to_the_night_until_an_alert_stands() -> None:
    world = World(now=datetime.now(UTC))
    order = world.buy()
    sentence = "Every placed order was paid into the books once."
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_order SET reference = 'x' || reference")
    tomorrow = world.now + timedelta(days=1)
    assert sentence not in invariants.check(now=tomorrow, whole=False)
    assert invariants.check(now=tomorrow)[sentence] == [f"order {order.number}"]
    assert sentence in invariants.check(now=tomorrow, whole=False), "an alert that stands is not settled unseen"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE store_order SET reference = substr(reference, 2)")
    assert sentence not in invariants.check(now=tomorrow, whole=False)
    standing = Alert.objects.filter(code="invariant_broken", settled_at=None, evidence__sentence=sentence)
    assert not standing.exists()


def test_no_check_of_every_quarter_of_an_hour_reads_a_whole_table() -> None:
    """Whether each can be answered from indexes: a table of a test is too small for the price to decide."""
    with CaptureQueriesContext(connection) as seen:
        assert invariants.check(now=datetime.now(UTC), whole=False) == {}
    asked = [query["sql"] for query in seen.captured_queries if query["sql"].startswith("SELECT")]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plans += [row[0] for row in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_seqscan = on")
    read = "\n".join(plans)
    for table in (
        "order",
        "orderline",
        "transfer",
        "entry",
        "command",
        "variantstock",
        "variant",
        "listing",
        "shopcopy",
    ):
        assert f"Seq Scan on store_{table} " not in read, read


def test_a_refund_that_was_refused_or_came_back_may_go_out_once_more() -> None:
    world = World(now=datetime.now(UTC))
    order = world.buy()
    sentence = "No payment goes back twice."
    with connection.cursor() as cursor:
        cursor.execute(BREAKING[sentence])
    refunds = Command.objects.filter(kind="refund_payment")
    refunds.filter(cause="refund 1").update(state="done", result="refused")
    assert sentence not in invariants.check(now=world.later())
    refunds.update(state="done", result="ok")
    assert sentence in invariants.check(now=world.later())
    books.post(
        cause="refund_failed:r1",
        order=order,
        sentence="It came back",
        now=world.now,
        entries={"gateway": order.total_minor, "refunds_due": -order.total_minor},
    )
    for whole in (True, False):
        assert sentence not in invariants.check(now=world.later(), whole=whole)


def test_a_copy_whose_first_is_cancelled_is_not_acknowledged_twice() -> None:
    world = World()
    order = world.buy()
    sentence = "No order was acknowledged twice by its shop."
    with connection.cursor() as cursor:
        cursor.execute(BREAKING[sentence])
    create = Command.objects.get(kind="create_order")
    Command.objects.create(
        party=create.party,
        cause="cancel",
        subject=order.reference,
        kind="cancel_order",
        payload={"shop_order_id": "s1"},
        due_at=world.now,
        created_at=world.now,
    )
    assert sentence not in invariants.check(now=world.later())


def test_an_old_label_that_was_voided_lately_without_a_booking_is_seen_at_once() -> None:
    world = World(now=datetime.now(UTC))
    order = world.buy()
    old = world.now - timedelta(days=3)
    label = Label.objects.create(
        order=order,
        seller=order.seller,
        reference="old-label",
        provider="toy",
        price_minor=500,
        quoted_at=old,
        wanted={},
        lines={},
        quotes=[],
    )
    books.post(cause="label:old-label", order=order, sentence="L", now=old, entries={"carrier:toy": -500, "fees": 500})
    sentence = "Every label is booked at its price, once, for as long as it is paid."
    Label.objects.filter(pk=label.pk).update(state="voided", voided_at=world.now)
    assert sentence in invariants.check(now=world.now + timedelta(hours=1), whole=False)
