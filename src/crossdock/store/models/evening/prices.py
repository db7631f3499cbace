"""Prices of a shop that wait for their seller."""

from django.db import models

from crossdock.domain.values import Money
from crossdock.store.models.catalogue import Variant


class HeldPrice(models.Model):
    """The shop asks `told_minor` for the variant since `at`; here its old price, the variant's `shop_price`, is still
    followed. `kept`: the seller said so; otherwise they have not decided.
    """

    variant = models.OneToOneField(Variant, on_delete=models.CASCADE, related_name="held_price")
    told_minor = models.BigIntegerField()
    at = models.DateTimeField()
    kept = models.BooleanField(default=False)

    @property
    def told(self) -> Money:
        return Money(self.told_minor, self.variant.listing.currency)

    @property
    def percent(self) -> int:
        """How far it is from the shop's price that is followed, of that price."""
        was = self.variant.shop_price.minor
        return round(100 * (self.told_minor - was) / was) if was else 0
