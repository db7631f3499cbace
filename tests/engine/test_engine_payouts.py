"""Payouts through the pump: sent once whatever happens to the answer, proven by the bank's own books; back when they
did not arrive.
"""
# ruff: noqa: F811

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.domain.values import Money
from crossdock.engine import payouts as desk
from crossdock.engine.engine import Engine
from crossdock.kit.connector import Hook
from crossdock.kit.webhook import told_news
from crossdock.payouts import sandbox
from crossdock.payouts.sandbox.bank import Hand
from crossdock.store.crash import PAYOUT_POINTS
from crossdock.store.models import Alert, Command, Delivery, Entry, Party, Payout, PayoutAccount
from crossdock.usecases.money import balance, payouts
from crossdock.usecases.orders.actions import ship_by_hand
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
IBAN = "DE89 3704 0044 0532 0130 00"


@pytest.fixture
def hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    opened = sandbox.bank.opened(tmp_path, {})
    monkeypatch.setattr(desk, "open_bank", lambda name, data: opened)
    # An asking that failed is over at once: nothing here is still under way.
    monkeypatch.setattr(desk, "_SURELY_OVER", timedelta(0))
    return Hand(opened)


def pressed(stall: Stall, hand: Hand) -> Payout:
    """13.80 are available, and the seller wants them."""
    order, now = stall.buy(), datetime.now(UTC)
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=stall.seller.owner, now=now)
    balance.release(now=now + timedelta(days=8))
    to = hand.bank._register("Zoë Müller", IBAN, "USD")
    account = payouts.set_account(
        seller=stall.seller, currency="USD", provider="sandbox", to=to, actor=stall.seller.owner, place="", now=now
    )
    PayoutAccount.objects.update(usable_from=now)
    return payouts.pay_out(account=account, actor=stall.seller.owner, key="k", now=now + timedelta(seconds=1))


def state_of(payout: Payout) -> str:
    return str(Payout.objects.values_list("state", flat=True).get(pk=payout.pk))


def held_in(account: str) -> int:
    return sum(Entry.objects.filter(account=account).values_list("amount_minor", flat=True))


async def pump(engine: Engine) -> None:
    engine.wake((await sync(Party.objects.get, kind="payout")).pk)


async def told(engine: Engine, hand: Hand, hook: Hook) -> None:
    """A delivery comes in, twice."""
    news = told_news(hand.bank, hook, datetime.now(UTC))
    looks = [{"kind": str(look.kind), "entity_id": look.entity_id} for look in (*news.looks, *news.looks)]
    await sync(
        Delivery.objects.create,
        party=await sync(Party.objects.get, kind="payout"),
        topic=news.topic,
        dedupe=news.dedupe,
        body=hook.body,
        received_at=datetime.now(UTC),
        news={"topic": news.topic, "dedupe": news.dedupe, "looks": looks},
    )
    await pump(engine)
    await rest(engine)


@pytest.mark.parametrize("fault", ["", "lost", "late", "broken", "throttle"])
async def test_whatever_happens_to_the_answer_it_is_sent_once(
    make: Make, engine: Engine, hand: Hand, fault: str
) -> None:
    if fault:
        hand.dial(**{fault: 1.0})
    payout = await sync(pressed, await sync(make), hand)
    await pump(engine)
    if fault in ("broken", "throttle"):
        tries = Command.objects.filter(kind="send_payout", state="waiting", attempts__gte=1)
        await until(tries.exists, what="the first try")
        hand.dial(broken=0, throttle=0)
    await until(lambda: state_of(payout) == "acknowledged", 90, "the bank's number")
    await rest(engine)
    (sent,) = hand.sent()
    assert (sent.key, sent.minor, sent.currency) == (payout.public_id, 1380, "USD")
    assert await sync(held_in, "transit:sandbox") == -1380
    await told(engine, hand, hand.arrives(sent.ref))
    assert await sync(state_of, payout) == "paid"
    assert (await sync(held_in, "transit:sandbox"), await sync(held_in, "gateway")) == (0, 120)


@pytest.mark.parametrize("name", PAYOUT_POINTS)
async def test_a_worker_that_dies_is_followed_by_one_that_looks_first(
    make: Make, engine: Engine, hand: Hand, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The command stands as a dead worker leaves it: in flight, and nobody knows what the bank heard of it."""
    hand.dial(lost=1.0)
    payout = await sync(pressed, await sync(make), hand)
    dies = [name]

    def point(at: str) -> None:
        if [at] == dies:
            dies.clear()
            raise RuntimeError("killed")

    monkeypatch.setattr(desk, "point", point)
    await pump(engine)
    await until(lambda: not dies, 90, name)
    await rest(engine)
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    left = {"state": "in_flight", "outcome": {"owner": "dead"}, "unresolved": False, "last_sent_at": long_ago}
    assert await sync(Command.objects.filter(kind="send_payout").update, **left) == 1
    await pump(engine)
    await until(lambda: state_of(payout) == "acknowledged", 90, "the bank's number")
    await rest(engine)
    (sent,) = hand.sent()
    assert (sent.key, sent.minor) == (payout.public_id, 1380)
    assert await sync(held_in, "transit:sandbox") == -1380


async def test_what_comes_back_is_available_again_and_says_what_to_do(make: Make, engine: Engine, hand: Hand) -> None:
    stall = await sync(make)
    payout = await sync(pressed, stall, hand)
    await pump(engine)
    await until(lambda: state_of(payout) == "acknowledged", what="the bank's number")
    (sent,) = hand.sent()
    hand.arrives(sent.ref)
    assert await desk.read_under_way(engine) == 1
    assert await sync(state_of, payout) == "paid"
    await told(engine, hand, hand.comes_back(sent.ref))
    assert await sync(state_of, payout) == "returned"
    (found,) = await sync(balance.balances, stall.seller, now=datetime.now(UTC))
    assert found.available == 1380
    alert = await sync(Alert.objects.get, code="payout_failed")
    assert "The account was closed." in alert.sentence and "Check the bank account" in alert.sentence
    assert await sync(PayoutAccount.objects.values_list("schedule", flat=True).get) == "by_hand"


async def test_an_amount_that_differs_at_the_bank_is_staffs_and_books_nothing(
    make: Make, engine: Engine, hand: Hand
) -> None:
    payout = await sync(pressed, await sync(make), hand)
    await pump(engine)
    await until(lambda: state_of(payout) == "acknowledged", what="the bank's number")
    with hand.bank.ledger.book() as db:
        db.execute("UPDATE payout SET minor = 1")
    await told(engine, hand, hand.arrives(hand.sent()[0].ref))
    assert await sync(state_of, payout) == "acknowledged"
    alert: Any = await sync(Alert.objects.get, code="payout_failed")
    assert alert.for_staff and Money(1, "USD").words in alert.sentence
