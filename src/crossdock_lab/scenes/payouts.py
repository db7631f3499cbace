"""M5: a seller's money is paid out once, when it is available, and comes back when it did not arrive.

What was sent is counted in the bank's own list.
"""

import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.kit.connector import Hook
    from crossdock.payouts.sandbox.bank import Hand
    from crossdock.payouts.sandbox.ledger import Row
    from crossdock.store.models import Payout, PayoutAccount


def _hand() -> "Hand":
    from crossdock.payouts.sandbox.bank import Hand, SandboxBank
    from crossdock.web.payouts import bank_named

    bank = bank_named("sandbox")
    assert isinstance(bank, SandboxBank)
    return Hand(bank)


def _account(stage: Stage) -> "PayoutAccount":
    """Named by its owner; its days of waiting are over."""
    from crossdock.store.models import PayoutAccount
    from crossdock.usecases.money.payouts import set_account
    from crossdock.web.payouts import registered

    to = registered(stage.seller.name, "DE89 3704 0044 0532 0130 00", "USD")
    owner = stage.seller.owner
    set_account(seller=stage.seller, currency="USD", provider="sandbox", to=to, actor=owner, place="", now=now())
    mine = PayoutAccount.objects.filter(seller=stage.seller, currency="USD")
    mine.update(usable_from=now())
    return mine.select_related("seller").get()


def _available(stage: Stage) -> int:
    from crossdock.usecases.money.balance import balances

    return sum(one.available for one in balances(stage.seller, now=now()) if one.currency == "USD")


def _pressed(stage: Stage, account: "PayoutAccount", key: str) -> "Payout | str":
    """Twice; the payout, or the sentence that refuses it."""
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.money.payouts import pay_out

    try:
        made = [pay_out(account=account, actor=stage.seller.owner, key=key, now=now()) for _ in range(2)]
    except NotAllowed as no:
        return str(no)
    assert made[0] == made[1]
    return made[0]


def _sent(hand: "Hand", payout: "Payout") -> "list[Row]":
    """What the bank has of it, under whatever name it was sent."""
    return [row for row in hand.sent() if row.key.startswith(payout.public_id)]


def _tell(stage: Stage, hook: "Hook") -> None:
    """The bank's delivery comes twice."""
    for _ in range(2):
        request = urllib.request.Request(
            f"http://127.0.0.1:{stage.trial.port}/hooks/payouts/sandbox", data=hook.body, headers=dict(hook.headers)
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server on this machine
            assert answer.status == 200


def paid_out(stage: Stage) -> None:
    """Nothing before it is available; once though the answer was lost; back when it did not arrive."""
    from crossdock.store.models import Payout
    from crossdock.usecases.money.balance import release
    from crossdock.usecases.orders.actions import ship_by_hand

    hand, account = _hand(), _account(stage)
    _, variant = stage.item(3, "300.00")
    order = stage.buy(variant)
    stage.lands(order)
    ship_by_hand(order=order, lines=None, tracking="M5", carrier="UPS", actor=stage.seller.owner, now=now())
    early, before = _pressed(stage, account, "early"), _available(stage)
    stage.see(before <= 0 and early == "Nothing is available.", "M5", f"shipped a moment ago: {early}")
    release(now=now() + timedelta(days=8))
    owed = _available(stage)
    hand.dial(lost=1.0)
    try:
        payout = _pressed(stage, account, "due")
        assert isinstance(payout, Payout)
        mine = Payout.objects.filter(pk=payout.pk)
        stage.trial.until(lambda: bool(_sent(hand, payout)), PATIENCE, "the payout to reach the bank")
    finally:
        hand.dial(lost=0.0)
    stage.trial.until(lambda: mine.get().state == "acknowledged", PATIENCE, "the bank's number")
    sent = _sent(hand, payout)
    stage.see(
        [row.minor for row in sent] == [owed] and _available(stage) == 0,
        "M5",
        f"pressed twice, the answer lost: the bank sent {payout.amount} once, and it is gone from the balance",
    )
    _tell(stage, hand.arrives(sent[0].ref))
    stage.trial.until(lambda: mine.get().state == "paid", PATIENCE, "the news that it arrived")
    _tell(stage, hand.comes_back(sent[0].ref))
    stage.trial.until(lambda: mine.get().state == "returned", PATIENCE, "the news that it came back")
    alert = stage.seller.alerts.filter(code="payout_failed", settled_at=None).get()
    stage.see(_available(stage) == owed, "M5", f"it came back after it had arrived, told twice: {alert.sentence}")


SCENES: tuple[Scene, ...] = (paid_out,)
BUGS: dict[str, tuple[Scene, ...]] = {"pay_blind": SCENES}
