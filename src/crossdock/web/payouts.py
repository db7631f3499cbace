"""The payout provider, as pages and the door ask it."""

from django.conf import settings

from crossdock.domain.earnings.payouts import Destination
from crossdock.kit.ask import ask_sync
from crossdock.kit.payout import PayoutBank
from crossdock.kit.payouts import open_bank

REGISTER_WITHIN = 8.0


def chosen_bank() -> PayoutBank:
    """The operator's choice: new accounts and payouts go through it."""
    return bank_named(settings.PAYOUT_PROVIDER)


def bank_named(name: str) -> PayoutBank:
    """Raises NoSuchFolder."""
    return open_bank(name, settings.CONFIG.data)


def registered(holder: str, number: str, currency: str) -> Destination:
    """Raises kit.errors.Outside with a sentence for the seller."""
    bank = chosen_bank()
    return ask_sync(lambda _: bank.register(holder, number, currency), within=REGISTER_WITHIN)
