"""What is known about an order when it is judged.

None means that nobody told us: such a signal is not available, which is never the same as good.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """Check results are "pass", "fail" or "unavailable" as gateways say; counts are of the marketplace's own history
    before this order. `earlier_of_*` are tries of whatever end: where it is 0, the other counts say nothing.

    `*_day` and the like are rolling windows that end now. Links count other buyers who used the same thing within 90
    days.
    """

    # The payment
    postal_code_check: str | None = None
    cvc_check: str | None = None
    three_d_secure: str | None = None
    funding: str | None = None
    card_country: str | None = None
    billing_country: str | None = None
    gateway_score: int | None = None
    # The order
    ship_country: str | None = None
    total_minor: int | None = None
    usual_total_minor: int | None = None
    market_usual_minor: int | None = None
    buyers_usual_minor: int | None = None
    most_units: int | None = None
    # The seller: sold within a day, sold on a usual day, and frauds known among its latest sales
    seller_orders_day: int | None = None
    seller_usual_day: float | None = None
    seller_orders: int | None = None
    seller_frauds: int | None = None
    # The buyer's own past
    account_age_hours: float | None = None
    earlier_of_buyer: int | None = None
    known_days: float | None = None
    orders_last_hour: int | None = None
    orders_last_day: int | None = None
    orders_last_week: int | None = None
    spent_last_day_minor: int | None = None
    settled_orders: int | None = None
    # Paid two weeks ago or longer, and not known as fraud; and the most of them within one day, a week ago or longer
    aged_orders: int | None = None
    busiest_day: int | None = None
    declined_last_day: int | None = None
    # The same of the card and the device, whoever used them
    earlier_of_card: int | None = None
    card_orders_hour: int | None = None
    card_orders_day: int | None = None
    earlier_of_device: int | None = None
    device_orders_hour: int | None = None
    device_orders_day: int | None = None
    device_declined_last_day: int | None = None
    # Links to others
    cards_of_buyer_week: int | None = None
    devices_of_buyer_week: int | None = None
    cards_of_device_day: int | None = None
    buyers_of_card: int | None = None
    buyers_of_device: int | None = None
    buyers_of_address: int | None = None
    buyers_of_ip_day: int | None = None
    frauds_of_buyer: int | None = None
    frauds_of_card: int | None = None
    frauds_of_device: int | None = None
    linked_frauds: int | None = None
    # Since the buyer first paid with this card, and on this device
    card_days: float | None = None
    device_days: float | None = None
    new_card: bool | None = None
    new_device: bool | None = None
    new_address: bool | None = None
    # Looked up offline
    disposable_email: bool | None = None
    phone_valid: bool | None = None
    phone_country: str | None = None
    postal_code_fits: bool | None = None
    forwarder: bool | None = None
    ip_country: str | None = None
    ip_hosting: bool | None = None
    blocked: bool | None = None
    trusted: bool | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Facts":
        """From what was kept with an assessment; fields of another version are left out."""
        return cls(**{name: value for name, value in kept.items() if name in cls.__slots__})
