"""S5 lifted: how an order was judged, written to its shop. Each judgement once, the newest wins, and nothing before
the order stands there.

The commands have a line of their own, so that a shop that is slow to take a note never holds up a cancel.
"""

from datetime import datetime

from django.db import transaction

from crossdock.domain.commands import CommandKind, RiskFact, WriteRisk
from crossdock.domain.orders import CopyState
from crossdock.domain.risk import RiskLevel, Sentiment
from crossdock.store.models import Command, Order, RiskAssessment, ShopCopy
from crossdock.store.models.work import CommandState
from crossdock.usecases.outbox.payloads import RISK
from crossdock.usecases.outbox.queue import enqueue
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.telling import Telling

RULE = "S5"
_NOT_THERE = (CopyState.INTENDED, CopyState.SENT, CopyState.REFUSED, CopyState.CANCELLED)


def subject_of(reference: str) -> str:
    return f"risk:{reference}"


def wish_written(*, order: Order, now: datetime) -> None:
    """When the rule is lifted and the order stands in its shop: the newest judgement, unless the last one that went
    there has its level.
    """
    if order.connection is None or order.cancelled_at is not None or not lifted(rule=RULE):
        return
    copy = ShopCopy.objects.filter(order=order).exclude(state__in=_NOT_THERE).exclude(shop_order_id="").first()
    newest = RiskAssessment.objects.filter(order=order).order_by("-pk").first()
    if copy is None or newest is None:
        return
    line = Command.objects.filter(subject=subject_of(order.reference), kind=CommandKind.WRITE_RISK)
    unsent = line.filter(state=CommandState.WAITING, attempts=0)
    if unsent.filter(payload__level=newest.level).exists():
        return
    unsent.update(state=CommandState.WITHDRAWN, finished_at=now, sentence="It was judged again before this was sent.")
    last = line.exclude(state=CommandState.WITHDRAWN, attempts=0).order_by("-pk").first()
    if last is not None and RISK.validate_python(last.payload).level == newest.level:
        return
    command = as_command(order, newest, copy.shop_order_id)
    enqueue(
        party=order.connection.party,
        cause=command.key,
        subject=subject_of(order.reference),
        kind=CommandKind.WRITE_RISK,
        payload=RISK.dump_python(command, mode="json"),
        now=now,
    )


def as_command(order: Order, kept: RiskAssessment, shop_order_id: str) -> WriteRisk:
    """What speaks against the order first, then what speaks for it. Signals that say neither would only be noise."""
    rows = [(row["points"], Sentiment(row["sentiment"]), row["sentence"]) for row in kept.contributions]
    telling = [row for row in rows if row[1] is not Sentiment.NEUTRAL]
    telling.sort(key=lambda row: (row[0] <= 0, -abs(row[0])))
    return WriteRisk(
        order.reference,
        shop_order_id,
        RiskLevel(kept.level),
        tuple(RiskFact(mood, words) for _, mood, words in telling),
        kept.available,
        kept.asked,
        key=f"risk:{order.reference}:{kept.pk}",
    )


def still_wanted(*, command_id: int, now: datetime) -> bool:
    """Asked right before sending.

    Of an order that was cancelled here nothing more is written; its command is withdrawn.
    """
    with transaction.atomic():
        row = Command.objects.select_for_update(no_key=True).get(pk=command_id)
        reference = RISK.validate_python(row.payload).reference
        ended = Order.objects.filter(reference=reference).exclude(cancelled_at=None).exists()
        if row.state != CommandState.IN_FLIGHT or not ended:
            return True
        row.state, row.finished_at, row.unresolved = CommandState.WITHDRAWN, now, False
        row.sentence = "The order was cancelled here meanwhile."
        row.save(update_fields=["state", "finished_at", "unresolved", "sentence"])
        return False


def written(*, order: Order, row: Command, told: Telling) -> None:
    level = RISK.validate_python(row.payload).level.replace("_", " ")
    words = f"The risk level ({level}) with its reasons stands at the order in the shop, for its staff only."
    told.tell(order=order, source="shop", kind="risk_written", sentence=words)


def not_written(*, order: Order, sentence: str, told: Telling) -> None:
    """No alert: the level is here, and nothing has to be done about it in the shop."""
    told.tell(
        order=order,
        source="shop",
        kind="risk_not_written",
        sentence=f"The risk level is not written to the shop: {sentence}",
    )
