"""Prices of a shop that wait for their seller."""

from django.db import models

from crossdock.domain.values import Money
from crossdock.store.models.catalogue import Variant


class HeldPrice(models.Model):
    """The shop asks `told_minor` for the variant since `at`; here its old price stays asked. `kept`: the seller said
    so; otherwise they have not decided.
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
        """How far it is from the price asked, of that price."""
        asked = self.variant.price_minor
        return round(100 * (self.told_minor - asked) / asked) if asked else 0
