"""Amounts as Stripe counts them.

Its decimals are not always ISO's, so this is Stripe's own table, from https://docs.stripe.com/currencies: "Zero-decimal
currencies" (MGA is one, with two decimals in ISO 4217); "Special cases": "to charge 5 ISK, provide an amount value of
500", UGX likewise; HUF and TWD are whole only in payouts ("even though you can charge two-decimal amounts"); and
"Three-decimal currencies": "API calls require the least-significant (last) digit to be 0".
"""

from crossdock.domain.values import Money

NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


class NotTaken(ValueError):
    """Stripe cannot take this very amount; the message is a sentence for the buyer."""


def decimals(currency: str) -> int:
    """How many decimals Stripe counts in this currency."""
    return 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2


def to_stripe(amount: Money) -> int:
    """Raises NotTaken rather than charge another amount than the one that was shown."""
    scaled = amount.decimal.scaleb(decimals(amount.currency))
    minor = int(scaled)
    if minor != scaled or (amount.currency in THREE_DECIMALS and minor % 10):
        step = "0.010" if amount.currency in THREE_DECIMALS else "the smallest coin it knows"
        raise NotTaken(f"Cards are charged in {amount.currency} only in steps of {step}; {amount} is not one.")
    return minor


def from_stripe(minor: int, currency: str) -> Money:
    """Raises domain.values.NotMoney for a currency that we do not know."""
    code = currency.upper()
    return Money.of(str(minor) if decimals(code) == 0 else f"{minor}e-{decimals(code)}", code)
