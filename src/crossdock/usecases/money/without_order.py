"""Money of what came to no order, where it cannot go back by itself: our staff are told. No seller has a part in it."""

from crossdock.domain.alerts import AlertCode
from crossdock.domain.values import Money
from crossdock.store.models import PaymentIntent, Seller
from crossdock.usecases.record.telling import Telling


def not_gone_back(*, intent: PaymentIntent, amount: Money, key: str, why: str, told: Telling) -> None:
    """Once per refund, by its `key`."""
    told.raise_alert(
        code=AlertCode.REFUND_FAILED,
        seller=Seller.objects.get(pk=intent.basket["parts"][0]["seller"]),
        key=f"refund:{key}",
        for_staff=True,
        evidence={"payment": intent.public_id, "at_the_bank": intent.gateway_ref},
        sentence=(
            f"{amount.words} of payment {intent.public_id} came to no order and did not go back to the buyer: {why} Pay"
            " it back at the payment provider, then settle this."
        ),
    )
