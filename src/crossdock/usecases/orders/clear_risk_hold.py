"""Staff looked at a held order: it may be shipped, and goes to its shop."""

from datetime import datetime

from django.conf import settings

from crossdock.domain.roles import Right
from crossdock.store.models import Order, RiskHold, User
from crossdock.usecases.accounts.working_days import due_after, due_words
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.landing import send_to_shop
from crossdock.usecases.record import audit
from crossdock.usecases.record.rights import require, why_not_yours
from crossdock.usecases.record.telling import telling


def clear_hold(*, order: Order, actor: User, note: str, now: datetime) -> None:
    """Staff looked: it goes to its shop now. Pressed twice it goes once."""
    require(actor, None, "Only staff clear held orders.", Right.RISK)
    with telling(now) as told:
        order = (
            Order.objects.select_for_update(no_key=True, of=("self",))
            .select_related("connection__party", "seller__owner")
            .get(pk=order.pk)
        )
        if why := why_not_yours(order, actor):
            raise NotAllowed(why)
        hold = RiskHold.objects.select_for_update(no_key=True).filter(order=order).first()
        if hold is None:
            raise Invalid("This order is not held.")
        if hold.cleared_at is not None:
            return
        if order.cancelled_at is not None:
            raise NotAllowed("This order was cancelled meanwhile.")
        hold.cleared_at, hold.cleared_by, hold.note = now, actor, note[:300]
        hold.save()
        # The seller could not ship while it was held.
        order.ship_by = due_after(order, since=hold.held_at, back=now)
        order.save(update_fields=["ship_by"])
        told.tell(order=order, source="staff", kind="risk_cleared", sentence="Our staff cleared the order.")
        told.write_mail(
            cause=f"released:{order.reference}",
            to=order.seller.owner.email,
            subject=f"Order #{order.number} may be shipped",
            order=order,
            body=(
                f"Our staff released order #{order.number}. Ship it by {due_words(order)}.\n"
                f"{settings.BASE_URL}/seller/orders/{order.public_id}/"
            ),
        )
        audit.note(actor=actor, action="risk_cleared", subject=order.reference, now=now, detail={"note": note})
        if order.connection is not None:
            send_to_shop(order=order, now=now)
