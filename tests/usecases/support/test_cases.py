"""Cases: opened once, answered in turns, mailed to the other side, and their evidence blacked out."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.cases import CaseKind, CaseState
from crossdock.domain.roles import Role
from crossdock.store.models import Call, Case, Delivery, Exchange, Mail, Movement
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.support.cases import answer, attach_evidence, close, open_case, reopen
from crossdock.usecases.support.evidence import PARTS, gather, subject_of
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db


def a_case(world: World, **more: object) -> Case:
    given = {"kind": "problem", "subject": "Where is it?", "body": "It is not in my shop.", **more}
    return open_case(seller=world.seller, opened_by=world.seller.owner, now=world.later(), **given)  # type: ignore[arg-type]


def test_a_double_click_opens_one_case_and_mails_staff_once() -> None:
    world, clerk = World(), user(is_staff=True)
    order = world.buy()
    first, second = a_case(world, order=order), a_case(world, order=order)
    assert first == second
    assert Mail.objects.filter(to=clerk.email, cause__startswith="case:").count() == 1
    assert order.timeline.filter(kind="case").count() == 1
    assert first.state == CaseState.OPEN
    assert a_case(world, order=order, body="Something else.") != first


def test_a_question_about_risk_has_one_thread() -> None:
    world = World()
    order = world.buy()
    first = a_case(world, order=order, kind="risk", body="Is it safe?")
    second = a_case(world, order=order, kind="risk", body="And now?")
    assert first == second
    assert [message.body for message in first.messages.all()] == ["Is it safe?", "And now?"]


def test_both_sides_take_turns_and_are_mailed() -> None:
    world, clerk = World(), user(is_staff=True)
    case = a_case(world)
    told = answer(case=case, author=clerk, body="We look into it.", now=world.later())
    assert answer(case=case, author=clerk, body="We look into it.", now=world.later()) == told
    case.refresh_from_db()
    assert told.is_staff and case.state == CaseState.WAITING_FOR_SELLER
    assert Mail.objects.filter(to=world.seller.owner.email, subject="Answer: Where is it?").count() == 1
    answer(case=case, author=world.seller.owner, body="Thank you.", now=world.later())
    case.refresh_from_db()
    assert case.state == CaseState.WAITING_FOR_STAFF
    assert Mail.objects.filter(to=clerk.email, cause__startswith="case:").count() == 2
    close(case=case, actor=clerk, now=world.later())
    close(case=case, actor=clerk, now=world.later())
    case.refresh_from_db()
    assert case.state == CaseState.CLOSED and case.closed_by == clerk
    reopen(case=case, actor=world.seller.owner, now=world.later())
    case.refresh_from_db()
    assert case.state == CaseState.WAITING_FOR_STAFF and case.closed_at is None


def test_an_answer_opens_a_closed_case_again() -> None:
    world = World()
    case = a_case(world)
    close(case=case, actor=world.seller.owner, now=world.later())
    answer(case=case, author=world.seller.owner, body="It happened again.", now=world.later())
    case.refresh_from_db()
    assert case.state == CaseState.WAITING_FOR_STAFF and case.closed_at is None


def test_nobody_speaks_of_what_is_not_theirs() -> None:
    world, other = World(), a_seller()
    order = world.buy()
    with pytest.raises(NotAllowed):
        open_case(
            seller=other, opened_by=other.owner, kind="problem", subject="x", body="y", order=order, now=world.now
        )
    case = a_case(world)
    for deed in (answer, close, reopen):
        words = {"author": other.owner, "body": "x"} if deed is answer else {"actor": other.owner}
        with pytest.raises(NotAllowed):
            deed(case=case, now=world.now, **words)
    with pytest.raises(Invalid):
        a_case(world, body=" \n ")


def test_the_marketplace_may_open_one_itself() -> None:
    world = World()
    case = open_case(
        seller=world.seller,
        opened_by=None,
        kind=CaseKind.SHOP_REFUND,
        subject="Refund 7",
        body="Seen.",
        order=world.buy(),
        now=world.now,
    )
    assert case.opened_by is None and not case.messages.get().is_staff


def test_an_alert_brings_its_order_and_shop() -> None:
    world = World()
    order = world.buy()
    alert = raise_alert(
        code=AlertCode.STOCK_DIFFERS, seller=world.seller, order=order, sentence="They differ.", now=world.now
    )
    evidence = gather(subject=subject_of(seller=world.seller, alert=alert), now=world.now)
    assert evidence["about"]["order"]["reference"] == order.reference
    assert evidence["about"]["alert"]["said"] == "They differ."
    assert evidence["shop"]["platform"] == "toy" and evidence["shop"]["secret_names"] == ["key"]


SECRETS = [
    "shpat_0123456789abcdef0123456789abcdef",
    "hunter2-very",
    "4111 1111 1111 1111",
    "5500005555555559",
    "ada@buyer.example",
    "+49 170 1234567",
    "(555) 123-4567",
    "Zoë Müller",
    "Müller",
    "1 Elm St",
    "Hauptstraße 12",
    "12 rue des Lilas",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0.abc",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "DE89 3704 0044 0532 0130 00",
    "user:pa55w0rd@",
    "ck_0123456789abcdef0123456789abcdef01234567",
]


def _planted(world: World) -> str:
    """Everything that must not come out, in every place that is kept. Returns our order's reference."""
    order = world.buy()
    text = "My password is hunter2-very; see https://user:pa55w0rd@shop.test/?token=hunter2-very. " + " and ".join(
        SECRETS[2:-2] + SECRETS[-1:] + SECRETS[:1]
    )
    party, now = world.shop.party, world.now
    exchange = {
        "party": party,
        "subject": order.reference,
        "at": now,
        "method": "POST",
        "status": 200,
        "milliseconds": 3,
        "error": f"It said: {text}",
        "url": (
            "http://user:pa55w0rd@shop.test/orders/ada%40buyer.example?api_key=hunter2-very&page=7&email=ada@buyer.example"
        ),
        "headers": {"Authorization": "Bearer hunter2-very", "X-Note": text, "x-request-id": "req-77"},
    }
    person = {
        "name": "Zoë Müller",
        "address1": "1 Elm St",
        "phone": "(555) 123-4567",
        "email": "ada@buyer.example",
        "country": "US",
    }
    asked = {
        "sku": "FOX-1",
        "quantity": 3,
        "token": "hunter2-very",
        "note": text,
        "shipping": person,
        "meta_data": [{"key": "password", "value": "hunter2-very"}],
    }
    form = (
        "sku=FOX-1&password=hunter2-very&billing[phone]=(555) 123-4567&card=4111 1111 1111 1111&note=for Müller, 1"
        " Elm St"
    )
    Exchange.objects.create(**exchange, request=json.dumps(asked), response=json.dumps([asked]), call="c1")
    Exchange.objects.create(**exchange, request=form, response=f"<html>{text}</html>")
    Call.objects.create(
        key="c1",
        party=party,
        subject=order.reference,
        about=["s1"],
        operation="create",
        given={"command": asked},
        made={"type": "Done", "value": {"note": text, "shop_id": "s1"}},
        at=now,
    )
    order.copy.shop_order_id = "s1"
    order.copy.sentence = text
    order.copy.save()
    Delivery.objects.create(
        party=party,
        topic="orders/updated",
        dedupe="d",
        news={"looks": [{"kind": "order", "entity_id": "s1"}]},
        body=json.dumps(asked).encode(),
        headers={"x-hmac": "hunter2-very", "x-topic": "orders/updated"},
        received_at=now,
        note=text,
    )
    Delivery.objects.create(
        party=party,
        topic="t",
        dedupe="e",
        news={"looks": [{"kind": "order", "entity_id": "s1"}]},
        body=form.encode(),
        received_at=now,
    )
    order.timeline.create(at=now, source="shop", kind="note", sentence=text)
    command = party.commands.get(subject=order.reference)
    command.sentence, command.outcome = text, {"note": text, "token": "hunter2-very"}
    command.save()
    Movement.objects.create(variant=world.variant, at=now, kind="note", cause=text[:150])
    return order.reference


