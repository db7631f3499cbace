"""Stripe's objects in our words.

What a newer version of theirs says and we do not know is treated as not known yet, never as paid or refused.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crossdock.domain.payments import BankRefund, Dispute, DisputeState, FraudWarning, RefundState
from crossdock.kit.gateway import Answer, AtTheBank, Captured, Declined, NeverSeen, NotKnown
from crossdock.payments.stripe import words
from crossdock.payments.stripe.amounts import from_stripe
from crossdock.payments.stripe.client import OUR_KEY

if TYPE_CHECKING:
    import stripe

_DISPUTES = {
    "warning_needs_response": DisputeState.ASKED,
    "warning_under_review": DisputeState.ASKED,
    "warning_closed": DisputeState.WON,
    # It never became a chargeback: refunded or answered before (docs.stripe.com/api/disputes/object, status).
    "prevented": DisputeState.WON,
    "needs_response": DisputeState.TAKEN,
    "under_review": DisputeState.TAKEN,
    "appeal_needs_response": DisputeState.TAKEN,
    "appeal_under_review": DisputeState.TAKEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}
_REFUNDS = {"succeeded": RefundState.DONE, "failed": RefundState.FAILED, "canceled": RefundState.FAILED}


def answer(pi: "stripe.PaymentIntent") -> Answer:
    """What a payment's state means for us."""
    match pi.status:
        case "succeeded":
            return Captured(pi.id, checks(pi))
        case "canceled" | "requires_confirmation":
            return NeverSeen()
        case "requires_payment_method":
            error = _part(pi, "last_payment_error")
            return (
                Declined(words.declined(*(str(error.get(name) or "") for name in ("code", "decline_code"))))
                if error
                else NeverSeen()
            )
        case "requires_action":
            url = _part(_part(pi, "next_action"), "redirect_to_url").get("url")
            return AtTheBank(str(url)) if url else NotKnown(words.SLOW)
        case _:
            return NotKnown(words.SLOW)


def checks(pi: "stripe.PaymentIntent") -> dict[str, str]:
    """The bank's checks of the card, under our names, where they were made at all."""
    charge = _part(pi, "latest_charge")
    card = _part(_part(charge, "payment_method_details"), "card")
    made, address = _part(card, "checks"), _part(_part(charge, "billing_details"), "address")
    found = {
        "postal_code": made.get("address_postal_code_check"),
        "line1": made.get("address_line1_check"),
        "cvc": made.get("cvc_check"),
        "billing_country": address.get("country"),
        "billing_postal_code": address.get("postal_code"),
        "card_country": card.get("country"),
        "card_funding": card.get("funding"),
        "card_fingerprint": card.get("fingerprint"),
        "three_d_secure": _part(card, "three_d_secure").get("result"),
        "gateway_risk": _part(charge, "outcome").get("risk_level"),
    }
    return {name: str(value) for name, value in found.items() if value and value != "unchecked"}


def refund(made: "stripe.Refund") -> BankRefund:
    state = _REFUNDS.get(made.status or "", RefundState.UNDER_WAY)
    return BankRefund(made.id, from_stripe(made.amount, made.currency), state, key_of(made))


def key_of(made: "stripe.Refund") -> str:
    """Our key, when it was us who asked for this refund."""
    return str(_part(made, "metadata").get(OUR_KEY) or "")


def dispute(made: "stripe.Dispute") -> Dispute:
    due = _part(made, "evidence_details").get("due_by")
    return Dispute(
        made.id,
        from_stripe(made.amount, made.currency),
        _DISPUTES.get(made.status, DisputeState.ASKED),
        made.reason,
        datetime.fromtimestamp(due, UTC) if due else None,
        datetime.fromtimestamp(made.created, UTC),
    )


def warning(made: "stripe.radar.EarlyFraudWarning") -> FraudWarning:
    """docs.stripe.com/api/radar/early_fraud_warnings/object: `fraud_type` is one of seven words, such as
    made_with_stolen_card or misc; `created` is when the issuer's report came.
    """
    kind = "" if made.fraud_type == "misc" else str(made.fraud_type or "")
    return FraudWarning(made.id, datetime.fromtimestamp(made.created, UTC), kind)


def ref_of(made: "stripe.Refund | stripe.Dispute | stripe.radar.EarlyFraudWarning") -> str:
    """Stripe's id of the payment that this was made of; empty for what was charged in another way."""
    return made.payment_intent if isinstance(made.payment_intent, str) else ""


def _part(thing: Any, name: str) -> Mapping[str, Any]:
    """A nested object as a mapping; empty when it is not there, or only its id is.

    The library's own objects raise for a field that did not come.
    """
    value: Any = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
    if value is not None and hasattr(value, "to_dict"):
        value = value.to_dict()
    return value if isinstance(value, Mapping) else {}
