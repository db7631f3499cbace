"""What a buyer reads when a card is refused, and the test cards that Stripe itself names.

Nothing here tells a thief that a card is known as stolen.
"""

from crossdock.kit.gateway import Choice

LOST = "The bank did not answer in time."
SLOW = "The bank is still working on the payment."
CLOSED = "This marketplace cannot take cards right now. Nothing was charged."
VOIDED = "The payment was given up before the bank carried it out."
NOT_BEGUN = "The payment could not be begun. Nothing was charged; pay again."
NO_BROWSER = "The card's bank wants the buyer to confirm the payment, which is only possible on our own pages."
NOT_CONFIRMED = "The payment was not confirmed at your bank."

_DECLINED = {
    "insufficient_funds": "The card does not have enough money on it.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is not right.",
    "invalid_cvc": "The card's security code is not right.",
    "incorrect_number": "The card's number is not right.",
    "processing_error": "The bank could not process the card just now.",
    "authentication_required": NO_BROWSER,
    "payment_intent_authentication_failure": NOT_CONFIRMED,
    "currency_not_supported": "The card does not pay in this currency.",
    "card_velocity_exceeded": "The card was used too often for today.",
}

# Only with test keys, where no other card works anyway.
TEST_CARDS = (
    Choice("pm_card_visa", "Test card that works"),
    Choice("pm_card_visa_chargeDeclined", "Test card that is declined"),
    Choice("pm_card_visa_chargeDeclinedInsufficientFunds", "Test card without enough money"),
    Choice("pm_card_threeDSecure2Required", "Test card whose bank asks the buyer"),
    Choice("pm_card_avsZipFail", "Test card whose postal code does not match"),
    Choice("pm_card_cvcCheckFail", "Test card whose security code fails"),
    Choice("pm_card_createDispute", "Test card whose owner disputes the payment"),
)


def declined(code: str, decline_code: str = "") -> str:
    """The sentence for Stripe's `code` and the bank's `decline_code`."""
    return _DECLINED.get(decline_code) or _DECLINED.get(code) or "Your bank declined the card."
