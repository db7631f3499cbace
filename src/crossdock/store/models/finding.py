"""Attributes, categories and the rules that fill them from what shops say."""

from django.conf import settings
from django.db import models

from crossdock.store.models.people import Seller


class Taxonomy(models.Model):
    """The marketplace's attributes and categories, as one document. Rows are only added; the newest is in force."""

    document = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField()


class FillRule(models.Model):
    """A seller's: where the shop says `word` (empty: anything), the attribute is `value` (empty: what it says)."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="fill_rules")
    source = models.CharField(max_length=10)
    name = models.CharField(max_length=100, blank=True)
    word = models.CharField(max_length=200, blank=True)
    attribute = models.CharField(max_length=60)
    value = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["seller", "source", "name", "word", "attribute", "value"], name="one_of_each_fill_rule"
            )
        ]


class Refill(models.Model):
    """Listings behind this one wait to be filled again: its seller's rules changed; without one, the definitions."""

    seller = models.OneToOneField(Seller, null=True, on_delete=models.CASCADE, related_name="refill")
    after = models.BigIntegerField(default=0)
