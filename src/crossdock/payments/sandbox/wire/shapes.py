"""What goes over the wire: Stripe's objects as JSON, its errors, and the form that its libraries send.

Checked field by field against the official library's types.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]


class Problem(Exception):
    """An error in Stripe's shape. `saved` when the call had begun, so that its idempotency key keeps this answer."""

    def __init__(self, status: int, kind: str, message: str, *, saved: bool = False, **more: Any) -> None:
        super().__init__(message)
        self.status, self.saved = status, saved
        self.body: Json = {"error": {"type": kind, "message": message, **more}}


def bad(message: str, *, saved: bool = False, status: int = 400, **more: Any) -> Problem:
    return Problem(status, "invalid_request_error", message, saved=saved, **more)


def no_such(what: str, id: str) -> Problem:
    return bad(f"No such {what}: '{id}'", status=404, code="resource_missing", param="id")


def form_of(body: bytes, allowed: Iterable[str]) -> dict[str, str]:
    """`a[b]=c` and `a[0]=c` keep their written names. Raises Problem for a parameter that the call does not have."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    known = frozenset(allowed)
    for name in form:
        if name.partition("[")[0] not in known:
            raise bad(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    return form


def inner(form: Mapping[str, str], name: str) -> dict[str, str]:
    """`metadata[a]=b` as {"a": "b"}."""
    pattern = re.compile(rf"{re.escape(name)}\[([^\]]*)\]")
    return {found[1]: value for key, value in form.items() if (found := pattern.fullmatch(key))}


@dataclass(frozen=True, slots=True)
class Card:
    """A test card and how it behaves.

    `decline` is the bank's code; `asks` wants 3-D Secure; `disputes` follows the payment with a chargeback.
    """

    decline: str = ""
    asks: bool = False
    disputes: bool = False
    postal_code: str = "pass"
    cvc: str = "pass"


CARDS: Mapping[str, Card] = {
    "pm_card_visa": Card(),
    "pm_card_visa_chargeDeclined": Card(decline="generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card(decline="insufficient_funds"),
    "pm_card_threeDSecure2Required": Card(asks=True),
    "pm_card_avsZipFail": Card(postal_code="fail"),
    "pm_card_cvcCheckFail": Card(cvc="fail"),
    "pm_card_createDispute": Card(disputes=True),
}


def card_of(token: str) -> Card:
    """What a person typed into Stripe's own fields has an id that nobody knows beforehand; here such a card works."""
    if (token.startswith("pm_card_") and token not in CARDS) or not re.fullmatch(r"pm_[A-Za-z0-9_]+", token):
        raise bad(f"No such PaymentMethod: '{token}'", code="resource_missing", param="payment_method")
    return CARDS.get(token, Card())


def payment_intent(row: Mapping[str, Any], *, charge: Json | None, expand: bool, address: str) -> Json:
    action = None
    if row["status"] == "requires_action":
        redirect = {"url": f"{address}/_bank/{row['ref']}", "return_url": row["back_url"]}
        action = {"type": "redirect_to_url", "redirect_to_url": redirect}
    return {
        "id": row["ref"],
        "object": "payment_intent",
        "amount": row["minor"],
        "amount_capturable": 0,
        "amount_received": row["minor"] if row["status"] == "succeeded" else 0,
        "application": None,
        "application_fee_amount": None,
        "canceled_at": row["canceled_at"],
        "cancellation_reason": None,
        "capture_method": "automatic",
        "client_secret": f"{row['ref']}_secret_{row['secret']}",
        "confirmation_method": "automatic",
        "created": row["created"],
        "currency": row["currency"],
        "customer": None,
        "description": None,
        "last_payment_error": row["error"],
        "latest_charge": (charge if expand else charge["id"]) if charge else None,
        "livemode": False,
        "metadata": row["metadata"],
        "next_action": action,
        "on_behalf_of": None,
        "payment_method": row["method"] or None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": row["status"],
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(row: Mapping[str, Any], *, refunded: int, disputed: bool) -> Json:
    card = card_of(row["method"])
    checks = {"address_line1_check": None, "address_postal_code_check": card.postal_code, "cvc_check": card.cvc}
    address = {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": "12345", "state": None}
    result = "authenticated" if card.asks else None
    return {
        "id": row["charge"],
        "object": "charge",
        "amount": row["minor"],
        "amount_captured": row["minor"],
        "amount_refunded": refunded,
        "captured": True,
        "billing_details": {"address": address, "email": None, "name": None, "phone": None},
        "created": row["created"],
        "currency": row["currency"],
        "disputed": disputed,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": row["metadata"],
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "normal",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": row["ref"],
        "payment_method": row["method"],
        "refunded": refunded == row["minor"],
        "status": "succeeded",
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": "visa",
                "checks": checks,
                "country": "US",
                "exp_month": 12,
                "exp_year": 2040,
                "fingerprint": "Xt5EWLLDS7FJjR1c",
                "funding": "credit",
                "last4": "4242",
                "network": "visa",
                "three_d_secure": {"result": result, "version": "2.2.0"} if card.asks else None,
            },
        },
    }


def refund(row: Mapping[str, Any]) -> Json:
    return {
        "id": row["ref"],
        "object": "refund",
        "amount": row["minor"],
        "balance_transaction": None,
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        "metadata": row["metadata"],
        "payment_intent": row["payment"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row["status"],
        "transfer_reversal": None,
    }


def dispute(row: Mapping[str, Any]) -> Json:
    details = {"due_by": row["created"] + 7 * 86_400, "has_evidence": False, "past_due": False, "submission_count": 0}
    return {
        "id": row["ref"],
        "object": "dispute",
        "amount": row["minor"],
        "balance_transactions": [],
        "charge": row["charge"],
        "created": row["created"],
        "currency": row["currency"],
        "evidence": {},
        "evidence_details": details,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": row["payment"],
        "reason": "fraudulent",
        "status": row["status"],
    }


def warning(row: Mapping[str, Any], *, actionable: bool) -> Json:
    return {
        "id": row["ref"],
        "object": "radar.early_fraud_warning",
        "actionable": actionable,
        "charge": row["charge"],
        "created": row["created"],
        "fraud_type": row["kind"],
        "livemode": False,
        "payment_intent": row["payment"],
    }


def listed(url: str, rows: list[Json], *, limit: int, more: bool, kind: str = "list") -> Json:
    body: Json = {"object": kind, "url": url, "has_more": more, "data": rows[:limit]}
    return body | ({"next_page": None} if kind == "search_result" else {})


def event(*, id: str, topic: str, thing: Json, created: int) -> Json:
    return {
        "id": id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": created,
        "data": {"object": thing},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": topic,
    }