def test_no_planted_secret_survives_and_what_explains_stays() -> None:
    world = World(units=5)
    reference = _planted(world)
    order = world.seller.orders.get(reference=reference)
    order.buyer.name = "Zoë Müller"
    order.buyer.save()
    evidence = gather(subject=subject_of(seller=world.seller, order=order), now=world.now)
    text = json.dumps(evidence, ensure_ascii=False)
    unescaped = text.replace("\\", "")
    assert [secret for secret in SECRETS if secret in unescaped or secret.replace("ö", "\\u00f6") in text] == []
    assert not [
        word for word in ("hunter2", "pa55w0rd", "Elm", "Lilas", "4111", "3704", "M\\u00fcller") if word in unescaped
    ]
    for useful in (
        reference,
        "FOX-1",
        '"quantity": 3',
        "s1",
        "orders/updated",
        "page=7",
        "req-77",
        '"status": 200',
        '"country": "US"',
        "password",
    ):
        assert useful in unescaped, useful
    assert all(evidence[part] for part in PARTS)


def test_a_shops_evidence_hides_the_buyers_of_the_orders_in_it() -> None:
    world = World(units=5)
    _planted(world)
    evidence = gather(subject=subject_of(seller=world.seller, connection=world.shop), now=world.now)
    text = json.dumps(evidence, ensure_ascii=False).replace("\\", "")
    assert [secret for secret in SECRETS if secret in text] == []
    assert len(evidence["calls"]) == 1 and len(evidence["deliveries"]) == 2


def test_only_what_the_seller_saw_and_left_in_is_attached() -> None:
    world = World(units=5)
    _planted(world)
    whole = gather(subject=subject_of(seller=world.seller, connection=world.shop), now=world.now)
    keys = [item["key"] for part in PARTS for item in whole[part]]
    chosen = [key for key in keys if not key.startswith("delivery:")]
    some = gather(subject=subject_of(seller=world.seller, connection=world.shop), now=world.now, only=chosen)
    assert [item["key"] for part in PARTS for item in some[part]] == chosen
    assert len(some["left_out"]) == 2
    case = a_case(world, connection=world.shop, evidence=some)
    assert case.evidence["deliveries"] == []
    clerk = user(is_staff=True)
    for nobody in (user(), user(is_staff=True, roles=Role.OPERATIONS)):
        with pytest.raises(NotAllowed):
            attach_evidence(case=case, actor=nobody, now=world.now)
    assert attach_evidence(case=case, actor=clerk, now=world.now) == 0, "what was left out stays out"
    Exchange.objects.create(party=world.shop.party, at=world.now, method="GET", url="http://x/", milliseconds=1)
    assert attach_evidence(case=case, actor=clerk, now=world.now) == 1
    assert attach_evidence(case=case, actor=clerk, now=world.now) == 0
    case.refresh_from_db()
    assert case.evidence["deliveries"] == []


def test_another_orders_traces_are_not_in_it() -> None:
    world = World(units=9)
    _planted(world)
    other = world.buy()
    evidence = gather(subject=subject_of(seller=world.seller, order=other), now=datetime.now(UTC) + timedelta(days=1))
    assert not evidence["calls"] and not evidence["deliveries"] and not evidence["exchanges"]
    assert [command["kind"] for command in evidence["commands"]] == ["create_order"]
