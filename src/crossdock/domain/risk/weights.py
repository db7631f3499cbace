"""What each signal weighs in the rules that are shipped, and where the levels begin. Ten points are about one
step of e in the odds.

Written by `python -m crossdock_lab risk-weights --seeds 21,22 --write` from 12 kinds of made-up histories:
change what that learns from (crossdock_lab/risk_weights.py, demo/histories.py), not this.
"""

from collections.abc import Mapping

WEIGHTS: Mapping[str, int] = {
    "postal_code": 20,
    "cvc": 27,
    "authenticated": -12,
    "prepaid": 1,
    "gateway": 20,
    "countries": 4,
    "card_country": 5,
    "amount": 18,
    "amount_market": 29,
    "amount_buyer": 0,
    "units": 5,
    "seller_fraud": 9,
    "seller_busy": 10,
    "new_account": 21,
    "rush": 9,
    "known_buyer": -24,
    "old_account": -17,
    "own_things": -14,
    "used_to_it": -16,
    "orders_hour": 15,
    "orders_day": 6,
    "orders_week": 0,
    "spent_day": 8,
    "declined_day": 7,
    "card_hour": 3,
    "card_day": 1,
    "device_hour": 6,
    "device_day": 2,
    "device_declined": 8,
    "cards_buyer": 13,
    "devices_buyer": 0,
    "cards_device": 17,
    "card_shared": 11,
    "device_shared": 11,
    "address_shared": 13,
    "ip_shared": 5,
    "buyer_fraud": 30,
    "card_fraud": 16,
    "device_fraud": 16,
    "linked_fraud": 45,
    "new_card": 7,
    "new_device": 0,
    "taken_over": 20,
    "disposable_email": 16,
    "phone": 6,
    "phone_country": 5,
    "postal_state": 6,
    "forwarder": 15,
    "ip_country": 18,
    "ip_hosting": 16,
    "blocked": 100,
    "trusted": -40,
}
# Few honest orders reach the first line (docs/risk.md says how many); most above the second are fraud.
MEDIUM_FROM, HIGH_FROM = 31, 55
