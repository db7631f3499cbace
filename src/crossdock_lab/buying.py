"""A buyer buys, without a browser: hold, pay at the gateway, order. The same use-cases as the pages'."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crossdock.domain.values import Address
from crossdock.kit.ask import ask_sync
from crossdock.kit.gateway import Captured, Declined, NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Order, PaymentIntent, Seller, ShippingRate, User, Variant
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced, with_offers

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Till:
    """Where one buys: a gateway and its folder.

    `token` is the means of payment; "" takes the first that the gateway offers.
    """

    data: Path
    gateway: str = "sandbox"
    token: str = ""

    def buy(self, *, buyer: User, variant: Variant, quantity: int = 1, ship_to: Address, offer: str = "") -> Order:
        """`offer` is the public id of the accepted offer that is paid. Raises a use-case's Problem, or NotPaid."""
        basket = with_offers({variant.public_id: quantity}, [offer] if offer else [])
        return self.pay(self.begin(buyer=buyer, basket=basket, ship_to=ship_to))

    def begin(self, *, buyer: User, basket: Basket, ship_to: Address) -> PaymentIntent:
        """The units are held; nothing is paid."""
        now = datetime.now(UTC)
        shown = priced(basket=basket, country=ship_to.country, now=now)
        return checkout.open_checkout(
            buyer=buyer,
            basket=basket,
            ship_to=ship_to,
            key=secrets.token_urlsafe(12),
            fingerprint=shown.fingerprint,
            gateway=self.gateway,
            now=now,
        )

    def pay(self, intent: PaymentIntent) -> Order:
        """The first of its orders."""
        gateway = open_gateway(self.gateway, self.data)
        token = self.token or gateway.choices()[0].token
        match ask_sync(lambda _: gateway.capture(intent.asked, token), PATIENCE_SECONDS):
            case Captured(gateway_ref, checks):
                return checkout.place_order(
                    intent_id=intent.public_id, gateway_ref=gateway_ref, checks=checks, now=datetime.now(UTC)
                )
            case Declined(sentence):
                checkout.payment_failed(intent_id=intent.public_id, sentence=sentence, now=datetime.now(UTC))
                raise NotPaid(sentence)
            case other:
                sentence = (
                    other.sentence if isinstance(other, NotKnown) else "The bank wants to hear it from the buyer."
                )
                checkout.payment_unknown(intent_id=intent.public_id, sentence=sentence, now=datetime.now(UTC))
                raise NotPaid(sentence)


class NotPaid(Exception):
    """No money came; the message is the gateway's sentence."""


def make_seller(
    *, name: str, email: str, password: str | None = None, currency: str = "USD", shipping_minor: int = 499
) -> Seller:
    """A seller who ships everywhere for one price."""
    owner = User.objects.create_user(email, password, name=name)
    slug = email.partition("@")[0].replace(".", "-")
    seller = Seller.objects.create(owner=owner, name=name, slug=slug, currency=currency)
    ShippingRate.objects.create(seller=seller, country="*", currency=currency, price_minor=shipping_minor)
    return seller
