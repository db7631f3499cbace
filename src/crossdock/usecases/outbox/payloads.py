"""What each command says to whoever carries it out, typed. A row keeps it as JSON; it is read and written here alone.

Rows outlive versions: a field that is added gets a default.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from crossdock.domain.commands import AdjustStock, CancelLines, CancelOrder, CreateOrder, WriteFulfilment, WriteRisk
from crossdock.domain.trial_order import TrialOrder
from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class RefundPayment:
    """Money back of a payment. `order` and `credit` are empty where no order came of it."""

    intent: str
    amount_minor: int
    currency: str
    order: str | None = None
    credit: str = ""

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True)
class SendMail:
    """The mail's row."""

    mail: int


@dataclass(frozen=True, slots=True)
class SendEvent:
    """The body as it is signed and sent to this receiver; `id` is the same for every receiver and every try. With
    `session` (an AgentSession's key) it is that session's order as it stands when it is sent, and both are empty here.
    """

    endpoint: int
    id: str
    body: dict[str, Any]
    session: int = 0


@dataclass(frozen=True, slots=True)
class AboutLabel:
    """A label, by its public id, and its order's reference."""

    label: str
    order: str = ""


@dataclass(frozen=True, slots=True)
class SendPayout:
    """The payout, by its public id."""

    payout: str


CREATE: TypeAdapter[CreateOrder] = TypeAdapter(CreateOrder)
CANCEL: TypeAdapter[CancelOrder] = TypeAdapter(CancelOrder)
LINES: TypeAdapter[CancelLines] = TypeAdapter(CancelLines)
ADJUST: TypeAdapter[AdjustStock] = TypeAdapter(AdjustStock)
RISK: TypeAdapter[WriteRisk] = TypeAdapter(WriteRisk)
FULFILMENT: TypeAdapter[WriteFulfilment] = TypeAdapter(WriteFulfilment)
TRIAL: TypeAdapter[TrialOrder] = TypeAdapter(TrialOrder)
REFUND: TypeAdapter[RefundPayment] = TypeAdapter(RefundPayment)
MAIL: TypeAdapter[SendMail] = TypeAdapter(SendMail)
EVENT: TypeAdapter[SendEvent] = TypeAdapter(SendEvent)
LABEL: TypeAdapter[AboutLabel] = TypeAdapter(AboutLabel)
PAYOUT: TypeAdapter[SendPayout] = TypeAdapter(SendPayout)


def with_copy(payload: dict[str, Any], shop_order_id: str) -> dict[str, Any]:
    """What names the shop's order, and may have been written before that was there."""
    return payload if payload.get("shop_order_id") else {**payload, "shop_order_id": shop_order_id}


def without_buyer(payload: dict[str, Any]) -> dict[str, Any]:
    """As it waits for a shop once its buyer is forgotten: the same order, to nobody in the same country."""
    to = payload.get("ship_to")
    if to is None:
        return payload
    return {**payload, "ship_to": {**dict.fromkeys(to, ""), "country": to["country"]}, "email": ""}
