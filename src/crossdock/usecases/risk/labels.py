"""What an order turned out to be: staff say so, or a dispute for fraud does.

Earlier judgements stay; linked open orders are judged again.
"""

from datetime import datetime

from crossdock.domain.roles import Right
from crossdock.store.models import Order, RiskTrace, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, why_not_yours
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.risk.judge import judge, judge_again_linked


def label_order(
    *, order: Order, fraud: bool, actor: User | None, why: str, now: datetime, told: Telling | None = None
) -> None:
    """`actor` is None when the bank said so. Saying the same again changes nothing."""
    if actor is not None:
        require(actor, None, "Only staff label orders.", Right.RISK)
        if not_theirs := why_not_yours(order, actor):
            raise NotAllowed(not_theirs)
    with telling(now, told) as told:
        trace = RiskTrace.objects.select_for_update(no_key=True).filter(order=order).first()
        if trace is None:
            raise Invalid("This order is from before there was a risk analysis.")
        if trace.fraud is fraud:
            return
        trace.fraud, trace.known_at = fraud, now
        trace.save(update_fields=["fraud", "known_at"])
        words = "Labelled as fraud" if fraud else "Labelled as honest"
        told.tell(order=order, source="staff" if actor else "bank", kind="risk_label", sentence=f"{words}: {why}")
        if actor is not None:
            note(actor=actor, action="risk label", subject=str(order), now=now, detail={"fraud": fraud, "why": why})
        if order.cancelled_at is None and order.parcels != "shipped":
            judge(order=order, why="labelled", now=now, told=told)
        judge_again_linked(trace=trace, why="a linked order was labelled", now=now)
